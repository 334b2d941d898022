"""Ears and mouths on other machines: the one that the configuration names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from assistant.api_key import read_api_key
from assistant.config import SynthesizerSettings, TranscriberSettings
from assistant.ports import Synthesizer, Transcriber
from assistant.speech.speech_servers import OpenAISpeech
from assistant.speech.transcription_servers import OpenAITranscriber
from assistant.speech.wyoming_client import WyomingSpeech, WyomingTranscriber


class Loadable(Protocol):
    """What is loaded once before it is used, and closed afterwards."""

    async def load(self) -> None:
        """Load the model, or see that the server is there and is of the right kind. Raises StageError, EgressError."""
        ...

    def close(self) -> None:
        """Let go of threads and connections."""
        ...


class LoadableTranscriber(Transcriber, Loadable, Protocol):
    """A Transcriber as the app owns it."""


class LoadableSynthesizer(Synthesizer, Loadable, Protocol):
    """A Synthesizer as the app owns it."""


def transcriber_elsewhere(
    settings: TranscriberSettings, names: Sequence[str] = (), wake_words: Sequence[str] = ()
) -> LoadableTranscriber | None:
    """The recognition server; None: it is done here. Raises ConfigError."""
    if settings.engine == "whisper" or settings.url is None:
        return None
    told = names if settings.names_prompt else ()
    if settings.engine == "wyoming":
        return WyomingTranscriber(
            settings.url,
            language=settings.language,
            timeout_s=settings.timeout_s,
            names=told,
            wake_words=wake_words,
        )
    return OpenAITranscriber(
        settings.url,
        settings.server_model,
        api_key=read_api_key(settings.api_key_file, "transcriber"),
        language=settings.language,
        timeout_s=settings.timeout_s,
        names=told,
        wake_words=wake_words,
    )


def synthesizer_elsewhere(settings: SynthesizerSettings) -> LoadableSynthesizer | None:
    """The speech server; None: it is done here. Raises ConfigError."""
    if settings.engine == "piper" or settings.url is None:
        return None
    if settings.engine == "wyoming":
        return WyomingSpeech(settings.url, settings.server_voice, volume=settings.volume, timeout_s=settings.timeout_s)
    return OpenAISpeech(
        settings.url,
        settings.server_model,
        settings.server_voice,
        api_key=read_api_key(settings.api_key_file, "synthesizer"),
        speed=settings.speed,
        volume=settings.volume,
        timeout_s=settings.timeout_s,
        response_format=settings.server_format,
    )
