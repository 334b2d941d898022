"""jarvis say: what is said is shown, and heard or written."""

from __future__ import annotations

import sys
import wave
from pathlib import Path

import pytest

from tests.cli.conftest import Jarvis
from tests.fakes_loudspeaker import FakeLoudspeakers
from tests.speech.tiny_voice import RATE_HZ, tiny_voice


@pytest.fixture
def voice(tmp_path: Path) -> str:
    return str(tiny_voice(tmp_path))


def seconds(file: Path) -> float:
    with wave.open(str(file)) as read:
        assert (read.getnchannels(), read.getsampwidth(), read.getframerate()) == (1, 2, RATE_HZ)
        return float(read.getnframes() / RATE_HZ)


def test_it_is_written_and_the_words_are_shown(jarvis: Jarvis, voice: str, tmp_path: Path) -> None:
    file = tmp_path / "said.wav"
    result = jarvis("say", "**Backup** ok: 20 °C", "--voice", voice, "--out", str(file))
    assert result.exit_code == 0
    assert result.stdout == "Backup ok: 20 degrees\n"
    assert seconds(file) > 0.2


def test_a_file_needs_no_loudspeaker_and_half_the_volume_is_half_as_loud(
    jarvis: Jarvis, voice: str, tmp_path: Path
) -> None:
    files = [tmp_path / "loud.wav", tmp_path / "soft.wav"]
    for file, volume in zip(files, ("0.5", "0.25"), strict=True):
        jarvis("say", "All is well.", "--voice", voice, "--volume", volume, "-o", str(file))
    loud, soft = (max(abs(sample) for sample in memoryview(file.read_bytes()[44:]).cast("h")) for file in files)
    assert soft / loud == pytest.approx(0.5, abs=0.01)


def test_without_a_loudspeaker_the_mend_is_said(jarvis: Jarvis, voice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", FakeLoudspeakers())
    result = jarvis("say", "Hello.", "--voice", voice)
    assert result.exit_code == 1
    assert "--out" in result.stderr


def test_a_voice_that_is_not_there_is_said_with_those_that_are(jarvis: Jarvis, tmp_path: Path) -> None:
    result = jarvis("say", "Hello.", "--voice", "amy", "--out", str(tmp_path / "said.wav"))
    assert result.exit_code == 4
    assert "piper-en-us-joe" in result.stderr


def test_a_file_that_cannot_be_written_is_said(jarvis: Jarvis, voice: str, tmp_path: Path) -> None:
    result = jarvis("say", "Hello.", "--voice", voice, "--out", str(tmp_path / "nowhere" / "said.wav"))
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


@pytest.mark.parametrize("text", ["…", "```\n```", "🙂"])
def test_what_cannot_be_said_is_a_usage_error(jarvis: Jarvis, voice: str, text: str) -> None:
    result = jarvis("say", text, "--voice", voice)
    assert result.exit_code == 2
    assert "nothing in it" in result.stderr
