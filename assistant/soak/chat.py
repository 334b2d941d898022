"""Turns at ``/v1/chat/completions``, streamed and not, and clients that leave in the middle of a stream."""

from __future__ import annotations

import json

from assistant.soak.scripted_model import ANSWER
from assistant.soak.typed import expect_state
from assistant.soak.visitor import Visitor, expect
from tools.contract import JsonObject


async def whole(visitor: Visitor) -> None:
    """An answer in one piece."""
    name = visitor.chance.choice(sorted(visitor.home.states))
    answer = await visitor.http.post("/v1/chat/completions", json=_ask(visitor, name), headers=visitor.bearer())
    expect(answer.status_code == 200, "200", answer)
    expect_state(visitor, name, answer.json()["choices"][0]["message"]["content"])


async def streamed(visitor: Visitor) -> None:
    """The same in pieces, with a proper end."""
    name = visitor.chance.choice(sorted(visitor.home.states))
    body = {**_ask(visitor, name), "stream": True}
    answer = await visitor.http.post("/v1/chat/completions", json=body, headers=visitor.bearer())
    expect_state(visitor, name, _joined(answer.text))


async def left(visitor: Visitor) -> None:
    """Gone after the first piece."""
    body = {**_ask(visitor, "jellyfin"), "stream": True}
    async with visitor.http.stream("POST", "/v1/chat/completions", json=body, headers=visitor.bearer()) as answer:
        expect(answer.status_code == 200, "200", answer.status_code)
        async for _ in answer.aiter_bytes():
            break


async def plain_model(visitor: Visitor) -> None:
    """The language model alone, without a turn."""
    messages = [{"role": "user", "content": visitor.name("tell me something")}]
    body = {"model": "jarvis-model", "messages": messages, "stream": visitor.chance.random() < 0.5}
    answer = await visitor.http.post("/v1/chat/completions", json=body, headers=visitor.bearer())
    said = _joined(answer.text) if body["stream"] else answer.json()["choices"][0]["message"]["content"]
    expect(said == ANSWER, repr(ANSWER), answer)


def _ask(visitor: Visitor, name: str) -> JsonObject:
    messages = [{"role": "user", "content": f"is {name} up?"}]
    return {"model": "jarvis", "messages": messages, "user": visitor.name("chat")}


def _joined(text: str) -> str:
    """The pieces of a stream put together, where it ends as it should."""
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    expect(bool(lines) and lines[-1] == "[DONE]", "[DONE] at the end", text)
    chunks = [json.loads(line)["choices"] for line in lines[:-1]]
    return "".join(choices[0]["delta"].get("content") or "" for choices in chunks if choices)
