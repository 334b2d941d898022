"""How long a stretch Whisper's encoder hears, and when its text is not to be believed. Pure.

Whisper was trained on 30 s, and every utterance is padded to that: the encoder is most of the time. It takes less
(CTranslate2 ≥ 4), but on a short window it now and then repeats itself or makes words up (CTranslate2 issue 2100,
faster-whisper issue 1006). So the window is as long as the utterance and some seconds of silence, and where the text
looks wrong the whole 30 s are taken.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from assistant.ports import SAMPLE_RATE_HZ, Samples

FULL_S = 30.0
"""Whisper's own window (openai/whisper, ``CHUNK_LENGTH``)."""

Doubt = Literal["", "cut off", "repetitive", "too many words", "improbable", "no speech", "no name"]
"""Why a text is not believed; empty: it is. "no name": it is unsure and names nothing of the house (transcriber)."""

LOOPS: tuple[Doubt, ...] = ("cut off", "repetitive", "too many words")

COMPRESSION_RATIO = 2.4
"""Whisper's own threshold for a text that repeats itself (``compression_ratio_threshold``)."""

LOG_PROBABILITY = -1.0
"""Whisper's own threshold for an improbable text (``logprob_threshold``)."""

NO_SPEECH_PROBABILITY = 0.6
"""Whisper's own threshold for silence (``no_speech_threshold``)."""

TOKENS_PER_SECOND = 7.0
"""None of the voice benchmark's clips has more where it was heard rightly, spelled letters included: 5 at the most."""

TOKENS_BESIDES = 8
"""A short word with its punctuation is several tokens in half a second."""

QUIET_S = 0.2
"""Length of the pause at which longer audio is divided."""


@dataclass(frozen=True, slots=True)
class EncoderWindow:
    """The choice of the window: max(``shortest_s``, utterance + ``spare_s``), and whether to fall back to 30 s.

    The defaults are what the clips of the voice benchmark gave (docs/adr/0019-short-window.md).
    """

    shortest_s: float = 6.0
    spare_s: float = 3.0
    fall_back: bool = True

    def seconds(self, duration_s: float) -> float:
        """For an utterance of ``duration_s``; FULL_S at the most."""
        return min(FULL_S, max(self.shortest_s, duration_s + self.spare_s))


WINDOWS = {"short": EncoderWindow(), "full": EncoderWindow(shortest_s=FULL_S)}
"""By the configuration's ``transcriber.window``."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What Whisper wrote for one window; the average is over the tokens and the end, as faster-whisper has it."""

    text: str
    tokens: int
    average_log_probability: float
    no_speech_probability: float
    cut_off: bool
    """The text had not ended at the most tokens that there may be."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What is believed, the window that it took, and why the short one was not enough (empty: it was)."""

    decoded: Decoded
    window_s: float
    fell_back: Doubt
    loops: bool = False
    """It repeats itself, whatever was tried."""


class Decode(Protocol):
    """Whisper over one utterance; ``no_loops``: it may not repeat itself."""

    def __call__(self, window_s: float, *, no_loops: bool = False) -> Decoded: ...


def heard(decode: Decode, duration_s: float, window: EncoderWindow) -> Heard:
    """The text of an utterance of at most 30 s: the short window; all of it in doubt; without loops where it loops."""
    window_s = window.seconds(duration_s)
    decoded = decode(window_s)
    if not window.fall_back:
        return Heard(decoded, window_s, "")
    why: Doubt = ""
    if window_s < FULL_S and (why := doubt(decoded, duration_s)):
        window_s, decoded = FULL_S, decode(FULL_S)
    if doubt(decoded, duration_s) in LOOPS:
        decoded = decode(window_s, no_loops=True)
        return Heard(decoded, window_s, why, loops=doubt(decoded, duration_s) in LOOPS)
    return Heard(decoded, window_s, why)


def most_tokens(duration_s: float) -> int:
    """More tokens than anybody says in that time; a loop ends there."""
    return int(duration_s * TOKENS_PER_SECOND) + 3 * TOKENS_BESIDES


def doubt(heard: Decoded, duration_s: float) -> Doubt:
    """Whether the text of an utterance of that length looks wrong, and in what."""
    if heard.cut_off:
        return "cut off"
    if compression_ratio(heard.text) > COMPRESSION_RATIO:
        return "repetitive"
    if heard.tokens > duration_s * TOKENS_PER_SECOND + TOKENS_BESIDES:
        return "too many words"
    if heard.average_log_probability < LOG_PROBABILITY:
        return "improbable"
    if heard.text and heard.no_speech_probability > NO_SPEECH_PROBABILITY:
        return "no speech"
    return ""


def compression_ratio(text: str) -> float:
    """Bytes of the text for one byte of its zlib form; repetition compresses well."""
    data = text.encode("utf-8")
    return len(data) / len(zlib.compress(data))


def pieces(audio: Samples, longest_s: float = FULL_S) -> list[Samples]:
    """Audio in stretches of at most ``longest_s``, divided where their last third is quietest; nothing is lost."""
    longest, quiet = int(longest_s * SAMPLE_RATE_HZ), int(QUIET_S * SAMPLE_RATE_HZ)
    parts: list[Samples] = []
    while len(audio) > longest:
        first = longest * 2 // 3
        energy = np.convolve(audio[first:longest].astype(np.float64) ** 2, np.ones(quiet), "valid")
        cut = first + int(np.argmin(energy)) + quiet // 2
        parts.append(audio[:cut])
        audio = audio[cut:]
    return [*parts, audio]
