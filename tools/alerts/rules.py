"""Sources of rules that fire: Prometheus (with the machines it measures), Alertmanager, Grafana."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpx

from tools.alerts import asking, measured
from tools.alerts.hosts import Hosts
from tools.alerts.judging import untold
from tools.alerts.port import Alert, Origin, SourceError
from tools.alerts.rules_said import from_alertmanager, from_prometheus, vector
from tools.settings_house import AlertSettings, WatcherSettings

ALL_STATES = {"active": "true", "silenced": "true", "inhibited": "true", "unprocessed": "true"}


class Prometheus:
    """Alerts that fire, and disks and memory of what node_exporter tells of. A machine's measures missing is not a
    Prometheus that is down."""

    def __init__(self, name: str, settings: WatcherSettings, limits: AlertSettings, hosts: Hosts) -> None:
        self.name = name
        self._settings = settings
        self._limits = limits
        self._hosts = hosts

    async def alerts(self) -> Sequence[Alert]:
        """See ``port.Source``."""
        async with asking.client(self._settings) as http:
            found, uname, disks, memory = await asyncio.gather(
                self._firing(http),
                self._query(http, measured.MACHINES),
                self._query(http, measured.DISKS),
                self._query(http, measured.MEMORY),
            )
        if isinstance(found, SourceError):
            raise found
        machines = measured.named([] if isinstance(uname, SourceError) else uname, self._hosts, self._settings.url)
        if isinstance(disks, SourceError):
            told = [self._untold("disk", "disks", disks)]
        else:
            told = measured.disks(self._limits, self.name, machines, disks)
        if isinstance(memory, SourceError):
            return [*found, *told, self._untold("memory", "memory", memory)]
        return [*found, *told, *measured.memories(self._limits, self.name, machines, memory)]

    def _untold(self, origin: Origin, what: str, error: SourceError) -> Alert:
        subject = f"the {what} of the machines that {self.name} watches"
        return untold(self.name, origin, subject, error.reason, f"{origin}:{self.name}")

    async def _firing(self, http: httpx.AsyncClient) -> Sequence[Alert] | SourceError:
        """Errors are given back, not raised: nothing may still run when the client closes."""
        try:
            answer = await asking.get(http, self._settings, "/api/v1/alerts")
            return from_prometheus(answer, self.name, self._hosts, self._settings.url)
        except SourceError as error:
            return error

    async def _query(self, http: httpx.AsyncClient, query: str) -> measured.Samples | SourceError:
        try:
            return vector(await asking.get(http, self._settings, "/api/v1/query", params={"query": query}))
        except SourceError as error:
            return error


class Alertmanager:
    """Alerts of an Alertmanager. Grafana has one of its own, below another path."""

    def __init__(self, name: str, settings: WatcherSettings, hosts: Hosts, path: str = "/api/v2/alerts") -> None:
        self.name = name
        self._settings = settings
        self._hosts = hosts
        self._path = path

    async def alerts(self) -> Sequence[Alert]:
        """See ``port.Source``."""
        async with asking.client(self._settings) as http:
            answer = await asking.get(http, self._settings, self._path, params=ALL_STATES)
        return from_alertmanager(answer, self.name, self._hosts, self._settings.url)


GRAFANA = "/api/alertmanager/grafana/api/v2/alerts"
