"""The embedded model: llama.cpp in a supervised child, spoken to like any OpenAI-compatible server."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.chat.openai_compatible import OpenAICompatible
from assistant.chat.supervisor import ChildError, SupervisedChild
from assistant.errors import ChatError
from assistant.events import ModelDelta
from assistant.ports import ModelReply, ToolDescription

_KEPT_ENVIRONMENT = ("PATH", "LANG", "HOME", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV", "TMPDIR")


class EmbeddedModel:
    """Implements ChatModel. The child starts with the first use; running out of memory costs it and nothing else."""

    def __init__(
        self,
        gguf: Path,
        log: Path,
        *,
        context_tokens: int,
        threads: int,
        first_delta_timeout_s: float,
        timeout_s: float,
    ) -> None:
        self._gguf = gguf
        self._timeouts = (first_delta_timeout_s, timeout_s)
        environment = {key: os.environ[key] for key in _KEPT_ENVIRONMENT if key in os.environ}
        parameters = {"model": str(gguf), "context_tokens": context_tokens, "threads": threads or os.cpu_count() or 1}
        self.child = SupervisedChild("assistant.chat.embedded_child", parameters, log, environment)
        self._client: OpenAICompatible | None = None
        self._client_url = ""

    @property
    def name(self) -> str:
        """File name without its ending."""
        return self._gguf.stem

    async def close(self) -> None:
        """End the child. Idempotent."""
        if self._client is not None:
            await self._client.close()
            self._client, self._client_url = None, ""
        await self.child.stop()

    async def complete(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[ToolDescription], *, seed: int | None = None
    ) -> AsyncIterator[ModelDelta | ModelReply]:
        """See the port. Raises ChatError: model_died when the child ended under the call."""
        client = await self._ready()
        try:
            async for piece in client.complete(messages, tools, seed=seed):
                yield piece
        except ChatError as error:
            raise self._died(error) from error

    async def warm(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[ToolDescription]) -> None:
        """See the port."""
        client = await self._ready()
        try:
            await client.warm(messages, tools)
        except ChatError as error:
            raise self._died(error) from error

    def _died(self, error: ChatError) -> ChatError:
        if self.child.alive and error.code not in ("model_server_down", "model_nonsense"):
            return error
        mend = "It is started again with the next question; when it keeps dying, try a smaller model (`--small`)."
        return ChatError("model_died", f"The embedded model ended while it was answering: {error.detail}", mend=mend)

    async def _ready(self) -> OpenAICompatible:
        try:
            url = str((await self.child.ready())["url"])
        except ChildError as error:
            raise ChatError("model_unusable", error.detail, mend=error.mend or "See `jarvis doctor`.") from error
        if self._client is None or url != self._client_url:
            if self._client is not None:
                await self._client.close()
            first, whole = self._timeouts
            self._client = OpenAICompatible(url, self.name, first_delta_timeout_s=first, timeout_s=whole)
            self._client_url = url
        return self._client
