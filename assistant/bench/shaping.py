"""Arithmetic on the samples of the clips: where speech begins and ends, a hesitation put in, levels, noise mixed in.

Samples here are float64 of shape (n,), full scale ±1, at 16 kHz; only :func:`to_int16` leaves that world.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from assistant.ports import SAMPLE_RATE_HZ, Samples

Wave = NDArray[np.float64]
"""Shape (n,), float64, full scale ±1, 16 kHz."""

FRAME: Final = SAMPLE_RATE_HZ // 100
"""10 ms: the step in which speech is measured."""

BELOW_PEAK_DB: Final = 40.0
"""Speech ends with the last frame that is less than this below the loudest one. What is quieter is the decay of the
last sound and the synthesizer's own hiss; −40 dB keeps an unvoiced final consonant, which lies about 25 dB down."""

ABOVE_FLOOR_DB: Final = 12.0
"""For recordings of people: how far above the room speech has to be as well."""

VOICED_DB: Final = 22.0
"""Vowels and voiced consonants are less than this below the loudest frame."""

CONSONANT_S: Final = 0.2
"""The consonants after the last voiced sound are over by then ("lights" has 0.17 s of them); some voices go on
breathing for 0.6 s, 25–35 dB down."""

_SILENT: Final = 1e-9


def levels_db(wave: Wave) -> NDArray[np.float64]:
    """RMS of each whole frame in dB of full scale, shape (n // 160,); digital silence is −180."""
    frames = wave[: wave.size // FRAME * FRAME].reshape(-1, FRAME)
    return np.asarray(20 * np.log10(np.maximum(np.sqrt(np.mean(frames**2, axis=1)), _SILENT)))


def speech_bounds(wave: Wave, *, room: bool = False) -> tuple[int, int]:
    """First sample of speech and the one after its last, by energy, to 10 ms; (0, 0) when there is nothing to hear.

    ``room``: the recording has a noise floor of its own (the quietest tenth of its frames) to stay clear of.
    """
    levels = levels_db(wave)
    if levels.size == 0 or levels.max() <= -120:
        return 0, 0
    threshold = levels.max() - BELOW_PEAK_DB
    if room:
        threshold = max(threshold, float(np.percentile(levels, 10)) + ABOVE_FLOOR_DB)
    loud = np.flatnonzero(levels >= threshold)
    last = int(np.flatnonzero(levels >= levels.max() - VOICED_DB)[-1]) + round(CONSONANT_S * SAMPLE_RATE_HZ / FRAME)
    return int(loud[0]) * FRAME, (int(loud[loud <= last][-1]) + 1) * FRAME


def trimmed(wave: Wave) -> Wave:
    """Only what is speech."""
    start, end = speech_bounds(wave)
    return wave[start:end]


def at_level(wave: Wave, level_db: float) -> Wave:
    """Scaled so that its speech (frames within 30 dB of the loudest) has this RMS in dB of full scale; never clips."""
    levels = levels_db(wave)
    if levels.size == 0 or levels.max() <= -120:
        return wave
    active = levels[levels > levels.max() - 30]
    now = 10 * np.log10(np.mean(10 ** (active / 10)))
    gain = float(10 ** ((level_db - now) / 20))
    return wave * min(gain, 0.98 / float(np.abs(wave).max()))


def with_noise(speech: Wave, noise: Wave, snr_db: float, loudness: Wave) -> Wave:
    """``speech`` and ``noise`` added so that the active speech of ``loudness`` is ``snr_db`` above the noise's RMS.

    The noise is repeated or cut to the speech's length; the sum is scaled down if it would clip.
    """
    levels = levels_db(loudness)
    active = levels[levels > levels.max() - 30]
    wanted = 10 ** ((10 * np.log10(np.mean(10 ** (active / 10))) - snr_db) / 20)
    fitted = np.resize(noise, speech.size)
    rms = float(np.sqrt(np.mean(fitted**2)))
    mixed = speech + fitted * (wanted / max(rms, _SILENT))
    peak = float(np.abs(mixed).max(initial=_SILENT))
    return np.asarray(mixed * min(1.0, 0.98 / peak))


def silence(seconds: float) -> Wave:
    """Digital silence."""
    return np.zeros(round(seconds * SAMPLE_RATE_HZ))


def room_tone(samples: int, level_db: float, rng: np.random.Generator) -> Wave:
    """The quiet of a room: noise that falls 3 dB an octave, at this RMS in dB of full scale."""
    if samples == 0:
        return np.zeros(0)
    return pink(samples, rng) * 10 ** (level_db / 20)


def pink(samples: int, rng: np.random.Generator) -> Wave:
    """Noise of RMS 1 with equal power in every octave above 20 Hz."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    hertz = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ)
    spectrum *= np.where(hertz < 20, 0, 1 / np.sqrt(np.maximum(hertz, 20)))
    wave = np.fft.irfft(spectrum, samples)
    return np.asarray(wave / max(float(np.sqrt(np.mean(wave**2))), _SILENT))


def to_int16(wave: Wave) -> Samples:
    """Rounded; full scale ±1 is ±32767, more is clipped."""
    return np.asarray(np.rint(np.clip(wave, -1, 1) * 32767), dtype=np.int16)
