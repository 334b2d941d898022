"""Speech synthesis by Piper, in a thread of its own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from assistant.errors import SynthesisError
from assistant.ports import SpeechChunk


class PiperSynthesizer:
    """Implements Synthesizer. ``speed`` 1 is the voice's own rate, 2 twice as fast; ``volume`` is a factor."""

    def __init__(self, voice: Path, *, speed: float = 1.0, volume: float = 1.0) -> None:
        self._path = voice
        self._speed = speed
        self._volume = volume
        self._voice: Any = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="piper")

    async def load(self) -> None:
        """Load the voice ahead of time. Raises SynthesisError."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._loaded)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def synthesize(self, text: str) -> AsyncIterator[SpeechChunk]:
        """One chunk per sentence of the text, as soon as it is made; nothing for text without words."""
        if not re.search(r"\w", text):
            return
        loop = asyncio.get_running_loop()
        chunks = await loop.run_in_executor(self._thread, self._begin, text)
        while (chunk := await loop.run_in_executor(self._thread, _next, chunks)) is not None:
            yield chunk

    def _begin(self, text: str) -> Iterator[Any]:
        from piper import SynthesisConfig  # takes a second: only where a mouth is wanted

        config = SynthesisConfig(length_scale=1.0 / self._speed, volume=self._volume)
        chunks: Iterator[Any] = iter(self._loaded().synthesize(text, syn_config=config))
        return chunks

    def _loaded(self) -> Any:
        if self._voice is None:
            config = self._path.with_name(self._path.name + ".json")
            for file in (self._path, config):
                if not file.is_file():
                    detail = f"The voice lacks {file}."
                    raise SynthesisError("voice_missing", detail, mend="Run `jarvis models pull`.")
            from piper import PiperVoice

            try:
                self._voice = PiperVoice.load(self._path, config_path=config)
            except Exception as error:  # onnxruntime's own classes, or whatever the voice's JSON makes Piper raise
                detail = f"The voice {self._path} cannot be loaded: {type(error).__name__}."
                raise SynthesisError("voice_unusable", detail, mend="Run `jarvis models verify`.") from error
        return self._voice


def _next(chunks: Iterator[Any]) -> SpeechChunk | None:
    try:
        chunk = next(chunks, None)
    except Exception as error:  # onnxruntime and espeak-ng raise what they like
        raise SynthesisError("synthesis_failed", f"Piper failed: {type(error).__name__}.") from error
    return None if chunk is None else SpeechChunk(chunk.audio_int16_bytes, int(chunk.sample_rate))
