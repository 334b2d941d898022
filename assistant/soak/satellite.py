"""A satellite without a microphone: a room's ears and loudspeaker, for a server that connects to it.

What it is to hear it sends at once, not at the pace of speech; what is played there it throws away and counts. The wake
word, the end of the utterance, Whisper and Piper are the server's real ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
from wyoming.audio import AudioChunk
from wyoming.event import Event, async_read_event, async_write_event

from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples

AFTER_S = 3.5
"""Silence after a clip: longer than any endpointing waits (``endpoint.max_silence_s``)."""

NOISE_RMS = 12.0
"""Of that silence: −69 dB of full scale. Digital silence is nothing that a microphone sends."""


@dataclass(slots=True)
class Heard:
    """What the server told about one thing that was said here."""

    transcript: str = ""
    said: list[str] = field(default_factory=list)
    problem: str = ""
    detected: bool = False
    played_s: float = 0.0


class Satellite:
    """``port``: where it listens for the server; one thing is said at a time."""

    def __init__(self, name: str) -> None:
        self.port = 0
        self.connections = 0
        self._name = name
        self._writer: asyncio.StreamWriter | None = None
        self._there = asyncio.Event()
        self._heard = Heard()
        self._over = asyncio.Event()
        self._talking = asyncio.Lock()

    async def say(self, samples: Samples, within_s: float) -> Heard:
        """Send a clip (int16, 16 kHz, mono) and wait until its reply was played. Raises TimeoutError."""
        async with self._talking, asyncio.timeout(within_s):
            await self._there.wait()
            self._heard, self._over = Heard(), asyncio.Event()
            await self._send_sound(samples)
            await self._over.wait()
            return self._heard

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the server, to its end."""
        self.connections += 1
        self._writer = writer
        try:
            while (event := await async_read_event(reader)) is not None:
                await self._take(event, writer)
        except (OSError, ValueError, asyncio.IncompleteReadError):
            pass  # the server has gone: the turn that waits for it is told by its deadline
        finally:
            self._there.clear()
            writer.close()

    async def _take(self, event: Event, writer: asyncio.StreamWriter) -> None:
        match event.type:
            case "describe":
                about = {"name": self._name, "attribution": {"name": "", "url": ""}, "installed": True, "version": "1"}
                await async_write_event(Event("info", {"satellite": {**about, "description": "soak"}}), writer)
            case "ping":
                await async_write_event(Event("pong", {"text": event.data.get("text")}), writer)
            case "run-satellite":
                self._there.set()
            case "detection":
                self._heard.detected = True
            case "transcript":
                self._heard.transcript = str(event.data.get("text"))
            case "synthesize":
                self._heard.said.append(str(event.data.get("text")))
            case "error":
                self._heard.problem = str(event.data.get("code") or event.data.get("text"))
            case "audio-chunk":
                form = event.data
                self._heard.played_s += len(event.payload or b"") / form["width"] / form["rate"]
            case "audio-stop" if self._heard.said:
                self._over.set()
            case _:
                pass

    async def _send_sound(self, samples: Samples) -> None:
        writer = self._writer
        if writer is None:
            return
        rest = np.random.default_rng(1).normal(0, NOISE_RMS, int(AFTER_S * SAMPLE_RATE_HZ)).astype(np.int16)
        sound = np.concatenate([samples, rest])
        for at in range(0, len(sound), CHUNK_SAMPLES):
            piece = sound[at : at + CHUNK_SAMPLES].astype("<i2").tobytes()
            await async_write_event(AudioChunk(SAMPLE_RATE_HZ, 2, 1, piece).event(), writer)


@asynccontextmanager
async def satellite(name: str) -> AsyncIterator[Satellite]:
    """It listens on a free loopback port until the context ends."""
    device = Satellite(name)
    serving: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(device.serve(reader, writer))
        serving.add(task)
        task.add_done_callback(serving.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    device.port = server.sockets[0].getsockname()[1]
    try:
        yield device
    finally:
        server.close()
        for task in serving:
            task.cancel()
        if serving:
            await asyncio.wait(serving)
