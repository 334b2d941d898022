"""What an outside client is shown: tools that it may ever call, names that are any of its business. Pure.

Showing less than all is no protection, the policy is (``tools/policy.py``); but a model behind a client wastes no turn
on what would be refused, and somebody's limits do not tell them what else there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tools.access import Access
from tools.contract import Caller, JsonObject, Level
from tools.tool import FromServer, Tool

SCOPES: Mapping[Level, str] = {level: f"jarvis:{level.value}" for level in Level}
"""Scopes of an access token, least first: ``jarvis:read``, ``jarvis:operate``, ``jarvis:destructive``."""


def scopes(access: Access, caller: Caller) -> list[str]:
    """Of a token whose bearer is this caller: each level that their role, door and room let them reach."""
    rights = access.rights(caller)
    return [scope for level, scope in SCOPES.items() if rights.reaches(level)]


def tools_for(access: Access, tools: Iterable[Tool], caller: Caller) -> list[Tool]:
    """Those that the caller may ever call, in their order."""
    return [tool for tool in tools if access.may_ever(tool.name, tool.level, caller, _server(tool))]


def names_for(access: Access, names: Mapping[str, Mapping[str, Sequence[str]]], caller: Caller) -> JsonObject:
    """Of the names of the house by kind, with their aliases, those that the caller is not kept from."""
    return {
        kind: {name: list(aliases) for name, aliases in known.items() if access.may_see(kind, name, caller)}
        for kind, known in names.items()
    }


def devices_for(access: Access, devices: Iterable[tuple[str, str, str]], caller: Caller) -> list[tuple[str, str, str]]:
    """Of the devices with their areas and kinds, likewise: by name, or by the area that they stand in."""
    return [
        (name, area, kind)
        for name, area, kind in devices
        if access.may_see("device", name, caller) or (area and access.may_see("area", area, caller))
    ]


def outside_for(access: Access, told: JsonObject, caller: Caller) -> JsonObject:
    """Of what is told about outside servers, those that the caller is not kept from."""
    servers: list[Any] = [server for server in told["servers"] if access.may_see("server", server["name"], caller)]
    return {**told, "servers": servers}


def _server(tool: Tool) -> str | None:
    return tool.server_name if isinstance(tool, FromServer) else None
