"""A satellite that does as the test says, and a house whose turns do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from wyoming.event import Event, async_write_event

from assistant.announcing import Announced
from assistant.broadcast import RunningTurn
from assistant.config import Settings
from assistant.events import (
    ReplySentence,
    SpeechEnded,
    SpeechStarted,
    Transcribed,
    TurnEvent,
    TurnFinished,
    WakeDetected,
)
from assistant.own_voice import OwnVoice
from assistant.places import Place
from assistant.ports import AudioSource, Detection, Hearing, Listener, SpeechChunk, Utterance, Woken
from assistant.rooms import Rooms
from assistant.speech.wyoming_link import read_event
from tests.fakes import FakeSynthesizer
from tools.contract import Caller, Door

WAKE = 9_000
"""A chunk that begins with this sample is a wake word to these ears."""

INFO = {"satellite": {"name": "Kitchen", "area": "Kitchen", "description": "a Pi", "version": "1.0"}}


@dataclass
class FakeSatellite:
    """Listens on loopback; ``received``: types of all events but pings, ``told``: their data."""

    info: dict[str, Any] = field(default_factory=lambda: INFO)
    received: list[Event] = field(default_factory=list)
    connections: int = 0
    deaf: bool = False
    """It takes what comes and says nothing."""
    port: int = 0
    _writer: asyncio.StreamWriter | None = None
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.received]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[FakeSatellite]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.hang_up()
            await server.wait_closed()

    def hang_up(self) -> None:
        if self._writer is not None:
            self._writer.close()

    async def says(self, kind: str, **data: Any) -> None:
        assert self._writer is not None
        await async_write_event(Event(kind, data), self._writer)

    async def hears(self, *chunks: int, rate: int = 16_000) -> None:
        """80 ms each, of this value."""
        for value in chunks:
            pcm = np.full(1_280, value, dtype="<i2").tobytes()
            assert self._writer is not None
            event = Event("audio-chunk", {"rate": rate, "width": 2, "channels": 1}, pcm)
            await async_write_event(event, self._writer)

    async def got(self, kind: str, times: int = 1) -> Event:
        """Wait until it has been told this so many times."""
        async with asyncio.timeout(10):
            while self.types.count(kind) < times:
                moved = self._moved
                await moved.wait()
        return [event for event in self.received if event.type == kind][times - 1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.connections += 1
        try:
            while (event := await read_event(reader)) is not None:
                if event.type == "describe" and not self.deaf:
                    await async_write_event(Event("info", self.info), writer)
                if event.type != "ping":
                    self.received.append(event)
                self._moved.set()
                self._moved = asyncio.Event()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


class Ears:
    """Implements Listener: WAKE is the wake word, and an utterance is one chunk after it."""

    async def hear(
        self,
        source: AudioSource,
        *,
        wake: bool,
        woken: Woken | None = None,
        start_within_s: float | None = None,
    ) -> AsyncGenerator[Hearing, None]:
        yield WakeDetected(word="hey_jarvis", score=0.9, audio_ms=0)
        async for chunk in source.chunks():
            yield SpeechStarted(audio_ms=0)
            yield SpeechEnded(audio_ms=80, speech_end_ms=80, reason="silence")
            yield Utterance(chunk, wake_heard=wake, audio_end_ms=80)
            return

    async def overhear(self, source: AudioSource) -> AsyncGenerator[Woken, None]:
        async for chunk in source.chunks():
            if chunk[0] == WAKE:
                yield Woken(Detection("hey_jarvis", 0.9), chunk)

    def was_false(self) -> None:
        pass


@dataclass(frozen=True)
class Asked:
    caller: Caller
    conversation_id: str
    follow_up: bool


@dataclass
class FakeHouse:
    """Every turn hears one chunk and says the next of ``replies`` on the place's loudspeaker."""

    settings: Settings = field(default_factory=Settings)
    replies: Sequence[str] = ("It is up.",)
    announcements: list[Announced] = field(default_factory=list)
    rooms: Rooms = field(default_factory=Rooms)
    asked: list[Asked] = field(default_factory=list)
    taken: list[tuple[Door, str | None]] = field(default_factory=list)
    mouth: FakeSynthesizer = field(default_factory=FakeSynthesizer)

    def new_own_voice(self) -> OwnVoice:
        return OwnVoice(asyncio.get_running_loop().time)

    @contextmanager
    def room_listener(self) -> Iterator[Listener]:
        yield Ears()

    def start_turn(
        self,
        utterance: str | AudioSource,
        *,
        caller: Caller,
        conversation_id: str = "default",
        woken: Woken | None = None,
        follow_up: bool = False,
        speak: bool = False,
        place: Place | None = None,
    ) -> RunningTurn:
        assert place is not None
        assert not isinstance(utterance, str)
        self.asked.append(Asked(caller, conversation_id, follow_up))
        return RunningTurn("t", self._turn(utterance, place, woken, self.replies[len(self.asked) - 1]))

    async def announcement(self, door: Door, room: str | None = None) -> Announced | None:
        self.taken.append((door, room))
        return self.announcements.pop() if self.announcements else None

    async def _turn(
        self, source: AudioSource, place: Place, woken: Woken | None, reply: str
    ) -> AsyncGenerator[TurnEvent, None]:
        assert place.listener is not None
        assert place.player is not None
        async for heard in place.listener.hear(source, wake=False, woken=woken):
            if isinstance(heard, WakeDetected | SpeechStarted | SpeechEnded):
                yield heard
        yield Transcribed(text="is it up")
        yield ReplySentence(text=reply, spoken=reply)
        await place.player.play(SpeechChunk(reply.encode().ljust(200, b" "), 22_050))
        await place.player.drain()
        yield TurnFinished(reply=reply, spoken=reply, matched="sentence")
