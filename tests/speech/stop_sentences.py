"""What is said to teach the "stop" detector: the word itself, words that sound like it, and other speech."""

from __future__ import annotations

STOP = ("Stop!", "Stop.", "Jarvis, stop.", "Please stop!", "Hey Jarvis, stop!", "Okay, stop.")
"""All end with the word, so that its end is the end of the sound."""

STOP_IT = ("Stop it!", "Jarvis, stop it.", "Stop talking.")
"""Only heard in the test: where the word ends in them is not known exactly."""

NEAR = (
    "Stopped.", "Stopping.", "Stops.", "Top.", "The top.", "Shop.", "The shop.", "Step.", "Stock.", "In stock.",
    "Stack.", "Spot.", "Start.", "Start it.", "Store.", "Storm.", "Stuff.", "Drop.", "Pop.", "Hop.", "Chop.", "Up.",
    "Back up.", "Laptop.", "Desktop.", "On top.", "Setup.", "Swap.", "Scott.", "Stomp.", "Strap.", "Stark.", "Skip.",
    "Sleep.", "Stamp.", "Steep.", "Stood.", "Staff.", "Status.", "Startup.", "Snapshot.", "What.", "Not yet.",
    "Got it.", "A lot.", "Soft.", "Sort.", "Hot.", "Spa.", "Stay.", "Still.", "It stopped.", "Everything stopped.",
    "Restart.", "Star.", "Photo shop.", "Stopwatch.", "Just a lot.", "The slot.", "Top up.", "Standby.", "Sob.", "Sub.",
    "Job.", "The job.",
)  # fmt: skip
"""Alone, as "stop" would be. Who says "stopped" has said "stop" first: only the assistant's own voice has to be told
from it, and from "stop" itself."""

OTHER = (
    "Hey Jarvis, is the backup ok?", "Turn off all the lights in the kitchen, please.", "What is down right now?",
    "How is the photos backup doing?", "Start the windows machine.", "Remind me to water the plants at six.",
    "I think we should have dinner first.", "Did you see what happened at the office today?",
    "The top shelf is full of spare parts from the shop.", "She said that the storm would pass before midnight.",
    "Set a timer for ten minutes.", "Which of the services needed a restart this week?", "Could you repeat that?",
    "It is one of those things that nobody ever writes down.", "My laptop is on the desktop table, not on the floor.",
    "Thanks, that is all.", "No, not that one, the other one.", "Yes, go ahead.", "Open the garage, would you?",
    "They dropped a lot of stock on the spot.", "He stepped out for a moment and left the radio on.",
    "Is it still raining outside?", "The train was late again, so I took the bus.", "Where does gitea run?",
    "Put the kettle on and shut the door.", "There are forty two messages in the queue.", "What about the top one?",
    "Check the certificate of the media server.", "We have got to talk about the budget.", "Good morning, everybody.",
    "Up and down the stairs all day long.", "A strong wind swept the tops of the trees.", "Turn it up a notch.",
    "I would not start before the snapshot is done.", "It smells of soap and hot chocolate.", "Sounds good to me.",
    "The children are asleep upstairs.", "Just give me the short version of it.", "Stand up straight.",
    "What time is it in Stockholm?", "Pop the lid off and stir the soup.", "Shut up and listen for a second.",
)  # fmt: skip
"""What other people say; "stop" in the middle of a sentence is in none of them: whoever says that may be obeyed."""

_NAMES = (
    "Jellyfin", "Gitea", "Grafana", "Immich", "Nextcloud", "the media server", "Home Assistant", "Vaultwarden",
    "Paperless", "Pi-hole", "the storage box", "the photos backup", "Prometheus", "the windows machine", "Traefik",
    "the office printer",
)  # fmt: skip
_STATES = (
    "is up", "is down since a quarter past nine", "stopped answering two minutes ago", "was stopped at noon",
    "is running again", "has restarted three times today", "needs a restart", "stops every night at three",
    "is at the top of the list", "could not be stopped", "starts at six and takes an hour", "is stable again",
    "was started eleven minutes ago", "stores forty two gigabytes", "is on standby", "takes a snapshot every night",
    "dropped two packets", "answers in a hundred and four milliseconds", "has a certificate for nine more days",
    "still waits for the storage box", "was not found in stock", "is in a strange state", "has no status to report",
    "uses a lot of memory, eighty one percent of it", "got stuck on its first step", "is slow but steady",
    "has a spot on the dashboard", "is the only one that talks to the shop", "was set up last summer",
    "is not what you asked for",
)  # fmt: skip
_REPLIES = (
    "The photos backup is proven: fresh, verified, and restored eleven days ago.", "All services are up.",
    "Shall I stop the windows machine? Say yes to go on.", "I did not stop anything.", "One of two backups is proven.",
    "The machine stopped. It takes a moment to stop.", "Your timer for ten minutes has started.", "I cannot stop that.",
    "The last restore test was four days ago, and the contents matched.", "There is nothing to stop.",
    "The disk of the storage box is eighty one percent full.", "To stop it, say stop.", "Stop.", "Stopped.", "Done.",
    "The kitchen light is off. The hall light is still on.", "Two alerts fire: high load, and a full disk.",
    "The shop network is up, the top floor is not.", "I have planned it for tomorrow at six.", "The desktop is asleep.",
    "No stock snapshot was found for that machine.", "I did not get that. Could you say it again?",
    "Okay, I stop here.", "The rest is on the screen.", "It would drop the old snapshot and start a new one.",
    "The pump is on standby.",
    "It is a quarter past ten.", "Store it in the box beside the door.", "The sensor in the storage room is offline.",
    "I have put a milk carton on the shopping list.", "Somebody opened the garage at four.", "Sorry, I cannot do that.",
    "Of nine containers, eight are healthy.", "The certificate of the cloud expires on Saturday.", "Paperless is fine.",
    "There was a power cut at two minutes past three.", "Both disks are in good health.", "I am still waiting for it.",
    "That would take about half an hour.", "The back door is locked, the front door is not.", "It is raining outside.",
    "Your last backup of the laptops is from Thursday.", "Nobody is at home.", "The bedroom is at nineteen degrees.",
    "I will remind you tomorrow morning.", "The battery of the hall sensor is at five percent.", "I found three.",
    "Upload is four megabits, download is fifty.", "The restore failed, because two files were missing.",
    "Nothing has changed since yesterday.", "You have asked me that before.", "The box behind the sofa is hot.",
    "Here is what I know about the outage.", "It went down at noon, and came back at one.", "Say it once more, please.",
    "The solar panels made twelve kilowatt hours today.", "Two updates are ready to be installed.", "No, it is not.",
    "Its memory is almost full, and it swaps.", "The washing machine is done.", "I did not understand the name.",
    "The doorbell rang while you were out.", "A snapshot was taken before the update.", "All lights are off now.",
    "The job was started by hand, and it is at sixty percent.", "Your car is charged.", "I cannot reach the router.",
    "Photos has four hundred new pictures.", "The spare disk has bad sectors.", "Everything is as it should be.",
    "The garden pump ran for forty minutes.", "Its log says that the database is locked.", "That is not set up here.",
    "The next run is tonight at half past two.", "Three people use the house network.", "The curtain is closed.",
    "I have stored that.", "The stars are out, and the roof window is open.", "A shop order has arrived.",
    "Start with the oldest one.", "Stay where you are, it starts again.", "It stands still.", "A storm is coming.",
    "The stairs light has been on since six.", "Stockholm is an hour ahead.", "Step by step, it is getting better.",
)  # fmt: skip


def replies(held_out: bool) -> tuple[str, ...]:
    """What the assistant says; every third is kept for the test."""
    every = [*_REPLIES, *(f"{name[0].upper()}{name[1:]} {state}." for name in _NAMES for state in _STATES)]
    return tuple(text for index, text in enumerate(every) if (index % 3 == 0) == held_out)
