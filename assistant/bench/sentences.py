"""What is said in the voice benchmark: sentences of the demo homelab, as texts.

A command is said after the wake phrase; ``|`` marks where a person hesitates. Every sentence is one that the sentence
templates answer over the demo homelab's names (a test asks the matcher). ``SAY_AS`` respells names for synthesizers
that read letters: what is heard is how people say the name, what is written stays the name.
"""

from __future__ import annotations

import re

WAKE_PHRASE = "Hey Jarvis"
HESITATION = "|"

COMMANDS: tuple[str, ...] = (
    "is the backup ok?",
    "did the photo backup run last night?",
    "back up the documents now",
    "run a restore test of the password vault",
    "can the databases be restored?",
    "which backups are broken?",
    "is jellyfin up?",
    "what's down right now?",
    "are there any alerts?",
    "restart the photo server",
    "what port is pihole on?",
    "do any certificates expire soon?",
    "start the windows vm",
    "shut down my linux desktop",
    "is the gaming vm running?",
    "which virtual machines are on?",
    "please turn off all my lights",
    "turn on the desk lamp",
    "dim the living room to thirty percent",
    "how warm is it in the bedroom?",
    "is the garage door open?",
    "unlock the front door",
    "set the heating to twenty one degrees",
    "start the coffee machine",
    "set a timer for ten minutes",
    "remind me at six to take out the trash",
    "what's scheduled?",
    "cancel the timer",
    "what time is it?",
    "is the light in the kitchen on?",
    "turn off the kitchen lights",
    "turn on the patio lights",
    "turn off the television",
    "is grafana running?",
    "restart nextcloud",
    "is home assistant up?",
    "start the minecraft server",
    "test restoring gitea",
    "lock the front door",
    "close the garage door",
    "turn off the heater in the office",
    "open the blinds in the bedroom",
    "is the sandbox running?",
    "run the photos backup",
    "stop the sprinklers",
    "is the front door locked?",
    "turn on the hallway light",
    "show me the last errors of nextcloud",
)

PAUSES: tuple[str, ...] = (
    "is | the backup ok?",
    "turn off the | kitchen lights",
    "start the | windows vm",
    "is | jellyfin up?",
    "set the heating to | twenty one degrees",
    "dim the living room to | thirty percent",
    "run a restore test of | the password vault",
    "remind me at six to | take out the trash",
    "restart | the photo server",
    "set a timer for | ten minutes",
    "turn on the | desk lamp",
    "what port is | pihole on?",
    "is the light in | the kitchen on?",
    "back up | the documents now",
    "how warm is it in | the bedroom?",
    "turn off the heater in | the office",
    "show me the last errors of | nextcloud",
    "open the blinds in | the bedroom",
    "which | virtual machines are on?",
    "can the | databases be restored?",
    "unlock | the front door",
    "is the | gaming vm running?",
)

NAMES: dict[str, str] = {
    "jellyfin": "is jellyfin up?",
    "gitea": "restart gitea",
    "immich": "is immich running?",
    "paperless": "what port is paperless on?",
    "vaultwarden": "is vaultwarden up?",
    "pihole": "restart pihole",
    "grafana": "is grafana down?",
    "prometheus": "is prometheus running?",
    "home assistant": "restart home assistant",
    "open webui": "is open webui up?",
    "minecraft": "start minecraft",
    "nextcloud": "why did nextcloud go down?",
    "endeavour": "is endeavour running?",
    "sandbox": "start the sandbox",
}
"""Canonical name → the sentence it is said in."""

SAY_AS: dict[str, str] = {
    "jellyfin": "jelly fin",
    "gitea": "git tea",
    "immich": "immitch",
    "vaultwarden": "vault warden",
    "pihole": "pie hole",
    "grafana": "graphana",
    "open webui": "open web U I",
    "minecraft": "mine craft",
    "nextcloud": "next cloud",
    "vm": "V M",
}

SAY_AS_HERE: dict[str, dict[str, str]] = {
    "flite": {"prometheus": "pro meethy us"},
    "festival": {"prometheus": "pro meethy us"},
}
"""Engine → what it alone gets wrong, after ``SAY_AS``."""


def plain(text: str) -> str:
    """The text without the marks of hesitation: what is said."""
    return re.sub(rf"\s*{re.escape(HESITATION)}\s*", " ", text).strip()


def respelled(text: str, engine: str) -> str:
    """As this synthesizer has to read it."""
    for spellings in (SAY_AS, SAY_AS_HERE.get(engine, {})):
        for name, spelling in spellings.items():
            text = re.sub(rf"\b{name}\b", spelling, text)
    return text


def names_in(text: str) -> tuple[str, ...]:
    """Canonical names of ``NAMES`` that the text holds, in the order of ``NAMES``."""
    return tuple(name for name in NAMES if re.search(rf"\b{name}\b", text))
