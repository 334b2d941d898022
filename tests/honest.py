"""Honest paraphrases of seeded results, and what becomes of them when one thing in them is changed.

A paraphrase is written from the table of ``tests/seeded_results.py``, in words that people use, not in the tools'.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Sequence

from tests.seeded_results import SeededTurn, Truth, house
from tools.contract import ToolResult
from tools.wording import listing, sentence

_STATES = {
    "up": ("up", "running", "online", "reachable", "up and running"),
    "down": ("down", "offline", "unreachable", "not reachable", "not running"),
    "flapping": ("flapping",),
    "running": ("running", "up", "online"),
    "off": ("off", "switched off", "not running"),
    "on": ("on", "switched on"),
}
_CONJUNCTIONS = (", and ", ", but ", ". ", "; ", ", while ", " and ")


def paraphrase(turn: SeededTurn, draw: random.Random) -> str:
    """Everything that is bad, and the rest of it as it comes, in one to some sentences."""
    said = [clause for result in draw.sample(turn.results, len(turn.results)) for clause in _of(result, turn, draw)]
    text = said[0]
    for clause in said[1:]:
        text += draw.choice(_CONJUNCTIONS) + clause
    return ". ".join(sentence(piece).rstrip(".") for piece in text.split(". ")) + "."


def _of(result: ToolResult, turn: SeededTurn, draw: random.Random) -> list[str]:
    topics = {"services": "service", "vms": "vm", "devices": "light"}
    topic = next((topic for key, topic in topics.items() if key in result.data), None)
    if topic is None:
        return [_in_other_words(piece, draw) for piece in result.spoken.rstrip(".").split(". ")]
    by_state: dict[str, list[Truth]] = defaultdict(list)
    for record in result.data[next(key for key in topics if key in result.data)]:
        name = record["name"]
        by_state[record["state"]] += [t for t in turn.truths if (t.name, t.topic) == (name, topic)]
    groups = list(by_state.items())
    draw.shuffle(groups)
    said = [_group(state, truths, topic, draw) for state, truths in groups]
    if topic == "light":
        said.append(_in_other_words(result.spoken.rstrip(".").rpartition(". ")[2], draw))
    return said


def _group(state: str, truths: Sequence[Truth], topic: str, draw: random.Random) -> str:
    names = [_called(truth, topic, draw) for truth in truths]
    if state == "unknown":
        return f"I can't tell about {listing(names)}"
    be = "is" if len(names) == 1 else draw.choice(("are", "are both" if len(names) == 2 else "are all"))
    return f"{listing(names)} {be} {draw.choice([s for s in _STATES[state] if topic != 'light' or 'running' not in s])}"


def _called(truth: Truth, topic: str, draw: random.Random) -> str:
    if topic == "light":
        return draw.choice((f"the {truth.area} {truth.name}", f"the {truth.name} in the {truth.area}"))
    noun = {"service": "service", "vm": "vm"}[topic]
    return draw.choice((truth.name, truth.name.capitalize(), f"the {truth.name} {noun}"))


_OTHER_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"\bis ok\b", ("is fine", "is healthy", "is okay")),
    (r"\bcould not be restored\b", ("couldn't be restored",)),
    (r"\bcan't\b", ("can not", "cannot")),
    (r"\bnot proven\b", ("unproven", "not verified")),
    (r"\bwas never restored\b", ("has never been restored",)),
    (r"\bOne alert is firing: ", ("", "One alert is active: ")),
    (r"\btwo\b", ("2",)),
    (r"\bthree\b", ("3",)),
    (r"\bnine\b", ("9",)),
    (r"\bpercent\b", ("%",)),
    (r"\bNo alerts are firing\b", ("There are no alerts firing",)),
    (r"^It is (.+) in the (.+)$", (r"the temperature in the \2 is \1", r"in the \2 it is \1")),
)


def _in_other_words(text: str, draw: random.Random) -> str:
    for words, others in _OTHER_WORDS:
        if draw.random() < 0.5:
            text = re.sub(words, draw.choice(others), text)
    return text


# ── one thing changed ─────────────────────────────────────────────────────────────────────────────────────────────

_NAMES = sorted((name for section in ("services", "backups", "vms", "home") for name in house()[section]), key=len)
_LIGHTS = sorted({light for area in house()["home"].values() for light in area["lights"]})
_STATE_WORDS = (
    "up", "down", "flapping", "running", "offline", "on", "off", "ok", "fine", "proven", "unproven", "restored",
    "backed up", "old", "firing", "full", "unknown", "unreachable", "expires", "not proven", "never restored",
)  # fmt: skip
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "nine", "2", "3", "20", "24", "50", "89")
_UNITS = ("minutes", "hours", "days", "months", "degrees", "percent")


def mutate(text: str, draw: random.Random) -> str:
    """The text with a word of a kind changed for another of that kind, two changed about, or one added."""
    change: Callable[[str, random.Random], str] = draw.choice((_replace, _replace, _swap, _insert))
    return change(text, draw)


_KINDS = (_NAMES, _LIGHTS, _STATE_WORDS, _NUMBERS, _UNITS)


def _found(text: str, words: Sequence[str]) -> list[re.Match[str]]:
    return list(re.finditer(rf"\b(?:{'|'.join(sorted(words, key=len, reverse=True))})\b", text, re.IGNORECASE))


def _replace(text: str, draw: random.Random) -> str:
    words = draw.choice(_KINDS)
    found = _found(text, words)
    if not found:
        return text
    at = draw.choice(found)
    return f"{text[: at.start()]}{draw.choice(words)}{text[at.end() :]}"


def _swap(text: str, draw: random.Random) -> str:
    found = _found(text, draw.choice(_KINDS))
    if len(found) < 2:
        return text
    one, two = sorted(draw.sample(found, 2), key=lambda match: match.start())
    return f"{text[: one.start()]}{two.group()}{text[one.end() : two.start()]}{one.group()}{text[two.end() :]}"


_ADDED = (
    "not", "never", "no longer", "only", "maybe", "will be", "almost", "without", "except", "unless", "partly",
    "less than", "everything",
)  # fmt: skip


def _insert(text: str, draw: random.Random) -> str:
    words = text.split()
    at = draw.randrange(1, len(words) + 1)
    return " ".join([*words[:at], draw.choice(_ADDED), *words[at:]])
