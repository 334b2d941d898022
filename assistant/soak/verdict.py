"""From turns and samples to the verdict. Pure.

Memory, handles and threads are judged after the warm-up, the first tenth of the turns. Times: the last tenth of what
comes after it, over the first. Two figures say whether Jarvis has become slower. The time of a turn on the wall clock
is what people notice; it also tells what other programs did meanwhile. The server's own processor time for the same
turns, over that of a fixed piece of work in the same minutes, does not: it is always judged, and the wall clock where
the machine was the soak's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median

from assistant.bench.figures import percentile
from assistant.soak.figures import growth, slope, tail_ratio, tenths
from assistant.soak.report import DoorRow, Measure, Round, Verdict

WARM_UP_SHARE = 0.1
MEMORY_LIMIT = 0.05
TIME_LIMIT = 1.2
HANDLES_MORE, THREADS_MORE = 3, 2
"""What may differ between two moments with nobody there: a decoder that is about to end, a client of a service."""

STATE_KB_A_TURN = 4.0
"""With 300 turns a day 0.44 GB a year, before anything is too old to be kept."""

FEWEST = 10
"""Rounds after the warm-up from which a trend can be told."""

OTHERS_LIMIT = 0.1
"""Share of the machine that other programs may use for the wall clock to tell about Jarvis."""


@dataclass(frozen=True, slots=True)
class Turned:
    """A turn that was had. ``at``: how many were asked before it."""

    at: int
    kind: str
    door: str
    ms: float
    failed: bool = False


def warm_up(turns: int, deck: int) -> int:
    """So many turns are not judged: a tenth, in whole decks, at least one."""
    return max(round(turns * WARM_UP_SHARE / deck), 1) * deck


def door_rows(turned: Sequence[Turned], warm: int) -> tuple[DoorRow, ...]:
    """Each door's times. Failed turns have none."""
    rows = []
    for door in dict.fromkeys(turn.door for turn in turned):
        own = [turn for turn in turned if turn.door == door]
        timed = [turn for turn in own if turn.at >= warm and not turn.failed]
        if not timed:
            continue
        times = [turn.ms for turn in timed]
        first, last = tenths(len(times))
        rows.append(
            DoorRow(
                door=door,
                turns=len(timed),
                failures=sum(turn.failed for turn in own),
                p50_ms=round(median(times), 1),
                first_p95_ms=round(percentile(times[first], 0.95), 1),
                last_p95_ms=round(percentile(times[last], 0.95), 1),
                ratio=round(tail_ratio([(turn.kind, turn.ms) for turn in timed]), 2),
            )
        )
    return tuple(rows)


def measures(turned: Sequence[Turned], failed: int, rounds: Sequence[Round], warm: int) -> tuple[Measure, ...]:
    """The verdict. ``failed``: turns, and differences between what was agreed to and what was done."""
    judged = [one for one in rounds if one.turns > warm]
    timed = [(turn.kind, turn.ms) for turn in turned if turn.at >= warm and not turn.failed]
    return (
        Measure(name="failures", value=f"{failed} of {len(turned):,}", limit="0", verdict=_met(failed == 0)),
        _memory(judged),
        _flat("handles", [one.handles for one in judged], HANDLES_MORE),
        _flat("threads", [one.threads for one in judged], THREADS_MORE),
        _processor(judged),
        _wall_clock(timed, judged),
        _state(judged),
    )


def _memory(judged: Sequence[Round]) -> Measure:
    name, limit = "memory after the warm-up", f"< +{MEMORY_LIMIT:.0%}".replace("%", " %")
    if len(judged) < FEWEST:
        return _too_short(name, limit)
    turns = [float(one.turns) for one in judged]
    grown = growth(turns, [one.pss_mb for one in judged])
    levels = f"{judged[0].pss_mb:.0f} MB → {judged[-1].pss_mb:.0f} MB"
    return Measure(name=name, value=f"{100 * grown:+.1f} % ({levels})", limit=limit, verdict=_met(grown < MEMORY_LIMIT))


def _flat(name: str, counts: Sequence[int], more: int) -> Measure:
    """The medians of the first and the last fifth differ by no more than that."""
    limit = f"at most {more} more"
    if len(counts) < FEWEST:
        return _too_short(name, limit)
    part = max(len(counts) // 5, 1)
    first, last = median(counts[:part]), median(counts[-part:])
    return Measure(name=name, value=f"{first:g} → {last:g}", limit=limit, verdict=_met(last - first <= more))


def _processor(judged: Sequence[Round]) -> Measure:
    """Each round's over what the fixed piece of work took in the same minutes."""
    name, limit = "processor time a turn, last tenth over first", f"≤ {TIME_LIMIT:g} ×"
    if len(judged) < FEWEST:
        return _too_short(name, limit)
    first, last = tenths(len(judged))
    before, after = (median(one.cpu_ms / one.yardstick_ms for one in judged[part]) for part in (first, last))
    ratio = after / before if before > 0 else 1.0
    raw = " → ".join(f"{median(one.cpu_ms for one in judged[part]):.0f} ms" for part in (first, last))
    return Measure(name=name, value=f"{ratio:.2f} × ({raw})", limit=limit, verdict=_met(ratio <= TIME_LIMIT))


def _wall_clock(timed: Sequence[tuple[str, float]], judged: Sequence[Round]) -> Measure:
    name, limit = "p95 of a turn, last tenth over first", f"≤ {TIME_LIMIT:g} ×"
    if len(judged) < FEWEST:
        return _too_short(name, limit)
    ratio = tail_ratio(timed)
    first, last = tenths(len(judged))
    others = max(mean(one.others for one in judged[part]) for part in (first, last))
    value = f"{ratio:.2f} ×"
    if ratio > TIME_LIMIT and others > OTHERS_LIMIT:
        why = f"other programs used {others:.0%} of the machine; the processor time is judged".replace("%", " %")
        return Measure(name=name, value=value, limit=limit, verdict="not judged", why=why)
    return Measure(name=name, value=value, limit=limit, verdict=_met(ratio <= TIME_LIMIT))


def _state(judged: Sequence[Round]) -> Measure:
    name, limit = "state folder, a turn", f"≤ {STATE_KB_A_TURN:g} kB"
    if len(judged) < FEWEST:
        return _too_short(name, limit)
    a_turn = 1000 * slope([float(one.turns) for one in judged], [one.state_mb for one in judged])
    value = f"{a_turn:.2f} kB ({judged[-1].state_mb:.1f} MB in the end)"
    return Measure(name=name, value=value, limit=limit, verdict=_met(a_turn <= STATE_KB_A_TURN))


def _too_short(name: str, limit: str) -> Measure:
    why = f"fewer than {FEWEST} rounds after the warm-up"
    return Measure(name=name, value="—", limit=limit, verdict="not judged", why=why)


def _met(held: bool) -> Verdict:
    return "met" if held else "missed"
