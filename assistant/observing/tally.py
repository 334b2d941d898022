"""Counts and histograms of our own, for a collector that is asked now and then. Pure.

The library's own metric objects would do the same with a ``_created`` series for each, and a switch against it that
holds for the whole process (prometheus_client's ``disable_created_metrics``).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

STAGE_BUCKETS_S = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0)
"""Upper bounds in seconds: what is felt as at once ends at 0.2, what a person waits for without wondering at 2, and no
stage has a deadline beyond 20 but the embedded model on a slow machine, which goes into the last one."""


class Histogram:
    """Observations by labels; each bucket counts what is at most its bound, as Prometheus wants it."""

    def __init__(self, bounds: Sequence[float] = STAGE_BUCKETS_S) -> None:
        self._bounds = tuple(bounds)
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}

    def observe(self, labels: tuple[str, ...], value: float) -> None:
        """Count it. What is no number is left out: a sum cannot get rid of it."""
        if not math.isfinite(value):
            return
        counts = self._counts.setdefault(labels, [0] * (len(self._bounds) + 1))
        counts[bisect_left(self._bounds, value)] += 1
        self._sums[labels] = self._sums.get(labels, 0.0) + value

    def series(self) -> list[tuple[tuple[str, ...], list[tuple[str, float]], float]]:
        """Labels, cumulated buckets by their bound as text (``+Inf`` last), and the sum."""
        found = []
        for labels, counts in sorted(self._counts.items()):
            total, buckets = 0, []
            for bound, count in zip((*map(_text, self._bounds), "+Inf"), counts, strict=True):
                total += count
                buckets.append((bound, float(total)))
            found.append((labels, buckets, self._sums[labels]))
        return found


def _text(bound: float) -> str:
    return repr(float(bound))
