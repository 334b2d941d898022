"""Two runs of the evaluation side by side: what became right, what became wrong, how the figures changed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.errors import ConfigError
from assistant.judging import Verdict
from tools.contract import JsonObject


class _Kept(BaseModel):
    """What is read of a report; other keys may come and go."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class KeptTurn(_Kept):
    """One turn of a report."""

    id: str
    set: str = ""
    text: str = ""
    verdict: str
    why: str = ""


class Times(_Kept):
    """Percentiles in milliseconds."""

    p50: float | None = None
    p95: float | None = None


class Tokens(_Kept):
    """Of the model."""

    in_: int = Field(alias="in")
    out: int


class KeptReport(_Kept):
    """A file that ``jarvis eval --json`` wrote."""

    engine: str
    model: str = ""
    turns: int
    right: int
    acted: int
    by_sentence: int
    sentence_wrong: int
    decision_ms: Times
    tokens: Tokens
    results: tuple[KeptTurn, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """How one line fared; ``before`` and ``after`` are its worst verdicts."""

    id: str
    text: str
    before: str
    after: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of both runs; None where there is none."""

    name: str
    before: float | None
    after: float | None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs. A line is right in a run when it was right in each of its repeats."""

    figures: tuple[Figure, ...]
    became_right: tuple[Change, ...]
    became_wrong: tuple[Change, ...]
    wrong_otherwise: tuple[Change, ...]
    only_before: int
    only_after: int

    def as_json(self) -> JsonObject:
        """Lists of lines, and the figures by name."""
        return {
            "figures": {f.name: {"before": f.before, "after": f.after} for f in self.figures},
            "became_right": [_as_json(change) for change in self.became_right],
            "became_wrong": [_as_json(change) for change in self.became_wrong],
            "wrong_otherwise": [_as_json(change) for change in self.wrong_otherwise],
            "only_before": self.only_before,
            "only_after": self.only_after,
        }


def read_report(path: Path) -> KeptReport:
    """Raises ConfigError when the file is not there or no report."""
    try:
        return KeptReport.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigError("report_unreadable", f"{path} cannot be read: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        detail = f"{path} is no report of an evaluation: {where}: {first['msg']}."
        raise ConfigError("report_invalid", detail, mend="`jarvis eval FILE --json > A.json` writes one.") from error


def compare(before: KeptReport, after: KeptReport) -> Comparison:
    """The second run against the first."""
    one, other = _worst_by_line(before), _worst_by_line(after)
    both = [key for key in other if key in one]
    changes = [
        Change(other[key].id, other[key].text, one[key].verdict, other[key].verdict, other[key].why) for key in both
    ]
    right = str(Verdict.RIGHT)
    return Comparison(
        figures=_figures(before, after),
        became_right=tuple(c for c in changes if c.before != right and c.after == right),
        became_wrong=tuple(c for c in changes if c.before == right and c.after != right),
        wrong_otherwise=tuple(c for c in changes if right not in (c.before, c.after) and c.before != c.after),
        only_before=len(one.keys() - other.keys()),
        only_after=len(other.keys() - one.keys()),
    )


def _worst_by_line(report: KeptReport) -> Mapping[tuple[str, str], KeptTurn]:
    order = {str(verdict): place for place, verdict in enumerate(Verdict)}
    worst: dict[tuple[str, str], KeptTurn] = {}
    for turn in report.results:
        known = worst.get((turn.set, turn.id))
        if known is None or order.get(turn.verdict, len(order)) > order.get(known.verdict, len(order)):
            worst[turn.set, turn.id] = turn
    return worst


def _figures(before: KeptReport, after: KeptReport) -> tuple[Figure, ...]:
    return (
        Figure("turns", before.turns, after.turns),
        Figure("right", _percent(before.right, before.turns), _percent(after.right, after.turns), " %"),
        Figure("acted when it must not", before.acted, after.acted),
        Figure(
            "by sentence", _percent(before.by_sentence, before.turns), _percent(after.by_sentence, after.turns), " %"
        ),
        Figure("of those wrong", before.sentence_wrong, after.sentence_wrong),
        Figure("decision p50", before.decision_ms.p50, after.decision_ms.p50, " ms"),
        Figure("decision p95", before.decision_ms.p95, after.decision_ms.p95, " ms"),
        Figure("tokens in", before.tokens.in_, after.tokens.in_),
        Figure("tokens out", before.tokens.out, after.tokens.out),
    )


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None


def _as_json(change: Change) -> JsonObject:
    return {"id": change.id, "text": change.text, "before": change.before, "after": change.after, "why": change.why}
