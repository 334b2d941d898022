"""A child process that is started when needed, watched, and started again when it dies, but not for ever."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.errors import JarvisError

READY_TIMEOUT_S = 120.0
QUICK_DEATH_S = 60.0
MAX_QUICK_DEATHS = 3
PAUSE_S = 60.0
"""After MAX_QUICK_DEATHS within QUICK_DEATH_S each the child is left alone for so long."""

LOG_BYTES = 1_000_000
TAIL_BYTES = 400


class ChildError(JarvisError):
    """The child did not come up, or died: code child_failed or child_resting."""


class SupervisedChild:
    """``python -m MODULE``: one JSON line in, one JSON line out when it is ready, its standard error in a log file."""

    def __init__(self, module: str, parameters: Mapping[str, Any], log: Path, env: Mapping[str, str]) -> None:
        self._argv: Sequence[str] = (sys.executable, "-m", module)
        self._parameters = dict(parameters)
        self._log = log
        self._env = dict(env)
        self._child: asyncio.subprocess.Process | None = None
        self._ready: dict[str, Any] = {}
        self._lock = asyncio.Lock()
        self._started_at = 0.0
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
        """The ready line of the running child; starts it when it does not run. Raises ChildError."""
        async with self._lock:
            if not self.alive:
                self._count_death()
                self._ready = await self._start()
            return self._ready

    async def stop(self) -> None:
        """End the child. Idempotent."""
        async with self._lock:
            child, self._child = self._child, None
            if child is None or child.returncode is not None:
                return
            if child.stdin is not None:
                child.stdin.close()
            try:
                async with asyncio.timeout(2.0):
                    await child.wait()
            except TimeoutError:
                child.kill()
                await child.wait()

    def log_tail(self) -> str:
        """The end of the child's log, one line."""
        try:
            with self._log.open("rb") as file:
                file.seek(max(self._log.stat().st_size - TAIL_BYTES, 0))
                return " ".join(file.read().decode(errors="replace").split())[-TAIL_BYTES:]
        except OSError:
            return ""

    def _count_death(self) -> None:
        """Before a start: has it died too often just now?"""
        now = time.monotonic()
        if self._child is not None:
            self._deaths.append(now if now - self._started_at < QUICK_DEATH_S else float("-inf"))
            self._child = None
        if len(self._deaths) == MAX_QUICK_DEATHS and now - min(self._deaths) < PAUSE_S:
            detail = f"The model's process died {MAX_QUICK_DEATHS} times in a row. Its last words: {self.log_tail()}"
            raise ChildError("child_resting", detail, mend="It may lack memory: try a smaller model (`--small`).")

    async def _start(self) -> dict[str, Any]:
        self._started_at = time.monotonic()
        self._log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._log.exists() and self._log.stat().st_size > LOG_BYTES:
            self._log.unlink()
        with self._log.open("ab") as log:
            self._child = child = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=self._env,
            )
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                answer = await self._handshake(child)
        except (TimeoutError, ConnectionError, ValueError) as error:
            child.kill()
            await child.wait()
            raise ChildError("child_failed", f"The model's process did not come up. {self.log_tail()}") from error
        except asyncio.CancelledError:
            child.kill()
            raise
        if "error" in answer:
            await child.wait()
            raise ChildError("child_failed", f"The model cannot be loaded: {answer['error']}. {self.log_tail()}")
        return answer

    async def _handshake(self, child: asyncio.subprocess.Process) -> dict[str, Any]:
        if child.stdin is None or child.stdout is None:
            raise ConnectionError("no pipes")
        child.stdin.write(json.dumps(self._parameters).encode() + b"\n")
        await child.stdin.drain()
        answer = json.loads(await child.stdout.readline())
        if not isinstance(answer, dict):
            raise ConnectionError("no ready line")
        return answer
