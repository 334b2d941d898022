"""The watchers of the configuration, made once."""

from __future__ import annotations

from collections.abc import Mapping

from tools.breaker import Breaker
from tools.engines.port import Engine
from tools.resting import patience_of
from tools.services.asking import Asked
from tools.services.beszel import Beszel
from tools.services.engine_watcher import EngineWatcher
from tools.services.gatus import Gatus
from tools.services.kuma import UptimeKuma
from tools.services.port import Watcher
from tools.services.prometheus import Prometheus
from tools.services.resting import RestingWatcher
from tools.settings import ToolSettings
from tools.settings_house import WatcherSettings

OverHttp = Gatus | UptimeKuma | Prometheus | Beszel


def make(name: str, settings: WatcherSettings, window_s: float) -> OverHttp | None:
    """The watcher that these settings describe; None for a kind that knows nothing of services. Touches nothing."""
    match settings.kind:
        case "gatus":
            return Gatus(name, settings, window_s)
        case "uptime-kuma":
            return UptimeKuma(name, settings, window_s)
        case "prometheus":
            return Prometheus(name, settings, window_s)
        case "beszel":
            return Beszel(name, settings)
        case _:
            return None


class Watchers:
    """All that are configured: those over HTTP, and the engines."""

    def __init__(self, settings: ToolSettings, engines: Mapping[str, Engine]) -> None:
        window_s = settings.flapping_window_s
        made = [make(name, watcher, window_s) for name, watcher in settings.watchers.items()]
        over_http = [watcher for watcher in made if watcher is not None]
        self.engines = frozenset(engines)
        patience_s = patience_of(settings.services_deadline_s)
        watchers: list[Watcher] = [*over_http, *(EngineWatcher(engine, window_s) for engine in engines.values())]
        self.all: list[Watcher] = []
        self.breakers: list[Breaker] = []
        for watcher in watchers:
            resting = RestingWatcher(watcher, patience_s)
            self.all.append(resting)
            self.breakers.append(resting.breaker)
        self._asked: list[Asked] = [watcher.asked for watcher in over_http]

    async def aclose(self) -> None:
        """Close the connections that are kept open between questions."""
        for asked in self._asked:
            await asked.aclose()
