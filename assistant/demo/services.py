"""The demo's services: small real HTTP servers on free loopback ports; a down one has nobody at its port."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Literal

State = Literal["up", "down", "flapping"]
MAX_REQUEST_BYTES = 8192
READ_TIMEOUT_S = 5.0


@asynccontextmanager
async def demo_services(states: Mapping[str, State]) -> AsyncIterator[Mapping[str, int]]:
    """Start them; yields the port of each. All of them are gone afterwards."""
    ports: dict[str, int] = {}
    async with AsyncExitStack() as stack:
        for name, state in states.items():
            if state == "down":
                ports[name] = _port_with_nobody(stack)
                continue
            server = await asyncio.start_server(_Service(name, flapping=state == "flapping").answer, "127.0.0.1", 0)
            await stack.enter_async_context(server)
            ports[name] = server.sockets[0].getsockname()[1]
        yield ports


def _port_with_nobody(stack: AsyncExitStack) -> int:
    """A port that is bound, so that nobody else gets it, and not listened on: connections are refused."""
    reserved = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    stack.callback(reserved.close)
    reserved.bind(("127.0.0.1", 0))
    port: int = reserved.getsockname()[1]
    return port


class _Service:
    """Answers every request; a flapping one fails every other time, beginning with a failure."""

    def __init__(self, name: str, *, flapping: bool) -> None:
        self._name = name
        self._healthy = itertools.cycle([False, True]) if flapping else itertools.repeat(True)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                head = await reader.readuntil(b"\r\n\r\n")
                if len(head) <= MAX_REQUEST_BYTES:
                    writer.write(self._response())
                    await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, ConnectionError):
            pass  # a client that goes away or talks no HTTP is none of the demo's business
        finally:
            writer.close()

    def _response(self) -> bytes:
        healthy = next(self._healthy)
        status = "200 OK" if healthy else "502 Bad Gateway"
        body = f"{self._name}: {'fine' if healthy else 'the way to it is broken'}\n".encode()
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        return head.encode() + body
