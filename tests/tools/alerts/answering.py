"""Small servers on loopback that stand for watchers, and one look at what is configured. None of them is the real one:
they answer with JSON in the documented form, or with what no watcher should ever say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tools.alerts.tool import CheckAlerts, CheckAlertsArguments
from tools.contract import ToolResult
from tools.settings import ToolSettings

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve, **options: Any) -> AsyncIterator[int]:
    """A TCP server; its port. Whoever is still connected at the end is cut off."""
    running: set[asyncio.Task[Any]] = set()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            running.add(task)
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return  # asyncio logs a cancelled connection as an error otherwise
        finally:
            writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0, **options)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        server.close()
        await server.wait_closed()


@dataclass
class Site:
    """An HTTP server by path. A body that is no bytes goes out as JSON; ``asked``: head of each request, as it came."""

    bodies: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    asked: list[str] = field(default_factory=list)
    url: str = ""
    hangs: frozenset[str] = frozenset()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lengths = [line[15:] for line in head.splitlines() if line.casefold().startswith("content-length:")]
        length = int(lengths[0]) if lengths else 0
        self.asked.append(head + (await reader.readexactly(length)).decode())
        target = head.split()[1]
        path = target.partition("?")[0]
        if path in self.hangs:
            await asyncio.Event().wait()
        found = next((self.bodies[key] for key in (target, path) if key in self.bodies), None)
        status = self.status if found is not None else 404
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        answer = f"HTTP/1.1 {status} Said\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        writer.write(answer.encode() + body)
        await writer.drain()


@asynccontextmanager
async def site(bodies: Mapping[str, Any], **options: Any) -> AsyncIterator[Site]:
    """Served for the time of the block."""
    found = Site(dict(bodies), **options)
    async with listening(found.serve) as port:
        found.url = f"http://127.0.0.1:{port}"
        yield found


def settings_of(**settings: Any) -> ToolSettings:
    """Only what a test names: what this machine itself has to say is left out, however busy or full it is."""
    quiet = {"disks": (), "memory_warning_pct": 100, "load_warning": 1e6, "temperature_warning_c": 1e6}
    return ToolSettings.model_validate({**settings, "alerts": {**quiet, **settings.get("alerts", {})}})


async def look(**settings: Any) -> ToolResult:
    """What ``check_alerts`` says of it."""
    tool = CheckAlerts(settings_of(**settings))
    return await tool.execute(tool.plan(CheckAlertsArguments()))


def vector(*samples: tuple[dict[str, str], float]) -> dict[str, Any]:
    """Prometheus's answer to an instant query."""
    result = [{"metric": labels, "value": [1795307376.5, str(value)]} for labels, value in samples]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def firing(*alerts: dict[str, Any]) -> dict[str, Any]:
    """Prometheus's ``/api/v1/alerts``."""
    return {"status": "success", "data": {"alerts": list(alerts)}}
