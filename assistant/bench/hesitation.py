"""A hesitation inside a sentence: the whole is synthesized in one piece and cut open at a word boundary.

Two sentences set one after the other would fall in pitch before the gap and begin anew after it, which nobody does who
hesitates ("turn off the … kitchen lights"). So the two halves are synthesized only to find the place: set together,
they are time-warped onto the whole, and the boundary is carried over.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from assistant.bench.shaping import FRAME, Wave, levels_db, silence, trimmed
from assistant.ports import SAMPLE_RATE_HZ

PAUSE_S: Final = 0.8

_BANDS: Final = 24
_WINDOW: Final = 400  # 25 ms
_FADE: Final = round(0.012 * SAMPLE_RATE_HZ)
_SEARCH: Final = 5
"""Frames to each side of the carried boundary in which the quietest is taken."""


def boundary(whole: Wave, first: Wave, second: Wave) -> int:
    """The sample of ``whole`` at which what ``first`` says ends and what ``second`` says begins.

    All are trimmed speech of one voice; ``first`` + ``second`` say the same words as ``whole``.
    """
    halves = _features(np.concatenate([first, second]))
    there = _features(whole)
    path = _warp(halves, there)
    edge = first.size // FRAME
    frames = [j for i, j in path if abs(i - edge) <= 1] or [there.shape[0] // 2]
    near = round(float(np.mean(frames)))
    levels = levels_db(whole)
    low, high = max(1, near - _SEARCH), min(levels.size - 1, near + _SEARCH + 1)
    return (low + int(np.argmin(levels[low:high]))) * FRAME + FRAME // 2 if high > low else near * FRAME


def with_pause(whole: Wave, at: int, seconds: float = PAUSE_S) -> Wave:
    """``whole`` opened at sample ``at``; 12 ms fades on both sides keep it from clicking."""
    before, after = whole[:at].copy(), whole[at:].copy()
    fade = 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, _FADE))
    n = min(_FADE, before.size)
    before[before.size - n :] *= fade[::-1][_FADE - n :]
    n = min(_FADE, after.size)
    after[:n] *= fade[:n]
    return np.concatenate([before, silence(seconds), after])


def hesitating(whole: Wave, first: Wave, second: Wave, seconds: float = PAUSE_S) -> Wave:
    """The trimmed whole with a silence where ``first`` ends; all raw from one voice."""
    whole = trimmed(whole)
    return with_pause(whole, boundary(whole, trimmed(first), trimmed(second)), seconds)


def _features(wave: Wave) -> NDArray[np.float64]:
    """Log energies in bands that widen like hearing does, one row per 10 ms, each row's mean taken out."""
    padded = np.concatenate([wave, np.zeros(_WINDOW)])
    count = max(1, wave.size // FRAME)
    starts = np.arange(count) * FRAME
    frames = padded[starts[:, None] + np.arange(_WINDOW)] * np.hanning(_WINDOW)
    power = np.abs(np.fft.rfft(frames, 512, axis=1)) ** 2
    edges = np.unique(np.geomspace(4, power.shape[1], _BANDS + 1).astype(int))
    bands = np.add.reduceat(power, edges[:-1], axis=1)
    logs = np.log(bands + 1e-6)
    loudness = logs.mean(axis=1, keepdims=True)
    return np.asarray(np.hstack([logs - loudness, loudness]))


def _warp(a: NDArray[np.float64], b: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Dynamic time warping: the cheapest monotonous path of frame pairs from (0, 0) to the two ends."""
    cost = np.sqrt(((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2))
    total = np.full((a.shape[0] + 1, b.shape[0] + 1), np.inf)
    total[0, 0] = 0.0
    for i in range(a.shape[0]):
        best = np.minimum(total[i, :-1], total[i, 1:])
        row, here = total[i + 1], cost[i]
        for j in range(b.shape[0]):
            row[j + 1] = here[j] + min(best[j], row[j])
    i, j = a.shape[0], b.shape[0]
    path = []
    while i and j:
        path.append((i - 1, j - 1))
        i, j = min(((i - 1, j - 1), (i - 1, j), (i, j - 1)), key=lambda place: total[place])
    return path[::-1]
