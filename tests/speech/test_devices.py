"""What there is without a sound library."""

from __future__ import annotations

import sys

import pytest

from assistant.errors import AudioError, PlaybackError
from assistant.ports import SpeechChunk
from assistant.speech.microphone import MicrophoneSource, devices
from assistant.speech.player import SoundDevicePlayer, loudspeaker_available


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
    loudspeaker = SoundDevicePlayer()
    with pytest.raises(PlaybackError) as mute:
        await loudspeaker.play(SpeechChunk(b"\0\0", 16_000))
    loudspeaker.close()
    assert mute.value.code == "no_audio_library"
