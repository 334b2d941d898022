"""What one client wants, event by event."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor

from wyoming.event import Event

from assistant.errors import TranscriptionError, WakeWordError
from assistant.wyoming.answering import Answering
from assistant.wyoming.connection import Connection, names_of
from assistant.wyoming.hearing import Hearing
from assistant.wyoming.offer import info
from assistant.wyoming.services import Services
from assistant.wyoming.speaking import Speaking, same_language
from assistant.wyoming.waking import Waking


class Session:
    """One connection. ``handle`` raises BadEvent for what cannot be understood, ClientGone, and StageError for what
    could not be done; each ends the connection."""

    def __init__(self, services: Services, threads: Executor, connection: Connection, client: str) -> None:
        """``threads``: for wake words; ``client``: its address."""
        self._services = services
        self._threads = threads
        self._connection = connection
        self._answering = Answering(services, connection, client)
        self._speaking = Speaking(services, connection)
        self._listener: Hearing | Waking | None = None
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Ends with the error of what was done beside the events."""

    async def handle(self, event: Event) -> None:
        """One event, to its answer. What the protocol has beside these is passed over, as it asks for."""
        match event.type:
            case "describe":
                await self._connection.send(info(self._services))
            case "ping":
                await self._connection.send(Event("pong", {"text": event.data.get("text")}))
            case "transcribe":
                self._use(self._ears(event))
            case "detect":
                self._use(self._wake_words(event))
            case "audio-start" | "audio-chunk" | "audio-stop":
                await self._sound(event)
            case "transcript":
                await self._answering.turn(event)
            case "recognize":
                await self._answering.recognize(event)
            case "synthesize":
                await self._speaking.whole(event)
            case "synthesize-start":
                self._speaking.start(event)
            case "synthesize-chunk":
                await self._speaking.piece(event)
            case "synthesize-stop":
                await self._speaking.stop()

    def close(self) -> None:
        """Let go of everything. Idempotent."""
        if self._listener is not None:
            self._listener.close()
        self.failed.cancel()

    async def _sound(self, event: Event) -> None:
        """For whatever was asked for last; who asks for nothing wants a transcript."""
        listener = self._listener or self._use(self._ears(Event("transcribe")))
        match event.type:
            case "audio-start":
                await listener.start(event)
            case "audio-chunk":
                await listener.feed(event)
            case _:
                await listener.stop()

    def _use(self, listener: Hearing | Waking) -> Hearing | Waking:
        if self._listener is not None:
            self._listener.close()
        self._listener = listener
        return listener

    def _ears(self, event: Event) -> Hearing:
        services, wanted = self._services, event.data.get("language")
        if services.transcriber is None:
            raise TranscriptionError("no_ears", "This server was started without ears.")
        if wanted and not same_language(str(wanted), services.language):
            detail = f"These ears understand {services.language}, not {str(wanted)[:20]!r}."
            raise TranscriptionError("unknown_language", detail, mend="It is [transcriber] language.")
        return Hearing(services, services.transcriber, self._connection)

    def _wake_words(self, event: Event) -> Waking:
        services = self._services
        if services.detector is None:
            raise WakeWordError("no_ears", "This server was started without ears.")
        there = tuple(services.wake_words)
        wanted: Sequence[str] = names_of(event, "names") or there
        if unknown := [name[:60] for name in wanted if name not in there]:
            detail = f"There is no wake word {unknown[0]!r} here."
            raise WakeWordError("unknown_wake_word", detail, mend=f"Choose one of {', '.join(there)}.")
        return Waking(services.detector, self._threads, self._connection, tuple(dict.fromkeys(wanted)), self._fail)

    def _fail(self, error: BaseException) -> None:
        if not self.failed.done():
            self.failed.set_exception(error)
