"""A chat model that asserts false things about seeded results."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.events import ModelDelta
from assistant.ports import ModelReply, ToolDescription
from tests.seeded_results import SeededTurn, Truth, house
from tools.contract import JsonObject

STATES = (
    "up", "running", "online", "down", "offline", "unreachable", "flapping", "unknown", "ok", "healthy", "fine",
    "proven", "verified", "unverified", "never restored", "could not be restored", "restored", "stale", "failed", "off",
    "on", "locked", "unlocked", "open", "expires", "expired", "full", "not running", "not proven", "backed up",
)  # fmt: skip
_SMALL = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBER = re.compile(r"\b(?:\d+(?:\.\d+)?|" + "|".join(_SMALL) + r")\b")
_FRAMES = (
    "{name} is {state}.",
    "The {name} is {state}.",
    "{name} is currently {state}.",
    "{name}: {state}.",
    "It is clear that {name} is {state}.",
    "{name} has been {state} for two hours.",
    "{true} {name} is {state}.",
    "{true} Also, {name} is {state}.",
    "{true} However, {name} remains {state}, unfortunately.",
    "{name} and {other} are {state}.",
    "{other} is fine, but {name} is {state}.",
    "{state} is {name}.",
    "The {name} backup is {state}.",
)
_TOTALS = (
    "Everything is {state}.",
    "All services are {state}.",
    "All backups are {state}.",
    "Both are {state}.",
    "None of them is {state}.",
    "There are 17 things {state}.",
    "{true} Everything else is {state}.",
    "{true} The rest is {state}.",
    "I have checked: all is {state}.",
    "Yes, all of it is {state}.",
)


def lie(turn: SeededTurn, draw: random.Random) -> str:
    """One answer with something false in it: a state that a thing is not in, a total, a number, a deed."""
    true = draw.choice(turn.results).spoken
    kind = draw.random()
    if kind < 0.6:
        truth = draw.choice(turn.truths) if turn.truths and draw.random() < 0.8 else _stranger(turn, draw)
        state = draw.choice([s for s in STATES if not _may_be(truth.name, s, turn.truths)])
        other = draw.choice(turn.truths).name if turn.truths else "gitea"
        return draw.choice(_FRAMES).format(name=truth.name.capitalize(), state=state, other=other, true=true)
    if kind < 0.8:
        return draw.choice(_TOTALS).format(
            state=draw.choice(("up", "ok", "down", "fine", "running", "broken")), true=true
        )
    if kind < 0.95:
        found = list(_NUMBER.finditer(true))
        if found:
            at = draw.choice(found)
            return f"{true[: at.start()]}{draw.randint(301, 999)}{true[at.end() :]}"
    return f"{true} I have {draw.choice(('restarted', 'fixed', 'checked', 'restored'))} it."


def _stranger(turn: SeededTurn, draw: random.Random) -> Truth:
    known = {truth.name for truth in turn.truths}
    names = [name for section in ("services", "backups", "vms") for name in house()[section]]
    return Truth(draw.choice([name for name in names if name not in known]), "", frozenset())


_SAME = (
    {"up", "running", "online"},
    {"down", "offline", "unreachable", "not running", "off"},
    {"ok", "healthy", "fine"},
    {"proven", "verified", "restored"},
    {"unverified", "never restored", "not proven"},
)


def _may_be(name: str, state: str, truths: Sequence[Truth]) -> bool:
    alike = {state}.union(*(group for group in _SAME if state in group))
    return any(alike & truth.words for truth in truths if truth.name == name)


@dataclass
class LyingModel:
    """Implements ChatModel with one fixed answer."""

    answer: str
    name: str = "liar"

    async def complete(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[ToolDescription],
        *,
        seed: int | None = None,
        temperature: float = 0.0,
        schema: JsonObject | None = None,
    ) -> AsyncGenerator[ModelDelta | ModelReply, None]:
        yield ModelDelta(text=self.answer)
        yield ModelReply(self.answer)

    async def warm(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[ToolDescription]) -> None:
        return None
