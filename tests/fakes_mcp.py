"""People at outside MCP clients, and tools in a real house that count what was done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mcp.client.context import ClientRequestContext
from mcp_types import CallToolResult, ElicitRequestFormParams, ElicitRequestParams, ElicitResult

from tests.fakes_tools import BreakTool, SwitchTool, ThingTool
from tools.confirmations import Confirmations
from tools.contract import CallOutcome, OpenConfirmation, PlannedCall
from tools.outbox import Outbox
from tools.policy import CallPath
from tools.server import ToolHouse
from tools.store import Store

Action = Literal["accept", "decline", "cancel"]


@dataclass
class Person:
    """Answers what an MCP client shows them; ``then`` is awaited before."""

    action: Action = "accept"
    then: Callable[[], Awaitable[None]] | None = None
    asked: list[str] = field(default_factory=list)

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        assert isinstance(params, ElicitRequestFormParams)
        assert params.requested_schema == {"type": "object", "properties": {}}
        self.asked.append(params.message)
        if self.then is not None:
            await self.then()
        return ElicitResult(action=self.action, content={} if self.action == "accept" else None)


class Watched(Confirmations):
    """Knows the nonces that it gave, to look for them elsewhere."""

    nonces: Sequence[str] = ()

    def ask(self, call: PlannedCall, caller: Any) -> OpenConfirmation:
        opened = super().ask(call, caller)
        self.nonces = (*self.nonces, opened.nonce)
        return opened


@dataclass
class Things:
    """Three tools in place of a house's own; ``seconds`` is what its clock shows."""

    store: Store
    confirmations: Watched
    look: ThingTool
    switch: SwitchTool
    destroy: BreakTool
    seconds: float = 0.0

    @property
    def broken(self) -> list[str]:
        return [call.arguments["thing"] for call in self.destroy.executed]

    @classmethod
    def into(cls, house: ToolHouse, folder: Path, *, lifetime_s: float = 300.0) -> Things:
        """Put them into a house. Close ``store`` in the end."""
        store = Store(folder / "things.db")
        confirmations = Watched(
            store, lifetime_s=lifetime_s, clock=lambda: 1e6 + things.seconds, ticks=lambda: things.seconds
        )
        things = cls(store, confirmations, ThingTool(), SwitchTool(), BreakTool())
        tools = (things.look, things.switch, things.destroy)
        house.path = CallPath(tools, store, Outbox(folder / "things"), confirmations=confirmations)
        return things


def outcome_of(answer: CallToolResult) -> CallOutcome:
    """The structured content, which must say what the text says."""
    outcome = CallOutcome.model_validate(answer.structured_content)
    assert answer.is_error == (not outcome.ok)
    (content,) = answer.content
    assert content.type == "text"
    assert content.text == outcome.spoken
    return outcome
