"""Loki: how many lines of the last hour say error."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tools.alerts import asking
from tools.alerts.port import Alert
from tools.alerts.rules_said import vector
from tools.contract import Severity
from tools.settings_house import AlertSettings, WatcherSettings
from tools.wording import counted

QUERY = 'sum(count_over_time({job=~".+"} |~ `(?i)\\berror\\b` [1h]))'


class Loki:
    """One number; the lines themselves are for ``service_logs``."""

    def __init__(self, name: str, settings: WatcherSettings, limits: AlertSettings) -> None:
        self.name = name
        self._settings = settings
        self._limit = limits.log_errors_warning

    async def alerts(self) -> Sequence[Alert]:
        """See ``port.Source``. No sample at all is none that matched."""
        async with asking.client(self._settings) as http:
            answer = await asking.get(
                http, self._settings, "/loki/api/v1/query", params={"query": self._settings.query or QUERY}
            )
        errors = round(sum(value for _, value in vector(answer) if math.isfinite(value)))
        severity = Severity.WARNING if errors >= self._limit else Severity.OK
        said = f"the logs of the last hour have {counted(errors, 'error')}"
        return [
            Alert(
                source=self.name,
                origin="logs",
                severity=severity,
                subject=self.name,
                said=said,
                key=f"logs:{self.name}",
                value=float(errors),
            )
        ]
