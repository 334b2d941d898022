"""The protocol's own client library, in its newest version, against our real ears, wake words and mouth."""

from __future__ import annotations

import asyncio
import difflib

import numpy as np
import pytest
import soxr
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.handle import Handled
from wyoming.info import Describe, Info
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeVoice
from wyoming.wake import Detect, Detection

from assistant.ports import Samples
from assistant.resources import resource
from assistant.speech.decoding import read_clip
from tests.real.home_assistant import VOICE
from tests.real.wyoming_server.jarvis import Jarvis

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(120)]

FIXTURES = resource("audio_fixtures")
ANSWER_S = 30.0
CLIENTS = 6


async def clip(name: str) -> Samples:
    return await read_clip(FIXTURES / f"{name}.wav", max_clip_s=60)


async def until(client: AsyncTcpClient, kind: str) -> list[Event]:
    events: list[Event] = []
    async with asyncio.timeout(ANSWER_S):
        while not events or events[-1].type != kind:
            event = await client.read_event()
            assert event is not None, [event.type for event in events]
            assert event.type != "error", event
            events.append(event)
    return events


async def send(client: AsyncTcpClient, audio: Samples) -> None:
    await client.write_event(AudioStart(16_000, 2, 1, timestamp=0).event())
    for at in range(0, len(audio), 1_024):
        piece = audio[at : at + 1_024].astype("<i2").tobytes()
        await client.write_event(AudioChunk(16_000, 2, 1, piece, timestamp=at // 16).event())
    await client.write_event(AudioStop().event())


async def transcribed(port: int, audio: Samples) -> str:
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Transcribe(language="en").event())
        await send(client, audio)
        return Transcript.from_event((await until(client, "transcript"))[-1]).text


async def test_it_says_what_it_is(ours: Jarvis) -> None:
    async with AsyncTcpClient("127.0.0.1", ours.port) as client:
        await client.write_event(Describe().event())
        info = Info.from_event((await until(client, "info"))[-1])
    assert [voice.name for voice in info.tts[0].voices] == [VOICE]
    assert all((info.asr, info.tts, info.wake, info.handle, info.intent))


async def test_several_are_heard_at_once_and_all_get_their_own_words(ours: Jarvis) -> None:
    server, grafana = await clip("is_the_media_server_up"), await clip("hey_jarvis_pause_is_grafana_up")
    heard = await asyncio.gather(*(transcribed(ours.port, (server, grafana)[n % 2]) for n in range(CLIENTS)))
    for number, text in enumerate(heard):
        assert ("media server", "grafana")[number % 2] in text.casefold(), heard
        assert "jarvis" not in text.casefold()


async def test_the_wake_word_is_heard_by_all_who_listen_and_in_noise_by_none(ours: Jarvis) -> None:
    async def woken(name: str) -> Event:
        async with AsyncTcpClient("127.0.0.1", ours.port) as client:
            await client.write_event(Detect(names=["hey_jarvis"]).event())
            audio = np.concatenate([await clip(name), np.zeros(16_000, dtype=np.int16)])
            await send(client, audio)
            async with asyncio.timeout(ANSWER_S):
                event: Event | None = await client.read_event()
            assert event is not None
            return event

    names = ["hey_jarvis_whats_down", "noise_5s", "hey_jarvis_is_the_backup_ok", "silence_5s"]
    found = await asyncio.gather(*(woken(name) for name in names))
    assert [event.type for event in found] == ["detection", "not-detected", "detection", "not-detected"]
    detection = Detection.from_event(found[0])
    assert detection.name == "hey_jarvis"
    assert 300 < (detection.timestamp or 0) < 2_000


async def test_speech_comes_in_pieces_and_is_heard_again(ours: Jarvis) -> None:
    async with AsyncTcpClient("127.0.0.1", ours.port) as client:
        await client.write_event(SynthesizeStart(SynthesizeVoice(VOICE)).event())
        await client.write_event(SynthesizeChunk("The lights are off. The back").event())
        events = await until(client, "audio-chunk")  # before the text is whole
        await client.write_event(SynthesizeChunk("up is fine.").event())
        await client.write_event(Synthesize("The lights are off. The backup is fine.").event())
        await client.write_event(SynthesizeStop().event())
        events += await until(client, "synthesize-stopped")
    chunks = [AudioChunk.from_event(event) for event in events if AudioChunk.is_type(event.type)]
    [rate] = {chunk.rate for chunk in chunks}
    pcm = np.frombuffer(b"".join(chunk.audio for chunk in chunks), dtype="<i2")
    text = await transcribed(ours.port, soxr.resample(pcm, rate, 16_000))
    assert difflib.SequenceMatcher(None, text.casefold(), "the lights are off. the backup is fine.").ratio() > 0.9


async def test_a_conversation_that_is_named_is_kept_apart(ours: Jarvis) -> None:
    async def said(text: str, conversation: str) -> str:
        async with AsyncTcpClient("127.0.0.1", ours.port) as client:
            await client.write_event(Transcript(text, context={"conversation_id": conversation}).event())
            return Handled.from_event((await until(client, "handled"))[-1]).text or ""

    assert await said("shut down windows", "kitchen") == "Shall I shut down windows?"
    assert "off" not in await said("yes", "bathroom")
    assert await said("yes", "kitchen") == "Windows is off."
