"""Debug recording: nothing unless somebody asked for it, then only in a folder of one's own and for a while."""

from __future__ import annotations

import asyncio
import json
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.app import App, open_app
from assistant.cli.common import House
from assistant.cli.doctor_observing import debug_recording
from assistant.config import Settings
from assistant.errors import ConfigError
from assistant.events import WakeDetected
from assistant.observing.ended import EndedTurn
from assistant.observing.recorder import BEFORE_WAKE_S, LONGEST_S, DebugRecorder, TappedSource
from assistant.observing.service import heartbeats, recording_notice
from assistant.observing.settings import DebugRecordingSettings
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples
from tests.fakes import FakeSource
from tests.observing.turns import ENDED_AT, SECRET, spoken_turn
from tools.contract import Caller

DAY_S = 86_400.0


def recorder(folder: Path, *, now: float = ENDED_AT, **more: float) -> DebugRecorder:
    return DebugRecorder(DebugRecordingSettings(folder=folder, **more), clock=lambda: now)


def turn(at: float = ENDED_AT, audio: Samples | None = None) -> EndedTurn:
    return EndedTurn(events=spoken_turn(), caller=Caller(), at=at, audio=audio)


def test_a_turn_is_kept_with_its_sound_words_and_events_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "debug"
    sound = np.arange(1_600, dtype=np.int16)
    recorder(folder).keep(turn(audio=sound))
    kept_json, kept_wav = sorted(folder.iterdir())
    assert [path.stat().st_mode & 0o777 for path in (folder, kept_json, kept_wav)] == [0o700, 0o600, 0o600]
    told = json.loads(kept_json.read_text())
    assert (told["turn_id"], told["transcript"], told["door"]) == ("t1", SECRET, "cli")
    assert [event["kind"] for event in told["events"]] == [event.kind for event in spoken_turn()]
    assert all(not event.get("pcm") for event in told["events"])
    with wave.open(str(kept_wav)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (SAMPLE_RATE_HZ, 1, 2)
        assert file.readframes(file.getnframes()) == sound.tobytes()


def test_what_is_too_old_goes_and_the_oldest_while_it_is_too_much(tmp_path: Path) -> None:
    folder = tmp_path / "debug"
    sound = np.zeros(SAMPLE_RATE_HZ * 10, dtype=np.int16)  # 320 kB
    keeps = recorder(folder, keep_days=2, max_mb=1)
    for days in (5, 3, 1.5, 1, 0.5, 0):
        keeps.keep(turn(ENDED_AT - days * DAY_S, sound))
    left = sorted(path.name[:8] for path in folder.glob("*.wav"))
    assert len(left) in (2, 3)
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 1e6
    assert left[-1] == sorted(path.name for path in folder.glob("*.wav"))[-1][:8]
    recorder(folder, now=ENDED_AT + 3 * DAY_S, keep_days=2).prune()
    assert list(folder.glob("*.wav")) == []


def test_nothing_that_is_not_ours_is_removed_or_followed(tmp_path: Path) -> None:
    folder = tmp_path / "debug"
    keeps = recorder(folder, keep_days=1, now=ENDED_AT + 9 * DAY_S)
    outside = tmp_path / "precious"
    outside.write_text("x")
    (folder / "notes.txt").write_text("mine")
    (folder / "20200101T000000Z-abcdef.wav").symlink_to(outside)
    assert keeps.prune() == 0
    assert outside.read_text() == "x"
    assert (folder / "notes.txt").exists()


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701])
def test_a_folder_that_others_can_look_into_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "debug"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(ConfigError, match="Others can look into") as refused:
        recorder(folder)
    assert "chmod 700" in refused.value.mend


def test_a_folder_that_cannot_be_made_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be used"):
        recorder(tmp_path / "file" / "debug")


def test_a_disk_that_is_full_costs_the_recording_and_not_the_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keeps = recorder(tmp_path / "debug")
    (tmp_path / "debug").rename(tmp_path / "moved")
    keeps.keep(turn())
    assert "could not be recorded" in caplog.text
    assert SECRET not in caplog.text


# ── what is heard ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def heard(source: TappedSource) -> int:
    return sum([len(chunk) async for chunk in source.chunks()])


def chunks_of(seconds: float) -> list[Samples]:
    number = int(seconds * SAMPLE_RATE_HZ / CHUNK_SAMPLES)
    return [np.full(CHUNK_SAMPLES, index % 30_000, dtype=np.int16) for index in range(number)]


async def test_what_is_said_before_the_wake_word_is_nobodys_business() -> None:
    pieces = chunks_of(40)
    source = TappedSource(FakeSource(pieces, endless=True), wake=True)
    await heard(source)
    assert len(source.heard_in([])) == 0
    woken = WakeDetected(word="hey_jarvis", score=0.9, audio_ms=20_000)
    audio = source.heard_in([woken])
    assert len(audio) == int((20 + BEFORE_WAKE_S) * SAMPLE_RATE_HZ)
    assert audio[-1] == pieces[-1][-1]


async def test_a_clip_is_kept_whole_and_what_another_reader_had_heard_comes_first() -> None:
    pieces = chunks_of(2)
    source = TappedSource(FakeSource(pieces), np.full(100, -1, dtype=np.int16))
    assert await heard(source) == sum(map(len, pieces))
    assert list(source.heard_in([])) == [-1] * 100 + [value for piece in pieces for value in piece]


@given(st.lists(st.integers(1, 60_000), max_size=60))
async def test_a_microphone_that_is_listened_to_all_day_costs_no_more_memory_than_two_minutes(sizes: list[int]) -> None:
    source = TappedSource(FakeSource([np.zeros(size, dtype=np.int16) for size in sizes], endless=True))
    assert await heard(source) == sum(sizes)
    kept = len(source.heard_in([]))
    most = int(LONGEST_S * SAMPLE_RATE_HZ)
    assert min(sum(sizes), most) <= kept <= most + max(sizes, default=0)


# ── in the app ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("wanted", [False, True])
async def test_an_app_keeps_nothing_by_default_and_everything_where_it_was_told_to(
    tmp_path: Path, wanted: bool
) -> None:
    folder = tmp_path / "debug"
    debug = {"debug_recording": {"folder": folder}} if wanted else {}
    settings = Settings.model_validate(
        {"services": {"gitea": {"url": "http://127.0.0.1:1/"}}, "state_dir": tmp_path / "state", **debug}
        | {"engine": "sentences"}
    )
    async with open_app(settings) as app:
        await app.start_turn("is gitea up?", caller=Caller()).outcome()
        await app.noted()
        assert app.recording is wanted
        if wanted:
            await _an_old_one_goes_while_nobody_speaks(app, folder / "20010101T000000Z-abcdef.wav")
    said = _files_with(tmp_path, b"is gitea up?")
    if wanted:
        assert [path.parent for path in said] == [folder]
        assert str(folder) in recording_notice(settings)
    else:
        assert said == []
        assert recording_notice(settings) == ""


async def _an_old_one_goes_while_nobody_speaks(app: App, old: Path) -> None:
    await asyncio.to_thread(old.write_bytes, b"")
    async with heartbeats(app), asyncio.timeout(60):
        while await asyncio.to_thread(old.exists):  # noqa: ASYNC110 - the file system tells nobody
            await asyncio.sleep(0.02)


def _files_with(folder: Path, words: bytes) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and words in path.read_bytes()]


def test_the_doctor_says_loudly_that_it_is_on(tmp_path: Path) -> None:
    found = debug_recording(House(Settings(debug_recording=DebugRecordingSettings(folder=tmp_path)), demo=False))
    assert (found.status, str(tmp_path) in found.detail) == ("warning", True)
    assert found.detail.startswith("DEBUG RECORDING IS ON")
    assert debug_recording(House(Settings(), demo=False)).status == "ok"
