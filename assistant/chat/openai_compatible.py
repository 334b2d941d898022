"""A chat model behind any OpenAI-compatible server: LM Studio, Ollama, llama.cpp, vLLM."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import httpx2
import openai
from openai import AsyncOpenAI, AsyncStream
from openai.types.chat import ChatCompletionChunk

from assistant.chat.server_errors import (
    FAILURES,
    UNREADABLE,
    chat_error,
    nonsense,
    not_found,
    speaks_of_missing_model,
)
from assistant.chat.streamed import StreamedAnswer
from assistant.errors import ChatError, ConfigError, JarvisError
from assistant.events import ModelDelta
from assistant.ports import ModelReply, ToolDescription
from tools.contract import JsonObject

MAX_ANSWER_TOKENS = 256
"""A spoken answer is two sentences and a call is shorter; more is a loop."""

CONNECT_TIMEOUT_S = 3.0
LIST_TIMEOUT_S = 10.0
NOT_FOR_CHAT = ("embed", "whisper", "rerank", "tts")
"""Parts of the names of models that cannot chat."""

_THOUGHTS = ("reasoning_content", "reasoning")
"""Where servers put what a model thinks: nothing to show, and a sign that it is at work."""

T = TypeVar("T")


OTHER_JARVIS = "jarvis-model"
"""The language model of a Jarvis on another machine, as it lists it (``docs/scale-out.md``)."""


def is_chat_model(name: str) -> bool:
    """By its name: servers do not say what a model is for."""
    return not any(word in name.casefold() for word in NOT_FOR_CHAT)


class OpenAICompatible:
    """Implements ChatModel. ``model`` None or empty: the first chat model that the server lists.

    Times in seconds: ``first_delta_timeout_s`` to the first word, ``timeout_s`` for the whole answer. Nothing is tried
    twice: a turn has a deadline.
    """

    def __init__(
        self,
        base_url: str,
        model: str | None = None,
        *,
        api_key: str | None = None,
        first_delta_timeout_s: float = 60.0,
        timeout_s: float = 120.0,
        max_tokens: int = MAX_ANSWER_TOKENS,
    ) -> None:
        self.base_url = base_url
        self._model = model or None
        self._first_delta_timeout_s = min(first_delta_timeout_s, timeout_s)
        self._timeout_s = timeout_s
        self._max_tokens = max_tokens
        self._takes_stream_options = True
        self._takes_schemas = True
        # trust_env: a proxy of the environment must never see what is said in the house
        # no keep-alive: llama.cpp closes idle connections, and a request on a closed one looks like a dead server
        http = httpx2.AsyncClient(
            trust_env=False,
            timeout=httpx2.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
            limits=httpx2.Limits(max_keepalive_connections=0),
        )
        try:
            self._client = AsyncOpenAI(base_url=base_url, api_key=api_key or "none", max_retries=0, http_client=http)
        except (httpx2.InvalidURL, ValueError) as error:
            raise ConfigError("bad_base_url", f"base_url in [model] is no URL: {base_url!r}.") from error

    @property
    def name(self) -> str:
        """The model's name, as far as it is known."""
        return self._model or self.base_url

    async def close(self) -> None:
        """Close the connections. Idempotent."""
        await self._client.close()

    async def models(self) -> list[str]:
        """Chat models that the server lists. Raises ChatError."""
        try:
            async with asyncio.timeout(LIST_TIMEOUT_S):
                page = await self._client.models.list()
            names = [model.id for model in page.data]
        except (*FAILURES, *UNREADABLE) as error:
            raise chat_error(error, self.base_url) from error
        if not all(isinstance(name, str) for name in names):
            raise nonsense(self.base_url, "its list of models cannot be read")
        return [name for name in names if is_chat_model(name)]

    async def check(self) -> None:
        """See that the server is there and has the model; without a configured name take its first.

        Raises ChatError: model_server_down, model_not_found with the list it has, …
        """
        listed = await self.models()
        if OTHER_JARVIS in listed and self._model in (None, "jarvis"):
            self._model = OTHER_JARVIS  # whose "jarvis" would act with tools of its own
        elif self._model is None and listed:
            self._model = listed[0]
        elif self._model not in listed and f"{self._model}:latest" not in listed:
            raise not_found(self.base_url, self._model, listed)

    async def complete(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[ToolDescription],
        *,
        seed: int | None = None,
        temperature: float = 0.0,
        schema: JsonObject | None = None,
    ) -> AsyncGenerator[ModelDelta | ModelReply, None]:
        """Stream the text that is for the person, then exactly one ModelReply. Raises ChatError.

        Codes: model_server_down, model_slow, model_not_found, model_refused_key, model_nonsense, context_overflow,
        model_without_tools, model_cut_off, model_error.
        """
        if self._model is None:
            await self.check()
        loop = asyncio.get_running_loop()
        began = loop.time()
        answer = StreamedAnswer(tools)
        limit, begun, ended = began + self._first_delta_timeout_s, False, ""
        stream = await self._create(self._request(messages, tools, seed, temperature, schema), limit)
        try:
            while (chunk := await self._next(stream, limit, begun=begun)) is not None:
                try:
                    taken = _take(chunk, answer)
                except UNREADABLE as error:
                    raise chat_error(error, self.base_url, begun=True) from error
                ended = taken.ended or ended
                if taken.written:
                    limit, begun = began + self._timeout_s, True
                if taken.text:
                    yield ModelDelta(text=taken.text)
        finally:
            await stream.close()
        if not ended:
            raise nonsense(self.base_url, "its answer broke off" if begun else "it answers nothing")
        rest, reply = answer.end(cut_off=ended == "length")
        if ended == "length" and not reply.text and not reply.tool_calls:
            detail = f"{self.name} wrote {self._max_tokens} tokens and no answer."
            raise ChatError("model_cut_off", detail, mend="Choose a model that does not think at length.")
        if rest:
            yield ModelDelta(text=rest)
        yield reply

    async def warm(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[ToolDescription]) -> None:
        """Let the server read the constant prefix once, so that its KV cache holds it. Raises ChatError."""
        if self._model is None:
            await self.check()
        request = {**self._request(warming(messages), tools), "stream": False, "max_tokens": 1}
        request.pop("stream_options", None)
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._client.chat.completions.create(**request)
        except (*FAILURES, *UNREADABLE) as error:
            raise await self._explained(error) from error

    def _request(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[ToolDescription],
        seed: int | None = None,
        temperature: float = 0.0,
        schema: JsonObject | None = None,
    ) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self._model,
            "messages": list(messages),
            "stream": True,
            "temperature": temperature,
            "max_tokens": self._max_tokens,
        }
        if self._takes_stream_options:
            request["stream_options"] = {"include_usage": True}
        if tools:
            request["tools"] = [tool.as_openai() for tool in tools]
        if seed is not None:
            request["seed"] = seed
        if schema is not None and self._takes_schemas:
            wanted = {"name": "answer", "strict": True, "schema": schema}
            request["response_format"] = {"type": "json_schema", "json_schema": wanted}
        return request

    async def _create(self, request: dict[str, Any], limit: float) -> AsyncStream[ChatCompletionChunk]:
        """The stream, once its headers are there. Raises ChatError."""
        try:
            stream: AsyncStream[ChatCompletionChunk] = await _until(
                limit, self._client.chat.completions.create(**request)
            )
        except openai.BadRequestError as error:
            if "stream_options" in request and "stream_options" in str(error.message):
                self._takes_stream_options = False  # an old server: no token counts then
                request.pop("stream_options")
                return await self._create(request, limit)
            if "response_format" in request and _refuses_schemas(str(error.message)):
                self._takes_schemas = False  # whoever asked reads what comes, whatever its form
                request.pop("response_format")
                return await self._create(request, limit)
            raise await self._explained(error) from error
        except (*FAILURES, *UNREADABLE) as error:
            raise await self._explained(error) from error
        kind = stream.response.headers.get("content-type", "")
        if "event-stream" not in kind:
            await stream.close()
            what = kind.split(";")[0] or "something unnamed"
            raise nonsense(self.base_url, f"it answers with {what}, not with a stream")
        return stream

    async def _next(
        self, stream: AsyncStream[ChatCompletionChunk], limit: float, *, begun: bool
    ) -> ChatCompletionChunk | None:
        """The time-out holds only while we wait: whoever reads us may take as long as they like over a delta."""
        try:
            return await _until(limit, stream.__anext__())
        except StopAsyncIteration:
            return None
        except (*FAILURES, *UNREADABLE) as error:
            raise chat_error(error, self.base_url, begun=begun) from error

    async def _explained(self, error: BaseException) -> JarvisError:
        if speaks_of_missing_model(error):
            try:
                listed = await self.models()
            except ChatError as other:
                return other
            if self._model not in listed:
                return not_found(self.base_url, self._model, listed)
        return chat_error(error, self.base_url)


def _refuses_schemas(message: str) -> bool:
    return any(word in message.casefold() for word in ("response_format", "json_schema", "grammar", "schema"))


def warming(messages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The constant prefix as a whole conversation: many chat templates refuse one without a user."""
    if any(message.get("role") == "user" for message in messages):
        return list(messages)
    return [*messages, {"role": "user", "content": "."}]


class _Taken(NamedTuple):
    """Of one chunk: text to show now, the finish reason, and whether the model wrote (a greeting is nothing yet)."""

    text: str = ""
    ended: str = ""
    written: bool = False


def _take(chunk: ChatCompletionChunk, answer: StreamedAnswer) -> _Taken:
    if chunk.usage is not None:
        answer.tokens_in, answer.tokens_out = chunk.usage.prompt_tokens, chunk.usage.completion_tokens
        answer.tokens_cached = getattr(chunk.usage.prompt_tokens_details, "cached_tokens", None)
    if not chunk.choices:
        return _Taken()
    [choice, *_] = chunk.choices
    delta = choice.delta
    for call in delta.tool_calls or ():
        function = call.function
        name, arguments = (function.name, function.arguments) if function else (None, None)
        answer.add_call(call.index, call.id, name, arguments)
    extra = delta.model_extra or {}
    written = delta.content or delta.tool_calls or choice.finish_reason or any(extra.get(key) for key in _THOUGHTS)
    text = answer.add_text(delta.content) if delta.content else ""
    return _Taken(text, choice.finish_reason or "", bool(written))


async def _until(limit: float, awaitable: Awaitable[T]) -> T:
    async with asyncio.timeout_at(limit):
        return await awaitable
