"""Which stage made a slow turn slow, and how it compares with the usual. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from tools.contract import Door, JsonObject

STAGES = ("endpoint", "transcript", "decision", "tools", "rest")
"""Parts of a turn's time. ``rest``: what none of them took: listening, the voice, what was decided after the tools."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """``stage`` took ``took_ms``, where ``median_ms`` is usual for it (over turns that passed it at all); ``over_ms``:
    more than usual. ``total_median_ms``: of the whole turn, over all turns by the same door."""

    stage: str
    took_ms: float
    median_ms: float
    over_ms: float
    total_median_ms: float

    @property
    def words(self) -> str:
        """``tools: 2400 ms, usually 120``."""
        return f"{self.stage}: {self.took_ms:.0f} ms, usually {self.median_ms:.0f}"

    def as_json(self) -> JsonObject:
        """Its fields, to a tenth of a millisecond."""
        return {name: round(value, 1) if isinstance(value, float) else value for name, value in asdict(self).items()}


def taken_ms(row: JsonObject) -> float | None:
    """Milliseconds of a turn from when it was spoken to: at a microphone the wait for the wake word is not its time."""
    total, wake = row["total_ms"], row["timings_ms"].get("wake")
    if total is None or wake is None or row["door"] != Door.MICROPHONE.value:
        return total  # type: ignore[no-any-return]
    return max(float(total) - float(wake), 0.0)


def parts_of(row: JsonObject) -> dict[str, float]:
    """Milliseconds by stage, as far as they are known."""
    found: dict[str, float] = {
        stage: value for stage in STAGES[:-1] if (value := row["timings_ms"].get(stage)) is not None
    }
    if (total := taken_ms(row)) is not None:
        found["rest"] = max(total - sum(found.values()), 0.0)
    return found


def blamed(rows: Sequence[JsonObject], among: Sequence[JsonObject]) -> list[Blame | None]:
    """For each of ``rows``, the stage that took most beyond its median ``among`` all turns; None where nothing is known
    of its time. Rows are as ``TraceStore.turns`` gives them."""
    usual = _medians([parts_of(row) for row in among])
    totals: dict[str, list[float]] = {}
    for row in among:
        if (total := taken_ms(row)) is not None:
            totals.setdefault(row["door"], []).append(total)
    return [_blame(row, usual, totals) for row in rows]


def _blame(row: JsonObject, usual: Mapping[str, float], totals: Mapping[str, Sequence[float]]) -> Blame | None:
    parts, total = parts_of(row), taken_ms(row)
    if not parts or total is None:
        return None
    stage = max(parts, key=lambda name: parts[name] - usual.get(name, 0.0))
    typical = usual.get(stage, 0.0)
    return Blame(
        stage=stage,
        took_ms=parts[stage],
        median_ms=typical,
        over_ms=max(parts[stage] - typical, 0.0),
        total_median_ms=median(totals.get(row["door"]) or [total]),
    )


def _medians(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {stage: median(values) for stage in STAGES if (values := [part[stage] for part in parts if stage in part])}
