"""A language model of two lines, OpenAI-compatible: it asks for the tool whose name it was told, then repeats what that
tool said. Small models choose badly and slowly; what is to be seen here is the way of a call through Open WebUI."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

NAME = "scripted"
TOOL = "jarvis_check_backups"


def answer(messages: list[dict[str, Any]]) -> str:
    """The call, where Open WebUI asks which tool there should be; else the last thing that was read."""
    said = json.dumps(messages)
    if "Available Tools" in said:
        call = {"name": TOOL, "parameters": {}}
        return json.dumps({"tool_calls": [call] if TOOL in said else []})
    read = str(messages[-1]["content"])
    found = re.search(r'"results": \[\s*("(?:[^"\\]|\\.)*")', read)
    return str(json.loads(found[1])) if found else read


async def models(_: Request) -> JSONResponse:
    """One."""
    return JSONResponse({"object": "list", "data": [{"id": NAME, "object": "model", "owned_by": "tests"}]})


async def chat(request: Request) -> JSONResponse:
    """Never streamed."""
    message = {"role": "assistant", "content": answer((await request.json())["messages"])}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return JSONResponse(
        {"id": "x", "object": "chat.completion", "created": int(time.time()), "model": NAME, "choices": [choice]}
    )


app = Starlette(
    routes=[Route("/v1/models", models), Route("/v1/chat/completions", chat, methods=["POST"])],
)
