"""The TCP server: who may come in, how many at once, and what becomes of a connection that misbehaves."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress

from wyoming.event import Event

from assistant.errors import JarvisError
from assistant.speech.wyoming_link import MAX_LINE_BYTES, BadEvent
from assistant.wyoming.admission import Admission
from assistant.wyoming.complaints import Complaints
from assistant.wyoming.connection import IDLE_S, ClientGone, Connection
from assistant.wyoming.services import Services
from assistant.wyoming.session import Session

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 32
"""Home Assistant opens one for each thing it asks, and one for each room whose wake word is listened for here."""

WAITING_EVENTS = 2
"""Read ahead of the one that is being answered, so that a client that goes away is noticed."""

LINGER_S = 1.0
"""Time to answer what a client asked for just before it closed its side."""

CLOSE_S = 1.0
WAKE_THREADS = 2
KNOWN_STRANGERS = 1_000
"""Addresses that were turned away, each of which is said once."""


class WyomingServer:
    """Serves every client in a task of its own; none of them can end it or another."""

    def __init__(
        self,
        services: Services,
        admission: Admission,
        threads: Executor,
        *,
        max_connections: int = MAX_CONNECTIONS,
        idle_s: float = IDLE_S,
        linger_s: float = LINGER_S,
    ) -> None:
        """``threads``: for wake words."""
        self._services = services
        self._admission = admission
        self._threads = threads
        self._max_connections = max_connections
        self._idle_s = idle_s
        self._linger_s = linger_s
        self._serving: set[asyncio.Task[None]] = set()
        self._strangers: set[str] = set()
        self._complaints = Complaints(log)

    @property
    def connections(self) -> int:
        """Open now."""
        return len(self._serving)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A client has connected."""
        peer = writer.get_extra_info("peername")
        client = str(peer[0]) if isinstance(peer, tuple) and peer else ""
        if not self._admission.admits(client):
            self._turn_away(client, writer)
        elif len(self._serving) >= self._max_connections:
            self._complaints.about(client, "Wyoming: %s is turned away, %d clients are connected", len(self._serving))
            writer.close()
        else:
            task = asyncio.create_task(self._serve(client, reader, writer), name=f"wyoming-{client}")
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)

    async def close(self) -> None:
        """End every connection."""
        for task in self._serving:
            task.cancel()
        if self._serving:
            await asyncio.wait(set(self._serving))

    def _turn_away(self, client: str, writer: asyncio.StreamWriter) -> None:
        if client not in self._strangers and len(self._strangers) < KNOWN_STRANGERS:
            self._strangers.add(client)
            log.warning("Wyoming: %s may not connect; allow_clients in [wyoming] names who may", client)
        writer.close()

    async def _serve(self, client: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(client, reader, writer, self._idle_s)
        session = Session(self._services, self._threads, connection, client)
        try:
            await self._converse(connection, session)
        except BadEvent as error:
            self._complaints.about(client, "Wyoming: %s sends %s; its connection is closed", error)
            await _tell(connection, "bad_event", f"That is {error}.")
        except ClientGone:
            log.debug("Wyoming: %s went away before its answer", client)
        except JarvisError as error:
            self._complaints.about(client, "Wyoming: %s gets no answer: %s %s", error.detail, error.mend)
            await _tell(connection, error.code, f"{error.detail} {error.mend}".strip())
        except Exception:  # the edge: a bug ends this connection and no other
            log.exception("Wyoming: the connection of %s failed inside", client)
        finally:
            session.close()
            writer.close()
            try:
                async with asyncio.timeout(CLOSE_S):
                    await writer.wait_closed()
            except OSError:  # also its time-out: what it does not take is not kept for it
                writer.transport.abort()

    async def _converse(self, connection: Connection, session: Session) -> None:
        """Read and answer beside each other, until one of them ends. Raises what the answering or the reading did."""
        events: asyncio.Queue[Event | None] = asyncio.Queue(WAITING_EVENTS)
        reading = asyncio.create_task(_read(connection, events))
        answering = asyncio.create_task(_answer(session, events))
        try:
            await asyncio.wait({reading, answering, session.failed}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done() and not answering.done():
                await asyncio.wait({answering, session.failed}, timeout=self._linger_s)
            for ended in (answering, session.failed, reading):
                if ended.done() and not ended.cancelled():
                    ended.result()
        finally:
            for task in (reading, answering):
                task.cancel()
            await asyncio.wait({reading, answering})
            for ended in (reading, answering, session.failed):
                if ended.done() and not ended.cancelled():
                    ended.exception()  # one of them has been raised, and asyncio need not tell of the others


async def _read(connection: Connection, events: asyncio.Queue[Event | None]) -> None:
    """Until the client goes away. Raises BadEvent."""
    try:
        while (event := await connection.receive()) is not None:
            await events.put(event)
    finally:
        with suppress(asyncio.QueueFull):
            events.put_nowait(None)


async def _answer(session: Session, events: asyncio.Queue[Event | None]) -> None:
    while (event := await events.get()) is not None:
        await session.handle(event)


async def _tell(connection: Connection, code: str, text: str) -> None:
    """Older clients do not know the event; they see the connection end."""
    with suppress(ClientGone):
        await connection.send(Event("error", {"text": text, "code": code}))


@asynccontextmanager
async def wyoming_server(
    services: Services,
    admission: Admission,
    listening: socket.socket,
    *,
    max_connections: int = MAX_CONNECTIONS,
    idle_s: float = IDLE_S,
    linger_s: float = LINGER_S,
) -> AsyncIterator[WyomingServer]:
    """Serve on a bound socket, which is closed afterwards."""
    with ThreadPoolExecutor(WAKE_THREADS, thread_name_prefix="wyoming-wake") as threads:
        door = WyomingServer(
            services, admission, threads, max_connections=max_connections, idle_s=idle_s, linger_s=linger_s
        )
        server = await asyncio.start_server(door.accept, sock=listening, limit=MAX_LINE_BYTES)
        try:
            yield door
        finally:
            server.close()
            await door.close()
