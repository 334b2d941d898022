"""``find_service``: where a service runs and how to reach it."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

from tools.contract import Candidates, Level, PlannedCall, ToolResult
from tools.names import NameIndex
from tools.settings import ToolSettings
from tools.tool import Arguments, resolve_required


class FindServiceArguments(Arguments):
    """Input of ``find_service``."""

    name: str


class FindService:
    """Host, port and address out of the catalogue."""

    name: ClassVar[str] = "find_service"
    description: ClassVar[str] = "Where a service runs: host, port, address, owner, how to restore it."
    level: ClassVar[Level] = Level.READ
    arguments: ClassVar[type[Arguments]] = FindServiceArguments
    deadline_s = 5.0

    def __init__(self, settings: ToolSettings, names: NameIndex) -> None:
        self._services = settings.services
        self._names = names

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """Resolve the service's name."""
        wanted = FindServiceArguments.model_validate(arguments.model_dump())
        service = resolve_required(self._names, "service", "a service", wanted.name)
        if isinstance(service, Candidates):
            return service
        return PlannedCall(tool=self.name, arguments={"name": service}, level=self.level)

    async def execute(self, call: PlannedCall) -> ToolResult:
        """What the configuration says."""
        name = str(call.arguments["name"])
        service = self._services[name]
        address = urlsplit(str(service.url))
        port = address.port or (443 if address.scheme == "https" else 80)
        spoken = f"{name[0].upper()}{name[1:]} runs on {address.hostname}, port {port}."
        return ToolResult(
            spoken=spoken, data={"name": name, "url": str(service.url), "host": address.hostname, "port": port}
        )
