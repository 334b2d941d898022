"""Figures of the voice benchmark: percentiles, shares, and what a count of events allows. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

CONFIDENCE = 0.95
"""Of every upper bound, one-sided."""


def percentile(values: Sequence[float], rank: float) -> float:
    """By nearest rank: the smallest value that at least ``rank`` (0–1) of the values do not exceed.

    Raises ValueError without values, or for a rank outside 0–1.
    """
    if not values or not 0 <= rank <= 1:
        raise ValueError("a percentile needs values and a rank of 0 to 1")
    return sorted(values)[max(math.ceil(rank * len(values)) - 1, 0)]


def share(part: float, whole: float) -> float | None:
    """None of nothing."""
    return part / whole if whole else None


def upper_bound(events: int, exposure: float, confidence: float = CONFIDENCE) -> float | None:
    """The rate that is not exceeded with this confidence, when ``events`` were counted over ``exposure`` (hours).

    Exact for a Poisson process: the mean of which so few or fewer are seen with probability ``1 - confidence``, which
    is χ²(confidence, 2·events + 2)/2 and, without events, ``-ln(1 - confidence)``: the rule of three. None where
    nothing was heard. (F. Garwood, Biometrika 28, 1936.)
    """
    if exposure <= 0:
        return None
    low, high = 0.0, 10.0 + 3.0 * events
    while _at_most(events, high) > 1 - confidence:
        high *= 2
    while (middle := (low + high) / 2) not in (low, high):
        low, high = (middle, high) if _at_most(events, middle) > 1 - confidence else (low, middle)
    return high / exposure


def _at_most(events: int, mean: float) -> float:
    """P(X ≤ events) of a Poisson variable."""
    if mean == 0:
        return 1.0
    return math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(events + 1))
