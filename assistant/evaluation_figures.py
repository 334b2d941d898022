"""What an evaluation comes to: figures over all turns, by tag, decider and repeat, and which lines waver. Pure."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import get_args

from assistant.evaluation import Decider, Judged
from assistant.judging import Verdict
from tools.contract import JsonObject

NOTHING = "nothing"
"""No call, in the confusion picture."""

ALL = "all"
"""The tag that every turn has."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that was judged, and how. ``planned_turns``: how many there are when nobody stops it."""

    judged: tuple[Judged, ...]
    sets: tuple[str, ...] = ()
    engine: str = "both"
    model: str = ""
    seeds: tuple[int, ...] = (0,)
    temperature: float = 0.0
    planned_turns: int = 0

    @property
    def interrupted(self) -> bool:
        return len(self.judged) < self.planned_turns

    @property
    def wrong(self) -> tuple[Judged, ...]:
        return tuple(turn for turn in self.judged if not turn.right)

    def by_tag(self) -> dict[str, list[Judged]]:
        """Turns by tag; ``all`` has every turn once and comes first."""
        tags: dict[str, list[Judged]] = {ALL: []}
        for turn in self.judged:
            for tag in dict.fromkeys((ALL, *turn.tags)):
                tags.setdefault(tag, []).append(turn)
        return tags

    def by_decider(self) -> list[tuple[str, list[Judged]]]:
        """Whoever decided something, and the turns."""
        deciders = [(who, [turn for turn in self.judged if turn.decided_by == who]) for who in get_args(Decider)]
        return [(who, turns) for who, turns in deciders if turns]

    def by_repeat(self) -> list[tuple[int, list[Judged]]]:
        """The seed and the turns of each repeat that was begun."""
        grouped = groupby(self.judged, key=lambda turn: turn.repeat)
        return [(self.seeds[repeat - 1], list(turns)) for repeat, turns in grouped]

    def by_turn(self) -> dict[tuple[str, str], list[Judged]]:
        """The repeats of each turn."""
        turns: dict[tuple[str, str], list[Judged]] = {}
        for turn in self.judged:
            turns.setdefault((turn.set_name, turn.id), []).append(turn)
        return turns

    def unstable(self) -> list[list[Judged]]:
        """Turns that did not end the same way in every repeat."""
        return [turns for turns in self.by_turn().values() if len({turn.verdict for turn in turns}) > 1]

    def as_json(self) -> JsonObject:
        """The whole report; its keys are described in ``docs/evaluation.md``."""
        repeats = [{"seed": seed, **figures(turns)} for seed, turns in self.by_repeat()]
        return {
            "sets": list(self.sets),
            "engine": self.engine,
            "model": self.model,
            "temperature": self.temperature,
            "seeds": list(self.seeds),
            "interrupted": self.interrupted,
            **figures(self.judged),
            "single_turn": figures([turn for turn in self.judged if not turn.in_conversation]),
            "by_decider": {decider: figures(turns) for decider, turns in self.by_decider()},
            "by_tag": {tag: figures(turns) for tag, turns in self.by_tag().items()},
            "repeats": repeats,
            "worst": max(repeats, key=lambda one: (one["acted"], -one["right_share"]), default=None),
            "unstable": [_flakiness(turns) for turns in self.unstable()],
            "wrong": [self._turn(turn) for turn in self.wrong],
            "results": [self._turn(turn) for turn in self.judged],
        }

    def _turn(self, turn: Judged) -> JsonObject:
        return {
            "set": turn.set_name,
            "id": turn.id,
            "repeat": turn.repeat,
            "seed": self.seeds[turn.repeat - 1],
            "text": turn.text,
            "tags": list(turn.tags),
            "verdict": str(turn.verdict),
            "why": turn.judgement.why,
            "expected": list(turn.judgement.wanted),
            "planned": [
                {"tool": call.tool, "arguments": call.arguments, "level": call.level, "error": call.error}
                for call in turn.planned
            ],
            "decided_by": turn.decided_by,
            "decision_ms": turn.decision_ms,
            "tokens": {"in": turn.tokens_in, "out": turn.tokens_out},
            "note": turn.note,
        }

    def as_json_text(self) -> str:
        """The report as one JSON object."""
        return json.dumps(self.as_json(), ensure_ascii=False, indent=2)


def figures(turns: Sequence[Judged]) -> JsonObject:
    """Counts, shares (0–1), and times in milliseconds; a share of nothing is null.

    Times are those of the first repeat among the turns: a later one finds caches warm that nobody has in real life.
    """
    first = min((turn.repeat for turn in turns), default=1)
    timed = [turn for turn in turns if turn.repeat == first]
    verdicts = Counter(turn.verdict for turn in turns)
    matched = [turn for turn in turns if turn.decided_by == "sentence"]
    return {
        "turns": len(turns),
        "right": verdicts[Verdict.RIGHT],
        "right_share": share(verdicts[Verdict.RIGHT], len(turns)),
        "acted": verdicts[Verdict.ACTED],
        "verdicts": {str(verdict): verdicts[verdict] for verdict in Verdict},
        "by_sentence": len(matched),
        "sentence_share": share(len(matched), len(turns)),
        "sentence_wrong": sum(not turn.right for turn in matched),
        "decision_ms": {"p50": decision_ms(timed, 0.5), "p95": decision_ms(timed, 0.95)},
        "tokens": {"in": sum(turn.tokens_in for turn in turns), "out": sum(turn.tokens_out for turn in turns)},
    }


def share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def decision_ms(turns: Iterable[Judged], rank: float) -> float | None:
    """That percentile (nearest rank, 0–1) of the time to the decision."""
    times = sorted(turn.decision_ms for turn in turns if turn.decision_ms is not None)
    return times[max(0, math.ceil(rank * len(times)) - 1)] if times else None


def _flakiness(turns: Sequence[Judged]) -> JsonObject:
    verdicts = Counter(str(turn.verdict) for turn in turns)
    return {
        "set": turns[0].set_name,
        "id": turns[0].id,
        "text": turns[0].text,
        "right": sum(turn.right for turn in turns),
        "of": len(turns),
        "verdicts": dict(verdicts),
    }


def confusion(turns: Iterable[Judged]) -> Counter[tuple[str, str]]:
    """How often which tool was planned where which was expected; NOTHING stands on both sides."""
    pairs: Counter[tuple[str, str]] = Counter()
    for turn in turns:
        pairs.update(_pairs(turn.judgement.wanted, [call.tool for call in turn.planned if call.level is not None]))
    return pairs


def _pairs(wanted: Sequence[str], planned: Sequence[str]) -> list[tuple[str, str]]:
    """Each expected tool with its own kind first, then with what is left over, then with nothing."""
    if not wanted and not planned:
        return [(NOTHING, NOTHING)]
    left, open_ = list(planned), []
    pairs = []
    for tool in wanted:
        if tool in left:
            left.remove(tool)
            pairs.append((tool, tool))
        else:
            open_.append(tool)
    missing = max(0, len(open_) - len(left))
    extra = max(0, len(left) - len(open_))
    return [*pairs, *zip(open_ + [NOTHING] * extra, left + [NOTHING] * missing, strict=True)]
