"""The arithmetic of the verdict. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from assistant.bench.figures import percentile

MOST_PAIRS = 60
"""Of a long series so many points, evenly spread, are enough for a slope: 1,770 pairs."""


def slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Theil and Sen: the median of the slopes of all pairs of points, which three outliers in ten do not move. 0 where
    there are no two different x."""
    points = _thinned(list(zip(xs, ys, strict=True)))
    slopes = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for at, earlier in enumerate(points)
        for later in points[at + 1 :]
        if later[0] != earlier[0]
    ]
    return median(slopes) if slopes else 0.0


def growth(xs: Sequence[float], ys: Sequence[float]) -> float:
    """How much a series has grown from its first to its last x, as a share of what it began with: by its slope, or from
    the median of its first to that of its last fifth, whichever is more. Raises ValueError: no values."""
    if not ys:
        raise ValueError("no values")
    part = max(len(ys) // 5, 1)
    first, last = median(ys[:part]), median(ys[-part:])
    if first <= 0:
        return 0.0 if last <= 0 else math.inf
    return max(slope(xs, ys) * (xs[-1] - xs[0]), last - first) / first


def tenths(count: int) -> tuple[slice, slice]:
    """The first and the last tenth of so many, each at least one."""
    size = max(count // 10, 1)
    return slice(0, size), slice(max(count - size, 0), count)


def relative(times: Sequence[tuple[str, float]]) -> list[float]:
    """Times of different kinds made comparable: each over the median of its kind."""
    kinds: dict[str, list[float]] = {}
    for kind, time in times:
        kinds.setdefault(kind, []).append(time)
    middles = {kind: median(values) for kind, values in kinds.items()}
    return [time / middles[kind] if middles[kind] > 0 else 1.0 for kind, time in times]


def tail_ratio(times: Sequence[tuple[str, float]]) -> float:
    """The 95th percentile of the last tenth over that of the first, of times that were made comparable. Raises
    ValueError: no values."""
    comparable = relative(times)
    first, last = tenths(len(comparable))
    return percentile(comparable[last], 0.95) / percentile(comparable[first], 0.95)


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    if len(points) <= MOST_PAIRS:
        return points
    return [points[round(at * (len(points) - 1) / (MOST_PAIRS - 1))] for at in range(MOST_PAIRS)]
