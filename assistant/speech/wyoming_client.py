"""Wyoming servers (rhasspy's protocol, as Home Assistant speaks it) for hearing and speaking: clients of both."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence

from wyoming.asr import Transcribe
from wyoming.asr import Transcript as Said
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import Describe
from wyoming.tts import Synthesize, SynthesizeVoice

from assistant.errors import SynthesisError, TranscriptionError
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples, SpeechChunk, Transcript
from assistant.speech.pcm import PcmFormat
from assistant.speech.server_errors import SpeechServer, shown
from assistant.speech.speech_chunks import SpeechChunks, TooLong
from assistant.speech.transcription_servers import MIN_AUDIO_S, filtered, read_answer
from assistant.speech.wyoming_link import SERVICES, services, voices, wyoming_link
from assistant.text.wake_phrase import DEFAULT_WAKE_WORDS


class WyomingTranscriber:
    """Implements Transcriber, e.g. by wyoming-faster-whisper. ``names`` are given to servers that take such."""

    def __init__(
        self,
        url: str,
        *,
        language: str = "en",
        timeout_s: float = 20.0,
        names: Sequence[str] = (),
        wake_words: Sequence[str] = DEFAULT_WAKE_WORDS,
    ) -> None:
        """``url``: tcp://host:port or unix:///path. Raises ConfigError bad_server_url."""
        self._server = SpeechServer(TranscriptionError, url)
        self._server.check_url("tcp", "unix")
        self._language = language
        self._timeout_s = timeout_s
        self._names = tuple(names)
        self._wake_words = tuple(wake_words)
        self._engine = f"wyoming at {shown(url)}"

    async def load(self) -> None:
        """See that the server is there and hears. Raises TranscriptionError: also wrong_kind."""
        async with wyoming_link(self._server, self._timeout_s) as link:
            offered = services(await link.ask(Describe().event(), "info"))
        if "asr" not in offered:
            raise self._server.wrong_kind([SERVICES[kind] for kind in offered])
        program, *_ = offered["asr"]
        self._engine = f"{program} at {shown(self._server.url)}"

    def close(self) -> None:
        """Nothing stays open between requests."""

    async def transcribe(self, audio: Samples, *, woken: bool = False) -> Transcript:
        """The text, empty when nothing was said.

        Raises TranscriptionError: server_down, server_slow, server_error, server_nonsense; EgressError.
        """
        if len(audio) < MIN_AUDIO_S * SAMPLE_RATE_HZ:
            return Transcript("", self._language, self._engine, no_speech_probability=1.0)
        async with wyoming_link(self._server, self._timeout_s) as link:
            await link.send(Transcribe(language=self._language, transcript_names=list(self._names) or None).event())
            await link.send(AudioStart(SAMPLE_RATE_HZ, 2, 1).event())
            for start in range(0, len(audio), CHUNK_SAMPLES):
                piece = audio[start : start + CHUNK_SAMPLES].astype("<i2").tobytes()
                await link.send(AudioChunk(SAMPLE_RATE_HZ, 2, 1, piece).event())
            await link.send(AudioStop().event())
            heard = read_answer((await link.until(lambda event: Said.is_type(event.type))).data)
        if heard is None:
            raise self._server.nonsense("there is no transcript in its answer")
        return filtered(heard, self._language, self._engine, self._names, self._wake_words)


class WyomingSpeech:
    """Implements Synthesizer, e.g. by wyoming-piper. The protocol knows no speed: that is the server's."""

    def __init__(
        self,
        url: str,
        voice: str = "",
        *,
        language: str = "",
        volume: float = 1.0,
        timeout_s: float = 20.0,
    ) -> None:
        """``url``: tcp://host:port or unix:///path. Raises ConfigError bad_server_url."""
        self._server = SpeechServer(SynthesisError, url)
        self._server.check_url("tcp", "unix")
        self._name = voice
        self._voice = SynthesizeVoice(voice or None, language or None) if voice or language else None
        self._volume = volume
        self._timeout_s = timeout_s

    async def load(self) -> None:
        """See that the server is there, speaks and has the voice. Raises SynthesisError: also wrong_kind,
        server_voice_missing."""
        async with wyoming_link(self._server, self._timeout_s) as link:
            info = await link.ask(Describe().event(), "info")
        if "tts" not in (offered := services(info)):
            raise self._server.wrong_kind([SERVICES[kind] for kind in offered])
        there = voices(info)
        if self._name and there and self._name not in there:
            raise self._server.voice_missing(self._name, there)

    def close(self) -> None:
        """Nothing stays open between requests."""

    async def synthesize(self, text: str) -> AsyncGenerator[SpeechChunk, None]:
        """Chunks as they come; nothing for text without words.

        Raises SynthesisError: server_down, server_slow, server_error, server_nonsense; EgressError.
        """
        if not re.search(r"\w", text):
            return
        made, began = SpeechChunks(self._volume), False
        async with wyoming_link(self._server, self._timeout_s) as link:
            await link.send(Synthesize(text, self._voice).event())
            try:
                while not AudioStop.is_type((event := await link.until(_of_sound)).type):
                    if AudioChunk.is_type(event.type):
                        for chunk in made.feed(_format(event), event.payload or b""):
                            began = True
                            yield chunk
            except TooLong as error:
                raise self._server.nonsense(str(error)) from error
            except ValueError as error:
                raise self._server.nonsense(f"its sound has {error}") from error
        for chunk in made.finish():
            began = True
            yield chunk
        if not began:
            raise self._server.nonsense("there is no sound in its answer")


def _of_sound(event: Event) -> bool:
    return AudioChunk.is_type(event.type) or AudioStop.is_type(event.type)


def _format(event: Event) -> PcmFormat:
    """Raises ValueError, also for what is missing."""
    data = event.data
    return PcmFormat(data.get("rate", 0), data.get("width", 0), data.get("channels", 0))
