"""A language model that always answers the same: what is soaked is the way to a model, not the model.

It speaks OpenAI's protocol, streamed and not, as Ollama and LM Studio do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tools.contract import JsonObject

NAME = "soak-model"
ANSWER = "That is a matter of taste."
PIECES = ("That is ", "a matter ", "of taste.")


def scripted_model() -> Starlette:
    """The application."""
    return Starlette(
        routes=[Route("/v1/models", _models), Route("/v1/chat/completions", _completions, methods=["POST"])]
    )


async def _models(_: Request) -> Response:
    return JSONResponse({"object": "list", "data": [{"id": NAME, "object": "model"}]})


async def _completions(request: Request) -> Response:
    wanted = await request.json()
    if wanted.get("stream"):
        return StreamingResponse(_streamed(), media_type="text/event-stream")
    message = {"role": "assistant", "content": ANSWER}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return JSONResponse({**_head("chat.completion"), "choices": [choice], "usage": _usage()})


def _streamed() -> Iterator[bytes]:
    for delta, finish in [({"content": piece}, None) for piece in PIECES] + [({}, "stop")]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        yield _line({**_head("chat.completion.chunk"), "choices": [choice]})
    yield _line({**_head("chat.completion.chunk"), "choices": [], "usage": _usage()})
    yield b"data: [DONE]\n\n"


def _line(content: JsonObject) -> bytes:
    return b"data: " + json.dumps(content).encode() + b"\n\n"


def _head(kind: str) -> JsonObject:
    return {"id": "soak", "object": kind, "created": 1, "model": NAME}


def _usage() -> JsonObject:
    return {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107}
