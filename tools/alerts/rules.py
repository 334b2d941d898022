"""Sources of rules that fire: Prometheus (with the machines it measures), Alertmanager, Grafana."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import httpx

from tools.alerts import asking, measured
from tools.alerts.hosts import Hosts
from tools.alerts.judging import untold
from tools.alerts.port import Alert, SourceError
from tools.alerts.rules_said import from_alertmanager, from_prometheus, vector
from tools.settings_house import AlertSettings, WatcherSettings
from tools.wording import listing

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
        told = list(found)
        if not isinstance(disks, SourceError):
            told += measured.disks(self._limits, self.name, machines, disks)
        if not isinstance(memory, SourceError):
            told += measured.memories(self._limits, self.name, machines, memory)
        return told + self._untold({"disks": disks, "memory": memory})

    def _untold(self, asked: Mapping[str, measured.Samples | SourceError]) -> list[Alert]:
        """One alert for all that could not be measured."""
        failed = {what: answer for what, answer in asked.items() if isinstance(answer, SourceError)}
        if not failed:
            return []
        subject = f"the {listing(list(failed))} of the machines that {self.name} watches"
        reason = next(iter(failed.values())).reason
        return [untold(self.name, "disk", subject, reason, f"measured:{self.name}")]

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
