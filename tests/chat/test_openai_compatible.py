"""The client of OpenAI-compatible servers, against a real HTTP server that plays a script."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from assistant.api_key import read_api_key
from assistant.chat.openai_compatible import OpenAICompatible
from assistant.errors import ChatError, ConfigError, EgressError
from assistant.events import ModelDelta
from assistant.ports import ModelReply, ToolDescription
from tests.chat.dialects import JSON_DIALECTS
from tests.fakes_chat import Script, ScriptedServer, call, chunk, error, says, sse, usage

TOOL = ToolDescription("check_backups", "Tells.", {"type": "object", "properties": {"job": {"type": "string"}}})
ASKED = [{"role": "user", "content": "is the backup ok?"}]


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as running:
        yield running


@pytest.fixture
async def model(server: ScriptedServer) -> AsyncIterator[OpenAICompatible]:
    client = OpenAICompatible(server.base_url, "qwen")
    yield client
    await client.close()


async def answer_of(model: OpenAICompatible, *, seed: int | None = None) -> tuple[str, ModelReply]:
    """The deltas together, and the reply, which must come last and once."""
    pieces = [piece async for piece in model.complete(ASKED, [TOOL], seed=seed)]
    assert [type(piece) for piece in pieces] == [ModelDelta] * (len(pieces) - 1) + [ModelReply]
    reply = pieces[-1]
    assert isinstance(reply, ModelReply)
    return "".join(piece.text for piece in pieces if isinstance(piece, ModelDelta)), reply


async def failure_of(model: OpenAICompatible) -> ChatError:
    with pytest.raises(ChatError) as caught:
        await answer_of(model)
    return caught.value


async def test_text_streams_and_ends_in_one_reply_with_its_tokens(
    server: ScriptedServer, model: OpenAICompatible
) -> None:
    pieces = (chunk(role="assistant", content=""), chunk(content="All "), chunk(content="good."), chunk("stop"))
    server.scripts = [Script(sse(*pieces, usage(40, 3)))]
    assert await answer_of(model) == ("All good.", ModelReply("All good.", (), 40, 3))


async def test_the_request_is_plain_and_reproducible(server: ScriptedServer, model: OpenAICompatible) -> None:
    server.scripts = [says("Yes.")]
    await answer_of(model, seed=7)
    [request] = server.requests
    assert request["messages"] == ASKED
    assert request["tools"] == [TOOL.as_openai()]
    assert (request["temperature"], request["seed"], request["model"]) == (0.0, 7, "qwen")
    assert request["max_tokens"] > 0


async def test_a_native_call_in_fragments_is_one_call(server: ScriptedServer, model: OpenAICompatible) -> None:
    fragments = (call(0, "a", "check_backups", ""), call(0, None, None, '{"job": '), call(0, None, None, '"photos"}'))
    server.scripts = [Script(sse(*(chunk(tool_calls=part) for part in fragments), chunk("tool_calls")))]
    text, reply = await answer_of(model)
    [request] = reply.tool_calls
    assert (text, request.id, request.name, request.arguments) == ("", "a", "check_backups", {"job": "photos"})


@pytest.mark.parametrize(
    "dialect", ["bare", "fenced", "doubled braces", "tool_call tag", "Llama", "function tag", "Python literal"]
)
async def test_a_call_spoken_as_text_is_a_call_wherever_the_stream_was_cut(
    server: ScriptedServer, model: OpenAICompatible, dialect: str
) -> None:
    written = JSON_DIALECTS[dialect]("check_backups", {"job": "photos"})
    for place in range(len(written)):
        server.scripts = [says(written[:place], written[place:])]
        text, reply = await answer_of(model)
        [request] = reply.tool_calls
        assert (text, request.name, request.arguments) == ("", "check_backups", {"job": "photos"})


async def test_an_answer_cut_off_in_a_call_is_no_readable_call(server: ScriptedServer, model: OpenAICompatible) -> None:
    server.scripts = [says('{"name": "check_backups", "arguments": {"job": "pho', finish="length")]
    _, reply = await answer_of(model)
    assert [request.arguments for request in reply.tool_calls] == [None]


async def test_thinking_to_the_limit_is_an_error_and_not_silence(
    server: ScriptedServer, model: OpenAICompatible
) -> None:
    server.scripts = [says("<think>Let me see", finish="length")]
    assert (await failure_of(model)).code == "model_cut_off"


async def test_a_web_page_is_no_model(server: ScriptedServer, model: OpenAICompatible) -> None:
    server.scripts = [Script([b"<html>Hello</html>"], content_type="text/html")]
    failure = await failure_of(model)
    assert failure.code == "model_nonsense"
    assert "text/html" in failure.detail
    assert "/v1" in failure.mend


async def test_a_model_that_is_not_there_names_those_that_are(server: ScriptedServer) -> None:
    server.models = ["llama3:8b", "nomic-embed-text", "qwen3:4b"]
    server.scripts = [error(404, "model 'gone' not found")]
    model = OpenAICompatible(server.base_url, "gone")
    for attempt in (model.check(), answer_of(model), model.warm(ASKED, [TOOL])):
        with pytest.raises(ChatError) as caught:
            await attempt
        assert caught.value.code == "model_not_found"
        assert "'gone'" in caught.value.detail
        assert "llama3:8b, qwen3:4b." in caught.value.detail
        assert "name" in caught.value.mend
    await model.close()


async def test_a_wrong_path_is_not_called_a_missing_model(server: ScriptedServer, model: OpenAICompatible) -> None:
    server.scripts = [Script([b"not found"], 404, "text/plain")]
    failure = await failure_of(model)
    assert failure.code == "model_nonsense"
    assert "/v1" in failure.mend


async def test_without_a_name_the_first_chat_model_is_taken(server: ScriptedServer) -> None:
    server.models = ["nomic-embed-text", "qwen3:4b"]
    server.scripts = [says("Yes.")]
    model = OpenAICompatible(server.base_url, "")
    await answer_of(model)
    assert (model.name, server.requests[0]["model"]) == ("qwen3:4b", "qwen3:4b")
    await model.close()


async def test_a_server_with_no_chat_model_says_so(server: ScriptedServer) -> None:
    server.models = ["nomic-embed-text"]
    model = OpenAICompatible(server.base_url)
    assert (await failure_of(model)).code == "model_not_found"
    await model.close()


async def test_the_latest_tag_may_be_left_out(server: ScriptedServer, model: OpenAICompatible) -> None:
    server.models = ["qwen:latest"]
    await model.check()


async def test_nobody_there_is_a_server_that_is_down() -> None:
    with socket.socket() as taken:  # bound and not listening: refused, and nobody else gets it
        taken.bind(("127.0.0.1", 0))
        model = OpenAICompatible(f"http://127.0.0.1:{taken.getsockname()[1]}/v1", "qwen")
        assert (await failure_of(model)).code == "model_server_down"
        with pytest.raises(ChatError, match="cannot be reached"):
            await model.check()
        await model.close()


@pytest.mark.parametrize("after", [0, 1])
async def test_no_first_word_in_time_is_slow_even_when_the_server_greets(server: ScriptedServer, after: int) -> None:
    server.scripts = [Script(sse(chunk(role="assistant", content=""), chunk(content="Hi")), hang_after=after)]
    model = OpenAICompatible(server.base_url, "qwen", first_delta_timeout_s=0.1, timeout_s=30)
    failure = await failure_of(model)
    assert (failure.code, "begin" in failure.detail) == ("model_slow", True)
    await model.close()


async def test_an_answer_that_goes_on_too_long_is_slow(server: ScriptedServer) -> None:
    server.scripts = [Script(sse(chunk(content="Well")), hang_after=1)]
    model = OpenAICompatible(server.base_url, "qwen", first_delta_timeout_s=0.2, timeout_s=0.2)
    failure = await failure_of(model)
    assert (failure.code, "finish" in failure.detail) == ("model_slow", True)
    await model.close()


async def test_whoever_reads_slowly_is_not_timed_out(server: ScriptedServer) -> None:
    server.scripts = [says("One.", " Two.")]
    model = OpenAICompatible(server.base_url, "qwen", first_delta_timeout_s=0.3, timeout_s=0.3)
    asleep = asyncio.Event()
    async with aclosing(model.complete(ASKED, [TOOL])) as pieces:
        assert await anext(pieces) == ModelDelta(text="One.")
        with pytest.raises(TimeoutError):  # ours; one of the model's would be a cancellation out of nowhere
            async with asyncio.timeout(0.5):
                await asleep.wait()
    await model.close()


@pytest.mark.parametrize(
    "script",
    [
        Script(sse(chunk(content="It is"), done=False), break_off=True),
        Script(sse(chunk(content="It is"), done=False)),
        Script(sse({**chunk(), "choices": []})),
        Script(sse("{not json")),
        Script(sse(chunk(content=5))),
        Script(sse({"choices": "none"})),
        Script(sse("null")),
        Script(sse("[" * 100_000)),
        Script([]),
        Script([b"\xff\xfe\x00garbage"]),
        Script([b'{"choices": []}'], content_type="application/json"),
        Script([b"<html>"], 502, "text/html"),
    ],
    ids=["broken off", "no end", "no choices", "no json", "number", "string", "null", "deep", "empty", "bytes", "json",
         "gateway"],
)  # fmt: skip
async def test_nonsense_is_called_nonsense(server: ScriptedServer, model: OpenAICompatible, script: Script) -> None:
    server.scripts = [script]
    assert (await failure_of(model)).code == "model_nonsense"


@pytest.mark.parametrize(
    "listing", [b"<html>", b"[]", b'{"data": null}', b'{"data": [{"id": 5}]}', b'{"data": [null]}']
)
async def test_a_list_of_models_that_is_none_is_nonsense(
    server: ScriptedServer, model: OpenAICompatible, listing: bytes
) -> None:
    server.lists_models = Script([listing], content_type="application/json")
    with pytest.raises(ChatError) as caught:
        await model.check()
    assert caught.value.code == "model_nonsense"


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (error(401, "bad key sekret"), "model_refused_key"),
        (error(403, "bad key sekret"), "model_refused_key"),
        (error(400, "request (6475 tokens) exceeds the available context size (4096 tokens)"), "context_overflow"),
        (error(400, "This model's maximum context length is 4096 tokens."), "context_overflow"),
        (error(400, "registry.ollama.ai/library/phi does not support tools"), "model_without_tools"),
        (error(400, "No models loaded. Please load a model"), "model_not_found"),
        (error(503, "Loading model"), "model_error"),
        (Script(sse({"error": {"message": "the context size is exceeded", "code": 400}})), "context_overflow"),
        (Script(sse({"error": {"message": "out of memory", "code": 500}})), "model_error"),
    ],
)
async def test_what_the_server_refuses_has_a_code(server: ScriptedServer, script: Script, code: str) -> None:
    server.models, server.scripts = ["other"], [script]
    model = OpenAICompatible(server.base_url, "qwen", api_key="sekret")
    failure = await failure_of(model)
    assert (failure.code, "sekret" in str(failure)) == (code, False)
    assert "Bearer sekret" in server.headers[0]
    await model.close()


async def test_a_server_that_cannot_count_tokens_is_asked_again_without(
    server: ScriptedServer, model: OpenAICompatible
) -> None:
    server.scripts = [error(400, "Unrecognized request argument supplied: stream_options"), says("Yes.")]
    assert (await answer_of(model))[0] == "Yes."
    await answer_of(model)
    assert ["stream_options" in request for request in server.requests] == [True, False, False]


async def test_warming_sends_the_prefix_as_a_whole_conversation_and_wants_one_token(
    server: ScriptedServer, model: OpenAICompatible
) -> None:
    whole = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": []}
    server.scripts = [Script([json.dumps(whole).encode()], content_type="application/json")]
    await model.warm([{"role": "system", "content": "You are Jarvis."}], [TOOL])
    [request] = server.requests
    assert request["max_tokens"] == 1
    assert [message["role"] for message in request["messages"]] == ["system", "user"]


async def test_no_proxy_of_the_environment_is_used(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.scripts = [says("Yes.")]
    model = OpenAICompatible(server.base_url, "qwen")
    assert (await answer_of(model))[0] == "Yes."
    await model.close()


async def test_a_connection_that_the_egress_guard_refuses_comes_out_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise EgressError("egress_refused", "outside")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", refuse)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", refuse)
    model = OpenAICompatible("http://model.example/v1", "qwen")
    with pytest.raises(EgressError):
        await answer_of(model)
    await model.close()


async def test_a_base_url_that_is_none_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="base_url"):
        OpenAICompatible("http://[::1/v1", "qwen")


async def test_what_is_broken_off_by_the_reader_closes_the_connection(
    server: ScriptedServer, model: OpenAICompatible
) -> None:
    server.scripts = [Script(sse(chunk(content="One.")), hang_after=1)]
    async with aclosing(model.complete(ASKED, [TOOL])) as pieces:
        assert await anext(pieces) == ModelDelta(text="One.")
    server.scripts = [says("Next.")]
    assert (await answer_of(model))[0] == "Next."


def test_the_api_key_is_one_line_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("sk-1\n")
    assert read_api_key(file) == "sk-1"
    assert read_api_key(None) is None
    for bad in ("", "two words", "a\nb", "schlüssel"):
        file.write_text(bad)
        with pytest.raises(ConfigError) as caught:
            read_api_key(file)
        assert not bad or bad not in caught.value.detail
    with pytest.raises(ConfigError):
        read_api_key(tmp_path / "missing")
