"""The embedded model: llama.cpp in a supervised child, spoken to like any OpenAI-compatible server."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import Any, Self

import httpx2

from assistant.chat.begun_answer import beginning, with_beginning
from assistant.chat.openai_compatible import OpenAICompatible
from assistant.chat.prefix_cache import PrefixCache
from assistant.chat.supervisor import ChildError, SupervisedChild
from assistant.errors import ChatError, ModelFilesError
from assistant.events import ModelDelta
from assistant.ports import ModelReply, ToolDescription
from tools.contract import JsonObject

log = logging.getLogger(__name__)

_KEPT_ENVIRONMENT = ("PATH", "LANG", "HOME", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV", "TMPDIR")
_MAYBE_DEAD = frozenset({"model_server_down", "model_nonsense", "model_error"})
_SMALLER = "If it lacks memory, take a smaller model (`--small`) or fewer context_tokens in [model]."


class EmbeddedModel:
    """Implements ChatModel; an async context manager. The child starts with the first use.

    Running out of memory costs the child and the call under way, nothing else: the next call starts it again.
    ``threads`` 0: all cores read the prompt and all but one write the answer. llama.cpp's threads wait for each other
    spinning, many times a token; when one of them has to share its core all of them stall (measured on two cores with
    other work on them, 0.5B: 33 to 45 tokens/s with one thread, 3 to 16 with two).
    ``prefix_cache_dir``: where the evaluated constant prefix is kept between starts; None: nowhere.
    """

    def __init__(
        self,
        gguf: Path,
        log: Path,
        *,
        context_tokens: int,
        threads: int,
        first_delta_timeout_s: float,
        timeout_s: float,
        prefix_cache_dir: Path | None = None,
    ) -> None:
        """Raises ModelFilesError when the file is not there."""
        if not gguf.is_file():
            raise ModelFilesError(
                "model_missing", f"The model file {gguf} is missing.", mend="See `jarvis models list`."
            )
        self._gguf = gguf
        self._timeouts = (first_delta_timeout_s, timeout_s)
        self._cache = PrefixCache(prefix_cache_dir, gguf, context_tokens) if prefix_cache_dir else None
        self.api_key = secrets.token_urlsafe(24)
        cores = os.cpu_count() or 1
        environment = {key: os.environ[key] for key in _KEPT_ENVIRONMENT if key in os.environ}
        parameters = {
            "model": str(gguf),
            "context_tokens": context_tokens,
            "threads": threads or cores,
            "writing_threads": threads or max(cores - 1, 1),
            "api_key": self.api_key,
            "prefix_dir": str(prefix_cache_dir or ""),
        }
        self.child = SupervisedChild("assistant.chat.embedded_child", parameters, log, environment)
        self._client: OpenAICompatible | None = None
        self._client_url = ""
        self._prefix = ""
        """Name of the prefix that the running child has read."""
        self._goes_on = True
        """Whether it goes on with an answer that was begun."""
        self._lock = asyncio.Lock()

    @property
    def name(self) -> str:
        """File name without its ending."""
        return self._gguf.stem

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Start the child now. Raises ChatError."""
        async with self._lock:
            await self._ready()

    async def close(self) -> None:
        """End the child. Idempotent."""
        client, self._client, self._client_url = self._client, None, ""
        if client is not None:
            await client.close()
        await self.child.stop()

    async def complete(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[ToolDescription],
        *,
        seed: int | None = None,
        temperature: float = 0.0,
        schema: JsonObject | None = None,
    ) -> AsyncGenerator[ModelDelta | ModelReply, None]:
        """See the port; with a ``schema`` only the reply comes where its beginning is certain. Raises ChatError:
        model_unusable when it does not start, model_died when it ended under the call, and what OpenAICompatible
        raises."""
        async with self._lock:
            client = await self._ready()
            await self._read_prefix(client, messages, tools)
        begun = beginning(schema) if self._goes_on else ""
        asked = with_beginning(messages, begun)
        stream = client.complete(asked, tools, seed=seed, temperature=temperature, schema=schema)
        try:
            async with aclosing(stream) as pieces:
                async for piece in pieces:
                    if not begun:
                        yield piece
                    elif isinstance(piece, ModelReply):
                        yield replace(piece, text=begun + piece.text)
        except ChatError as error:
            explained = await self._explained(error)
            if not begun or explained.code != "model_error":
                raise explained from error
            log.info("the model does not go on with an answer that was begun: %s", explained.detail)
        else:
            return
        self._goes_on = False  # the template of some models has no such thing
        again = self.complete(messages, tools, seed=seed, temperature=temperature, schema=schema)
        try:
            async with aclosing(again) as pieces:
                async for piece in pieces:
                    yield piece
        except ChatError:
            self._goes_on = True  # it was not that
            raise

    async def warm(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[ToolDescription]) -> None:
        """Read the constant prefix, the leading system messages and the tools, or load what came of it. Raises
        ChatError."""
        async with self._lock:
            client = await self._ready()
            if self._cache is None:
                try:
                    await client.warm(messages, tools)
                except ChatError as error:
                    raise await self._explained(error) from error
            await self._read_prefix(client, messages, tools)

    async def _read_prefix(
        self, client: OpenAICompatible, messages: Sequence[Mapping[str, Any]], tools: Sequence[ToolDescription]
    ) -> None:
        """Once for each child: what it reads here the call does not have to read."""
        prefix = list(takewhile(lambda message: message.get("role") == "system", messages))
        if self._cache is None or not prefix:
            return
        try:
            self._cache.prepare()
            name = self._cache.name(prefix, tools)
            if name == self._prefix:
                return
            headers = {"Authorization": f"Bearer {self.api_key}"}
            base_url = self._client_url.removesuffix("/v1")
            async with httpx2.AsyncClient(base_url=base_url, headers=headers, trust_env=False) as server:
                if not await self._cache.restore(server, name):
                    await client.warm(prefix, tools)
                    await self._cache.save(server, name)
        except OSError:
            self._cache = None  # a folder that cannot be used: the model works without
            return
        except ChatError as error:
            raise await self._explained(error) from error
        self._prefix = name

    async def _explained(self, error: ChatError) -> ChatError:
        if error.code not in _MAYBE_DEAD or not await self.child.died_within(1.0):
            return error
        detail = f"The embedded model died while it was answering. Its last words: {self.child.log_tail() or 'none'}"
        return ChatError("model_died", detail, mend=f"It is started again with the next question. {_SMALLER}")

    async def _ready(self) -> OpenAICompatible:
        try:
            url = str((await self.child.ready())["url"])
        except ChildError as error:
            what = "keeps dying" if error.code == "child_resting" else "does not start"
            raise ChatError("model_unusable", f"The embedded model {what}: {error.detail}", mend=_SMALLER) from error
        if self._client is None or url != self._client_url:
            if self._client is not None:
                await self._client.close()
            first, whole = self._timeouts
            self._client = OpenAICompatible(
                url, self.name, api_key=self.api_key, first_delta_timeout_s=first, timeout_s=whole
            )
            self._client_url, self._prefix = url, ""
        return self._client
