"""``check_alerts``: what fires, what runs out, what is about to expire."""

from __future__ import annotations

from typing import ClassVar

from tools.contract import Level, PlannedCall, ToolResult
from tools.tool import Arguments, UnavailableError


class CheckAlertsArguments(Arguments):
    """Input of ``check_alerts``: nothing."""


class CheckAlerts:
    """Alerts of every watcher, certificates, the UPS and the host's vitals."""

    name: ClassVar[str] = "check_alerts"
    description: ClassVar[str] = "Alerts; certificates, UPS, disk space, memory, host load."
    level: ClassVar[Level] = Level.READ
    arguments: ClassVar[type[Arguments]] = CheckAlertsArguments
    deadline_s = 10.0

    def plan(self, arguments: Arguments) -> PlannedCall:
        """Nothing to resolve."""
        return PlannedCall(tool=self.name, level=self.level)

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises UnavailableError: no watcher of alerts is connected."""
        raise UnavailableError("I can't read alerts yet; nothing that raises them is connected.")
