"""Speech recognition by faster-whisper, in a thread of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from assistant.errors import TranscriptionError
from assistant.ports import SAMPLE_RATE_HZ, Samples, Transcript
from assistant.text.transcript import is_nothing

MAX_THREADS = 4
MIN_AUDIO_S = 0.1
"""Less than this is no word."""

PROMPT_CHARACTERS = 400
"""Whisper reads at most 224 tokens of prompt (openai/whisper); names beyond that are left out."""


class FasterWhisper:
    """Implements Transcriber. ``names`` (of services, jobs, …) are given to Whisper as its initial prompt."""

    def __init__(
        self, folder: Path, *, compute_type: str, language: str, threads: int = 0, names: Sequence[str] = ()
    ) -> None:
        self._folder = folder
        self._compute_type = compute_type
        self._language = language
        self._threads = threads or min(os.cpu_count() or 1, MAX_THREADS)
        self._prompt = names_prompt(names)
        self._model: Any = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="whisper")

    async def load(self) -> None:
        """Load the model ahead of time. Raises TranscriptionError."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._loaded)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def transcribe(self, audio: Samples) -> Transcript:
        """The text, empty when nothing was said. Raises TranscriptionError."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transcribe, audio)

    def _loaded(self) -> Any:
        if self._model is None:
            from faster_whisper import WhisperModel  # a second: only where ears are wanted

            try:
                self._model = WhisperModel(
                    str(self._folder),
                    device="cpu",
                    compute_type=self._compute_type,
                    cpu_threads=self._threads,
                    local_files_only=True,
                )
            except (RuntimeError, ValueError, OSError) as error:
                detail = f"The Whisper model in {self._folder} cannot be loaded: {error}."
                raise TranscriptionError("whisper_unusable", detail, mend="Run `jarvis models verify`.") from error
        return self._model

    def _transcribe(self, audio: Samples) -> Transcript:
        engine = f"faster-whisper {self._folder.name}"
        if len(audio) < MIN_AUDIO_S * SAMPLE_RATE_HZ:
            return Transcript(text="", language=self._language, engine=engine, no_speech_probability=1.0)
        model = self._loaded()
        try:
            segments, _ = model.transcribe(
                audio.astype(np.float32) / 32768.0,
                language=self._language,
                beam_size=1,  # beam 5 took 1.4 times as long and heard no more of the fixtures
                temperature=(0.0, 0.4),
                condition_on_previous_text=False,
                without_timestamps=True,
                initial_prompt=self._prompt,
                vad_filter=False,
            )
            heard = list(segments)
        except (RuntimeError, ValueError) as error:
            raise TranscriptionError("whisper_failed", f"Whisper failed: {type(error).__name__}.") from error
        text = " ".join(segment.text.strip() for segment in heard)
        silence = max((float(segment.no_speech_prob) for segment in heard), default=1.0)
        certainty = min((float(segment.avg_logprob) for segment in heard), default=0.0)
        if is_nothing(text, silence, certainty):
            text = ""
        return Transcript(text, self._language, engine, silence, certainty)


def names_prompt(names: Sequence[str]) -> str | None:
    """A sentence that makes the names probable; None without names."""
    kept: list[str] = []
    for name in dict.fromkeys(names):
        if sum(len(other) + 2 for other in kept) + len(name) > PROMPT_CHARACTERS:
            break
        kept.append(name)
    return f"Hey Jarvis. {', '.join(kept)}." if kept else None
