"""The loudspeaker and what there is without a sound library, on a stand-in for the sound card."""

from __future__ import annotations

import sys

import pytest

from assistant.errors import AudioError, PlaybackError
from assistant.ports import SpeechChunk
from assistant.speech import player
from assistant.speech.microphone import MicrophoneSource, devices
from assistant.speech.player import SoundDevicePlayer, loudspeaker_available
from tests.speech.clips import tone
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
