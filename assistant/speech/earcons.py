"""Short sounds that say what is going on, made of sine tones: gentle, distinct by direction and height.

They are heard by the microphone, too, so they are such that neither silero takes them for speech, nor Whisper for
words, nor openWakeWord for a wake word (tests/speech/test_earcons_real.py).
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assistant.errors import PlaybackError
from assistant.ports import Cue, Player, SpeechChunk

log = logging.getLogger(__name__)

Earcon = Cue | Literal["heard"]
"""``heard``: the utterance is over, its answer is looked for."""

PEAK = 0.2
"""Of full scale, −14 dBFS: never louder than −12, and some way below speech."""

FADE_S = 0.012
"""Raised cosine at both ends of each tone: no click, no bang."""

E5, G5, C6, E6, C7 = 659.26, 783.99, 1046.5, 1318.51, 2093.0
_TONES: dict[Earcon, tuple[tuple[float, float], ...]] = {
    "listening": ((G5, 0.065), (C6, 0.085)),
    "heard": ((C7, 0.03),),
    "your_turn": ((C6, 0.06), (E6, 0.09)),
    "failed": ((G5, 0.06), (E5, 0.09)),
    "stopped": ((C6, 0.06), (G5, 0.06)),
    "ringing": ((E6, 0.05), (G5, 0.04), (E6, 0.05)),
}
"""Frequency in Hz and length in s of each tone; equal-tempered on A = 440 Hz, so that any two of them fit together.

Lower ones are vowels to silero: a fall from C5 to G4 had a speech probability of 0.8."""

OVERTONE = 0.15
"""The octave in it: without, a sine is hard to hear on a small loudspeaker and harder to locate."""


@lru_cache(maxsize=64)
def earcon(kind: Earcon, sample_rate_hz: int, volume: float = 1.0) -> SpeechChunk:
    """The sound, at most 0.15 s. ``volume`` as of the voice: a factor, 0 to 2. Raises KeyError for an unknown kind."""
    sound = np.concatenate([_tone(frequency, seconds, sample_rate_hz) for frequency, seconds in _TONES[kind]])
    level = min(PEAK * volume, 0.25)
    return SpeechChunk((sound * level * 32767).astype("<i2").tobytes(), sample_rate_hz)


def _tone(frequency: float, seconds: float, rate_hz: int) -> NDArray[np.float64]:
    """Peak at most 1."""
    phase = 2 * np.pi * frequency * np.arange(int(seconds * rate_hz)) / rate_hz
    wave = (np.sin(phase) + OVERTONE * np.sin(2 * phase)) / (1 + OVERTONE)
    edge = 0.5 - 0.5 * np.cos(np.pi * np.arange(int(FADE_S * rate_hz)) / (FADE_S * rate_hz))
    wave[: len(edge)] *= edge
    wave[len(wave) - len(edge) :] *= edge[::-1]
    faded: NDArray[np.float64] = wave
    return faded


class Earcons:
    """Implements Cues. A sound that cannot be played is no failure: what was to be said will tell of it, too."""

    def __init__(self, player: Player, *, volume: float = 1.0, sample_rate_hz: int = 22_050) -> None:
        self._player = player
        self._volume = volume
        self._rate_hz = sample_rate_hz

    async def play(self, cue: Earcon) -> None:
        """Queue the sound behind what is being played."""
        try:
            await self._player.play(earcon(cue, self._rate_hz, self._volume))
        except PlaybackError as error:
            log.warning("the sound %r cannot be played: %s", cue, error.detail)
