"""Clips in which nobody speaks, and what listening costs."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import wave
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.app import App
from assistant.bench import idle
from assistant.bench.doubtful import LEAD_S, SENTENCES, WAKE_PHRASE, spoken
from assistant.bench.silence import Hush, SilenceBench, rows
from assistant.broadcast import RunningTurn
from assistant.config import Settings
from assistant.errors import AudioError, Stage, SynthesisError
from assistant.events import Transcribed, TurnEvent, TurnFailed, TurnFinished, WakeDetected
from assistant.ports import SAMPLE_RATE_HZ, AudioSource, Samples, SpeechChunk
from tests.fakes_bench import clip

WAKE = np.full(8_000, 9_000, dtype=np.int16)
HUM = clip("no_speech-hum-0", kind="no_speech", said="", wake=False, noise="hum")


class TalkativeApp:
    """Writes ``text`` where it was not woken, ``after_wake`` where it was; "" is nothing heard."""

    def __init__(self, text: str = "", after_wake: str = "", *, wakes: bool = True) -> None:
        self._text = {False: text, True: after_wake}
        self._wakes = wakes
        self.heard: list[tuple[bool, Samples]] = []

    def start_turn(self, source: AudioSource, *, wake: bool, **_: Any) -> RunningTurn:
        return RunningTurn("turn", self._run(source, wake))

    async def _run(self, source: AudioSource, wake: bool) -> AsyncIterator[TurnEvent]:
        self.heard.append((wake, np.concatenate([chunk async for chunk in source.chunks()])))
        if wake and not self._wakes:
            yield TurnFailed(stage=Stage.WAKE, code="no_wake_word", spoken="")
            return
        if wake:
            yield WakeDetected(word="hey_jarvis", score=0.9, audio_ms=500.0)
        if text := self._text[wake]:
            yield Transcribed(text=text)
            yield TurnFinished(reply="", spoken="", matched="none")
        else:
            yield TurnFailed(stage=Stage.ENDPOINT, code="nothing_heard", spoken="")


async def listened(folder: Path, app: TalkativeApp) -> Hush:
    with wave.open(str(folder / HUM.file), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        file.writeframes(np.full(4_000, 7, dtype="<i2").tobytes())
    return await SilenceBench(cast(App, app), folder, WAKE).listen(HUM)


async def test_a_clip_is_heard_alone_and_right_after_the_wake_phrase(tmp_path: Path) -> None:
    app = TalkativeApp()
    hush = await listened(tmp_path, app)
    (alone_wake, alone), (after_wake, after) = app.heard
    assert (alone_wake, after_wake) == (False, True)
    assert np.array_equal(alone, np.full(4_000, 7))
    assert np.array_equal(after[:8_000], WAKE)
    assert np.count_nonzero(after[8_000:]) == 4_000
    assert (hush.text, hush.woken, hush.text_after_wake, hush.texts) == (None, True, None, ())


async def test_whatever_is_heard_there_is_counted_and_named(tmp_path: Path) -> None:
    hush = await listened(tmp_path, TalkativeApp("Thanks for watching!", "You"))
    assert hush.texts == (
        "no_speech-hum-0: Thanks for watching!",
        "no_speech-hum-0 after the wake phrase: You",
    )
    (row,) = rows([hush])
    assert (row.noise, row.clips, row.texts, row.after_wake, row.texts_after_wake) == ("hum", 1, 1, 1, 1)


async def test_where_the_wake_phrase_was_not_heard_nothing_is_claimed(tmp_path: Path) -> None:
    (row,) = rows([await listened(tmp_path, TalkativeApp(wakes=False))])
    assert (row.clips, row.after_wake) == (1, 0)


# ── requests in the assistant's own voice ─────────────────────────────────────────────────────────────────────────


class Tone:
    """Synthesizes half a second of quiet, a second of tone, and quiet again, in two chunks."""

    def __init__(self, rate_hz: int = 22_050) -> None:
        self._rate = rate_hz

    async def synthesize(self, text: str) -> AsyncGenerator[SpeechChunk, None]:
        times = np.arange(2 * self._rate) / self._rate
        sound = np.where((times >= 0.5) & (times < 1.5), 9_000 * np.sin(2 * np.pi * 300 * times), 0.0)
        pcm = sound.astype("<i2").tobytes()
        if text:
            yield SpeechChunk(pcm[:10_000], self._rate)
            yield SpeechChunk(pcm[10_000:], self._rate)


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 24_000])
async def test_a_request_is_cut_to_its_speech_whatever_rate_the_voice_has(rate_hz: int) -> None:
    made, audio = await spoken(Tone(rate_hz), f"{WAKE_PHRASE}, {SENTENCES[0]}", "model-00", "joe")
    assert (made.speech_start_s, made.wake) == (LEAD_S, True)
    assert made.speech_end_s == pytest.approx(LEAD_S + 1.0, abs=0.03)
    assert made.duration_s * SAMPLE_RATE_HZ == len(audio)
    end = int(made.speech_end_s * SAMPLE_RATE_HZ)
    assert not audio[: int(LEAD_S * SAMPLE_RATE_HZ)].any()
    assert audio[:end].any()
    assert not audio[end:].any()


async def test_a_voice_that_says_nothing_is_an_error() -> None:
    with pytest.raises(SynthesisError):
        await spoken(Tone(), "", "model-00", "joe")


# ── listening ─────────────────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=10)
@given(st.floats(0.5, 5.0))
def test_the_quiet_room_is_quiet_and_always_the_same(seconds: float) -> None:
    room = idle.quiet_room(seconds)
    assert len(room) == int(seconds * SAMPLE_RATE_HZ)
    assert np.sqrt(np.mean(room.astype(float) ** 2)) == pytest.approx(idle.ROOM_RMS, rel=0.05)
    assert np.array_equal(room, idle.quiet_room(seconds))


def test_memory_is_that_of_this_process() -> None:
    before = idle.memory()
    kept = np.ones(60_000_000, dtype=np.uint8)
    after = idle.memory()
    assert (after["rss_mb"] or 0) - (before["rss_mb"] or 0) == pytest.approx(kept.nbytes / 1e6, abs=15)
    assert (after["peak_mb"] or 0) >= (after["rss_mb"] or 0) - 1


async def test_a_child_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JARVIS_MODELS", str(tmp_path))
    empty = Settings(state_dir=tmp_path / "state", models_dir=tmp_path)
    with pytest.raises(AudioError, match="ModelFilesError") as failure:
        await idle.measure(empty, 0.5)
    assert failure.value.code == "idle_failed"


async def test_a_child_that_never_answers_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\necho $$ > "$0.pid"\nexec sleep 600\n')
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(idle, "LOADING_S", 1.0)
    with pytest.raises(AudioError, match="no figures"):
        await idle.measure(Settings(), 0.0)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "python.pid").read_text()), 0)


async def test_the_figures_are_the_childs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {"seconds": 3.0, "cpu_percent": 2.5, "rss_mb": 100.0, "pss_mb": None, "peak_mb": 120.0}
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\ncat > '{tmp_path}/settings.json'\necho '{json.dumps(figures)}'\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    found = await asyncio.wait_for(idle.measure(Settings(microphone="the one"), 3.0), 60)
    assert found.model_dump(exclude={"load"}) == figures
    assert Settings.model_validate_json((tmp_path / "settings.json").read_text()).microphone == "the one"
