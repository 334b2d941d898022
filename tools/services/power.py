"""``service_power`` and ``service_logs``: starting, stopping and reading the logs of services."""

from __future__ import annotations

from typing import ClassVar, Literal

from tools.contract import Candidates, Level, PlannedCall, ToolResult
from tools.names import NameIndex
from tools.settings import ToolSettings
from tools.tool import Arguments, UnavailableError, resolve_required


class ServiceLogsArguments(Arguments):
    """Input of ``service_logs``."""

    service: str


class ServicePowerArguments(Arguments):
    """Input of ``service_power``."""

    service: str
    action: Literal["start", "stop", "restart"]


class ServiceLogs:
    """The last errors of one service. What stands in a log may come from anybody: the result is tainted."""

    name: ClassVar[str] = "service_logs"
    description: ClassVar[str] = "Last errors from a service's log: why it failed."
    level: ClassVar[Level] = Level.READ
    arguments: ClassVar[type[Arguments]] = ServiceLogsArguments
    deadline_s = 15.0

    def __init__(self, names: NameIndex) -> None:
        self._names = names

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """Resolve the service's name."""
        wanted = ServiceLogsArguments.model_validate(arguments.model_dump())
        service = resolve_required(self._names, "service", "a service", wanted.service)
        if isinstance(service, Candidates):
            return service
        return PlannedCall(tool=self.name, arguments={"service": service}, level=self.level)

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises UnavailableError: nothing that keeps logs is connected."""
        raise UnavailableError("I can't read logs yet; nothing that keeps them is connected.")


class ServicePower:
    """Start, stop, restart."""

    name: ClassVar[str] = "service_power"
    description: ClassVar[str] = "Start, stop or restart a service."
    level: ClassVar[Level] = Level.DESTRUCTIVE
    arguments: ClassVar[type[Arguments]] = ServicePowerArguments
    deadline_s = 90.0

    def __init__(self, settings: ToolSettings, names: NameIndex) -> None:
        self._settings = settings
        self._names = names

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """Resolve the service. Starting operates; stopping, also for a moment, is destructive."""
        wanted = ServicePowerArguments.model_validate(arguments.model_dump())
        service = resolve_required(self._names, "service", "a service", wanted.service)
        if isinstance(service, Candidates):
            return service
        return PlannedCall(
            tool=self.name,
            arguments={"service": service, "action": wanted.action},
            level=Level.OPERATE if wanted.action == "start" else Level.DESTRUCTIVE,
            protected=self._settings.services[service].protected,
            readback=f"{wanted.action} {service}",
        )

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises UnavailableError: nothing that runs services is connected."""
        raise UnavailableError("I can't start or stop services yet; nothing that runs them is connected.")
