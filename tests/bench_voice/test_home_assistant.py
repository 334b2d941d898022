"""Clips through an Assist pipeline: what is sent, what is timed, and what is said when it goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant.bench.assist_socket import assist_socket, websocket_url
from assistant.bench.clips import Clip
from assistant.bench.home_assistant import AssistRun, comparable, compare
from assistant.errors import HomeAssistantError
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples, SpeechChunk
from assistant.speech.wav import write_wav
from tests.fakes_home_assistant import (
    END_MARK,
    HANDLER,
    LOST,
    RUN_END,
    RUN_START,
    STT_START,
    TOKEN,
    VAD_END,
    FakeHomeAssistant,
    failed,
    intent_end,
    serving,
    stt_end,
    tts_end,
)

SPEECH = np.arange(1, 4 * CHUNK_SAMPLES + 1, dtype=np.int16)
"""0.32 s, every sample another one."""
CLIP = Clip("one", "one.wav", "names", "is jellyfin up?", False, 0.0, 0.24, 0.32, "piper", "joe")
REPLY = (VAD_END, END_MARK, stt_end(" Is Jellyfin up?"), intent_end("Jellyfin is up."), tts_end(), RUN_END)


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.bench.home_assistant.SETTLE_S", 0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_wav(tmp_path / "one.wav", [SpeechChunk(SPEECH.tobytes(), SAMPLE_RATE_HZ)])
    return tmp_path


async def spoken_to(home: FakeHomeAssistant, folder: Path, clip: Clip = CLIP, **options: Any) -> AssistRun:
    async with serving(home):
        (run,) = await compare(home.url, TOKEN, (clip,), folder, **options)
    return run


def heard(home: FakeHomeAssistant) -> Samples:
    assert {frame[0] for frame in home.heard} == {HANDLER}
    return np.frombuffer(b"".join(frame[1:] for frame in home.heard), dtype="<i2")


async def test_a_run_has_what_was_heard_and_said_and_when(folder: Path) -> None:
    home = FakeHomeAssistant(after=REPLY, hears_s=0.4)
    run = await spoken_to(home, folder)
    assert (run.clip, run.transcript, run.reply, run.error) == ("one", " Is Jellyfin up?", "Jellyfin is up.", "")
    stages = [run.endpoint_s, run.transcript_s, run.decision_s, run.synthesis_s, run.first_audio_s]
    times = [stage for stage in stages if stage is not None]
    assert len(times) == len(stages)
    assert times == sorted(times)
    # 0.4 s had to be heard, at the pace of speech; speech ended at 0.24 s
    assert times[0] >= 0.15


async def test_an_end_that_cuts_the_speaker_off_lies_before_the_end_of_speech(folder: Path) -> None:
    late = replace(CLIP, speech_end_s=3.0)
    run = await spoken_to(FakeHomeAssistant(after=REPLY), folder, late)
    assert run.endpoint_s is not None
    assert run.endpoint_s < 0


async def test_the_clip_is_sent_sample_by_sample_then_silence_then_the_end(folder: Path) -> None:
    home = FakeHomeAssistant(after=REPLY, hears_s=0.6)
    await spoken_to(home, folder)
    audio = heard(home)
    np.testing.assert_array_equal(audio[: len(SPEECH)], SPEECH)
    assert not audio[len(SPEECH) :].any()
    assert len(audio) >= 0.6 * SAMPLE_RATE_HZ
    assert max(len(frame) for frame in home.heard) == 1 + 2 * CHUNK_SAMPLES
    assert home.heard[-1] == bytes([HANDLER])


async def test_no_more_is_sent_than_it_wants(folder: Path) -> None:
    home = FakeHomeAssistant(after=REPLY, hears_s=0.16)
    await spoken_to(home, folder)
    assert len(heard(home)) < len(SPEECH) + SAMPLE_RATE_HZ


async def test_what_lies_before_the_start_is_not_sent(folder: Path) -> None:
    home = FakeHomeAssistant(after=REPLY, hears_s=0.4)
    waking = replace(CLIP, wake=True, kind="command")
    await spoken_to(home, folder, waking, starts_s={"one": 0.08})
    np.testing.assert_array_equal(heard(home)[:CHUNK_SAMPLES], SPEECH[CHUNK_SAMPLES : 2 * CHUNK_SAMPLES])


async def test_it_asks_for_the_pipeline_from_speech_to_speech(folder: Path) -> None:
    home = FakeHomeAssistant(after=REPLY)
    await spoken_to(home, folder, pipeline="abc")
    (asked,) = home.runs
    assert (asked["start_stage"], asked["end_stage"], asked["input"]) == ("stt", "tts", {"sample_rate": 16_000})
    assert asked["pipeline"] == "abc"


async def test_an_address_that_is_named_at_the_start_is_asked_at_once(folder: Path) -> None:
    start = {"type": "run-start", "data": {**RUN_START["data"], **tts_end()["data"]}}
    home = FakeHomeAssistant(before=(start, STT_START), after=REPLY, hears_s=0.4)
    run = await spoken_to(home, folder)
    assert run.first_audio_s is not None
    assert run.synthesis_s is not None
    assert run.first_audio_s < run.synthesis_s


async def test_the_error_of_a_pipeline_is_its_run_and_the_next_clip_comes(folder: Path) -> None:
    home = FakeHomeAssistant(after=(VAD_END, failed("stt-no-text-recognized", "No text recognized"), RUN_END))
    seen: list[tuple[int, int]] = []
    async with serving(home):
        runs = await compare(
            home.url, TOKEN, (CLIP, replace(CLIP, id="two")), folder, lambda done, of: seen.append((done, of))
        )
    assert [run.error for run in runs] == ["stt-no-text-recognized: No text recognized"] * 2
    assert [run.clip for run in runs] == ["one", "two"]
    assert all(run.first_audio_s is None and run.endpoint_s is not None for run in runs)
    assert seen == [(1, 2), (2, 2)]


async def test_an_error_before_anything_was_spoken_has_no_times(folder: Path) -> None:
    home = FakeHomeAssistant(before=(RUN_START, failed("stt-provider-missing", "None"), RUN_END))
    run = await spoken_to(home, folder)
    assert run == AssistRun("one", error="stt-provider-missing: None")


async def test_audio_that_is_not_there_is_said(folder: Path) -> None:
    home = FakeHomeAssistant(after=(VAD_END, tts_end("/elsewhere"), RUN_END))
    run = await spoken_to(home, folder)
    assert run.first_audio_s is None
    assert "404" in run.error


@pytest.mark.parametrize(
    ("home", "code", "says"),
    [
        (FakeHomeAssistant(refuses="Pipeline not found"), "home_assistant_refused", "Pipeline not found"),
        (FakeHomeAssistant(after=(VAD_END, LOST)), "home_assistant_lost", "closed the connection"),
        (FakeHomeAssistant(before=({"type": "run-start"},)), "home_assistant_nonsense", "run-start"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_ends_the_comparison_says_why(folder: Path, home: FakeHomeAssistant, code: str, says: str) -> None:
    with pytest.raises(HomeAssistantError, match=says) as ended:
        await spoken_to(home, folder)
    assert ended.value.code == code


async def test_a_wrong_token_is_refused_with_what_to_do() -> None:
    async with serving(FakeHomeAssistant()) as home:
        with pytest.raises(HomeAssistantError) as refused:
            async with assist_socket(home.url, "wrong"):
                pass
    assert refused.value.code == "home_assistant_refused"
    assert "token" in refused.value.mend


async def test_nobody_at_the_address_is_said_with_what_to_do() -> None:
    async with serving(FakeHomeAssistant()) as home:
        gone = home.url
    with pytest.raises(HomeAssistantError) as unreachable:
        async with assist_socket(gone, TOKEN):
            pass
    assert unreachable.value.code == "home_assistant_unreachable"
    assert "8123" in unreachable.value.mend


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://homeassistant.local:8123", "ws://homeassistant.local:8123/api/websocket"),
        ("http://homeassistant.local:8123/", "ws://homeassistant.local:8123/api/websocket"),
        ("https://home.lan/hass", "wss://home.lan/hass/api/websocket"),
    ],
)
def test_the_websocket_is_below_the_start_page(url: str, expected: str) -> None:
    assert websocket_url(url) == expected


@pytest.mark.parametrize("url", ["homeassistant.local:8123", "ftp://homeassistant.local", "http://", ""])
def test_what_is_no_address_of_a_page_is_refused(url: str) -> None:
    with pytest.raises(HomeAssistantError):
        websocket_url(url)


@pytest.mark.parametrize(
    ("changes", "known", "taken"),
    [
        ({}, {}, True),
        ({"wake": True}, {}, False),
        ({"wake": True}, {"one": 1.0}, True),
        ({"kind": "no_speech"}, {"one": 1.0}, False),
    ],
)
def test_only_what_a_pipeline_behind_the_wake_word_could_hear_is_compared(
    changes: Mapping[str, Any], known: Mapping[str, float], *, taken: bool
) -> None:
    assert bool(comparable((replace(CLIP, **changes),), known)) is taken
