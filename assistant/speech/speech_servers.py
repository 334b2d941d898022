"""Speech synthesis by a server with OpenAI's ``/v1/audio/speech``: Kokoro-FastAPI, speaches, LocalAI."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any, Literal

from assistant.errors import SynthesisError
from assistant.ports import SpeechChunk
from assistant.speech.pcm import PcmFormat
from assistant.speech.server_errors import SpeechServer
from assistant.speech.speech_chunks import SpeechChunks, TooLong
from assistant.speech.speech_http import Refused, SpeechHttp
from assistant.speech.wav_stream import NO_PCM, NoWav, WavStream

PCM_RATE_HZ = 24_000
"""Of ``response_format: pcm``: 24 kHz, 16 bit, mono, without a header (OpenAI, guide to text to speech)."""

ResponseFormat = Literal["wav", "pcm"]


class OpenAISpeech:
    """Implements Synthesizer. ``speed`` 1 is the voice's own rate; ``volume`` is a factor, applied here.

    ``response_format``: ``wav`` says its sample rate; ``pcm`` does not, but some servers begin sooner with it.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        voice: str = "",
        *,
        api_key: str | None = None,
        speed: float = 1.0,
        volume: float = 1.0,
        timeout_s: float = 20.0,
        response_format: ResponseFormat = "wav",
    ) -> None:
        """``base_url`` as in http://127.0.0.1:8880/v1. Raises ConfigError bad_server_url."""
        self._server = SpeechServer(SynthesisError, base_url)
        self._http = SpeechHttp(self._server, model, api_key, timeout_s)
        self._voice = voice
        self._request: dict[str, Any] = {"model": model}
        if voice:
            self._request["voice"] = voice
        if speed != 1.0:  # not every server knows it
            self._request["speed"] = speed
        self._volume = volume
        self._form: ResponseFormat = response_format

    async def load(self) -> None:
        """See that the server is there and speaks: it says one word. Raises SynthesisError."""
        async with aclosing(self.synthesize("Yes.")) as chunks:
            async for _ in chunks:
                return

    def close(self) -> None:
        """Nothing stays open between requests."""

    async def synthesize(self, text: str) -> AsyncGenerator[SpeechChunk, None]:
        """Chunks as they come, the first as soon as there is one; nothing for text without words.

        Raises SynthesisError: server_down, server_slow, server_refused_key, server_model_missing, server_error,
        server_nonsense; EgressError.
        """
        if not re.search(r"\w", text):
            return
        began = False
        while True:
            form = self._form
            try:
                async with aclosing(self._spoken(text, form)) as chunks:
                    async for chunk in chunks:
                        began = True
                        yield chunk
                break
            except Refused as refusal:
                if form == "wav" and "response_format" in refusal.message:
                    self._form = "pcm"
                elif "voice" in refusal.message.casefold():
                    raise self._server.voice_refused(self._voice, refusal.message) from refusal
                else:
                    raise refusal.meaning from refusal
        if not began:
            raise self._server.nonsense("there is no sound in its answer")

    async def _spoken(self, text: str, form: ResponseFormat) -> AsyncGenerator[SpeechChunk, None]:
        request = {**self._request, "input": text, "response_format": form}
        async with self._http.answer("POST", "/audio/speech", json=request) as response:
            stream = _Stream(response.headers.get("content-type", ""), form)
            made = SpeechChunks(self._volume)
            async with aclosing(self._http.pieces(response)) as pieces:
                try:
                    async for piece in pieces:
                        for pcm, sound in stream.feed(piece):
                            for chunk in made.feed(pcm, sound):
                                yield chunk
                except NoWav as error:
                    raise self._server.nonsense(f"it sends {error}, and not the {form} that was asked for") from error
                except TooLong as error:
                    raise self._server.nonsense(str(error)) from error
            for chunk in made.finish():
                yield chunk


class _Stream:
    """The body as wav, or as bare PCM where its type says that it is."""

    def __init__(self, content_type: str, asked: ResponseFormat) -> None:
        self._wav = WavStream()
        self._bare = pcm_format(content_type, asked)
        self._rest = b""
        self._begun = False

    def feed(self, data: bytes) -> Iterator[tuple[PcmFormat, bytes]]:
        """Raises NoWav."""
        if self._bare is not None and not self._begun:
            data, self._rest = self._rest + data, b""
            if len(data) < 4:
                self._rest = data
                return
            self._begun = True
            if data.startswith(NO_PCM):  # a wav, whatever was asked; or something that would be played as noise
                self._bare = None
        if self._bare is None:
            yield from self._wav.feed(data)
        else:
            data = self._rest + data
            whole = len(data) // self._bare.frame_bytes * self._bare.frame_bytes
            self._rest = data[whole:]
            yield self._bare, data[:whole]


def pcm_format(content_type: str, asked: ResponseFormat) -> PcmFormat | None:
    """The format of bare PCM, from a type like ``audio/pcm;rate=24000;channels=1``; None: it is something else.

    What no device has is 24 kHz, as documented. Pure.
    """
    kind, _, rest = content_type.casefold().partition(";")
    unnamed = kind.strip() in ("", "application/octet-stream") and asked == "pcm"
    if kind.strip() not in ("audio/pcm", "audio/x-pcm") and not unnamed:
        return None
    values = {key.strip(): value.strip() for key, _, value in (part.partition("=") for part in rest.split(";"))}
    try:
        return PcmFormat(int(values.get("rate", PCM_RATE_HZ)), 2, int(values.get("channels", 1)))
    except ValueError:
        return PcmFormat(PCM_RATE_HZ)
