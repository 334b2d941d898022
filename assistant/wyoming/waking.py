"""``wake``: sound in without end, a detection whenever a wake word was said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from wyoming.event import Event

from assistant.ports import WakeWordDetector
from assistant.wyoming.connection import Connection
from assistant.wyoming.sound import Incoming, milliseconds


class Waking:
    """One client's detector. Sound is listened to beside the reading, chunk by chunk in the threads that all clients
    share: none of them waits for more than one chunk of each of the others."""

    def __init__(
        self,
        make: Callable[[Sequence[str]], WakeWordDetector],
        threads: Executor,
        connection: Connection,
        words: Sequence[str],
        on_error: Callable[[BaseException], None],
    ) -> None:
        """``words``: listened for; ``on_error``: called when the listening has failed."""
        self._make = make
        self._threads = threads
        self._connection = connection
        self._words = tuple(words)
        self._on_error = on_error
        self._detector: WakeWordDetector | None = None
        self._incoming: Incoming | None = None
        self._listening: asyncio.Task[None] | None = None

    async def start(self, event: Event) -> None:
        """A new stream; the one before ends. Raises BadEvent, ClientGone, StageError."""
        await self._end()
        self._begun(event)

    async def feed(self, chunk: Event) -> None:
        """Raises BadEvent."""
        await (self._incoming or self._begun(chunk)).put(chunk)

    async def stop(self) -> None:
        """The stream is over: all of it is listened to. Raises ClientGone, StageError."""
        await self._end()

    def close(self) -> None:
        """Listen no more. Idempotent."""
        if self._incoming is not None:
            self._incoming.end()
        if self._listening is not None:
            self._listening.cancel()

    def _begun(self, event: Event) -> Incoming:
        self._incoming = Incoming(event)
        self._listening = asyncio.create_task(self._listen(self._incoming))
        self._listening.add_done_callback(self._failed)
        return self._incoming

    async def _end(self) -> None:
        if self._incoming is not None and self._listening is not None:
            self._incoming.end()
            await self._listening
        self._incoming = self._listening = None

    async def _listen(self, incoming: Incoming) -> None:
        """Send each detection with the client's own time of the chunk that it ended in."""
        loop, heard, found = asyncio.get_running_loop(), 0, False
        detector = self._detector
        if detector is None:
            detector = self._detector = await loop.run_in_executor(self._threads, self._make, self._words)
        async for chunk in incoming.chunks():
            detection = await loop.run_in_executor(self._threads, detector.process, chunk)
            if detection is not None:
                found = True
                stamp = incoming.began_ms + milliseconds(heard)
                await self._connection.send(Event("detection", {"name": detection.word, "timestamp": stamp}))
            heard += len(chunk)
        if not found:
            await self._connection.send(Event("not-detected"))

    def _failed(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            if self._incoming is not None:
                self._incoming.end()  # whoever puts sound waits for nobody
            self._on_error(error)
