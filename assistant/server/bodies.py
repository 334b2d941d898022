"""What a ``POST /command`` holds: bounded while it is read, and refused with the reason when it is nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from typing import get_args

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from assistant.ports import Engine
from assistant.server.answers import RequestError

BODY_TIMEOUT_S = 30.0
"""For the whole body: a client that sends slower than this is no phone at home."""

MAX_TEXT_CHARACTERS = 2_000
MAX_ID_CHARACTERS = 64
MAX_FIELDS = 8
MAX_LENGTH_DIGITS = 15
MULTIPART_OVERHEAD_BYTES = 20_000
MAX_JSON_BYTES = 64_000
"""Of ``{"text": …}``, every character escaped. It is parsed in the server's own loop: a clip's size of JSON would hold
everybody up for seconds."""

_TOO_LONG = frozenset({"clip_too_long", "clip_too_large"})


@dataclass(frozen=True, slots=True)
class Command:
    """One utterance as it came in: text, or the bytes of a clip."""

    text: str | None
    clip: bytes | None
    conversation_id: str
    engine: Engine | None
    room: str | None = None


async def read_command(request: Request, max_upload_bytes: int) -> Command:
    """Multipart with the part ``audio`` (or ``text``), JSON, or the raw body of a clip. Raises RequestError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind == "application/json":
        return _from_json(await bounded_body(request, MAX_JSON_BYTES))
    body = await bounded_body(request, max_upload_bytes + MULTIPART_OVERHEAD_BYTES)
    if kind == "multipart/form-data":
        return await _from_form(request.headers, body, max_upload_bytes)
    if kind.startswith(("audio/", "video/")) or kind == "application/octet-stream":
        if len(body) > max_upload_bytes:
            raise _too_large(max_upload_bytes)
        return _command(None, body, request.query_params)
    mend = 'curl -F audio=@clip.wav …, or -H "Content-Type: application/json" -d \'{"text": "…"}\'.'
    raise RequestError(415, "unknown_content_type", f"Content-Type {kind or 'none'!r} is not understood.", mend)


async def bounded_body(request: Request, limit: int) -> bytes:
    declared = request.headers.get("content-length", "0")
    if len(declared) > MAX_LENGTH_DIGITS or (declared.isdecimal() and int(declared) > limit):
        raise _too_large(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for piece in request.stream():
                body += piece
                if len(body) > limit:
                    raise _too_large(limit)
    except TimeoutError as error:
        raise RequestError(408, "body_too_slow", f"The body took longer than {BODY_TIMEOUT_S:g} s.") from error
    except ClientDisconnect as error:
        raise RequestError(400, "disconnected", "The body broke off.") from error
    return bytes(body)


async def _from_form(headers: Headers, body: bytes, max_upload_bytes: int) -> Command:
    files, fields = await read_parts(headers, body)
    command = _command(None, None, fields)
    if (clip := files.get("audio")) is not None:
        if len(clip) > max_upload_bytes:
            raise _too_large(max_upload_bytes)
        return replace(command, clip=clip)
    if "audio" in fields:
        raise RequestError(400, "audio_is_no_file", "The part `audio` must be a file: give it a filename.")
    if "text" in fields:
        return replace(command, text=_text(fields["text"]))
    raise RequestError(400, "missing_part", "The form has neither a part `audio` nor a part `text`.")


async def read_parts(headers: Headers, body: bytes) -> tuple[dict[str, bytes], dict[str, str]]:
    """The one file of a multipart body and its fields, by their names. Raises RequestError."""

    async def once() -> AsyncGenerator[bytes, None]:
        yield body

    parser = _InMemory(headers, once(), max_files=1, max_fields=MAX_FIELDS, max_part_size=MULTIPART_OVERHEAD_BYTES)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError, AttributeError) as error:
        raise RequestError(400, "bad_multipart", f"The multipart body cannot be read: {error}.") from error
    try:
        files = {name: await part.read() for name, part in form.items() if isinstance(part, UploadFile)}
        return files, {name: part for name, part in form.items() if isinstance(part, str)}
    finally:
        parser.close()


class _InMemory(MultiPartParser):
    """What is said in the house is not written to a disk on the way; the body is bounded already."""

    spool_max_size = 0  # of SpooledTemporaryFile: never

    def close(self) -> None:
        """Every file, also of a part that the body broke off in, which is not in the form."""
        for file in self._files_to_close_on_error:
            file.close()


def _from_json(body: bytes) -> Command:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, "bad_json", "The body is no JSON.") from error
    if not isinstance(fields, dict) or not isinstance(fields.get("text"), str):
        raise RequestError(400, "missing_text", 'The body must be {"text": "…"}.')
    unknown = set(fields) - {"text", "conversation_id", "engine", "room"}
    if unknown:
        names = ", ".join(sorted(map(ascii, unknown)))
        raise RequestError(400, "unknown_field", f"Unknown fields: {names[:200]}.")
    return _command(_text(fields["text"]), None, fields)


def _command(text: str | None, clip: bytes | None, fields: Mapping[str, object]) -> Command:
    """With what may come beside the utterance. Raises RequestError."""
    return Command(
        text,
        clip,
        _conversation(fields.get("conversation_id")),
        _engine(fields.get("engine")),
        _room(fields.get("room")),
    )


def _text(text: str) -> str:
    words = text.strip()
    if not words:
        raise RequestError(400, "empty_text", "The text is empty.")
    if len(words) > MAX_TEXT_CHARACTERS:
        raise RequestError(413, "text_too_long", f"The text is longer than {MAX_TEXT_CHARACTERS} characters.")
    if not is_unicode(words):
        raise RequestError(400, "bad_text", "The text is no valid Unicode.")
    return words


def is_unicode(text: str) -> bool:
    """Whether it has no lone surrogates, which JSON can carry and nothing can encode."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def clip_status(code: str) -> int:
    """HTTP status of a clip that cannot be read, by the code of its AudioError."""
    return 413 if code in _TOO_LONG else 400


def _conversation(value: object) -> str:
    if value is None or value == "":
        return "http"
    if not isinstance(value, str) or len(value) > MAX_ID_CHARACTERS or not value.isprintable():
        raise RequestError(
            400, "bad_conversation_id", f"conversation_id is text of at most {MAX_ID_CHARACTERS} characters."
        )
    return value


def _room(value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > MAX_ID_CHARACTERS or not value.isprintable():
        raise RequestError(400, "bad_room", f"room is text of at most {MAX_ID_CHARACTERS} characters.")
    return value


def _engine(value: object) -> Engine | None:
    if value is None or value == "":
        return None
    for engine in get_args(Engine):
        if value == engine:
            return engine  # type: ignore[no-any-return]
    raise RequestError(400, "unknown_engine", f"engine is one of {', '.join(get_args(Engine))}.")


def _too_large(limit: int) -> RequestError:
    return RequestError(413, "too_large", f"The body is larger than {limit / 1e6:.1f} MB.")
