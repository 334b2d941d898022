"""llama.cpp's own OpenAI server in a second process, behind a key: the client that a hub has for its model."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from threading import Timer

import httpx
import pytest

from assistant.chat.openai_compatible import OpenAICompatible
from assistant.errors import ChatError
from assistant.models import ModelStore
from assistant.ports import ModelReply, ToolDescription
from tests.real.daemons import free_port
from tests.real.home_assistant import ROOT
from tools.contract import JsonObject

pytestmark = pytest.mark.real_server

KEY = "a-key-of-the-model-server"
START_S = 60.0
STARTS = 2
ASKED = [
    {"role": "system", "content": "You are a home server's assistant. Use a tool where one fits."},
    {"role": "user", "content": "Is the gitea service up?"},
]
CHECK = ToolDescription(
    "check_services",
    "Whether services are up.",
    {"type": "object", "properties": {"service": {"type": "string"}}, "required": ["service"]},
)
CHOICE = {"type": "object", "properties": {"n": {"enum": [1, 2, 3]}}, "required": ["n"], "additionalProperties": False}


@pytest.fixture(scope="module")
def server(model_store: ModelStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Base URL of the small model, served by a process of its own."""
    key = tmp_path_factory.mktemp("llama") / "key"
    key.write_text(KEY)
    with ExitStack() as stack:
        for _ in range(STARTS):
            if (
                url := stack.enter_context(served(str(model_store.resolve("qwen2.5-coder-0.5b", ".gguf")), key))
            ) is not None:
                break
        else:
            pytest.fail(f"llama.cpp's server did not listen within {START_S:g} s, {STARTS} times.")
        yield url


@contextmanager
def served(model: str, key: Path) -> Iterator[str | None]:
    """Its base URL; None where it does not listen in time: it waits for ever where somebody took the port."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.real.scale_out.llama_server", model, str(port), str(key)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    too_late = Timer(START_S, process.kill)
    too_late.start()
    try:
        listening = any(line.startswith(b"listening at ") for line in process.stderr)
        too_late.cancel()
        yield f"http://127.0.0.1:{port}/v1" if listening else None
    finally:
        too_late.cancel()
        process.stdin.close()
        process.kill()
        process.wait(START_S)
        process.stderr.close()


@asynccontextmanager
async def model_at(url: str, key: str = KEY, name: str | None = None) -> AsyncIterator[OpenAICompatible]:
    model = OpenAICompatible(url, name, api_key=key)
    try:
        yield model
    finally:
        await model.close()


async def reply_of(model: OpenAICompatible, *tools: ToolDescription, schema: JsonObject | None = None) -> ModelReply:
    pieces = [piece async for piece in model.complete(ASKED, tools, schema=schema)]
    (reply,) = [piece for piece in pieces if isinstance(piece, ModelReply)]
    return reply


async def test_it_names_its_model_and_answers(server: str) -> None:
    async with model_at(server) as model:
        await model.check()
        reply = await reply_of(model)

    assert model.name not in ("", server)
    assert reply.text
    assert reply.tokens_in


async def test_a_schema_binds_what_it_writes(server: str) -> None:
    async with model_at(server) as model:
        reply = await reply_of(model, schema=CHOICE)

    assert json.loads(reply.text)["n"] in (1, 2, 3)


async def test_a_tool_call_is_one_however_the_model_writes_it(server: str) -> None:
    async with model_at(server) as model:
        reply = await reply_of(model, CHECK)

    (call,) = reply.tool_calls
    assert (call.name, call.arguments) == ("check_services", {"service": "gitea"})


async def test_a_grammar_that_it_refuses_is_left_out_and_the_answer_comes_all_the_same(server: str) -> None:
    refused = {"type": "object", "properties": {"n": {"type": "nonsense"}}, "required": ["n"]}
    bare = {"messages": ASKED, "response_format": {"type": "json_schema", "json_schema": {"schema": refused}}}
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(headers=headers, timeout=60, trust_env=False) as client:
        answer = await client.post(f"{server}/chat/completions", json=bare)
    async with model_at(server) as model:
        reply = await reply_of(model, schema=refused)

    assert answer.status_code == 400
    assert reply.text


async def test_a_wrong_key_and_a_model_that_is_not_there_are_told(server: str) -> None:
    with pytest.raises(ChatError) as refused:
        async with model_at(server, key="another") as model:
            await reply_of(model)
    with pytest.raises(ChatError) as absent:
        async with model_at(server, name="another-model") as model:
            await model.check()

    assert refused.value.code == "model_refused_key"
    assert absent.value.code == "model_not_found"
