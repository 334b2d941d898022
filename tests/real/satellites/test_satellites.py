"""Real satellites: wyoming-satellite with a wav for a microphone and a file for a loudspeaker, at a `jarvis serve`."""

from __future__ import annotations

import asyncio
import difflib
import wave
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soxr

from assistant.models import ModelStore
from assistant.resources import resource
from assistant.speech.transcriber import FasterWhisper
from tests.real.daemons import free_port
from tests.real.satellites.bench import states
from tests.real.satellites.device import RATE_HZ, Device, device, until
from tests.serving import Served, jarvis, serving

pytestmark = pytest.mark.real_server

BACKUP = resource("audio_fixtures") / "hey_jarvis_is_the_backup_ok.wav"
DOWN = resource("audio_fixtures") / "hey_jarvis_whats_down.wav"
NO_SOUNDS = "[speech]\nearcons = false\n"


def section(one: Device, more: str = "") -> str:
    return f'[satellites.{one.folder.name}]\nurl = "tcp://127.0.0.1:{one.port}"\n{more}'


def connected(server: Served, count: int) -> bool:
    there = states(server)
    return sum(one["state"] == "connected" for one in there) == count


def answer_of(one: Device, before: int = 0) -> bytes:
    """Wait for an answer to its end; ``before``: what had been played already."""
    spoken = one.lights.count("tts-stop")
    until(lambda: one.played_bytes > before, f"an answer from {one.name}", 60)
    until(lambda: one.lights.count("tts-stop") > spoken, f"the end of the answer from {one.name}", 60)
    return one.played[before:]


def words(pcm: bytes, store: ModelStore) -> str:
    """What Whisper hears of it."""
    sound = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / 32_768
    at_16_khz = (np.clip(soxr.resample(sound, RATE_HZ, 16_000), -1, 1) * 32_767).astype(np.int16)
    whisper = FasterWhisper(store.models_dir / "whisper-base", compute_type="int8", language="en")
    try:
        return asyncio.run(whisper.transcribe(at_16_khz)).text
    finally:
        whisper.close()


@dataclass(frozen=True)
class Home:
    server: Served
    kitchen: Device
    hall: Device
    study: Device


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Kitchen and hall leave the wake word to Jarvis; the study has a wake word service: that of Jarvis itself."""
    folder, wyoming = tmp_path_factory.mktemp("satellites"), free_port()
    with ExitStack() as stack:
        there = ["--wake-uri", f"tcp://127.0.0.1:{wyoming}", "--wake-word-name", "hey_jarvis"]
        kitchen = stack.enter_context(device(folder / "kitchen", "Kitchen", free_port(), "--area", "Kitchen"))
        hall = stack.enter_context(device(folder / "hall", "Hall", free_port()))
        study = stack.enter_context(device(folder / "study", "Study", free_port(), *there))
        sections = section(kitchen) + section(hall, 'room = "hall"\n') + section(study, 'wake = "there"\n')
        door = f"[wyoming]\nenabled = true\nport = {wyoming}\n"
        server = stack.enter_context(serving(folder, NO_SOUNDS + door + sections))
        until(lambda: connected(server, 3), "connecting", 60)
        yield Home(server, kitchen, hall, study)


def test_a_question_in_a_room_is_answered_there(home: Home, model_store: ModelStore) -> None:
    home.kitchen.hear(BACKUP)
    heard = words(answer_of(home.kitchen), model_store).casefold()
    wanted = jarvis("ask", "is the backup ok", environment=home.server.environment)["spoken"].casefold()
    assert difflib.SequenceMatcher(None, heard, wanted).ratio() > 0.8, (heard, wanted)
    lights = ["detection", "stt-start", "stt-stop", "transcript", "synthesize", "tts-start", "tts-stop"]
    until(lambda: home.kitchen.lights == lights, f"{lights} and not {home.kitchen.lights}")
    assert home.hall.played_bytes == home.study.played_bytes == 0


def test_where_they_are_and_what_they_run_is_shown(home: Home) -> None:
    kitchen = next(
        one
        for one in jarvis("satellites", environment=home.server.environment)["satellites"]
        if one["name"] == "kitchen"
    )
    assert (kitchen["room"], kitchen["state"], kitchen["software"]) == ("Kitchen", "connected", "Kitchen")
    assert kitchen["last_heard"] >= kitchen["since"]
    checks = jarvis("doctor", environment=home.server.environment)
    assert {"name": "satellites", "status": "ok", "detail": "3 of 3 connected", "mend": ""} in checks


def test_two_rooms_that_hear_the_same_words_answer_once(home: Home, tmp_path: Path) -> None:
    before = home.kitchen.played_bytes, home.hall.played_bytes
    quieter = tmp_path / "quieter.wav"
    _write_quieter(DOWN, quieter)
    home.hall.hear(quieter)
    home.kitchen.hear(DOWN)
    answer_of(home.kitchen, before[0])
    assert home.hall.played_bytes == before[1]
    assert home.hall.lights == []


def test_a_satellite_that_listens_for_its_wake_word_itself(home: Home, model_store: ModelStore) -> None:
    for turn in range(2):
        before = home.study.played_bytes
        home.study.hear(DOWN)
        answer_of(home.study, before)
        until(lambda turn=turn: home.study.lights.count("transcript") == turn + 1, "listening again")  # type: ignore[misc]


def test_satellite_and_server_come_back_each_by_itself(tmp_path: Path) -> None:
    port = free_port()
    with ExitStack() as first:
        kitchen = first.enter_context(device(tmp_path / "kitchen", "Kitchen", port, lights=False))
        configuration = NO_SOUNDS + section(kitchen)
        killed = first.enter_context(serving(tmp_path, configuration))
        until(lambda: connected(killed, 1), "connecting")
        killed.process.kill()
        killed.process.wait()
        with serving(tmp_path, configuration) as server:
            until(lambda: connected(server, 1), "connecting to a satellite that another server had")
            kitchen.process.kill()
            kitchen.process.wait()
            until(lambda: connected(server, 0), "noticing that the satellite is gone")
            with device(tmp_path / "kitchen", "Kitchen", port, lights=False) as again:
                until(lambda: connected(server, 1), "connecting again", 60)
                again.hear(DOWN)
                until(lambda: again.played_bytes > 0, "an answer", 60)


def _write_quieter(clip: Path, to: Path) -> None:
    """A quarter as loud."""
    with wave.open(str(clip), "rb") as whole:
        form, sound = whole.getparams(), np.frombuffer(whole.readframes(whole.getnframes()), dtype="<i2")
    with wave.open(str(to), "wb") as made:
        made.setparams(form)
        made.writeframes((sound // 4).astype("<i2").tobytes())
