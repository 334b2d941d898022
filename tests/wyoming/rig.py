"""A Wyoming server on loopback whose ears, mouth and brain are fakes, and a client of the protocol's own library."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from wyoming.client import AsyncTcpClient
from wyoming.event import Event

from assistant.broadcast import RunningTurn
from assistant.errors import Stage
from assistant.events import ReplySentence, TurnEvent, TurnFailed, TurnFinished
from assistant.ports import Samples, SentenceMatch, Transcript
from assistant.wyoming.admission import Admission
from assistant.wyoming.server import WyomingServer, wyoming_server
from assistant.wyoming.services import Services
from tests.fakes import FakeSynthesizer, FakeWakeWord
from tools.contract import Caller

ANSWER_S = 5.0


@dataclass
class Ears:
    """Hears ``text`` in everything, and keeps what it was given; ``hold``: not before it is set."""

    text: str = "is the backup ok"
    error: Exception | None = None
    hold: asyncio.Event | None = None
    heard: list[Samples] = field(default_factory=list)
    given_up: int = 0
    listening: asyncio.Event = field(default_factory=asyncio.Event)
    """It was given something."""

    async def transcribe(self, audio: Samples, *, woken: bool = False) -> Transcript:
        self.heard.append(audio)
        self.listening.set()
        try:
            if self.hold is not None:
                await self.hold.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        if self.error is not None:
            raise self.error
        return Transcript(self.text, "en", "fake")


@dataclass
class Brain:
    """Says the sentences of a script; an empty one fails. ``hold``: goes on when it is set."""

    sentences: Sequence[str] = ("Four of seven backups are proven.", "Gitea was never restored.")
    hold: asyncio.Event | None = None
    asked: list[tuple[str, Caller, str]] = field(default_factory=list)
    turns: list[RunningTurn] = field(default_factory=list)

    def ask(self, text: str, caller: Caller, conversation: str) -> RunningTurn:
        self.asked.append((text, caller, conversation))
        turn = RunningTurn(f"turn-{len(self.asked)}", self._events())
        self.turns.append(turn)
        return turn

    async def read(self, text: str) -> SentenceMatch | None:
        if text == "shut down windows":
            return SentenceMatch("vm_power", "vm_power", {"vm": "windows", "action": "shutdown"})
        return None

    async def _events(self) -> AsyncGenerator[TurnEvent, None]:
        if self.hold is not None:
            await self.hold.wait()
        for text in self.sentences:
            yield ReplySentence(text=text, spoken=text)
        if self.sentences:
            said = " ".join(self.sentences)
            yield TurnFinished(reply=said, spoken=said, matched="sentence")
        else:
            yield TurnFailed(stage=Stage.MODEL, code="model_server_down", spoken="I can't think now.", detail="down")


@dataclass
class Rig:
    """``services`` can be changed before it is opened."""

    ears: Ears = field(default_factory=Ears)
    brain: Brain = field(default_factory=Brain)
    mouth: FakeSynthesizer = field(default_factory=FakeSynthesizer)
    detectors: list[FakeWakeWord] = field(default_factory=list)
    wakes_at: Sequence[int] = (3,)
    admission: Admission = field(default_factory=Admission)
    limits: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    port: int = 0

    @property
    def services(self) -> Services:
        made = Services(
            ask=self.brain.ask,
            read=self.brain.read,
            transcriber=self.ears,
            speech=self.mouth.synthesize,
            detector=self.detector,
            wake_words={"hey_jarvis": "hey jarvis", "computer": "computer"},
            voice="en_US-joe-medium",
            voice_language="en_US",
            version="1.2",
            max_utterance_s=10,
        )
        return replace(made, **self.more)

    def detector(self, words: Sequence[str]) -> FakeWakeWord:
        made = FakeWakeWord(at_chunks=self.wakes_at)
        self.detectors.append(made)
        return made

    @asynccontextmanager
    async def open(self) -> AsyncIterator[WyomingServer]:
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        limits = {"linger_s": 0.1, **self.limits}
        async with wyoming_server(self.services, self.admission, listening, **limits) as server:
            yield server

    @asynccontextmanager
    async def client(self) -> AsyncIterator[AsyncTcpClient]:
        async with AsyncTcpClient("127.0.0.1", self.port) as connected:
            yield connected

    async def raw(self, data: bytes) -> bytes:
        """Send bytes, close that side, and read all that comes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            writer.write_eof()
            async with asyncio.timeout(ANSWER_S):
                return await reader.read()
        except OSError:
            return b""
        finally:
            writer.close()


async def received(client: AsyncTcpClient) -> Event | None:
    """The next event; None at the end."""
    async with asyncio.timeout(ANSWER_S):
        return await client.read_event()


async def answer(client: AsyncTcpClient, last: str) -> list[Event]:
    """Events up to the one of that type."""
    events: list[Event] = []
    while not events or events[-1].type != last:
        event = await received(client)
        assert event is not None, [event.type for event in events]
        events.append(event)
    return events


def tone(seconds: float, rate_hz: int = 16_000) -> np.ndarray[Any, np.dtype[np.int16]]:
    """440 Hz, half of full scale."""
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    return (np.sin(2 * np.pi * 440 * at) * 16_000).astype(np.int16)


def form(rate: int = 16_000, width: object = 2, channels: int = 1, **more: Any) -> dict[str, Any]:
    return {"rate": rate, "width": width, "channels": channels, **more}


async def all_gone() -> None:
    """Wait until no client is connected."""
    serving = [task for task in asyncio.all_tasks() if task.get_name().startswith("wyoming-")]
    if serving:
        _, left = await asyncio.wait(serving, timeout=ANSWER_S)
        assert not left
