"""A watcher's names for things → services of the catalogue. Pure, and nothing is guessed.

In this order: ``watched_as``, the name as written or an alias, what else it goes by there, and the address.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from tools.names import NameIndex
from tools.services.addresses import AddressBook, endpoint, own_endpoints, vantage_of
from tools.services.evidence import Look, Trouble, WatcherSaid
from tools.services.port import Observation
from tools.settings import ServiceSettings
from tools.wording import ago

CLOCK_TOLERANCE_S = 300.0
"""A look from further in the future than this comes from a clock that is wrong."""


class Catalogue:
    """The services by whatever a watcher may call them."""

    def __init__(
        self, services: Mapping[str, ServiceSettings], names: NameIndex, engines: Collection[str] = ()
    ) -> None:
        """``engines``: names of the watchers that are engines; a service's ``unit`` and ``engine`` are about these."""
        self.services = services
        self._names = names
        self._book = AddressBook(services)
        self._declared: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._elsewhere: set[tuple[str, str]] = set()
        self._on: dict[str, list[str]] = defaultdict(list)
        for name, service in services.items():
            called = dict(service.watched_as)
            for engine in engines:
                if service.engine not in (None, engine):
                    self._elsewhere.add((engine, name))
                    called.pop(engine, None)
                elif service.unit is not None:
                    called[engine] = service.unit
            for watcher, word in called.items():
                self._declared[watcher, word.casefold()].append(name)
                self._elsewhere.add((watcher, name))
            if service.host:
                self._on[service.host.casefold()].append(name)

    def known_as(self, watcher: str, called: str) -> Sequence[str]:
        """The services that go by this name at this watcher: those that say so (a container may be two services), and
        the one of that name, unless it says that it is called otherwise there."""
        declared = self._declared.get((watcher, called.casefold()), [])
        name = self._names.exact("service", called)
        if name is None or name not in self.services or name in declared or (watcher, name) in self._elsewhere:
            return declared
        return [*declared, name]

    def at(self, address: str, *, same_machine: bool) -> str | None:
        """The service that answers there."""
        return self._book.service_at(address, same_machine=same_machine) if address else None

    def on_machine(self, called: str) -> Sequence[str]:
        """Services whose ``host`` is called like this."""
        return self._on.get(called.casefold(), ())


def without_namesakes(looks: Sequence[Look], engines: Collection[str]) -> list[Look]:
    """Where one engine runs a service, a unit of the same name that another one does not run is something else."""
    running = {look.watcher for look in looks if look.watcher in engines and look.up is not False}
    if not running:
        return list(looks)
    return [look for look in looks if look.watcher not in engines or look.watcher in running]


def join(
    watcher: str,
    seen: Sequence[Observation],
    catalogue: Catalogue,
    now: float,
    *,
    stale_after_s: float,
    same_machine: bool = False,
) -> WatcherSaid:
    """What a watcher has seen, by service of the catalogue, each look with its vantage and with what there is to
    doubt."""
    looks: dict[str, list[Look]] = defaultdict(list)
    by_other_names: dict[str, list[Observation]] = defaultdict(list)
    unknown = 0
    for one in seen:
        if names := catalogue.known_as(watcher, one.service):
            for name in names:
                looks[name].append(_look(watcher, one, catalogue.services[name], now, stale_after_s))
        elif names := _by_other_name(watcher, one, catalogue):
            for name in names:
                by_other_names[name].append(one)
        elif (at := catalogue.at(one.address, same_machine=same_machine)) is not None:
            looks[at].append(_look(watcher, one, catalogue.services[at], now, stale_after_s))
        elif names := catalogue.on_machine(one.service):
            for name in names if one.up is False else ():
                looks[name].append(_machine_down(watcher, one, now, stale_after_s))
        else:
            unknown += 1
    for name, several in by_other_names.items():
        if len(several) == 1 and name not in looks:  # else it is not clear which of them is meant
            looks[name].append(_look(watcher, several[0], catalogue.services[name], now, stale_after_s))
        else:
            unknown += len(several)
    return WatcherSaid(watcher, dict(looks), unknown, _stale(watcher, seen, now, stale_after_s))


def _by_other_name(watcher: str, one: Observation, catalogue: Catalogue) -> Sequence[str]:
    return next((names for other in one.also if (names := catalogue.known_as(watcher, other))), ())


def _look(watcher: str, one: Observation, service: ServiceSettings, now: float, stale_after_s: float) -> Look:
    return Look(
        watcher=watcher,
        vantage="process" if _is_process(one, service) else vantage_of(one.address, service),
        up=one.up,
        at=now if one.at is None else one.at,
        since=one.since,
        changes=one.changes,
        reason=one.reason,
        hold=one.hold,
        doubt=_doubt(watcher, one.at, now, stale_after_s),
        latency_ms=one.latency_ms,
    )


def _is_process(one: Observation, service: ServiceSettings) -> bool:
    return one.vantage == "process" or (one.beside and endpoint(one.address) not in own_endpoints(service))


def _machine_down(watcher: str, one: Observation, now: float, stale_after_s: float) -> Look:
    down = replace(one, vantage="process", reason="the machine that it runs on is down")
    return _look(watcher, down, ServiceSettings(), now, stale_after_s)


def _doubt(watcher: str, at: float | None, now: float, stale_after_s: float) -> str:
    if at is None:
        return ""
    if at > now + CLOCK_TOLERANCE_S:
        return f"the clock of {watcher} is ahead"
    return f"{watcher} last looked {ago(now - at)}" if now - at > stale_after_s else ""


def _stale(watcher: str, seen: Sequence[Observation], now: float, stale_after_s: float) -> Trouble | None:
    """A watcher of which nothing at all is to be believed."""
    if not seen or any(one.at is None for one in seen):
        return None
    doubts = [_doubt(watcher, one.at, now, stale_after_s) for one in seen]
    newest = max(one.at for one in seen if one.at is not None)
    return Trouble(watcher, _doubt(watcher, newest, now, stale_after_s)) if all(doubts) else None
