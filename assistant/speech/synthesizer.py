"""Speech synthesis by Piper, in a thread of its own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path

from assistant.errors import SynthesisError
from assistant.ports import SpeechChunk
from assistant.speech.ahead import ahead
from assistant.speech.piper_voice import PiperVoice
from assistant.speech.voicing import CLAUSE_PAUSE_S, SENTENCE_PAUSE_S, gain_for, to_pcm, with_pause, without_lead

LOOK_AHEAD = 2
"""Chunks made beyond the one that is asked for: an interruption costs no more than these."""


class PiperSynthesizer:
    """Implements Synthesizer. ``speed`` 1 is the voice's own rate, 2 twice as fast; ``volume`` is a factor."""

    def __init__(self, voice: Path, *, speed: float = 1.0, volume: float = 1.0) -> None:
        self._path = voice
        self._speed = speed
        self._volume = volume
        self._voice: PiperVoice | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="piper")

    async def load(self) -> None:
        """Load the voice and let it say something in silence. Raises SynthesisError."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._loaded)

    @property
    def threads(self) -> dict[str, Executor]:
        """For the watchdog."""
        return {"piper": self._thread}

    def close(self) -> None:
        """End the thread. Idempotent."""
        self._thread.shutdown(wait=False)

    async def synthesize(self, text: str) -> AsyncGenerator[SpeechChunk, None]:
        """Speech in chunks, the first one short; nothing for text without words.

        The next LOOK_AHEAD chunks are made while one is taken; closing the generator ends the work with the chunk
        that is being made. Raises SynthesisError.
        """
        if not re.search(r"\w", text):
            return
        try:
            async with aclosing(ahead(lambda: self._chunks(text), self._thread, LOOK_AHEAD)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except RuntimeError as error:  # the thread has ended
            raise SynthesisError("synthesizer_closed", "The voice was closed while it was wanted.") from error

    def _chunks(self, text: str) -> Iterator[SpeechChunk]:
        """In the thread: pieces without needless silence, equally loud, as PCM."""
        voice = self._loaded()
        rate, gain = voice.sample_rate_hz, gain_for(voice.loudness)
        silent_so_far = False
        try:
            for piece in voice.say(text, speed=self._speed):
                sound = piece.sound
                if piece.starts or silent_so_far:
                    sound = without_lead(sound, rate, gain)
                    silent_so_far = not len(sound)
                if piece.ends:
                    sound = with_pause(sound, rate, gain, CLAUSE_PAUSE_S if piece.joins else SENTENCE_PAUSE_S)
                if len(sound):
                    yield SpeechChunk(to_pcm(sound, gain * self._volume), rate)
        except Exception as error:  # onnxruntime and espeak-ng raise what they like
            raise SynthesisError("synthesis_failed", f"Piper failed: {type(error).__name__}.") from error

    def _loaded(self) -> PiperVoice:
        if self._voice is None:
            for file in (self._path, self._path.with_name(self._path.name + ".json")):
                if not file.is_file():
                    detail = f"The voice lacks {file}.{_there(self._path.parent)}"
                    raise SynthesisError("voice_missing", detail, mend="Run `jarvis models pull`.")
            try:
                self._voice = PiperVoice.load(self._path)
            except Exception as error:  # onnxruntime's own classes, or whatever the voice's JSON makes Piper raise
                detail = f"The voice {self._path} cannot be loaded: {type(error).__name__}."
                raise SynthesisError("voice_unusable", detail, mend="Run `jarvis models verify`.") from error
        return self._voice


def _there(folder: Path) -> str:
    """The voices in that folder, for people."""
    voices = sorted(file.name for file in folder.glob("*.onnx") if file.with_name(file.name + ".json").is_file())
    return f" Voices there: {', '.join(voices)}." if voices else ""
