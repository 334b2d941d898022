"""A call path with one tool of ours, and outside servers beside it."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes_tools import ThingTool
from tools.contract import Caller, CallOutcome, Door, JsonObject, Speech
from tools.outbox import Outbox
from tools.outside.server import OutsideServer
from tools.outside.servers import OutsideServers
from tools.policy import CallPath
from tools.settings_outside import McpServerSettings
from tools.store import Store

CALLER = Caller(name="anna", door=Door.REPL, speech=Speech.ORDER, turn_id="t1", conversation="c1")
START_S = 60.0
"""Python and mcp have to be imported in the child, on a busy machine."""


@dataclass
class Rig:
    path: CallPath
    store: Store
    servers: OutsideServers

    @property
    def names(self) -> list[str]:
        """Of the tools of outside servers."""
        return [tool.name for tool in self.path.tools][1:]

    @property
    def first(self) -> OutsideServer:
        return self.servers.servers[0]

    @property
    def told(self) -> JsonObject:
        """Of the first server."""
        told: JsonObject = self.servers.as_json()["servers"][0]
        return told

    async def call(self, name: str, arguments: Mapping[str, Any] | None = None, caller: Caller = CALLER) -> CallOutcome:
        return await self.path.call(name, arguments or {}, caller)

    async def call_with_yes(self, name: str, arguments: Mapping[str, Any], caller: Caller = CALLER) -> CallOutcome:
        asked = await self.call(name, arguments, caller)
        assert asked.confirmation is not None
        yes = caller.model_copy(update={"confirmation": asked.confirmation.nonce})
        return await self.call(name, arguments, yes)


@asynccontextmanager
async def opened(
    settings: Mapping[str, McpServerSettings], *, budget: int = 10_000, connect_timeout_s: float = START_S
) -> AsyncIterator[Rig]:
    """With the servers met."""
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "jarvis.db") as store:
        path = CallPath([ThingTool()], store, Outbox(Path(folder) / "outbox"))
        servers = OutsideServers(
            settings, budget=budget, taken=["look"], changed=path.add_outside, connect_timeout_s=connect_timeout_s
        )
        async with servers:
            yield Rig(path, store, servers)
