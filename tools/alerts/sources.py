"""Every source of alerts that the configuration names, and this machine."""

from __future__ import annotations

import socket

from tools.alerts.beszel import Beszel
from tools.alerts.certificates import Certificates, places
from tools.alerts.here import ThisMachine
from tools.alerts.hosts import Hosts
from tools.alerts.loki import Loki
from tools.alerts.nut import Nut
from tools.alerts.port import Source
from tools.alerts.reports import Reports
from tools.alerts.resting import RestingSource
from tools.alerts.rules import GRAFANA, Alertmanager, Prometheus
from tools.resting import patience_of
from tools.settings import ToolSettings
from tools.settings_house import WatcherSettings

RULES = {"prometheus", "alertmanager", "grafana", "beszel"}
"""Kinds at which a rule can fire."""


def sources(settings: ToolSettings) -> list[Source]:
    """In the order of the configuration, what needs no watcher first. A watcher stands behind a breaker."""
    patience_s = patience_of(settings.services_deadline_s)
    hosts = Hosts.from_settings(settings, socket.gethostname())
    alone = sum(watcher.kind == "nut" for watcher in settings.watchers.values()) == 1
    found: list[Source] = [ThisMachine(settings.alerts)]
    if shown := places(settings):
        found.append(Certificates(settings.alerts, shown))
    found += [Reports(folder, settings.alerts) for folder in settings.alerts.reports]
    for name, watcher in settings.watchers.items():
        if (source := _watcher(name, watcher, settings, hosts, alone=alone)) is not None:
            found.append(RestingSource(source, patience_s))
    return found


def watches_rules(settings: ToolSettings) -> bool:
    """Whether anything is configured at which a rule could fire."""
    return any(watcher.kind in RULES for watcher in settings.watchers.values())


def _watcher(
    name: str, watcher: WatcherSettings, settings: ToolSettings, hosts: Hosts, *, alone: bool
) -> Source | None:
    """None: it tells of services only (Gatus, Uptime Kuma)."""
    match watcher.kind:
        case "prometheus":
            return Prometheus(name, watcher, settings.alerts, hosts)
        case "alertmanager":
            return Alertmanager(name, watcher, hosts)
        case "grafana":
            return Alertmanager(name, watcher, hosts, GRAFANA)
        case "beszel":
            return Beszel(name, watcher, settings.alerts, hosts)
        case "nut":
            return Nut(name, watcher, alone=alone)
        case "loki":
            return Loki(name, watcher, settings.alerts)
        case _:
            return None
