"""From a voice's raw sound to chunks that can be played one after another: loudness, edges, int16. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LOUDNESS = 0.15
"""Root mean square of speech at volume 1, −16.5 dBFS.

Piper itself scales the loudest sample of each sentence to full range, which makes sentences differ by 6 dB (seen over
ten sentences of one voice) and cannot be done before the sentence is finished.
"""

MAX_GAIN = 8.0
KNEE = 0.8
"""Above this a sample is bent instead of clipped."""

SILENCE = 0.01
"""Below this, −40 dBFS, a sample at volume 1 is no speech."""

LEAD_S = 0.012
"""Silence left before the first sound: Piper makes 0.04 s, in which nobody hears anything."""

SENTENCE_PAUSE_S, CLAUSE_PAUSE_S = 0.2, 0.1
"""Silence left at most at the end: Piper makes 0.15 to 0.25 s."""

FADE_S = 0.004
"""Fade at both edges, over what is silence already: no click."""

Sound = NDArray[np.float32]


def gain_for(loudness: float) -> float:
    """The factor that makes a voice of this root mean square as loud as LOUDNESS."""
    return min(LOUDNESS / loudness, MAX_GAIN) if loudness > 0 else 1.0


def without_lead(sound: Sound, rate_hz: int, gain: float) -> Sound:
    """Without the silence before the first sound, faded in; empty where there is no sound."""
    loud = np.flatnonzero(np.abs(sound) * gain > SILENCE)
    if not len(loud):
        return sound[:0]
    begun = sound[max(0, int(loud[0]) - int(LEAD_S * rate_hz)) :].copy()
    fade = _fade(min(int(FADE_S * rate_hz), len(begun)))
    begun[: len(fade)] *= fade
    return begun


def with_pause(sound: Sound, rate_hz: int, gain: float, pause_s: float) -> Sound:
    """With no more than that silence behind the last sound, faded out."""
    loud = np.flatnonzero(np.abs(sound) * gain > SILENCE)
    last = int(loud[-1]) + 1 if len(loud) else 0
    ended = sound[: min(len(sound), last + int(pause_s * rate_hz))].copy()
    fade = _fade(min(int(FADE_S * rate_hz), len(ended)))
    ended[len(ended) - len(fade) :] *= fade[::-1]
    return ended


def to_pcm(sound: Sound, factor: float) -> bytes:
    """Mono int16 little-endian, ``factor`` times as loud; what would be too loud is bent, never clipped."""
    louder = sound * np.float32(factor)
    size = np.abs(louder)
    bent = KNEE + (1 - KNEE) * np.tanh((size - KNEE) / (1 - KNEE))
    limited = np.where(size > KNEE, np.copysign(bent, louder), louder)
    return (limited * 32767).astype("<i2").tobytes()


def _fade(samples: int) -> Sound:
    """Raised cosine from 0 to 1."""
    return (0.5 - 0.5 * np.cos(np.pi * np.arange(samples) / max(samples, 1))).astype(np.float32)
