"""The inbox of false wakes."""

from __future__ import annotations

import errno
import logging
import os
import stat
import wave
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from assistant.ports import SAMPLE_RATE_HZ
from assistant.speech.false_wakes import FalseWakes
from tests.speech.clips import tone

WHEN = datetime(2026, 11, 21, 17, 30, 5, 123456, tzinfo=UTC)


def test_what_is_kept_is_the_audio_and_its_name_says_when_which_word_and_how_sure(tmp_path: Path) -> None:
    audio = tone(0.5)
    path = FalseWakes(tmp_path / "inbox", 10).keep(audio, "hey_jarvis", 0.734, WHEN)
    assert path is not None
    assert path.name == "20261121T173005.123456Z-hey_jarvis-0.73.wav"
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (SAMPLE_RATE_HZ, 1, 2)
        assert np.array_equal(np.frombuffer(file.readframes(file.getnframes()), dtype="<i2"), audio)


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = FalseWakes(tmp_path / "a" / "inbox", 10).keep(tone(0.1), "alexa", 1.0, WHEN)
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_names_sort_by_time_whatever_the_zone(tmp_path: Path) -> None:
    inbox = FalseWakes(tmp_path, 10)
    east = timezone(timedelta(hours=11))
    first = inbox.keep(tone(0.1), "alexa", 0.5, WHEN.astimezone(east))
    second = inbox.keep(tone(0.1), "alexa", 0.5, WHEN + timedelta(microseconds=1))
    assert first is not None
    assert second is not None
    assert [first.name, second.name] == sorted([first.name, second.name])


def test_the_oldest_goes_when_there_are_too_many(tmp_path: Path) -> None:
    inbox = FalseWakes(tmp_path, 3)
    kept = [inbox.keep(tone(0.1), "alexa", 0.5, WHEN + timedelta(minutes=n)) for n in range(5)]
    assert sorted(tmp_path.iterdir()) == kept[2:]


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    for name in ("mine.wav", "20261121T173005.123456Z-notes.txt", "0.wav"):
        (tmp_path / name).write_bytes(b"mine")
    inbox = FalseWakes(tmp_path, 1)
    for n in range(3):
        inbox.keep(tone(0.1), "alexa", 0.5, WHEN + timedelta(minutes=n))
    assert len(list(tmp_path.iterdir())) == 4


def test_a_full_disk_is_a_warning_and_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(source: str, target: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    with caplog.at_level(logging.WARNING):
        assert FalseWakes(tmp_path, 3).keep(tone(0.1), "alexa", 0.5, WHEN) is None
    assert "No space left on device" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "inbox").write_bytes(b"a file where the folder should be")
    assert FalseWakes(tmp_path / "inbox", 3).keep(tone(0.1), "alexa", 0.5, WHEN) is None
    assert "could not be kept" in caplog.text


def test_no_audio_is_a_valid_wav(tmp_path: Path) -> None:
    path = FalseWakes(tmp_path, 3).keep(np.zeros(0, dtype=np.int16), "alexa", 0.5, WHEN)
    assert path is not None
    with wave.open(str(path)) as file:
        assert file.getnframes() == 0
