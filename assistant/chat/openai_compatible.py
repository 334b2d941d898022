"""A chat model behind any OpenAI-compatible server: LM Studio, Ollama, llama.cpp, vLLM."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI

from assistant.chat.repair import arguments_from, may_become_call, read_tool_calls, strip_reasoning
from assistant.errors import ChatError
from assistant.events import ModelDelta
from assistant.ports import ModelReply, ToolCallRequest, ToolDescription

MAX_ANSWER_TOKENS = 256
"""A spoken answer is two sentences and a call is shorter; more is a loop."""

CONNECT_TIMEOUT_S = 3.0
NOT_FOR_CHAT = ("embed", "whisper", "rerank", "tts")


class OpenAICompatible:
    """Implements ChatModel. ``model`` None: the first chat model that the server lists."""

    def __init__(
        self,
        base_url: str,
        model: str | None = None,
        *,
        api_key: str | None = None,
        first_delta_timeout_s: float = 60.0,
        timeout_s: float = 120.0,
    ) -> None:
        self.base_url = base_url
        self._model = model
        self._first_delta_timeout_s = first_delta_timeout_s
        self._timeout_s = timeout_s
        # trust_env: a proxy of the environment must never see what is said in the house
        # no keep-alive: llama.cpp closes idle connections, and a request on a closed one looks like a dead server
        http = httpx2.AsyncClient(
            trust_env=False,
            timeout=httpx2.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
            limits=httpx2.Limits(max_keepalive_connections=0),
        )
        self._client = AsyncOpenAI(base_url=base_url, api_key=api_key or "none", max_retries=0, http_client=http)

    @property
    def name(self) -> str:
        """The model's name, as far as it is known."""
        return self._model or self.base_url

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def models(self) -> list[str]:
        """Chat models that the server lists. Raises ChatError."""
        try:
            async with asyncio.timeout(self._first_delta_timeout_s):
                page = await self._client.models.list()
            names = [str(model.id) for model in page.data]
        except (openai.OpenAIError, httpx2.HTTPError, TimeoutError) as error:
            raise self._error(error) from error
        except (AttributeError, TypeError, ValueError) as error:
            raise self._nonsense("its list of models cannot be read") from error
        return [name for name in names if not any(word in name.casefold() for word in NOT_FOR_CHAT)]

    async def check(self) -> None:
        """See that the server is there and has the model; without a configured name take its first.

        Raises ChatError: model_server_down, model_not_found with the list it has, …
        """
        listed = await self.models()
        if self._model is None:
            if not listed:
                detail = f"The model server at {self.base_url} has no chat model loaded."
                raise ChatError("model_not_found", detail, mend="Load one there.")
            self._model = listed[0]
        elif self._model not in listed and f"{self._model}:latest" not in listed:
            raise self._not_found(listed)

    async def complete(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[ToolDescription], *, seed: int | None = None
    ) -> AsyncIterator[ModelDelta | ModelReply]:
        """Stream the visible text, then one ModelReply. Raises ChatError."""
        if self._model is None:
            await self.check()
        answer = _Answer({tool.name for tool in tools if tool.input_schema.get("required")})
        try:
            async with asyncio.timeout(self._timeout_s) as deadline:
                loop = asyncio.get_running_loop()
                deadline.reschedule(loop.time() + min(self._first_delta_timeout_s, self._timeout_s))
                stream = await self._client.chat.completions.create(**self._request(messages, tools, seed))
                async with stream:
                    async for chunk in stream:
                        deadline.reschedule(loop.time() + self._timeout_s)
                        for delta in answer.feed(chunk):
                            yield delta
        except (openai.OpenAIError, httpx2.HTTPError, TimeoutError) as error:
            if isinstance(error, openai.NotFoundError):
                raise await self._not_found_now() from error
            raise self._error(error) from error
        except (AttributeError, TypeError, ValueError, KeyError) as error:
            raise self._nonsense(f"its stream cannot be read ({type(error).__name__})") from error
        if not answer.finished:
            raise self._nonsense("its answer broke off")
        for delta in answer.flush():
            yield delta
        yield answer.reply()

    async def warm(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[ToolDescription]) -> None:
        """Let the server read the constant prefix once, so that its KV cache holds it. Raises ChatError."""
        if self._model is None:
            await self.check()
        request = {**self._request(messages, tools, None), "stream": False, "max_tokens": 1}
        request.pop("stream_options")
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._client.chat.completions.create(**request)
        except (openai.OpenAIError, httpx2.HTTPError, TimeoutError) as error:
            raise self._error(error) from error

    def _request(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[ToolDescription], seed: int | None
    ) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self._model,
            "messages": list(messages),
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": 0.0,
            "max_tokens": MAX_ANSWER_TOKENS,
        }
        if tools:
            request["tools"] = [tool.as_openai() for tool in tools]
        if seed is not None:
            request["seed"] = seed
        return request

    async def _not_found_now(self) -> ChatError:
        try:
            return self._not_found(await self.models())
        except ChatError as error:
            return error

    def _not_found(self, listed: Sequence[str]) -> ChatError:
        has = ", ".join(listed) or "none"
        detail = f"The model server at {self.base_url} has no model {self._model!r}. It has: {has}."
        return ChatError("model_not_found", detail, mend="Set `name` in [model] to one of them, or load it there.")

    def _nonsense(self, what: str) -> ChatError:
        return ChatError("model_nonsense", f"The model server at {self.base_url} talks nonsense: {what}.")

    def _error(self, error: Exception) -> ChatError:
        where = f"The model server at {self.base_url}"
        if isinstance(error, TimeoutError | openai.APITimeoutError | httpx2.TimeoutException):
            return ChatError("model_slow", f"{where} did not answer in time.", mend="Try a smaller model.")
        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            return ChatError("model_refused_key", f"{where} refuses the key.", mend="Check api_key_file in [model].")
        if isinstance(error, openai.APIStatusError):
            text = str(error.message)[:300]
            if "context" in text.casefold() and error.status_code in (400, 413, 422):
                return ChatError("context_overflow", f"{where} says the conversation is too long.")
            return ChatError("model_error", f"{where} answers with HTTP status {error.status_code}: {text}")
        if isinstance(error, openai.APIConnectionError | httpx2.ConnectError):
            return ChatError("model_server_down", f"{where} cannot be reached.", mend="Start it, or mend base_url.")
        return ChatError("model_nonsense", f"{where} broke off: {type(error).__name__}.")


@dataclass(slots=True)
class _Answer:
    """One answer as it streams in: text that may be shown, and fragments of native tool calls."""

    with_required: set[str]
    text: str = ""
    shown: int = 0
    held: bool = True
    finished: bool = False
    tokens_in: int | None = None
    tokens_out: int | None = None
    fragments: dict[int, dict[str, str]] = field(default_factory=dict)

    def feed(self, chunk: Any) -> list[ModelDelta]:
        if chunk.usage is not None:
            self.tokens_in, self.tokens_out = chunk.usage.prompt_tokens, chunk.usage.completion_tokens
        deltas: list[ModelDelta] = []
        for choice in chunk.choices or ():
            delta = choice.delta
            for fragment in delta.tool_calls or ():
                self._add_fragment(fragment)
            if delta.content:
                self.text += delta.content
                deltas += self._visible()
            if choice.finish_reason:
                self.finished = True
        return deltas

    def flush(self) -> list[ModelDelta]:
        """What was held back and turned out to be plain text."""
        rest = self.reply().text[self.shown :] if not self.fragments else ""
        return [ModelDelta(text=rest)] if rest else []

    def reply(self) -> ModelReply:
        native = tuple(self._native_calls())
        if native:
            return ModelReply(strip_reasoning(self.text).strip(), native, self.tokens_in, self.tokens_out)
        read = read_tool_calls(self.text)
        return ModelReply(read.rest, read.calls, self.tokens_in, self.tokens_out)

    def _visible(self) -> list[ModelDelta]:
        """New text that cannot be a call any more. Calls and code begin with a bracket: from there on it is held."""
        if self.held and may_become_call(self.text):
            return []
        if self.held:
            self.held = False
            self.text = self.text.lstrip()
        stop = next((i for i, c in enumerate(self.text) if c in "{[<`"), len(self.text))
        fresh = self.text[self.shown : stop].rstrip() if stop < len(self.text) else self.text[self.shown : stop]
        if not fresh or self.shown >= stop:
            return []
        self.shown += len(fresh)
        return [ModelDelta(text=fresh)]

    def _add_fragment(self, fragment: Any) -> None:
        index = fragment.index if fragment.index is not None else len(self.fragments)
        call = self.fragments.setdefault(index, {"id": "", "name": "", "arguments": ""})
        call["id"] = call["id"] or fragment.id or ""
        if fragment.function is not None:
            name = fragment.function.name or ""
            if name != call["name"]:  # some servers repeat the name with every fragment
                call["name"] += name
            call["arguments"] += fragment.function.arguments or ""

    def _native_calls(self) -> list[ToolCallRequest]:
        return [
            ToolCallRequest(
                id=call["id"] or f"call_{index}",
                name=call["name"],
                arguments=arguments_from(call["arguments"], required=call["name"] in self.with_required),
                raw=json.dumps(call["arguments"]),
            )
            for index, call in sorted(self.fragments.items())
            if call["name"]
        ]
