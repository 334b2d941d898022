"""Jarvis's turns beside Home Assistant's."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from assistant.bench.beside import HomeAssistantAccess, beside, compared
from assistant.bench.home_assistant import AssistRun
from assistant.bench.plots import draw
from assistant.bench.voice_report import VoiceReport
from assistant.errors import HomeAssistantError
from tests.fakes_bench import CLIP, QUIET, report, turn

SLOW = AssistRun(
    clip="a",
    transcript="is the backup ok",
    reply="Yes.",
    endpoint_s=0.9,
    transcript_s=2.0,
    decision_s=2.1,
    first_audio_s=2.6,
)


def test_only_clips_that_both_answered_are_compared() -> None:
    mute = AssistRun(clip="b", error="stt-no-text-recognized: No text recognized")
    mine = [turn(id="a", first_audio_ms=520.0), turn(id="b", first_audio_ms=9000.0), turn(id="c", first_audio_ms=1.0)]
    found = compared([SLOW, mute], mine, QUIET)
    jarvis, theirs = found.rows
    assert (jarvis.who, jarvis.clips, jarvis.answered_by_both) == ("Jarvis", 2, 1)
    assert jarvis.first_audio is not None
    assert theirs.first_audio is not None
    assert (jarvis.first_audio.p50, theirs.first_audio.p50) == (520.0, 2600.0)
    assert theirs.endpoint is not None
    assert theirs.endpoint.p50 == 900.0
    assert found.ratio == 0.2
    assert [one.error for one in found.turns] == ["", mute.error]


def test_without_a_clip_that_both_answered_there_is_no_ratio_and_nothing_promised() -> None:
    found = compared([SLOW], [turn(id="a", first_audio_ms=None)], QUIET)
    assert found.ratio is None
    assert all(row.first_audio is None for row in found.rows)
    assert "home_assistant" not in {measure.part for measure in report(home_assistant=found).measures}


@pytest.mark.parametrize(("ms", "met"), [(650.0, True), (670.0, False)])
def test_a_quarter_of_its_time_is_promised(ms: float, met: bool) -> None:
    found = compared([SLOW], [turn(id="a", first_audio_ms=ms)], QUIET)
    made = report(home_assistant=found)
    (measure,) = (one for one in made.measures if one.part == "home_assistant")
    assert measure.met is met
    assert VoiceReport.model_validate_json(made.model_dump_json()) == made


def test_the_comparison_has_a_picture(tmp_path: Path) -> None:
    found = compared([SLOW], [turn(id="a")], QUIET)
    assert tmp_path / "home_assistant.png" in draw(report(home_assistant=found), tmp_path)


async def test_clips_that_do_not_show_where_the_wake_phrase_ends_are_not_sent(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / CLIP.file), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.full(41_600, 9_000, dtype="<i2").tobytes())  # one breath
    nowhere = HomeAssistantAccess("http://127.0.0.1:9", "token")
    with pytest.raises(HomeAssistantError) as failure:
        await beside(nowhere, [CLIP], tmp_path, (), lambda _done, _all: None)
    assert failure.value.code == "none_comparable"
