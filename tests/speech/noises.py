"""Sounds that nobody said, made with numpy from a seed: mono int16 at 16 kHz."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from assistant.ports import SAMPLE_RATE_HZ, Samples

Wave = NDArray[np.float64]


def _times(seconds: float) -> Wave:
    return np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ


def _coloured(generator: np.random.Generator, seconds: float, slope: float) -> Wave:
    """Noise whose power falls with frequency ** slope: 0 white, 1 pink, 2 brown."""
    n = int(seconds * SAMPLE_RATE_HZ)
    spectrum = np.fft.rfft(generator.normal(size=n))
    shaped: Wave = np.fft.irfft(spectrum / np.maximum(np.arange(len(spectrum)), 1) ** (slope / 2), n)
    return shaped


def _bursts(generator: np.random.Generator, seconds: float, every_s: float, burst: Callable[[], Wave]) -> Wave:
    out = np.zeros(int(seconds * SAMPLE_RATE_HZ))
    at = 0.3
    while at < seconds - 0.5:
        sound, start = burst(), int(at * SAMPLE_RATE_HZ)
        end = min(len(out), start + len(sound))
        out[start:end] += sound[: end - start]
        at += every_s * generator.uniform(0.6, 1.4)
    return out


def _chords(generator: np.random.Generator, seconds: float) -> Wave:
    """A tune over chords, four notes a second, as a music box plays it."""
    scale = 220.0 * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12]) / 12)

    def note() -> Wave:
        t = _times(0.6)
        tones = [float(generator.choice(scale)) * factor for factor in (1.0, 1.5, 2.0)]
        return np.exp(-4 * t) * sum(np.sin(2 * np.pi * tone * t) for tone in tones)

    return _bursts(generator, seconds, 0.25, note)


def _bark(generator: np.random.Generator) -> Wave:
    """A pitch that falls, rich in harmonics, with a rough edge, a fifth of a second."""
    t = _times(0.2)
    phase = 2 * np.pi * np.cumsum(np.linspace(600, 300, len(t)) * generator.uniform(0.8, 1.2)) / SAMPLE_RATE_HZ
    voice = sum(np.sin(k * phase) / k for k in range(1, 12))
    return np.asarray((voice + 0.4 * generator.normal(size=len(t))) * np.sin(np.pi * t / 0.2) ** 0.5)


def _breath(generator: np.random.Generator) -> Wave:
    sound = _coloured(generator, 1.2, 0.7)
    return np.asarray(sound / np.abs(sound).max() * np.sin(np.pi * np.arange(len(sound)) / len(sound)) ** 2)


def _hum(_: np.random.Generator, seconds: float) -> Wave:
    t = _times(seconds)
    return np.asarray(sum(np.sin(2 * np.pi * 50 * k * t) / k for k in (1, 2, 3, 5)))


def _click(generator: np.random.Generator) -> Wave:
    return np.asarray(generator.normal(size=160) * np.exp(-np.arange(160) / 30))


MAKERS: dict[str, Callable[[np.random.Generator, float], Wave]] = {
    "white": lambda g, s: _coloured(g, s, 0),
    "pink": lambda g, s: _coloured(g, s, 1),
    "brown": lambda g, s: _coloured(g, s, 2),
    "hum": _hum,
    "music": _chords,
    "clicks": lambda g, s: _bursts(g, s, 0.4, lambda: _click(g)),
    "barks": lambda g, s: _bursts(g, s, 0.7, lambda: _bark(g)),
    "breathing": lambda g, s: _bursts(g, s, 2.0, lambda: _breath(g)),
}
"""Class of sound → waveform of any loudness."""


def sound(kind: str, *, seconds: float = 3.0, loudness: float = 0.1, seed: int = 0) -> Samples:
    """That sound with ``loudness`` as its root mean square of full scale; "silence" is the noise of a converter."""
    generator = np.random.default_rng(seed)
    if kind == "silence":
        return generator.normal(0, 2, int(seconds * SAMPLE_RATE_HZ)).astype(np.int16)
    wave = MAKERS[kind](generator, seconds)
    scaled = wave / np.sqrt(np.mean(wave**2)) * loudness * 32767
    return np.asarray(np.clip(scaled, -32768, 32767), dtype=np.int16)


def mixed(parts: list[Samples]) -> Samples:
    """All at once, as long as the longest."""
    out = np.zeros(max(map(len, parts)))
    for part in parts:
        out[: len(part)] += part
    return np.asarray(np.clip(out, -32768, 32767), dtype=np.int16)
