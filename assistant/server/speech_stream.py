"""The reply of a turn as speech, while the turn is still under way: ``Accept: audio/wav`` and its like."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from urllib.parse import quote

from starlette.responses import JSONResponse, Response, StreamingResponse

from assistant.broadcast import RunningTurn
from assistant.errors import SynthesisError
from assistant.ports import SpeechChunk
from assistant.server.answers import problem
from assistant.speech.encoding import MEDIA_TYPES, SpeechEncoder, SpeechFormat

_FORMS: dict[str, SpeechFormat] = {
    "audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3",
    "audio/ogg": "opus", "audio/opus": "opus", "audio/aac": "aac", "audio/flac": "flac", "audio/*": "wav",
}  # fmt: skip
SHOWN_CHARACTERS = 1_000


def speech_form(accept: str) -> SpeechFormat | None:
    """The first form of speech that an Accept header names; None where it wants something else first, or JSON."""
    for one in accept.split(","):
        kind = one.partition(";")[0].strip().casefold()
        if kind in _FORMS:
            return _FORMS[kind]
        if kind:
            return None
    return None


async def speech_stream(turn: RunningTurn, speech: AsyncGenerator[SpeechChunk, None], form: SpeechFormat) -> Response:
    """From the first sound on; what the turn came to stands in the headers as far as it is known then: ``X-Turn-Id``,
    and ``X-Transcript``, percent-encoded. A turn that says nothing is a problem."""
    try:
        first = await anext(speech, None)
    except SynthesisError:
        first = None
    if first is None:
        await speech.aclose()
        return _silent(turn)
    transcript = turn.so_far.transcript
    headers = {
        "X-Turn-Id": turn.turn_id,
        "X-Transcript": quote(transcript[:SHOWN_CHARACTERS]),
        "Cache-Control": "no-store",
    }
    return StreamingResponse(
        _encoded(first, speech, SpeechEncoder(form)), media_type=MEDIA_TYPES[form], headers=headers
    )


def _silent(turn: RunningTurn) -> JSONResponse:
    mend = f"GET /turns/{turn.turn_id}/events tells what it came to."
    return problem(503, "no_audio", "This turn was not said: there is no mouth, or it failed.", mend)


async def _encoded(
    first: SpeechChunk, rest: AsyncGenerator[SpeechChunk, None], encoder: SpeechEncoder
) -> AsyncIterator[bytes]:
    async with aclosing(rest):
        yield await asyncio.to_thread(encoder.encode, first)
        async for chunk in rest:
            yield await asyncio.to_thread(encoder.encode, chunk)
        yield await asyncio.to_thread(encoder.finish)
