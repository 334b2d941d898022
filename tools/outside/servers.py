"""All outside MCP servers of the house: met side by side, tried again, told of, and left together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from tools.breaker import Breaker
from tools.contract import JsonObject
from tools.outside.said import within
from tools.outside.server import OutsideServer
from tools.outside.tool import OutsideTool
from tools.settings_outside import McpServerSettings

CONNECT_TIMEOUT_S = 5.0
"""For an outside server at start; one that needs longer is tried again later."""


class OutsideServers:
    """An async context manager: entered, the servers have been asked what they offer; left, their children have ended.

    ``changed`` is told the tools whenever there are others. A sick server never stops the rest, and never raises.
    """

    def __init__(
        self,
        settings: Mapping[str, McpServerSettings],
        *,
        budget: int,
        taken: Sequence[str],
        changed: Callable[[Sequence[OutsideTool]], None],
        connect_timeout_s: float | None = None,
    ) -> None:
        """``budget``: tokens that all descriptions together may take; ``taken``: names of our own tools."""
        wait_s = connect_timeout_s or CONNECT_TIMEOUT_S
        self._servers = tuple(OutsideServer(name, one, wait_s) for name, one in settings.items())
        self._budget = budget
        self._taken = tuple(taken)
        self._changed = changed
        self._fitting: tuple[str, ...] = ()
        self._too_much: dict[str, tuple[str, ...]] = {}
        self._retries: set[asyncio.Task[None]] = set()

    @property
    def servers(self) -> tuple[OutsideServer, ...]:
        """In the order of the configuration."""
        return self._servers

    async def __aenter__(self) -> Self:
        await self._meet(self._servers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._retries:
            task.cancel()
        await asyncio.gather(*self._retries, return_exceptions=True)
        self._changed(())
        await asyncio.gather(*(server.connection.close() for server in self._servers))

    @property
    def breakers(self) -> tuple[Breaker, ...]:
        """One of each server."""
        return tuple(server.connection.breaker for server in self._servers)

    def try_again(self) -> None:
        """Behind the turn's back: servers that were down are asked again, at most once a minute each."""
        waiting = [server for server in self._servers if server.wants_another_try]
        if waiting and not self._retries:
            task = asyncio.create_task(self._meet(waiting), name="outside MCP servers")
            self._retries.add(task)
            task.add_done_callback(self._retries.discard)

    def as_json(self) -> JsonObject:
        """What ``jarvis tools list`` and ``jarvis doctor`` show (resource ``jarvis://outside``)."""
        return {
            "budget": self._budget,
            "servers": [
                {
                    "name": server.name,
                    "ok": server.ok,
                    "detail": server.failure,
                    "tools": [
                        {"name": offer.name, "level": offer.level.value, "tokens": offer.tokens}
                        for offer in server.offers
                        if offer.name in self._fitting
                    ],
                    "left_out": [*server.left_out, *self._too_much.get(server.name, ())],
                }
                for server in self._servers
            ],
        }

    async def _meet(self, servers: Sequence[OutsideServer]) -> None:
        await asyncio.gather(*(server.meet(self._taken) for server in servers))
        tools: list[OutsideTool] = []
        spent, used, too_much = 0, set(self._taken), dict[str, tuple[str, ...]]()
        for server in self._servers:
            fresh = [offer for offer in server.offers if offer.name not in used]
            twice = tuple(f"{o.tool}: the name {o.name} is taken" for o in server.offers if o.name in used)
            kept, left_out = within(self._budget - spent, fresh)
            too_much[server.name] = (*twice, *left_out)
            spent += sum(offer.tokens for offer in kept)
            used |= {offer.name for offer in kept}
            tools += [OutsideTool(offer, server) for offer in kept]
        self._fitting, self._too_much = tuple(tool.name for tool in tools), too_much
        self._changed(tools)
