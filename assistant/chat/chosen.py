"""The chat model that there is: chosen at first use, chosen anew when it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Protocol

from assistant.errors import ChatError, ModelFilesError
from assistant.events import ModelDelta
from assistant.ports import ChatModel, ModelReply, ToolDescription
from tools.contract import JsonObject


class ClosableModel(ChatModel, Protocol):
    """A chat model with something to close, whose answers can be stopped."""

    def complete(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[ToolDescription],
        *,
        seed: int | None = None,
        temperature: float = 0.0,
        schema: JsonObject | None = None,
    ) -> AsyncGenerator[ModelDelta | ModelReply, None]:
        """See the port."""
        ...

    async def close(self) -> None:
        """Idempotent."""
        ...


class ChosenModel:
    """Implements ChatModel over ``choose``, which finds a server or makes the embedded model. Nothing runs before."""

    def __init__(self, choose: Callable[[], Awaitable[ClosableModel]]) -> None:
        self._choose = choose
        self._model: ClosableModel | None = None
        self._lock = asyncio.Lock()

    @property
    def name(self) -> str:
        """Of the chosen model; before that, a dash."""
        return self._model.name if self._model else "–"

    async def close(self) -> None:
        """Close the chosen model. Idempotent."""
        async with self._lock:  # one that is being chosen is closed too
            model, self._model = self._model, None
        if model is not None:
            await model.close()

    async def complete(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[ToolDescription],
        *,
        seed: int | None = None,
        temperature: float = 0.0,
        schema: JsonObject | None = None,
    ) -> AsyncGenerator[ModelDelta | ModelReply, None]:
        """See the port. Raises ChatError."""
        model = await self._chosen()
        try:
            async with aclosing(
                model.complete(messages, tools, seed=seed, temperature=temperature, schema=schema)
            ) as pieces:  # whoever stops, stops it at once
                async for piece in pieces:
                    yield piece
        except ChatError as error:
            await self._forget_if_gone(error)
            raise

    async def warm(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[ToolDescription]) -> None:
        """See the port. Raises ChatError."""
        model = await self._chosen()
        try:
            await model.warm(messages, tools)
        except ChatError as error:
            await self._forget_if_gone(error)
            raise

    async def _chosen(self) -> ClosableModel:
        async with self._lock:
            if self._model is None:
                try:
                    self._model = await self._choose()
                except ModelFilesError as error:
                    raise ChatError("model_files_missing", error.detail, mend=error.mend) from error
            return self._model

    async def _forget_if_gone(self, error: ChatError) -> None:
        """A server that is down may be another one next time."""
        if error.code == "model_server_down":
            await self.close()
