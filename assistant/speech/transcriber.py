"""Speech recognition by Whisper, in a thread of its own: a short window first, all of it where that looks wrong."""

from __future__ import annotations

import asyncio
import math
import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from assistant.errors import TranscriptionError
from assistant.ports import SAMPLE_RATE_HZ, Samples, Transcript
from assistant.speech.names_prompt import is_echo, names_prompt
from assistant.speech.whisper_model import WhisperModel
from assistant.speech.whisper_window import FULL_S, WINDOWS, EncoderWindow, Heard, doubt, heard, pieces
from assistant.text.transcript import clean_transcript, is_nothing, is_sure
from assistant.text.wake_phrase import DEFAULT_WAKE_WORDS, spoken_wake_word

PromptOf = Callable[[Sequence[str], Sequence[str]], str | None]
"""Names and wake words → prompt."""

MAX_THREADS = 4
"""Half of the cores, up to so many: the rest of the ears works meanwhile, and a short window gains nothing from more.
On two cores a second thread gains nothing (``python -m tests.speech.bench_threads``)."""

MIN_AUDIO_S = 0.1
"""Less than this is no word."""

MIN_SPEECH_S = 0.09
"""With less speech than this by the VAD nobody speaks, and Whisper is not asked: the shortest words ("no") have
0.22 s and more, hum, clicks, breathing and barks none, music up to 0.06 s."""

QUIETEST_DBFS = -60.0
"""Whose loudest moment is quieter is not talking to this microphone: a person two metres away has −45 and more, the
television through a wall less."""

LOUDNESS_WINDOW_S = 0.3

LIKELY_SPEECH_S = 1.0
"""Length of the loudest stretch, where the VAD listens first: who says anything says something there."""

UNSURE_OF_NAMES = -0.55
"""Below this mean log probability a text without any name of the house is heard again in the full window: of seven
misheard names of the voice benchmark six were below it, and of all its clips with names one in twenty."""

INTERJECTIONS = frozenset({"ah", "oh", "ooh", "hmm", "mm", "uh", "um"})
"""Said to nobody, and what a bark becomes after the wake phrase, however sure Whisper is."""


class FasterWhisper:
    """Implements Transcriber.

    ``names`` (of services, jobs, …) are given to Whisper as its initial prompt, the wake phrase before them;
    ``window``: the choice of the encoder's window, see whisper_window; ``prompt``: the form of the prompt; ``settled``:
    whether a text is understood as it stands, asked in this one's thread.
    """

    def __init__(
        self,
        folder: Path,
        *,
        compute_type: str,
        language: str,
        threads: int = 0,
        names: Sequence[str] = (),
        wake_words: Sequence[str] = DEFAULT_WAKE_WORDS,
        window: EncoderWindow = WINDOWS["short"],
        prompt: PromptOf = names_prompt,
        settled: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._folder = folder
        self._compute_type = compute_type
        self._language = language
        self._threads = threads or min(max(1, (os.cpu_count() or 1) // 2), MAX_THREADS)
        self._names = tuple(names)
        self._wake_words = tuple(wake_words)
        self._window = window
        self._settled = settled
        self._prompt_text = prompt(self._names, self._wake_words)
        self._prompt: list[int] = []
        self._opening_text = f"{spoken_wake_word(wake_words[0]).title()}." if len(wake_words) == 1 else ""
        self._opening: list[int] = []
        self._model: WhisperModel | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="whisper")

    async def load(self) -> None:
        """Load the model ahead of time and let it work once, which the first utterance would otherwise wait for.

        Raises TranscriptionError.
        """
        await asyncio.get_running_loop().run_in_executor(self._thread, self._warm)

    @property
    def threads(self) -> dict[str, Executor]:
        """For the watchdog."""
        return {"whisper": self._thread}

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def transcribe(self, audio: Samples, *, woken: bool = False) -> Transcript:
        """The text, empty when nothing was said. Raises TranscriptionError.

        ``woken``: the text begins with the wake phrase then, where there is but one; so Whisper need not make it out.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transcribe, audio, woken)

    def _loaded(self) -> WhisperModel:
        if self._model is None:
            self._model = WhisperModel(
                self._folder, compute_type=self._compute_type, language=self._language, threads=self._threads
            )
            self._prompt = self._model.prompt_tokens(self._prompt_text)
            self._opening = self._model.text_tokens(self._opening_text)
        return self._model

    def _warm(self) -> None:
        model, silence = self._loaded(), np.zeros(SAMPLE_RATE_HZ, dtype=np.int16)
        try:
            model.speech_s(silence)
            model.decode(silence, self._prompt, self._window.seconds(1.0))
        except (RuntimeError, ValueError) as error:
            raise _failed(error) from error

    def _transcribe(self, audio: Samples, woken: bool) -> Transcript:
        if len(audio) < MIN_AUDIO_S * SAMPLE_RATE_HZ:
            return self._nothing()
        model = self._loaded()
        try:
            if loudest_dbfs(audio) < QUIETEST_DBFS or not _speaks(model, audio):
                return self._nothing()
            first, *others = pieces(audio)
            parts = [
                self._heard(model, first, self._opening if woken else []),
                *(self._heard(model, piece, []) for piece in others),
            ]
        except (RuntimeError, ValueError) as error:
            raise _failed(error) from error
        texts = [part.decoded.text for part in parts if self._somebody_said(part)]
        return Transcript(
            " ".join(texts),
            self._language,
            self._engine,
            max(part.decoded.no_speech_probability for part in parts),
            min(part.decoded.average_log_probability for part in parts),
            max(part.window_s for part in parts),
            next((part.fell_back for part in parts if part.fell_back), ""),
        )

    def _heard(self, model: WhisperModel, audio: Samples, opening: list[int]) -> Heard:
        """Of at most 30 s."""
        decode = partial(model.decode, audio, self._prompt, opening=opening)
        first = heard(decode, len(audio) / SAMPLE_RATE_HZ, self._window)
        if not self._may_have_missed_a_name(first):
            return first
        second = Heard(decode(FULL_S), FULL_S, "no name")
        surer = second.decoded.average_log_probability > first.decoded.average_log_probability
        believed = not doubt(second.decoded, len(audio) / SAMPLE_RATE_HZ) and self._somebody_said(second)
        return second if surer and believed else replace(first, fell_back="no name")

    def _may_have_missed_a_name(self, first: Heard) -> bool:
        """Whether it is unsure of what it wrote, which names nothing of the house and is nothing that is understood as
        it is. What is no speech stays none."""
        written = _joined(first.decoded.text)
        return (
            self._window.fall_back
            and first.window_s < FULL_S
            and first.decoded.average_log_probability < UNSURE_OF_NAMES
            and bool(self._names)
            and not any(_joined(name) in written for name in self._names)
            and self._somebody_said(first)
            and not self._settled(first.decoded.text)
        )

    def _somebody_said(self, part: Heard) -> bool:
        """Not Whisper: a loop, the prompt said back, what it writes over noise, be it a word after the wake phrase."""
        text, silence = part.decoded.text, part.decoded.no_speech_probability
        certainty = part.decoded.average_log_probability
        after_phrase = clean_transcript(text, self._wake_words)
        said = set(re.findall(r"\w+", after_phrase.casefold()))
        lone = after_phrase != text and len(said) == 1
        return not (
            part.loops
            or (lone and (said <= INTERJECTIONS or not is_sure(silence, certainty)))
            or is_nothing(text, silence, certainty, self._wake_words)
            or is_echo(text, self._names, self._wake_words, sure=is_sure(silence, certainty))
        )

    @property
    def _engine(self) -> str:
        return f"faster-whisper {self._folder.name}"

    def _nothing(self) -> Transcript:
        return Transcript("", self._language, self._engine, no_speech_probability=1.0)


def _joined(text: str) -> str:
    """Its letters and digits alone: "Next Cloud." is nextcloud."""
    return "".join(re.findall(r"[^\W_]+", text.casefold()))


def _speaks(model: WhisperModel, audio: Samples) -> bool:
    """Whether somebody does; the whole is gone through only where the loudest part does not say so."""
    likely = loudest(audio, LIKELY_SPEECH_S)
    return any(model.speech_s(stretch) >= MIN_SPEECH_S for stretch in (likely, audio))


def loudest_dbfs(audio: Samples) -> float:
    """Root mean square of the loudest LOUDNESS_WINDOW_S, in dB of full scale; −∞ for silence."""
    stretch = loudest(audio, LOUDNESS_WINDOW_S)
    power = float(np.mean((stretch.astype(np.float64) / 32768.0) ** 2)) if len(stretch) else 0.0
    return 10 * math.log10(power) if power > 0 else -math.inf


def loudest(audio: Samples, seconds: float) -> Samples:
    """The stretch of that length with the most power, shape (n,); all of shorter audio."""
    length = int(seconds * SAMPLE_RATE_HZ)
    if len(audio) <= length:
        return audio
    power = np.concatenate([[0.0], np.cumsum(audio.astype(np.float64) ** 2)])
    start = int(np.argmax(power[length:] - power[:-length]))
    return audio[start : start + length]


def _failed(error: Exception) -> TranscriptionError:
    return TranscriptionError("whisper_failed", f"Whisper failed: {type(error).__name__}.")
