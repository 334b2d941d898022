"""``find_service``: where a service runs, how to reach it, who looks after it, how it is restored."""

from __future__ import annotations

from typing import ClassVar

from tools.catalog.place import page_of, place_of, said
from tools.contract import Candidates, JsonObject, Level, PlannedCall, ToolResult
from tools.names import NameIndex, is_name
from tools.settings import ServiceSettings, ToolSettings
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
        """What the catalogue says."""
        name = str(call.arguments["name"])
        service = self._services[name]
        free = [service.owner or "", service.restore or ""]  # an import takes them over from labels that anybody wrote
        foreign = not all(is_name(text) for text in free)
        return ToolResult(spoken=said(name, service), data=as_data(name, service), tainted=foreign)


def as_data(name: str, service: ServiceSettings) -> JsonObject:
    """Every field of the catalogue; ``host`` and ``port`` also where only the URL says them, ``address``: what a person
    opens. Passwords that a URL carries are left out."""
    place = place_of(service)
    url = None if service.url is None else page_of(service.url)
    if service.url is not None and not (service.url.username or service.url.password):
        url = str(service.url)
    return {
        "name": name,
        **service.model_dump(mode="json"),
        "url": url,
        "host": place.host,
        "port": place.port,
        "address": place.address,
    }
