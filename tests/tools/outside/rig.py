"""A call path with one tool of ours, and outside servers beside it."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
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
    caller: Caller = CALLER

    def for_another_turn(self) -> Rig:
        """The same, asked in a turn and a conversation of its own."""
        turn = secrets.token_hex(4)
        return replace(self, caller=CALLER.model_copy(update={"turn_id": turn, "conversation": turn}))

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

    async def call(
        self, name: str, arguments: Mapping[str, Any] | None = None, caller: Caller | None = None
    ) -> CallOutcome:
        return await self.path.call(name, arguments or {}, caller or self.caller)

    async def call_with_yes(self, name: str, arguments: Mapping[str, Any]) -> CallOutcome:
        asked = await self.call(name, arguments)
        assert asked.confirmation is not None
        yes = self.caller.model_copy(update={"confirmation": asked.confirmation.nonce})
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
