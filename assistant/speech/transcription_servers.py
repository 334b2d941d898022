"""Speech recognition by a server with OpenAI's ``/v1/audio/transcriptions``: speaches, LocalAI, whisper.cpp, vLLM."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assistant.errors import TranscriptionError
from assistant.ports import SAMPLE_RATE_HZ, Samples, SpeechChunk, Transcript
from assistant.speech.names_prompt import is_echo, names_prompt
from assistant.speech.server_errors import SpeechServer, shown
from assistant.speech.speech_http import Refused, SpeechHttp
from assistant.speech.wav import wav_bytes
from assistant.text.transcript import is_nothing
from assistant.text.wake_phrase import DEFAULT_WAKE_WORDS

MIN_AUDIO_S = 0.1
"""Less than this is no word, and some servers refuse it."""

MAX_CHARACTERS = 5_000
"""Nobody says more in the longest utterance of two minutes (at 5 words a second of 6 characters, 3,600)."""

UNKNOWN_CERTAINTY = 0.5
"""No-speech probability where the server names none: what Whisper is known to write over noise is nothing then."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What stands in a server's answer; None: it does not say."""

    text: str
    no_speech_probability: float | None = None
    average_log_probability: float | None = None


class OpenAITranscriber:
    """Implements Transcriber. ``names`` of services, jobs, … are given as the prompt, the wake phrase before them."""

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: str | None = None,
        language: str = "en",
        timeout_s: float = 20.0,
        names: Sequence[str] = (),
        wake_words: Sequence[str] = DEFAULT_WAKE_WORDS,
    ) -> None:
        """``base_url`` as in http://127.0.0.1:8000/v1. Raises ConfigError bad_server_url."""
        self._server = SpeechServer(TranscriptionError, base_url)
        self._http = SpeechHttp(self._server, model, api_key, timeout_s)
        self._model = model
        self._language = language
        self._names = tuple(names)
        self._wake_words = tuple(wake_words)
        self._form = "verbose_json"

    async def load(self) -> None:
        """See that the server is there and hears: it gets half a second of silence. Raises TranscriptionError."""
        await self._heard(_SILENCE)

    def close(self) -> None:
        """Nothing stays open between requests."""

    async def transcribe(self, audio: Samples, *, woken: bool = False) -> Transcript:
        """The text, empty when nothing was said.

        Raises TranscriptionError: server_down, server_slow, server_refused_key, server_model_missing, server_error,
        server_nonsense; EgressError.
        """
        if len(audio) < MIN_AUDIO_S * SAMPLE_RATE_HZ:
            return Transcript("", self._language, self._engine, no_speech_probability=1.0)
        heard = await self._heard(wav_bytes([SpeechChunk(audio.astype("<i2").tobytes(), SAMPLE_RATE_HZ)]))
        return filtered(heard, self._language, self._engine, self._names, self._wake_words)

    @property
    def _engine(self) -> str:
        return f"{self._model} at {shown(self._server.url)}"

    async def _heard(self, wav: bytes) -> Heard:
        form = self._form
        request = {"model": self._model, "language": self._language, "response_format": form, "temperature": "0"}
        prompt = names_prompt(self._names, self._wake_words)
        if prompt is not None:
            request["prompt"] = prompt
        files = {"file": ("utterance.wav", wav, "audio/wav")}
        try:
            said = await self._http.json("POST", "/audio/transcriptions", data=request, files=files)
        except Refused as refusal:
            if form == "verbose_json" and _refuses_the_form(refusal.message):
                self._form = "json"  # gpt-4o-transcribe and others: no probabilities then
                return await self._heard(wav)
            raise refusal.meaning from refusal
        heard = read_answer(said)
        if heard is None:
            raise self._server.nonsense("there is no transcript in its answer")
        return heard


def read_answer(said: Any) -> Heard | None:
    """The transcript in an answer in ``json`` or ``verbose_json`` form; None: it is none. Pure."""
    if not isinstance(said, dict) or not isinstance(text := said.get("text"), str) or len(text) > MAX_CHARACTERS:
        return None
    segments = said.get("segments")
    parts = [part for part in segments if isinstance(part, dict)] if isinstance(segments, list) else []
    silence = [_number(part.get("no_speech_prob"), 0.0, 1.0) for part in parts]
    certainty = [_number(part.get("avg_logprob"), -100.0, 0.0) for part in parts]
    return Heard(
        text.strip(),
        max((value for value in silence if value is not None), default=None),
        min((value for value in certainty if value is not None), default=None),
    )


def filtered(heard: Heard, language: str, engine: str, names: Sequence[str], wake_words: Sequence[str]) -> Transcript:
    """Without what was never said: known phrases over noise, and the prompt said back. Pure."""
    silence = UNKNOWN_CERTAINTY if heard.no_speech_probability is None else heard.no_speech_probability
    certainty = heard.average_log_probability or 0.0
    nothing = is_nothing(heard.text, silence, certainty, wake_words) or is_echo(heard.text, names, wake_words)
    return Transcript("" if nothing else heard.text, language, engine, heard.no_speech_probability or 0.0, certainty)


def _number(value: object, low: float, high: float) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return min(max(float(value), low), high)


def _refuses_the_form(message: str) -> bool:
    return "response_format" in message or "verbose_json" in message


_SILENCE = wav_bytes([SpeechChunk(bytes(SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)])
