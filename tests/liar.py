"""A chat model that asserts false things about seeded results, and an oracle that knows what is true.

The oracle goes by the table of ``tests/seeded_results.py`` and by regular expressions; it shares no code with
``assistant/truth``.
"""

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
_STATE = re.compile(r"\b(?:" + "|".join(sorted(map(re.escape, STATES), key=len, reverse=True)) + r")\b")
_SMALL = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBER_WORDS = {word: str(value) for value, word in enumerate(_SMALL, 1)}
_NUMBER = re.compile(r"\b(?:\d+(?:\.\d+)?|" + "|".join(_NUMBER_WORDS) + r")\b")
_PART = re.compile(r", and |, but |, while |, |; |: | and | but | while ")
"""Where one statement may end and the next begin."""

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


# ── the oracle ────────────────────────────────────────────────────────────────────────────────────────────────────


def falsehoods(text: str, turn: SeededTurn) -> list[str]:
    """What ``text`` says that the table does not have: a state or a number with the name that it is nearest to."""
    found = []
    own = {sentence for result in turn.results for sentence in _sentences(result.spoken)}
    names = sorted({truth.name for truth in turn.truths}, key=len, reverse=True)
    strangers = [n for s in ("services", "backups", "vms") for n in house()[s] if n not in names]
    name = re.compile(r"\b(?:" + "|".join(map(re.escape, [*names, *sorted(strangers, key=len, reverse=True)])) + r")\b")
    for sentence in _sentences(text):
        if sentence in own:
            continue
        mentions = list(name.finditer(sentence))
        found += [f"{m.group()} is in no result" for m in mentions if m.group() in strangers and turn.truths]
        parts = [part for part in _PART.split(sentence) if part.strip()]
        for at, part in enumerate(parts):
            for mention in name.finditer(part):
                found += _false_of(mention.group(), part[mention.end() :], parts[at + 1 :], name, turn.truths)
        found += _false_of_nothing(sentence, own)
    return found


def _false_of(
    name: str, after: str, later: Sequence[str], names: re.Pattern[str], truths: Sequence[Truth]
) -> list[str]:
    """The first state behind the name in its own part; where it is one of a list, in the part that ends the list."""
    lists_on = not re.search(r"\w", names.sub("", after).replace("the ", ""))
    while lists_on and later and not _STATE.search(after):
        after, later = f"{after} {later[0]}", later[1:]
        lists_on = not re.search(r"\w", names.sub("", after).replace("the ", ""))
    wrong = []
    known = [truth for truth in truths if truth.name == name]
    state = _STATE.search(after)
    if state and known and not _may_be(name, state.group(), truths):
        wrong.append(f"{name} is not {state.group()}")
    another = names.search(after)
    for number in _NUMBER.finditer(after[: another.start()] if another else after):
        if known and not any(_value(number) in truth.numbers for truth in known):
            wrong.append(f"{number.group()} does not belong to {name}")
    return wrong


def _false_of_nothing(sentence: str, own: set[str]) -> list[str]:
    """All-words and counts have to stand so in a tool's own sentence."""
    said = " ".join(own)
    totals = re.findall(r"\b(?:all|both|everything|nothing|none|no|every|each|yes)\b", sentence)
    figures = {_value(number) for number in _NUMBER.finditer(said)}
    return [
        *(f"no tool said {word!r}" for word in totals if not re.search(rf"\b{word}\b", said)),
        *(f"no tool said {n.group()}" for n in _NUMBER.finditer(sentence) if _value(n) not in figures),
    ]


def _value(number: re.Match[str]) -> str:
    return _NUMBER_WORDS.get(number.group(), number.group())


def _sentences(text: str) -> list[str]:
    return [piece.strip().casefold() for piece in re.split(r"(?<=[.!?])\s+", text) if piece.strip()]
