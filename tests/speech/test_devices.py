"""Microphone and loudspeaker, on a stand-in for the sound card."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from assistant.errors import AudioError, PlaybackError
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, SpeechChunk
from assistant.speech import microphone, player
from assistant.speech.microphone import MicrophoneSource, devices
from assistant.speech.player import SoundDevicePlayer, loudspeaker_available
from tests.speech.clips import heard_frequency, tone
from tests.speech.sound import FakeSoundDevice


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> FakeSoundDevice:
    fake = FakeSoundDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


@pytest.fixture
def without_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where PortAudio is not installed: importing sounddevice raises OSError."""

    class Missing:
        def find_spec(self, name: str, path: object = None, target: object = None) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
async def test_any_rate_of_the_device_becomes_16_khz_chunks(card: FakeSoundDevice, rate_hz: int) -> None:
    card.rate_hz = rate_hz
    with MicrophoneSource() as source:
        card.feed(tone(2.0, rate_hz))
        chunks = source.chunks()
        heard = [await anext(chunks) for _ in range(20)]
    assert {len(chunk) for chunk in heard} == {CHUNK_SAMPLES}
    samples = np.concatenate(heard)
    assert samples.dtype == np.int16
    assert heard_frequency(samples) == pytest.approx(440, abs=5)


async def test_what_nobody_reads_is_dropped_oldest_first_and_counted(
    card: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microphone, "QUEUE_S", 0.8)
    card.rate_hz = SAMPLE_RATE_HZ
    with MicrophoneSource() as source:
        chunks = source.chunks()
        card.feed(np.repeat(np.arange(15, dtype=np.int16), CHUNK_SAMPLES))
        first = await anext(chunks)
        assert source.dropped_chunks == 5
        assert first[0] == 5


async def test_a_microphone_that_falls_silent_is_lost(card: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "SILENT_S", 0.05)
    with MicrophoneSource() as source, pytest.raises(AudioError) as lost:
        await anext(source.chunks())
    assert lost.value.code == "microphone_lost"


async def test_no_microphone_and_a_wrong_name_are_said_with_the_mend(card: FakeSoundDevice) -> None:
    with pytest.raises(AudioError) as unknown, MicrophoneSource("Studio"):
        pass
    card.inputs = 0
    with pytest.raises(AudioError) as none, MicrophoneSource():
        pass
    for refused in (unknown, none):
        assert refused.value.code == "no_microphone"
        assert "jarvis doctor" in refused.value.mend


async def test_without_portaudio_there_are_no_devices_and_the_mend_is_said(without_library: None) -> None:
    assert devices("input") == devices("output") == []
    assert not loudspeaker_available()
    with pytest.raises(AudioError) as refused, MicrophoneSource():
        pass
    assert "libportaudio2" in refused.value.mend
    with pytest.raises(PlaybackError) as mute:
        await SoundDevicePlayer().play(SpeechChunk(b"\0\0", 16_000))
    assert mute.value.code == "no_audio_library"


async def test_every_sample_is_played_once_and_in_order(card: FakeSoundDevice) -> None:
    speech = tone(0.5, 22_050).tobytes()
    loudspeaker = SoundDevicePlayer()
    for start in range(0, len(speech), 5_000):
        await loudspeaker.play(SpeechChunk(speech[start : start + 5_000], 22_050))
    await loudspeaker.drain()
    loudspeaker.close()
    assert bytes(card.played).strip(b"\0") == speech.strip(b"\0")


async def test_another_rate_opens_the_device_anew_after_the_first_was_played(card: FakeSoundDevice) -> None:
    loudspeaker = SoundDevicePlayer()
    await loudspeaker.play(SpeechChunk(b"\1\1" * 500, 16_000))
    await loudspeaker.play(SpeechChunk(b"\2\2" * 500, 22_050))
    await loudspeaker.drain()
    loudspeaker.close()
    assert card.output is not None
    assert card.output.options["samplerate"] == 22_050
    assert bytes(card.played).replace(b"\0", b"") == b"\1\1" * 500 + b"\2\2" * 500


async def test_stop_is_silent_at_once(card: FakeSoundDevice) -> None:
    card.pace = False
    loudspeaker = SoundDevicePlayer()
    await loudspeaker.play(SpeechChunk(b"\1\1" * 22_050 * 60, 22_050))
    loudspeaker.stop()
    assert card.output is not None
    block = bytearray(880)
    card.output.options["callback"](block, 440, None, "")
    assert block == bytes(880)
    await loudspeaker.drain()
    loudspeaker.close()


async def test_a_device_that_takes_nothing_any_more_is_lost(
    card: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(player, "DRAIN_SLACK_S", 0.05)
    card.pace = False
    loudspeaker = SoundDevicePlayer()
    await loudspeaker.play(SpeechChunk(b"\1\1" * 100, 16_000))
    with pytest.raises(PlaybackError) as lost:
        await loudspeaker.drain()
    assert lost.value.code == "loudspeaker_lost"
    loudspeaker.close()


async def test_no_loudspeaker_is_said(card: FakeSoundDevice) -> None:
    card.outputs = 0
    with pytest.raises(PlaybackError) as refused:
        await SoundDevicePlayer().play(SpeechChunk(b"\0\0", 16_000))
    assert refused.value.code == "no_loudspeaker"
