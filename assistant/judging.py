"""What is right: the lines of an evaluation set, and the verdict on the calls that were planned for one. Pure.

The form of the lines stands in ``tests/eval/README.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.errors import ConfigError
from tools.contract import JsonObject, Level

FOLLOWS_FROM_THE_SAME = frozenset({"area"})
"""Arguments that may come along unasked: the area of a lamp follows from the lamp."""

LOOSE = frozenset({"what", "message"})
"""Arguments compared by their content words."""

LOOSE_SHARE = 0.6
SMALL_WORDS = frozenset({"a", "an", "the", "to", "of", "me", "my", "that", "is", "on", "in", "for", "and"})


class ExpectedCall(BaseModel):
    """A call with canonical arguments."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tool: str
    arguments: JsonObject = Field(default_factory=dict)


class ExpectedTurn(BaseModel):
    """One utterance and what must come of it; ``any_of`` are the acceptable lists of calls."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    text: str | None = None
    wav: str | None = None
    expect: tuple[ExpectedCall, ...] = ()
    any_of: tuple[tuple[ExpectedCall, ...], ...] = Field(default=(), alias="any")
    confirm: bool = False
    forbid: tuple[str, ...] = ()

    @property
    def acceptable(self) -> tuple[tuple[ExpectedCall, ...], ...]:
        return self.any_of or (self.expect,)

    def needs(self) -> set[str]:
        """Tools without which the turn cannot be right: those of its shortest wish."""
        return min(({call.tool for call in calls} for calls in self.acceptable), key=len)


class Line(ExpectedTurn):
    """One line of a set: an utterance, or a conversation of several."""

    id: str
    turns: tuple[ExpectedTurn, ...] = ()
    tags: tuple[str, ...] = ()


class Verdict(StrEnum):
    """What became of a turn, best first."""

    RIGHT = "right"
    WRONG_ARGUMENT = "wrong argument"
    WRONG_TOOL = "wrong tool"
    MISSED = "missed"
    REFUSED = "needless confirmation or refusal"
    ACTED = "acted when it must not"
    NOT_YET = "not yet"


@dataclass(frozen=True, slots=True)
class Planned:
    """A call as the server planned it; ``error`` when it went no further."""

    tool: str
    arguments: JsonObject
    level: Level | None
    error: str | None = None


def read_lines(path: Path) -> list[Line]:
    """The lines of a set. Raises ConfigError naming the file and the line."""
    lines = []
    try:
        rows = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("eval_unreadable", f"{path} cannot be read: {error}.") from error
    for number, row in enumerate(rows, 1):
        if row.strip():
            try:
                lines.append(Line.model_validate_json(row))
            except ValidationError as error:
                problem = error.errors()[0]
                where = ".".join(map(str, problem["loc"])) or "line"
                raise ConfigError("eval_invalid", f"{path}:{number}: {where}: {problem['msg']}.") from error
    return lines


def judge(turn: ExpectedTurn, planned: Sequence[Planned]) -> Verdict:
    """The verdict on what was planned. Calls that the server could not plan (no such tool or name) did nothing."""
    real = [call for call in planned if call.level is not None]
    made = [call for call in real if call.error not in ("refused", "needs_confirmation")]
    if any(call.tool in turn.forbid for call in made):
        return Verdict.ACTED
    verdict = min((_against(calls, turn.confirm, real, planned) for calls in turn.acceptable), key=list(Verdict).index)
    acted = any(call.level is not Level.READ for call in made)
    if verdict not in (Verdict.RIGHT, Verdict.REFUSED) and acted:
        return Verdict.ACTED
    return verdict


def _against(
    wanted: Sequence[ExpectedCall], confirm: bool, real: Sequence[Planned], tried: Sequence[Planned]
) -> Verdict:
    if not wanted:
        return Verdict.ACTED if real else Verdict.RIGHT
    if not real:
        return Verdict.WRONG_ARGUMENT if wanted[0].tool in {call.tool for call in tried} else Verdict.MISSED
    if [call.tool for call in real] != [call.tool for call in wanted]:
        some = {call.tool for call in real} & {call.tool for call in wanted}
        return Verdict.MISSED if some and len(real) < len(wanted) else Verdict.WRONG_TOOL
    if not all(_same_arguments(w.arguments, r.arguments) for w, r in zip(wanted, real, strict=True)):
        return Verdict.WRONG_ARGUMENT
    if confirm:
        stopped = all(call.error == "needs_confirmation" for call in real)
        return Verdict.RIGHT if stopped else Verdict.ACTED
    return Verdict.REFUSED if any(call.error for call in real) else Verdict.RIGHT


def _same_arguments(wanted: JsonObject, planned: JsonObject) -> bool:
    extra = set(planned) - set(wanted) - FOLLOWS_FROM_THE_SAME
    return not extra and all(_same(key, value, planned.get(key)) for key, value in wanted.items())


def _same(key: str, wanted: Any, planned: Any) -> bool:
    if key in LOOSE and isinstance(wanted, str) and isinstance(planned, str):
        words, got = _content_words(wanted), _content_words(planned)
        return not words or len(words & got) / len(words) >= LOOSE_SHARE
    return bool(wanted == planned)


def _content_words(text: str) -> set[str]:
    return {word for word in text.casefold().replace(".", " ").split() if word not in SMALL_WORDS}
