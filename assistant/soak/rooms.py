"""Clients of the Wyoming door, as Home Assistant is one: texts, sound, and bytes that are neither."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import numpy as np
import soxr
from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.tts import Synthesize

from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples
from assistant.soak.typed import expect_state
from assistant.soak.visitor import PATIENCE_S, Visitor, expect

SENTENCE = "The media server is up."


async def text(visitor: Visitor) -> None:
    """A typed turn through Home Assistant."""
    name = visitor.chance.choice(sorted(visitor.home.states))
    context = {"conversation_id": visitor.name("wyoming")}
    async with AsyncTcpClient("127.0.0.1", visitor.home.wyoming) as client:
        await client.write_event(Event("transcript", {"text": f"is {name} up?", "context": context}))
        handled = (await until(client, "handled"))[-1]
    expect_state(visitor, name, str(handled.data.get("text")))


async def describe(visitor: Visitor) -> None:
    """What is offered: ears, mouth, wake words and brain."""
    async with AsyncTcpClient("127.0.0.1", visitor.home.wyoming) as client:
        await client.write_event(Event("describe"))
        info = (await until(client, "info"))[-1].data
    expect(all(info.get(kind) for kind in ("asr", "tts", "wake", "handle", "intent")), "five services", sorted(info))


async def noise(visitor: Visitor) -> None:
    """Bytes that are no event: the connection ends, and the door stays open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", visitor.home.wyoming)
    with suppress(ConnectionError, TimeoutError):
        writer.write(visitor.chance.randbytes(100) + b"\n")
        await writer.drain()
        async with asyncio.timeout(PATIENCE_S):
            await reader.read()
    writer.close()


async def sound(visitor: Visitor) -> None:
    """What the mouth says, the ears understand."""
    async with AsyncTcpClient("127.0.0.1", visitor.home.wyoming) as client:
        await client.write_event(Synthesize(SENTENCE).event())
        spoken = await until(client, "audio-stop")
        chunks = [AudioChunk.from_event(event) for event in spoken if AudioChunk.is_type(event.type)]
        pcm = np.frombuffer(b"".join(chunk.audio for chunk in chunks), dtype="<i2")
        await client.write_event(Transcribe(language="en").event())
        await send(client, soxr.resample(pcm, chunks[0].rate, SAMPLE_RATE_HZ))
        heard = str((await until(client, "transcript"))[-1].data.get("text"))
    expect("media server" in heard.casefold(), repr(SENTENCE), heard)


async def send(client: AsyncTcpClient, audio: Samples) -> None:
    """A clip (int16, 16 kHz) from its start to its stop."""
    await client.write_event(AudioStart(SAMPLE_RATE_HZ, 2, 1, timestamp=0).event())
    for at in range(0, len(audio), CHUNK_SAMPLES):
        piece = audio[at : at + CHUNK_SAMPLES].astype("<i2").tobytes()
        await client.write_event(AudioChunk(SAMPLE_RATE_HZ, 2, 1, piece).event())
    await client.write_event(AudioStop().event())


async def until(client: AsyncTcpClient, kind: str) -> list[Event]:
    """The events up to the first of this kind. Raises WrongAnswerError where the connection ends before."""
    events: list[Event] = []
    async with asyncio.timeout(PATIENCE_S):
        while not events or events[-1].type != kind:
            event = await client.read_event()
            if event is None or event.type == "error":
                expect(False, kind, event)
                break
            events.append(event)
    return events
