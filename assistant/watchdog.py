"""What the service manager is told: that Jarvis is up, what it does, and, over and over, that it is not hung.

systemd's protocol (sd_notify(3), sd_watchdog_enabled(3)): datagrams of ``KEY=VALUE`` lines to the Unix socket that
NOTIFY_SOCKET names. Where nobody listens, nothing is sent. A sign of life is sent only while the event loop turns and
every thread that does blocking work for it answers, each within a limit of its own; without one for WatchdogSec the
process is killed and started again.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, MutableMapping
from concurrent.futures import Executor, Future
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

log = logging.getLogger(__name__)

SIGNS_IN_TIME = 3
"""Signs of life in each WatchdogSec; sd_watchdog_enabled(3) recommends every half of it."""

POOL_S = 60.0
"""Longest wait for a thread of asyncio's own pool: what is done there are files and the database."""

ENGINE_S = 300.0
"""Longest wait for a thread of ears or mouth: loading a model or transcribing a long clip on a slow machine is work,
and no hang."""

_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


@runtime_checkable
class HasThreads(Protocol):
    """A part with threads of its own for blocking work."""

    @property
    def threads(self) -> Mapping[str, Executor]:
        """Its executors, by a name for the log."""
        ...


@dataclass(frozen=True, slots=True)
class Manager:
    """The service manager, as the environment names it. ``address``: of its socket, None where there is none;
    ``watchdog_s``: seconds without a sign of life after which it restarts us, 0: it does not watch."""

    address: str | None = None
    watchdog_s: float = 0.0

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str] | None = None) -> Manager:
        """Its variables are taken out, so that no child process speaks for us."""
        known = os.environ if environment is None else environment
        address, micros, pid = (known.pop(name, "") for name in _VARIABLES)
        watched = micros.isdecimal() and pid in ("", str(os.getpid()))
        return cls(address or None, int(micros) / 1e6 if watched else 0.0)

    def tell(self, **fields: object) -> None:
        """Send ``KEY=VALUE`` lines; a manager that does not listen is no reason to fail."""
        if self.address is None:
            return
        lines = "\n".join(f"{key}={_one_line(value)}" for key, value in fields.items())
        path = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)  # a full queue must not hang what proves that nothing hangs
            sender.sendto(lines.encode(), path)

    def ready(self, status: str) -> None:
        """Requests are answered from now on."""
        self.tell(READY=1, STATUS=status)

    def status(self, text: str) -> None:
        """One line for ``systemctl status``."""
        self.tell(STATUS=text)

    def stopping(self) -> None:
        """It ends because it was told to."""
        self.tell(STOPPING=1, STATUS="finishing the turns under way")


@dataclass
class _Thread:
    """One executor that is asked again and again; ``asked``: since when an answer is out, by ``time.monotonic``."""

    name: str
    ask: Callable[[], Future[None]]
    limit_s: float
    asked: float = 0.0
    answer: Future[None] | None = field(default=None, repr=False)

    def is_late(self, now: float) -> bool:
        """Ask, unless an answer is still out; whether that is out for too long."""
        if self.answer is None or self.answer.done():
            try:
                self.answer, self.asked = self.ask(), now
            except RuntimeError:  # the executor was closed: nobody waits for it any more
                self.answer = None
                return False
        return now - self.asked > self.limit_s


class Watchdog:
    """Signs of life to a manager, as long as all is well. ``limit_s``: of the threads in ``pools``."""

    def __init__(
        self, manager: Manager, parts: Iterable[object] = (), *, pool_s: float = POOL_S, engine_s: float = ENGINE_S
    ) -> None:
        self._manager = manager
        own = {name: pool for part in parts if isinstance(part, HasThreads) for name, pool in part.threads.items()}
        self._threads = [_Thread(name, _asking(pool), engine_s) for name, pool in own.items()]
        self._pool_s = pool_s
        self._complained: set[str] = set()

    async def run(self) -> None:
        """Until cancelled. Returns at once where nobody watches."""
        if not self._manager.watchdog_s:
            return
        loop = asyncio.get_running_loop()
        pool = _Thread("worker pool", lambda: _in_pool(loop), self._pool_s)
        while True:
            if self._alive([pool, *self._threads]):
                self._manager.tell(WATCHDOG=1)
            await asyncio.sleep(self._manager.watchdog_s / SIGNS_IN_TIME)

    def _alive(self, threads: Iterable[_Thread]) -> bool:
        now = time.monotonic()
        late = {thread.name: thread.limit_s for thread in threads if thread.is_late(now)}
        for name in sorted(late.keys() - self._complained):
            log.error("the thread %r has not answered for %.0f s: no more signs of life are sent", name, late[name])
        self._complained = set(late)
        return not late


class _Speech(Protocol):
    """As much of the app as has threads."""

    @property
    def listener(self) -> object: ...

    @property
    def transcriber(self) -> object: ...

    @property
    def synthesizer(self) -> object: ...


def threaded(app: _Speech) -> tuple[object, ...]:
    """Its parts whose threads are watched; those around another part are looked through."""
    parts = (app.listener, app.transcriber, app.synthesizer)
    return tuple(getattr(part, "inner", part) for part in parts)


@asynccontextmanager
async def watched(manager: Manager, parts: Iterable[object] = ()) -> AsyncIterator[None]:
    """Signs of life while the context is open. A killed process tells where its threads stood, in the journal."""
    if manager.watchdog_s and sys.stderr is not None:
        with suppress(ValueError, OSError):  # standard error is no file
            faulthandler.enable()  # WatchdogSignal is SIGABRT; the trace names lines of code and no values
    task = asyncio.create_task(Watchdog(manager, parts).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def _asking(pool: Executor) -> Callable[[], Future[None]]:
    return lambda: pool.submit(_nothing)


def _in_pool(loop: asyncio.AbstractEventLoop) -> Future[None]:
    """asyncio's own pool, whose future is made into one that can be looked at from anywhere."""
    seen: Future[None] = Future()
    loop.run_in_executor(None, _nothing).add_done_callback(lambda _: seen.set_result(None))
    return seen


def _nothing() -> None:
    return None


def _one_line(value: object) -> str:
    """A line break would begin another field."""
    return "".join(character if character.isprintable() else " " for character in str(value))
