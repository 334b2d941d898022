"""The processes of a soak: ``jarvis serve`` in one of its own, and small applications of the house in this one."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from assistant.errors import StateError

START_S = 180.0
END_S = 40.0
LOOK_S = 0.1
READY = "Ears, mouth and model are ready."
TAIL_LINES = 12


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the soak's own."""
        yield


@asynccontextmanager
async def application(app: ASGIApp, *, path: Path | None = None) -> AsyncIterator[int]:
    """An application on a Unix socket at ``path``, or on a free loopback port, which is yielded (0 for a path)."""
    bound = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
    bound.bind(str(path) if path else ("127.0.0.1", 0))
    port = 0 if path else int(bound.getsockname()[1])
    server = _Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve([bound]))
    try:
        yield port
    finally:
        server.should_exit = True
        await asyncio.wait([serving])
        bound.close()


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers at ``url``; ``log``: what it wrote to standard error."""

    url: str
    pid: int
    log: Path


@asynccontextmanager
async def jarvis_serve(config: Path, state: Path, log: Path) -> AsyncIterator[Served]:
    """Start it in a session of its own (Ctrl-C is ours), wait until ears and mouth are loaded, end it as a service
    manager would. Raises StateError serve_failed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JARVIS_")}
    environment |= {"JARVIS_CONFIG": str(config), "JARVIS_STATE": str(state)}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    with log.open("wb") as out:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "assistant", "serve", "--port", "0"),
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield Served(await _announced(child, log), child.pid, log)
    finally:
        if child.returncode is None:
            child.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(END_S):
                    await child.wait()
            except TimeoutError:
                child.kill()
                await child.wait()


async def _announced(child: asyncio.subprocess.Process, log: Path) -> str:
    """The URL that it says once it listens, when everything is loaded."""
    loop = asyncio.get_running_loop()
    until, lines = loop.time() + START_S, list[str]()
    while child.returncode is None and loop.time() < until:
        lines = await asyncio.to_thread(_lines, log)
        url = next((line.split()[2] for line in lines if line.startswith("Jarvis serves ")), None)
        if url is not None and READY in lines:
            return url.removesuffix("/command")
        await asyncio.sleep(LOOK_S)
    tail = " / ".join(lines[-TAIL_LINES:])
    how = f"ended with {child.returncode}" if child.returncode is not None else f"was not ready in {START_S:g} s"
    raise StateError("serve_failed", f"`jarvis serve` {how}: {tail}", mend="Try `jarvis doctor`.")


def _lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines()
