"""Who answers as the chat model: the server that is configured or found, else the embedded model.

A server that fails is left alone for a while, longer each time (:mod:`assistant.breaker`), and the embedded model
answers in its place at once; the answer says so.
What is left when that fails too, the facts, is the reply's business.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Protocol

from assistant.breaker import Attempt, Breaker, said_again
from assistant.errors import ChatError, EgressError, ModelFilesError
from assistant.events import FellBack, ModelDelta
from assistant.ports import ChatModel, ModelReply, ToolDescription
from tools.contract import JsonObject

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 30.0
"""Where no server was found, one is looked for again after so long."""

_THE_REQUESTS_FAULT = frozenset({"context_overflow", "model_cut_off", "model_without_tools"})
"""The server is well: the next request goes to it again."""


class ClosableModel(ChatModel, Protocol):
    """A chat model with something to close."""

    async def close(self) -> None:
        """Idempotent."""
        ...


@dataclass(frozen=True, slots=True)
class _Failure:
    name: str
    error: ChatError


class ModelChain:
    """Implements ChatModel over ``find_server`` (None: there is none) and ``embedded``. Nothing runs before its use.

    ``find_server`` may raise ChatError and EgressError, ``embedded`` ModelFilesError: where its files are absent, a
    server's failure is what is told.
    """

    def __init__(
        self,
        find_server: Callable[[], Awaitable[ClosableModel | None]],
        embedded: Callable[[], ClosableModel],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find_server = find_server
        self._make_embedded = embedded
        self._clock = clock
        self.breaker = Breaker("chat server", clock, failures=1)  # a failure costs seconds, and there is another model
        self._server: ClosableModel | None = None
        self._embedded: ClosableModel | None = None
        self._failure: _Failure | None = None
        self._look_again_at = float("-inf")
        self._by_embedded_now = 0
        self._lock = asyncio.Lock()
        self._looking = asyncio.Lock()  # takes as long as the server does: who needs the embedded model is not held up

    @property
    def name(self) -> str:
        """Of the model that answers; before one has been chosen, a dash."""
        model = self._server or self._embedded
        return model.name if model else "–"

    @property
    def trouble(self) -> str:
        """Why the server that should answer does not, until it answers again; else empty."""
        return self._failure.error.detail if self._failure is not None and self._server is None else ""

    async def close(self) -> None:
        """Close what was opened. Idempotent."""
        async with self._looking, self._lock:  # one that is being looked for is closed too
            models, self._server, self._embedded = (self._server, self._embedded), None, None
        for model in models:
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
        """See the port; with a ``schema`` only the reply comes. Raises ChatError.

        Half an answer that was shown already cannot be taken back: then the server's failure is raised.
        """
        with self.breaker.attempt() or nullcontext() as attempt:
            server, failure = await self._server_or_why_not(attempt)
            if server is not None and attempt is not None:
                shown = False
                try:
                    stream = server.complete(messages, tools, seed=seed, temperature=temperature, schema=schema)
                    async with aclosing(stream) as pieces:  # whoever stops, stops it at once
                        async for piece in pieces:
                            if schema is None or isinstance(piece, ModelReply):
                                shown = True
                                yield piece
                except EgressError as error:
                    raise _outside(error) from error
                except ChatError as error:
                    failure = await self._failed(server, attempt, error)
                    if shown:
                        raise
                else:
                    attempt.succeeded()
                    await self._server_is_back()
                    return
        async with aclosing(
            self._by_embedded(failure, messages, tools, seed=seed, temperature=temperature, schema=schema)
        ) as pieces:
            async for piece in pieces:
                yield piece

    async def warm(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[ToolDescription]) -> None:
        """See the port. The one that would answer now is warmed. Raises ChatError."""
        with self.breaker.attempt() or nullcontext() as attempt:
            server, failure = await self._server_or_why_not(attempt)
            if server is not None and attempt is not None:
                try:
                    await server.warm(messages, tools)
                except EgressError as error:
                    raise _outside(error) from error
                except ChatError as error:
                    failure = await self._failed(server, attempt, error)
                else:
                    attempt.succeeded()
                    return
        await (await self._ready_embedded(failure)).warm(messages, tools)

    async def _by_embedded(
        self,
        failure: _Failure | None,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[ToolDescription],
        **how: Any,
    ) -> AsyncGenerator[ModelDelta | ModelReply, None]:
        model = await self._ready_embedded(failure)
        self._by_embedded_now += 1
        try:
            async with aclosing(model.complete(messages, tools, **how)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, ModelReply) and failure is not None:
                        piece = replace(piece, fallen=_fallen(failure, model.name))
                    yield piece
        except ChatError as error:
            if failure is None:
                raise
            raise ChatError(error.code, f"{failure.error.detail} {error.detail}", mend=error.mend) from error
        finally:
            self._by_embedded_now -= 1

    async def _server_is_back(self) -> None:
        """The embedded model's memory is given back once nobody needs it."""
        async with self._lock:
            idle = None if self._by_embedded_now else self._embedded
            if idle is not None:
                self._embedded = None
                await idle.close()

    async def _server_or_why_not(self, attempt: Attempt | None) -> tuple[ClosableModel | None, _Failure | None]:
        """The server to ask now, else why there is none to ask (None: none was found). ``attempt`` None: it rests."""
        if attempt is None:
            return None, self._failure
        async with self._looking:
            if not attempt.counts:  # it failed while this one waited
                return None, self._failure
            if self._server is None and self._clock() >= self._look_again_at:
                await self._look(attempt)
            return self._server, None if self._server is not None else self._failure

    async def _look(self, attempt: Attempt) -> None:
        try:
            self._server, self._failure = await self._find_server(), None
        except EgressError as error:
            raise _outside(error) from error
        except ChatError as error:
            self._failure = _Failure("the configured server", error)
            attempt.failed()
            return
        if self._server is None:
            attempt.succeeded()  # there is nothing to leave alone
            self._look_again_at = self._clock() + LOOK_AGAIN_S

    async def _failed(self, server: ClosableModel, attempt: Attempt, error: ChatError) -> _Failure:
        """It rests, unless the request was at fault; another one may be found afterwards."""
        failure = _Failure(server.name, error)
        if error.code in _THE_REQUESTS_FAULT:
            attempt.succeeded()
            return failure
        log.warning("the chat model %s failed (%s)", server.name, error.code)
        attempt.failed()
        async with self._lock:
            if self._server is server:
                self._server, self._failure = None, failure
                await server.close()
        return failure

    async def _ready_embedded(self, failure: _Failure | None) -> ClosableModel:
        async with self._lock:
            if self._embedded is None:
                try:
                    self._embedded = self._make_embedded()
                except ModelFilesError as error:
                    if failure is not None:
                        raise said_again(failure.error) from error
                    raise ChatError("model_files_missing", error.detail, mend=error.mend) from error
            return self._embedded


def _outside(error: EgressError) -> ChatError:
    """A server that may not be connected to is a mistake of the configuration: nobody answers in its place."""
    return ChatError("egress_refused", error.detail, mend=error.mend)


def _fallen(failure: _Failure, model: str) -> FellBack:
    return FellBack(instead_of=failure.name, model=model, code=failure.error.code, detail=failure.error.detail)
