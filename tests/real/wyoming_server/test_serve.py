"""The door of a `jarvis serve` in a process of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.handle import Handled
from wyoming.info import Describe, Info
from wyoming.tts import Synthesize

from tests.real.home_assistant import free_port
from tests.serving import serving

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(240)]

ANSWER_S = 120.0


async def test_serve_opens_the_door_and_closes_it(tmp_path: Path) -> None:
    port = free_port()
    configuration = f'engine = "sentences"\n[wyoming]\nenabled = true\nport = {port}\n'
    configuration += '[services.gitea]\nurl = "http://127.0.0.1:1/"\n'
    with serving(tmp_path, configuration) as served:
        async with asyncio.timeout(ANSWER_S), AsyncTcpClient("127.0.0.1", port) as client:
            await client.write_event(Describe().event())
            event = await client.read_event()
            assert event is not None
            info = Info.from_event(event)
            await client.write_event(Transcript("is gitea up?").event())
            while (event := await client.read_event()) is not None and not Handled.is_type(event.type):
                pass
            assert event is not None
            handled = Handled.from_event(event)
            await client.write_event(Synthesize("Hello.").event())  # once it has spoken and heard, all is loaded
            while (event := await client.read_event()) is not None and not AudioStop.is_type(event.type):
                pass
            for sent in (AudioStart(16_000, 2, 1), AudioChunk(16_000, 2, 1, bytes(32_000)), AudioStop()):
                await client.write_event(sent.event())
            while (event := await client.read_event()) is not None and not Transcript.is_type(event.type):
                pass
            assert event is not None
    assert Transcript.from_event(event).text == ""
    assert (len(info.asr), len(info.tts), len(info.wake), len(info.handle)) == (1, 1, 1, 1)
    assert (handled.text or "").startswith("Gitea is down")
    assert served.process.returncode == 0
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)
