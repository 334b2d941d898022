"""Tokens that the language model read and wrote in turns, as far as its server said."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from assistant.events import ModelDelta
from assistant.ports import ChatModel, ModelReply, ToolDescription
from tools.contract import JsonObject


@dataclass(slots=True)
class Spent:
    """Counts that only grow. ``cached``: of those read, what the server had in its prompt cache."""

    answers: int = 0
    read: int = 0
    written: int = 0
    cached: int = 0

    def add(self, reply: ModelReply) -> None:
        """Count one reply. A server that says nonsense, or nothing, adds nothing."""
        self.answers += 1
        self.read += _count(reply.tokens_in)
        self.written += _count(reply.tokens_out)
        self.cached += _count(reply.tokens_cached)


def _count(said: object) -> int:
    return said if isinstance(said, int) and said > 0 else 0


class Metered:
    """Implements ChatModel: the model given, and its replies are counted in ``spent``."""

    def __init__(self, model: ChatModel, spent: Spent) -> None:
        self._model = model
        self._spent = spent

    @property
    def name(self) -> str:
        """Of the model."""
        return self._model.name

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
        stream = self._model.complete(messages, tools, seed=seed, temperature=temperature, schema=schema)
        async with aclosing(stream) as pieces:  # whoever stops, stops it at once
            async for piece in pieces:
                if isinstance(piece, ModelReply):
                    self._spent.add(piece)
                yield piece

    async def warm(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[ToolDescription]) -> None:
        """See the port. Raises ChatError."""
        await self._model.warm(messages, tools)
