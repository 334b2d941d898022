"""Typed turns at ``/command``: questions, follow-ups, reminders, the turn's events, the model."""

from __future__ import annotations

import json

from assistant.soak.scripted_model import ANSWER
from assistant.soak.visitor import Visitor, expect, expect_call
from tools.contract import JsonObject

STATES = {
    "up": (" is up.",),
    "down": (" is down",),
    "flapping": (" is up.", " is flapping", " is down", " is degraded"),
}
"""How the answer about a service goes on after its name. A flapping one is whatever was seen of it so far."""

BACKUPS = "Four of seven backups are proven."
"""The demo's own verdict, where restic, borg, rsync and PostgreSQL are installed."""

UNANSWERED = ("what do you think of modern art?", "who was the first person on the moon?", "do you like poetry?")
"""What no template reads and no tool knows: the model is asked."""


SMALL_TALK = (("hello", "Hello"), ("what time is it?", "It is "), ("thank you", "welcome"), ("yes", "hadn't asked"))
"""What is said, and what the answer has in it."""


async def service(visitor: Visitor) -> None:
    """How one service is."""
    await service_asked(visitor, visitor.chance.choice(sorted(visitor.home.states)))


async def service_asked(visitor: Visitor, name: str, words: str = "is {} up?", conversation: str | None = None) -> None:
    """The answer tells what is true of it."""
    outcome = await visitor.command(words.format(name), conversation=conversation)
    expect_call(outcome, "check_services", {"service": name})
    expect_state(visitor, name, outcome["reply"])


def expect_state(visitor: Visitor, name: str, reply: str) -> None:
    """The reply says the service's state, as the demo has it."""
    said = reply.casefold().startswith(name) and any(end in reply for end in STATES[visitor.home.states[name]])
    expect(said, f"{name} {visitor.home.states[name]}", reply)


async def follow_up(visitor: Visitor) -> None:
    """A second question that lives of the first."""
    first, second = visitor.chance.sample(sorted(visitor.home.states), 2)
    conversation = visitor.name("talk")
    await service_asked(visitor, first, conversation=conversation)
    await service_asked(visitor, second, "and {}?", conversation)


async def down(visitor: Visitor) -> None:
    """What is down, of all services."""
    outcome = await visitor.command("what's down?")
    expect_call(outcome, "check_services", {})
    dead = [name for name, state in visitor.home.states.items() if state == "down"]
    expect(all(name in outcome["reply"].casefold() for name in dead), f"{dead} named", outcome["reply"])


async def backups(visitor: Visitor) -> None:
    """Whether the backups are ok."""
    outcome = await visitor.command("is the backup ok?")
    expect_call(outcome, "check_backups", {})
    expect("backups are proven" in outcome["reply"], f"as {BACKUPS!r}", outcome["reply"])


async def small_talk(visitor: Visitor) -> None:
    """What needs no tool."""
    words, answer = visitor.chance.choice(SMALL_TALK)
    outcome = await visitor.command(words)
    expect(not outcome["tools"] and answer in outcome["reply"], f"{answer!r} to {words!r}", outcome["reply"])


async def whereabouts(visitor: Visitor) -> None:
    """Where a service runs."""
    name = visitor.chance.choice(sorted(visitor.home.states))
    outcome = await visitor.command(f"where does {name} run?")
    expect_call(outcome, "find_service", {"name": name})
    expect("runs on 127.0.0.1" in outcome["reply"], "its address", outcome["reply"])


async def reminder(visitor: Visitor) -> None:
    """A reminder is set, found in the list, and cancelled there: none is left."""
    what = visitor.name("count sheep").replace(" ", "")
    outcome = await visitor.command(f"remind me in 3 hours to {what}")
    expect(outcome["tools"][0]["name"] == "schedule" and outcome["tools"][0]["ok"], "a reminder", outcome["tools"])
    listed = (await visitor.http.get("/api/tasks", headers=visitor.bearer())).json()
    mine = [task for task in tasks_of(listed) if what in json.dumps(task)]
    expect(len(mine) == 1, f"one reminder {what}", listed)
    gone = await visitor.http.delete(f"/api/tasks/{mine[0]['id']}", headers=visitor.bearer())
    expect(gone.status_code == 200 and gone.json()["ok"], "it is cancelled", gone)


def tasks_of(listed: JsonObject) -> list[JsonObject]:
    """The tasks in what ``/api/tasks`` answers."""
    found: list[JsonObject] = listed["result"]["data"]["scheduled"]
    return found


async def model(visitor: Visitor) -> None:
    """What the model has to answer; its words come through whole."""
    outcome = await visitor.command(visitor.chance.choice(UNANSWERED))
    expect(outcome["reply"] == ANSWER and not outcome["tools"], repr(ANSWER), outcome["reply"])


async def streamed(visitor: Visitor) -> None:
    """The events of a turn as they happen, the outcome last; and the same once more, when it is over."""
    name = visitor.chance.choice(sorted(visitor.home.states))
    body = {"text": f"is {name} up?", "conversation_id": visitor.name("events")}
    headers = visitor.bearer() | {"Accept": "text/event-stream"}
    answer = await visitor.http.post("/command", json=body, headers=headers)
    events = sse(answer.text)
    expect(bool(events) and events[-1][0] == "outcome", "an outcome at the end", answer)
    outcome = events[-1][1]
    expect_state(visitor, name, outcome["reply"])
    again = await visitor.http.get(f"/turns/{outcome['turn_id']}/events", headers=visitor.bearer())
    expect(sse(again.text) == events, "the same events again", again)


def sse(text: str) -> list[tuple[str, JsonObject]]:
    """Kind and data of each event of a stream."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(":"))
        if "data" in lines:
            found.append((lines.get("event", ""), json.loads(lines["data"])))
    return found
