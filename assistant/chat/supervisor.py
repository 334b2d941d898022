"""A child process that is started when needed, watched, and started again when it dies, but not for ever."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.chat.child_log import ChildLog
from assistant.errors import JarvisError

MAX_QUICK_DEATHS = 3
STOP_S = 2.0
"""A child that is asked to end and does not is killed after so long."""


class ChildError(JarvisError):
    """The child did not come up (child_failed), or died so often that it is left alone for a while (child_resting)."""


class SupervisedChild:
    """``python -m MODULE``: one JSON line in, one JSON line out when it is ready, its standard error in a bounded log.

    The ready line is an object; ``{"error": …}`` says why it cannot be. The child must end when its standard input
    closes: so it never outlives this process, however that ends. ``argv`` replaces ``python -m MODULE``.

    A death within ``quick_s`` of the start is a quick one. The next start waits ``backoff_s``, doubled with each quick
    death; after MAX_QUICK_DEATHS in a row nothing is started for ``rest_s``. (Seconds.)
    """

    def __init__(
        self,
        module: str,
        parameters: Mapping[str, Any],
        log: Path,
        env: Mapping[str, str],
        *,
        argv: Sequence[str] = (),
        ready_timeout_s: float = 120.0,
        quick_s: float = 60.0,
        backoff_s: float = 0.5,
        rest_s: float = 60.0,
    ) -> None:
        self._argv = tuple(argv) or (sys.executable, "-m", module)
        self._parameters = dict(parameters)
        self._env = dict(env)
        self._log = ChildLog(log)
        self._ready_timeout_s = ready_timeout_s
        self._quick_s = quick_s
        self._backoff_s = backoff_s
        self._rest_s = rest_s
        self._child: asyncio.subprocess.Process | None = None
        self._starting: asyncio.Task[dict[str, Any]] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._ready: dict[str, Any] | None = None
        self._deaths: deque[float] = deque(maxlen=MAX_QUICK_DEATHS)

    @property
    def pid(self) -> int | None:
        """Of the running child."""
        return self._child.pid if self.alive and self._child else None

    @property
    def alive(self) -> bool:
        """Whether the child runs."""
        return self._child is not None and self._child.returncode is None

    async def ready(self) -> Mapping[str, Any]:
        """The ready line of the running child; starts it when it does not run. Raises ChildError.

        All who wait share one start, and it goes on when one of them is cancelled.
        """
        if self.alive and self._ready is not None:
            return self._ready
        if self._starting is None or self._starting.done():
            self._starting = asyncio.create_task(self._start())
            self._starting.add_done_callback(_seen)
        return await asyncio.shield(self._starting)

    async def died_within(self, seconds: float) -> bool:
        """Whether the child is dead, now or a moment later: a broken connection is known before the exit code is, and
        the exit code before the last words. When they come in time, ``log_tail`` has them and how the child ended."""
        if self._watching is not None:
            await asyncio.wait({self._watching}, timeout=seconds)
        return not self.alive

    async def stop(self) -> None:
        """End the child. Idempotent; ``ready`` starts it again."""
        if self._starting is not None and not self._starting.done():
            self._starting.cancel()
            await asyncio.wait({self._starting})
        child, watching = self._child, self._watching
        self._child = self._watching = self._ready = None
        if child is not None and child.returncode is None:
            if child.stdin is not None:
                child.stdin.close()
            await self._ended(child)
        if watching is not None:
            await asyncio.wait({watching})
        self._deaths.clear()

    def log_tail(self) -> str:
        """The last words of the child, one line."""
        return self._log.tail()

    async def _start(self) -> dict[str, Any]:
        await self._back_off()
        self._ready = None
        try:
            child = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._env,
            )
        except OSError as error:
            raise ChildError("child_failed", f"The process cannot be started: {error}.") from error
        self._child = child
        self._watching = asyncio.create_task(self._watch(child, time.monotonic()))
        try:
            async with asyncio.timeout(self._ready_timeout_s):
                answer = await self._handshake(child)
        except TimeoutError as error:
            await self._ended(child, at_once=True)
            detail = f"The process was not ready after {self._ready_timeout_s:.0f} s. {self.log_tail()}"
            raise ChildError("child_failed", detail.strip()) from error
        except (ConnectionError, ValueError) as error:
            await self._ended(child)
            await asyncio.wait({self._watching})
            detail = f"The process {_how_it_ended(child.returncode)} before it was ready. {self.log_tail()}"
            raise ChildError("child_failed", detail.strip()) from error
        except asyncio.CancelledError:
            await self._ended(child, at_once=True)
            raise
        if "error" in answer:
            await self._ended(child)
            raise ChildError("child_failed", f"{answer['error']}. {self.log_tail()}".strip())
        self._ready = answer
        return answer

    async def _back_off(self) -> None:
        if not self._deaths:
            return
        since = time.monotonic() - self._deaths[-1]
        if len(self._deaths) < MAX_QUICK_DEATHS:
            await asyncio.sleep(max(self._backoff_s * 2 ** (len(self._deaths) - 1) - since, 0.0))
        elif since < self._rest_s:
            wait = self._rest_s - since
            detail = f"The process died {MAX_QUICK_DEATHS} times in a row; it is left alone for {wait:.0f} s more."
            raise ChildError("child_resting", f"{detail} Its last words: {self.log_tail() or 'none'}")
        else:
            self._deaths.popleft()  # one more try

    async def _handshake(self, child: asyncio.subprocess.Process) -> dict[str, Any]:
        if child.stdin is None or child.stdout is None:
            raise ConnectionError("no pipes")
        child.stdin.write(json.dumps(self._parameters).encode() + b"\n")
        await child.stdin.drain()
        answer = json.loads(await child.stdout.readline())
        if not isinstance(answer, dict):
            raise ConnectionError("no ready line")
        return answer

    async def _watch(self, child: asyncio.subprocess.Process, started: float) -> None:
        """Keep its standard error, and note how and when it ends."""
        self._log.begin()
        while child.stderr is not None and (words := await child.stderr.read(4096)):
            self._log.add(words)
        code = await child.wait()
        self._log.add(f"[{_how_it_ended(code)}]\n".encode())
        self._log.end()
        if self._child is not child:
            return  # it was stopped
        now = time.monotonic()
        if now - started >= self._quick_s:
            self._deaths.clear()
        else:
            self._deaths.append(now)

    async def _ended(self, child: asyncio.subprocess.Process, *, at_once: bool = False) -> None:
        """Wait for the child to end, and kill it when it does not."""
        try:
            async with asyncio.timeout(0 if at_once else STOP_S):
                await child.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
        return f"was ended by signal {-code}"
    return f"ended with exit code {code}"


def _seen(task: asyncio.Task[Any]) -> None:
    """An error that nobody waited for any more is no news."""
    if not task.cancelled():
        task.exception()
