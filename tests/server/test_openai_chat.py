"""Jarvis as a model, asked by the real ``openai`` package."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionMessageParam

from assistant.app import App
from assistant.errors import ChatError
from assistant.ports import ModelReply, ToolCallRequest
from assistant.server.auth import Authenticator
from assistant.server.http import http_app
from tests.fakes import FakeChatModel

SAID = "Gitea is down: the connection is refused."
WEATHER: ChatCompletionFunctionToolParam = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


@pytest.fixture
async def jarvis(url: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        yield client


def asked(*texts: str) -> list[ChatCompletionMessageParam]:
    """User and assistant in turn, the user last."""
    roles = ("user", "assistant")
    return [{"role": roles[at % 2], "content": text} for at, text in enumerate(texts)]  # type: ignore[misc]


async def test_the_models_are_listed(jarvis: AsyncOpenAI) -> None:
    assert [model.id async for model in jarvis.models.list()] == [
        "jarvis", "jarvis-model", "jarvis-ears", "jarvis-mouth"
    ]  # fmt: skip
    assert (await jarvis.models.retrieve("jarvis")).owned_by == "house"
    with pytest.raises(openai.NotFoundError):
        await jarvis.models.retrieve("gpt-5")


async def test_a_question_is_answered_with_the_tools_own_sentence(jarvis: AsyncOpenAI) -> None:
    answer = await jarvis.chat.completions.create(model="jarvis", messages=asked("is gitea up?"))
    (choice,) = answer.choices
    assert (choice.message.role, choice.message.content, choice.finish_reason) == ("assistant", SAID, "stop")
    assert choice.message.tool_calls is None
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


async def test_the_same_answer_streams_and_tells_its_usage_where_that_is_wanted(jarvis: AsyncOpenAI) -> None:
    stream = await jarvis.chat.completions.create(
        model="jarvis", messages=asked("is gitea up?"), stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == SAID
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert len({chunk.id for chunk in chunks}) == 1


async def test_a_conversation_goes_on_though_the_client_sends_all_of_it_each_time(jarvis: AsyncOpenAI) -> None:
    first = await jarvis.chat.completions.create(model="jarvis", messages=asked("is gitea up?"))
    reply = first.choices[0].message.content or ""
    second = await jarvis.chat.completions.create(model="jarvis", messages=asked("is gitea up?", reply, "restart it"))
    assert "restart gitea" in (second.choices[0].message.content or "")


async def test_a_restart_between_two_messages_costs_no_history(app: App, jarvis: AsyncOpenAI) -> None:
    await jarvis.chat.completions.create(model="jarvis", messages=asked("is gitea up?", SAID, "and now?"), user="anna")
    conversation = app.conversation("owner/openai/anna")
    assert [exchange.said for exchange in conversation.exchanges] == ["is gitea up?", "and now?"]


async def test_what_needs_a_yes_is_asked_and_a_yes_in_the_same_chat_answers_it(jarvis: AsyncOpenAI) -> None:
    order = asked("restart gitea")
    question = await jarvis.chat.completions.create(model="jarvis", messages=order)
    said = question.choices[0].message.content or ""
    assert said.endswith("?")
    elsewhere = await jarvis.chat.completions.create(model="jarvis", messages=asked("yes"))
    assert "restart" not in (elsewhere.choices[0].message.content or "").casefold()
    again = await jarvis.chat.completions.create(model="jarvis", messages=asked("restart gitea", said, "no"))
    assert "?" not in (again.choices[0].message.content or "")


async def test_a_clients_own_tools_are_passed_through_to_the_language_model(
    app: App, jarvis: AsyncOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = ToolCallRequest("call_1", "weather", {"city": "Oslo"})
    model = FakeChatModel([ModelReply("", (call,), 12, 7)] * 2)
    monkeypatch.setattr(app, "model", model)
    answer = await jarvis.chat.completions.create(
        model="jarvis",
        messages=asked("is gitea up?"),
        tools=[WEATHER],
    )
    (choice,) = answer.choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls
    (wanted,) = choice.message.tool_calls
    assert wanted.type == "function"
    assert (wanted.id, wanted.function.name, json.loads(wanted.function.arguments)) == (
        "call_1", "weather", {"city": "Oslo"},
    )  # fmt: skip
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (12, 7)
    stream = await jarvis.chat.completions.create(
        model="jarvis",
        messages=asked("is gitea up?"),
        tools=[WEATHER],
        stream=True,
    )
    deltas = [chunk.choices[0].delta async for chunk in stream]
    assert [delta.tool_calls[0].index for delta in deltas if delta.tool_calls] == [0]


async def test_the_plain_model_is_no_turn_whatever_it_is_told(
    app: App, jarvis: AsyncOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = FakeChatModel([ModelReply('{"n":2}', (), 3, 1)])
    monkeypatch.setattr(app, "model", model)
    answer = await jarvis.chat.completions.create(
        model="jarvis-model",
        messages=asked("restart gitea"),
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
    )
    assert (answer.model, answer.choices[0].message.content) == ("jarvis-model", '{"n":2}')
    assert model.asked == [[{"role": "user", "content": "restart gitea"}]]
    assert app.house.audit_lines() == []


async def test_a_prompt_can_be_read_ahead_of_time(
    app: App, jarvis: AsyncOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = FakeChatModel([])
    monkeypatch.setattr(app, "model", model)
    await jarvis.chat.completions.create(model="jarvis-model", messages=asked("hello"), max_tokens=1)
    assert (model.warmed, model.asked) == (1, [])


async def test_a_schema_that_is_none_is_refused(jarvis: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="response_format"):
        await jarvis.chat.completions.create(  # type: ignore[call-overload]
            model="jarvis-model",
            messages=asked("hello"),
            response_format={"type": "json_schema", "json_schema": {}},
        )


async def test_the_chores_of_a_chat_page_are_no_utterances(
    app: App, jarvis: AsyncOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "model", FakeChatModel([ModelReply("Gitea", (), 3, 1)]))
    chore = "### Task:\nGenerate a title.\n<chat_history>\nUSER: restart gitea\n</chat_history>"
    answer = await jarvis.chat.completions.create(model="jarvis", messages=asked(chore))
    assert answer.choices[0].message.content == "Gitea"
    assert app.house.audit_lines() == []


async def test_a_model_that_is_down_is_an_error_of_the_server(
    app: App, jarvis: AsyncOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "model", FakeChatModel([ChatError("model_unreachable", "No model answers.")] * 2))
    with pytest.raises(openai.InternalServerError) as raised:
        await jarvis.chat.completions.create(
            model="jarvis",
            messages=asked("hello"),
            tools=[WEATHER],
        )
    assert raised.value.code == "model_unreachable"
    stream = await jarvis.chat.completions.create(
        model="jarvis",
        messages=asked("hello"),
        tools=[WEATHER],
        stream=True,
    )
    with pytest.raises(openai.APIError):
        [chunk async for chunk in stream]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"no json", 400, "invalid_json"),
        (b"[]", 400, "invalid_value"),
        (b'{"model": "jarvis"}', 400, "invalid_value"),
        (b'{"model": "jarvis", "messages": []}', 400, "invalid_value"),
        (b'{"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}]}', 404, "model_not_found"),
        (b'{"model": "jarvis", "messages": [{"role": "assistant", "content": "hi"}]}', 400, "no_utterance"),
        (b'{"model": "jarvis", "messages": [{"role": "user", "content": "  "}]}', 400, "no_utterance"),
        (
            b'{"model": "jarvis", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]}',
            400,
            "unsupported_content",
        ),
    ],
)
async def test_what_cannot_be_read_is_refused_in_their_form(
    client: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    answer = await client.post("/v1/chat/completions", content=body, headers={"Content-Type": "application/json"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (status, code, "invalid_request_error")
    assert error["message"]


async def test_refusals_before_any_route_have_their_form_too(app: App, client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/nothing")).json()["error"]["type"] == "invalid_request_error"
    assert (await client.get("/v1/chat/completions")).json()["error"]["code"] == "method_not_allowed"
    guarded = httpx.ASGITransport(app=http_app(app, Authenticator({b"x" * 32: "phone"})))
    async with httpx.AsyncClient(transport=guarded, base_url="http://127.0.0.1") as stranger:
        answer = await stranger.get("/v1/models")
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")


MESSAGES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["role", "content", "user", "text", "type", "tool_calls", "name"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages=MESSAGES, tools=MESSAGES, stream=st.booleans())
async def test_no_body_makes_a_server_error(
    client: httpx.AsyncClient, app: App, messages: object, tools: object, stream: bool
) -> None:
    body = {"model": "jarvis", "messages": messages, "tools": tools, "tool_choice": "none", "stream": stream}
    answer = await client.post("/v1/chat/completions", json=body)
    assert answer.status_code in (200, 400)
