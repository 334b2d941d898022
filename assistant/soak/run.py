"""The soak itself: clients that take turns from the deck, and a look at the server after each deck."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import httpx

from assistant.app import app_version
from assistant.bench.figures import percentile
from assistant.config import Settings
from assistant.errors import ConfigError
from assistant.loopback import is_loopback
from assistant.soak.figures import relative
from assistant.soak.house import House, soaked_house
from assistant.soak.mix import AUDIO_EVERY, DECK, DOORS, Door, Kind, dealt, deck
from assistant.soak.processes import Held, busy_s, check_here, folder_bytes, held, listener
from assistant.soak.report import Failure, Round, SoakReport
from assistant.soak.serving import jarvis_serve
from assistant.soak.verdict import Turned, door_rows, measures, warm_up
from assistant.soak.visitor import PATIENCE_S, Ledger, Visitor, WrongAnswerError
from assistant.soak.yardstick import Yardstick

CLIENTS = 3
TURN_S = 180.0
"""Longest that a whole turn may take, with all its requests."""

KEPT_FAILURES = 100
SETTLED_WITHIN_S, SETTLED_LOOK_S = 5.0, 0.25
"""After a deck: until the server holds the same at two looks, so long apart, or that time is over."""

FAILURES = (
    WrongAnswerError, httpx.HTTPError, OSError, EOFError, ValueError, LookupError, TypeError, AttributeError,
)  # fmt: skip
"""TimeoutError is an OSError; the last four: an answer of another form than was looked for."""

Progress = Callable[[int, int], None]
"""Called with turns had and failures."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is wanted. ``url``: of a server that runs already, on this machine; ``token``: the one that it wants."""

    turns: int
    seed: int = 1
    doors: tuple[Door, ...] = DOORS
    audio_every: int = AUDIO_EVERY
    clients: int = CLIENTS
    url: str | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What is soaked."""

    url: str
    pid: int
    state: Path | None
    house: House | None = None
    token: str | None = None


@dataclass(slots=True)
class _Log:
    """What came of it so far."""

    turned: list[Turned] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    failed: int = 0

    def fail(self, turn: int, kind: str, detail: str) -> None:
        self.failed += 1
        if len(self.failures) < KEPT_FAILURES:
            self.failures.append(Failure(turn=turn, kind=kind, detail=detail))


async def soak(
    plan: Plan, base: Settings, progress: Progress, stop: asyncio.Event, say: Callable[[str], None] = lambda _: None,
    checkpoint: Callable[[SoakReport], None] = lambda _: None,
) -> SoakReport:  # fmt: skip
    """Have the turns, and judge them; ``stop`` ends it early, ``checkpoint`` is given what came of it so far after each
    round. Raises JarvisError."""
    check_here()
    async with AsyncExitStack() as stack:
        if plan.url is None:
            target = await stack.enter_async_context(_own_server(base, plan.clients, say))
        else:
            target = _server_at(plan.url, plan.token)
        return await Soak(plan, target, progress, stop, checkpoint).run()


@asynccontextmanager
async def _own_server(base: Settings, clients: int, say: Callable[[str], None]) -> AsyncIterator[Target]:
    """A real ``jarvis serve`` in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="jarvis-soak-") as name:
        folder = Path(name)
        async with soaked_house(folder, base, clients, say) as house:
            say("loading ears and mouth")
            async with jarvis_serve(house.config, house.state, folder / "serve.log") as served:
                yield Target(served.url, served.pid, house.state, house, house.tokens["owner"])


def _server_at(url: str, token: str | None) -> Target:
    """Raises ConfigError not_here, no_process."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.port or not parts.hostname or not is_loopback(parts.hostname):
        mend = "Run the soak on the server's own machine, with --url http://127.0.0.1:8765."
        raise ConfigError("not_here", f"{url} is no address of this machine.", mend=mend)
    return Target(url.rstrip("/"), listener(parts.port), None, token=token)


class Soak:
    """One run; ``run`` once."""

    def __init__(
        self, plan: Plan, target: Target, progress: Progress, stop: asyncio.Event,
        checkpoint: Callable[[SoakReport], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._plan, self._target, self._progress, self._stop = plan, target, progress, stop
        self._checkpoint = checkpoint
        self._cards = deck(doors=plan.doors, audio_every=plan.audio_every, anywhere=target.house is None)
        self._log = _Log()
        self._ledger = Ledger()
        self._yardstick = Yardstick()
        self._began = 0.0

    async def run(self) -> SoakReport:
        """All turns, and the verdict."""
        before, machine = held(self._target.pid), (busy_s(), _own_cpu_s(), time.monotonic())
        self._began = time.monotonic()
        measuring = asyncio.create_task(self._yardstick.run())
        try:
            await self._rounds(before, machine)
        finally:
            measuring.cancel()
            await asyncio.wait([measuring])
        return self._report()

    async def _rounds(self, before: Held, machine: tuple[float, float, float]) -> None:
        visitors = [self._visitor(number) for number in range(self._plan.clients)]
        for dealt_cards in dealt(self._cards, self._plan.turns, self._plan.seed):
            had = len(self._log.turned)
            await self._deck(dealt_cards, visitors)
            after = await self._settled()
            if after is None:
                self._log.fail(len(self._log.turned), "the server", "the process has ended")
                break
            self._compare_acts()
            now = (busy_s(), _own_cpu_s(), time.monotonic())
            if len(self._log.turned) > had:
                self._log.rounds.append(self._round(self._log.turned[had:], before, after, machine, now))
                self._checkpoint(self._report())
            before, machine = after, now
            if self._stop.is_set():
                break

    async def _deck(self, cards: Iterable[Kind], visitors: Sequence[Visitor]) -> None:
        """Each client takes the next turn when it has had its last. The connections are new: those of the last deck are
        closed, so that the server holds none of them when it is looked at."""
        waiting = deque(cards)
        async with AsyncExitStack() as stack:
            for visitor in visitors:
                visitor.http = await stack.enter_async_context(self._client())
            await asyncio.gather(*(self._take(waiting, visitor) for visitor in visitors))

    async def _take(self, waiting: deque[Kind], visitor: Visitor) -> None:
        while waiting and not self._stop.is_set():
            await self._turn(waiting.popleft(), visitor)
            self._progress(len(self._log.turned), self._log.failed)

    async def _turn(self, kind: Kind, visitor: Visitor) -> None:
        at, failed = len(self._log.turned), True
        began = time.perf_counter()
        try:
            async with asyncio.timeout(TURN_S):
                await kind.turn(visitor)
            failed = False
        except FAILURES as error:
            detail = str(error) if isinstance(error, WrongAnswerError) else f"{type(error).__name__}: {error}"
            self._log.fail(at, kind.name, detail)
        ms = (time.perf_counter() - began) * 1000
        self._log.turned.append(Turned(len(self._log.turned), kind.name, kind.door, ms, failed))

    async def _settled(self) -> Held | None:
        """What the server holds with nobody there; None where it has ended."""
        until, last = time.monotonic() + SETTLED_WITHIN_S, None
        try:
            while True:
                now = held(self._target.pid)
                same = last is not None and (now.handles, now.threads, now.children) == last
                if same or time.monotonic() > until:
                    return now
                last = now.handles, now.threads, now.children
                await asyncio.sleep(SETTLED_LOOK_S)
        except ProcessLookupError:
            return None

    def _compare_acts(self) -> None:
        """What was agreed to is what the world has counted; each difference is told once."""
        if self._target.house is None:
            return
        done = self._target.house.engine.orders
        for difference in self._ledger.differences(done):
            self._log.fail(len(self._log.turned), "acts", difference)
        self._ledger.agreed = Counter(done)

    def _round(
        self, turned: Sequence[Turned], before: Held, after: Held,
        then: tuple[float, float, float], now: tuple[float, float, float],
    ) -> Round:  # fmt: skip
        count = len(turned)
        used = after.cpu_s - before.cpu_s
        passed = (now[2] - then[2]) * _cores()
        times = [turn.ms for turn in turned]
        return Round(
            turns=len(self._log.turned),
            seconds=round(now[2] - self._began, 1),
            pss_mb=round(after.pss_mb, 1),
            rss_mb=round(after.rss_mb, 1),
            handles=after.handles,
            sockets=after.sockets,
            threads=after.threads,
            children=after.children,
            state_mb=round(folder_bytes(self._target.state) / 1e6, 3) if self._target.state else 0.0,
            cpu_ms=round(1000 * max(used, 0.0) / count, 2),
            yardstick_ms=round(self._yardstick.taken(), 3),
            waited_ms=round(1000 * max(after.waited_s - before.waited_s, 0.0) / count, 2),
            others=round(min(max((now[0] - then[0] - used - (now[1] - then[1])) / passed, 0.0), 1.0), 3),
            p50_ms=round(median(times), 1),
            p95_ms=round(percentile(times, 0.95), 1),
        )

    def _report(self) -> SoakReport:
        log = self._log
        warm = warm_up(self._plan.turns, DECK)
        return SoakReport(
            version=app_version(),
            wanted=self._plan.turns,
            turns=len(log.turned),
            warm_up=warm,
            seconds=round(time.monotonic() - self._began, 1),
            seed=self._plan.seed,
            cores=_cores(),
            kinds=dict(Counter(turn.kind for turn in log.turned).most_common()),
            acts=sum(self._target.house.engine.orders.values()) if self._target.house else 0,
            failures=tuple(log.failures),
            failed=log.failed,
            doors=door_rows(log.turned, warm),
            rounds=_compared(log),
            measures=measures(log.turned, log.failed, log.rounds, warm),
        )

    def _visitor(self, number: int) -> Visitor:
        house, count = self._target.house, self._plan.clients
        mine = house.engine.names[number::count] if house else ()
        chance = random.Random(f"{self._plan.seed} {number}")  # noqa: S311 - what a test asks next
        return Visitor(number, self._client(), chance, self._ledger, house, mine, self._target.token)

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self._target.url, timeout=PATIENCE_S, trust_env=False, verify=False)  # noqa: S501 - http, loopback


def _compared(log: _Log) -> tuple[Round, ...]:
    """With the times of each round over the medians of the whole."""
    comparable = relative([(turn.kind, turn.ms) for turn in log.turned])
    found, start = [], 0
    for one in log.rounds:
        p95 = percentile(comparable[start : one.turns], 0.95)
        found.append(one.model_copy(update={"relative_p95": round(p95, 2)}))
        start = one.turns
    return tuple(found)


def _own_cpu_s() -> float:
    """Of the soak and the house that it plays."""
    times = os.times()
    return times.user + times.system


def _cores() -> int:
    return len(os.sched_getaffinity(0))
