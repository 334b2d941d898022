"""How the outside MCP servers are, as our own server tells it (resource ``jarvis://outside``). Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

from assistant.errors import ToolboxError

WORTH_A_WARNING = 1_200
"""Tokens: what our own sixteen tools may cost; small models choose badly among more than twice as much."""


@dataclass(frozen=True, slots=True)
class OutsideTool:
    """One tool as it is offered, and what its description costs a model (estimated)."""

    name: str
    level: str
    tokens: int


@dataclass(frozen=True, slots=True)
class ServerHealth:
    """One server: does it answer, what does it offer, what was left out and why."""

    name: str
    ok: bool
    detail: str = ""
    tools: tuple[OutsideTool, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutsideHealth:
    """All of them, and the tokens that their tools may cost together."""

    servers: tuple[ServerHealth, ...]
    budget: int

    @property
    def tokens(self) -> int:
        """What they cost together, estimated."""
        return sum(tool.tokens for server in self.servers for tool in server.tools)


def outside_health(text: str) -> OutsideHealth:
    """Of the resource's text. Raises ToolboxError (nonsense)."""
    try:
        told = json.loads(text)
        servers = tuple(
            ServerHealth(
                str(one["name"]),
                bool(one["ok"]),
                str(one["detail"]),
                tuple(OutsideTool(str(t["name"]), str(t["level"]), int(t["tokens"])) for t in one["tools"]),
                tuple(str(reason) for reason in one["left_out"]),
            )
            for one in told["servers"]
        )
        return OutsideHealth(servers, int(told["budget"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ToolboxError("nonsense", "Our own tool server tells of outside servers in another form.") from error
