"""From all that was seen to the state of every service. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from tools.names import NameIndex
from tools.services.addresses import endpoint, is_loopback
from tools.services.evidence import Look, Trouble, WatcherSaid
from tools.services.joining import Catalogue, join, without_namesakes
from tools.services.merging import merge
from tools.services.own_look import own_look, own_vantage
from tools.services.port import Observation
from tools.services.probe import Attempt
from tools.services.states import ServiceState
from tools.settings import ServiceSettings, ToolSettings

SILENT = frozenset(
    {
        "it does not answer in time",
        "the connection is refused",
        "it cannot be reached",
        "its name cannot be found",
        "it breaks off the connection",
    }
)
"""Reasons that come to: it does not answer."""


@dataclass(frozen=True, slots=True)
class Past:
    """What is remembered of a service: looks within the window, oldest first, and the start of its outage."""

    looks: Sequence[tuple[float, bool]] = ()
    down_since: float | None = None


@dataclass
class Judged:
    """States with the looks behind each, and who was not believed."""

    states: list[ServiceState] = field(default_factory=list)
    looks: dict[str, list[Look]] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    said: list[WatcherSaid] = field(default_factory=list)


def heard(
    settings: ToolSettings,
    names: NameIndex,
    engines: Collection[str],
    observed: Mapping[str, Sequence[Observation]],
    now: float,
) -> list[WatcherSaid]:
    """What each watcher says of the catalogue's services."""
    catalogue = Catalogue(settings.services, names, engines)
    found = []
    for name, seen in observed.items():
        watcher = settings.watchers.get(name)
        stale_after_s = watcher.stale_after_s if watcher is not None else float("inf")
        here = watcher is not None and is_loopback(endpoint(watcher.url)[0])
        found.append(join(name, seen, catalogue, now, stale_after_s=stale_after_s, same_machine=here))
    return found


def failure(watcher: str, reason: str) -> Trouble:
    """A watcher that gave nothing."""
    if reason in SILENT:
        return Trouble(watcher, f"{watcher} does not answer", silent=True)
    return Trouble(watcher, f"I can't read {watcher}: {reason}")


def judge(
    chosen: Mapping[str, ServiceSettings],
    attempts: Mapping[str, Sequence[Attempt]],
    said: Sequence[WatcherSaid],
    past: Mapping[str, Past],
    engines: Collection[str],
    now: float,
    window_s: float,
) -> Judged:
    """The states of the chosen services."""
    judged = Judged(said=list(said), troubles=[one.trouble for one in said if one.trouble is not None])
    looks: dict[str, list[Look]] = defaultdict(list)
    for one in said:
        for name, several in one.looks.items():
            looks[name] += several
    for name, service in chosen.items():
        all_looks = without_namesakes(looks.get(name, ()), engines)
        before = past.get(name, Past())
        if name in attempts:
            vantage = own_vantage(service)
            all_looks.insert(0, own_look(attempts[name], before.looks, before.down_since, now, vantage))
        judged.looks[name] = all_looks
        judged.states.append(merge(name, all_looks, window_s))
    return judged
