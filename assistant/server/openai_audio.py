"""``/v1/audio/transcriptions`` and ``/v1/audio/speech``: our ears and our mouth, for clients of OpenAI's protocol.

No turn is run: speech becomes text, or text speech. ``docs/openai-api.md`` is its page.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from assistant.app import App
from assistant.errors import AudioError, SynthesisError, TranscriptionError
from assistant.ports import SAMPLE_RATE_HZ, SpeechChunk
from assistant.server.answers import RequestError
from assistant.server.bodies import MULTIPART_OVERHEAD_BYTES, bounded_body, clip_status, read_parts
from assistant.server.openai_forms import (
    SPEECH_MODEL,
    TRANSCRIPTION_MODEL,
    FormError,
    SpeechRequest,
    check_model,
    read_form,
)
from assistant.speech.encoding import MEDIA_TYPES, SpeechEncoder
from assistant.text.spoken import to_spoken

MAX_BODY_BYTES = 100_000
OTHER_NAMES_OF_EARS = ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe")
OTHER_NAMES_OF_THE_MOUTH = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
"""Clients with a fixed list of models send one of these."""

FORMS = ("json", "text", "verbose_json", "srt", "vtt")


class AudioDoor:
    """The routes over one app."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def transcribe(self, request: Request) -> Response:
        """A clip as text, in the form that ``response_format`` asks for."""
        if self._app.transcriber is None:
            raise FormError(503, "no_ears", "This server was started without ears.")
        clip, form = await self._clip(request)
        try:
            source = await self._app.clip_samples(clip)
            heard = await self._app.transcriber.transcribe(source)
        except AudioError as error:
            raise FormError(clip_status(error.code), error.code, error.detail, "file") from error
        except TranscriptionError as error:
            raise FormError(503, error.code, error.detail) from error
        seconds = len(source) / SAMPLE_RATE_HZ
        match form:
            case "text":
                return PlainTextResponse(f"{heard.text}\n")
            case "srt":
                return PlainTextResponse(_captions(heard.text, seconds, ","))
            case "vtt":
                return PlainTextResponse(f"WEBVTT\n\n{_captions(heard.text, seconds, '.', numbered=False)}")
            case "verbose_json":
                segment = {
                    "id": 0,
                    "seek": 0,
                    "start": 0.0,
                    "end": seconds,
                    "text": heard.text,
                    "tokens": [],
                    "temperature": 0.0,
                    "avg_logprob": heard.average_log_probability,
                    "compression_ratio": 1.0,
                    "no_speech_prob": heard.no_speech_probability,
                }
                segments = [segment] if heard.text else []
                fields = {"task": "transcribe", "language": heard.language, "duration": seconds, "segments": segments}
                return JSONResponse({**fields, "text": heard.text, "usage": _usage(seconds)})
            case _:
                return JSONResponse({"text": heard.text, "usage": _usage(seconds)})

    async def speak(self, request: Request) -> Response:
        """Text as speech; its first sound goes out while the rest is still being made."""
        if self._app.synthesizer is None:
            raise FormError(503, "no_mouth", "This server was started without a mouth.")
        wanted = read_form(SpeechRequest, await bounded_body(request, MAX_BODY_BYTES))
        check_model(wanted.model, SPEECH_MODEL, *OTHER_NAMES_OF_THE_MOUTH)
        if not (text := to_spoken(wanted.input).strip()):
            raise FormError(400, "nothing_to_say", "There is nothing in it that can be said.", "input")
        speech = self._app.speech(text)
        try:
            first = await anext(speech, None)
        except SynthesisError as error:
            raise FormError(503, error.code, error.detail) from error
        media_type = MEDIA_TYPES[wanted.response_format]
        return StreamingResponse(
            _encoded(first, speech, SpeechEncoder(wanted.response_format, wanted.speed)), media_type=media_type
        )

    async def _clip(self, request: Request) -> tuple[bytes, str]:
        """The file, and how the text is wanted. Raises FormError, RequestError."""
        limit = self._app.settings.server.max_upload_bytes
        body = await bounded_body(request, limit + MULTIPART_OVERHEAD_BYTES)
        if not request.headers.get("content-type", "").casefold().startswith("multipart/form-data"):
            raise FormError(415, "unknown_content_type", "A multipart form with the part `file` is needed.")
        try:
            files, fields = await read_parts(request.headers, body)
        except RequestError as error:
            raise FormError(400, "bad_multipart", str(error)) from error
        if "file" not in files:
            raise FormError(400, "missing_part", "The form has no part `file` with a filename.", "file")
        if len(files["file"]) > limit:
            raise FormError(413, "too_large", f"The file is larger than {limit / 1e6:.1f} MB.", "file")
        check_model(fields.get("model", ""), TRANSCRIPTION_MODEL, *OTHER_NAMES_OF_EARS)
        form = fields.get("response_format", "json")
        if form not in FORMS:
            raise FormError(400, "invalid_value", f"response_format is one of {', '.join(FORMS)}.", "response_format")
        return files["file"], form


async def _encoded(
    first: SpeechChunk | None, rest: AsyncGenerator[SpeechChunk, None], encoder: SpeechEncoder
) -> AsyncIterator[bytes]:
    async with aclosing(rest):
        if first is not None:
            yield await asyncio.to_thread(encoder.encode, first)
        async for chunk in rest:
            yield await asyncio.to_thread(encoder.encode, chunk)
        yield await asyncio.to_thread(encoder.finish)


def _usage(seconds: float) -> dict[str, object]:
    return {"type": "duration", "seconds": max(round(seconds), 1)}


def _captions(text: str, seconds: float, mark: str, *, numbered: bool = True) -> str:
    """One caption for all of it: utterances are short."""
    if not text:
        return ""
    head = "1\n" if numbered else ""
    return f"{head}{_stamp(0.0, mark)} --> {_stamp(seconds, mark)}\n{text}\n"


def _stamp(seconds: float, mark: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}{mark}{milliseconds % 1000:03}"
