"""The voice benchmark in short, with the real ears and mouth: rates and ratios, which hold on a busy machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.bench import corpus, voices
from assistant.bench.clips import load
from assistant.bench.measures import FULL, SHORT
from assistant.bench.recipe import recipe
from assistant.bench.run import Plan, measure
from assistant.bench.turns import ALL
from assistant.bench.voice_report import Part, VoiceReport
from assistant.config import ModelSettings, Settings

pytestmark = [pytest.mark.long, pytest.mark.real_models, pytest.mark.timeout(1200)]

SETTINGS = Settings(model=ModelSettings(discover=False))


@pytest.fixture(scope="module")
def clips(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A handful of clips by Piper, which is there wherever the models are; and noises."""
    wanted = recipe(short=True, engines=("piper",), limit=4)
    known = voices.engines(lambda name: models_dir / name)
    return corpus.ensure(wanted, known, lambda name: models_dir / name, out=tmp_path_factory.mktemp("clips"))


@pytest.fixture
def plan(clips: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Plan]:
    monkeypatch.setenv("JARVIS_MODELS", str(models_dir))

    def make(*parts: Part, limit: int | None = None) -> Plan:
        return Plan(clips, frozenset(parts), short=True, limit=limit)

    return make


async def test_commands_are_heard_to_their_end_and_end_in_the_right_call(plan: Callable[..., Plan]) -> None:
    report = await measure(plan("turns"), SETTINGS)
    assert report.turns is not None
    everything = next(row for row in report.turns.rows if row.group == ALL)
    assert everything.turns >= 5
    assert {turn.kind for turn in report.turns.turns} == {"command", "pause"}
    assert everything.not_woken <= 1
    assert everything.cut_off == 0
    assert everything.judged == everything.turns
    assert everything.right >= everything.turns - 1
    for turn in report.turns.turns:
        if turn.ending == "answered":
            assert turn.endpoint_ms is not None
            assert turn.transcript_ms is not None
            assert turn.decision_ms is not None
            assert turn.first_audio_ms is not None
            assert 0 < turn.endpoint_ms <= turn.transcript_ms <= turn.decision_ms <= turn.first_audio_ms


async def test_the_short_window_is_quicker_and_hears_as_well_and_nobody_says_nothing(plan: Callable[..., Plan]) -> None:
    report = await measure(plan("stt", "silence", "wake", limit=6), SETTINGS)
    assert report.stt is not None
    assert report.silence is not None
    assert report.wake is not None
    rows = {row.setting: row for row in report.stt.rows}
    assert rows[FULL].clips == rows[SHORT].clips == 6
    assert rows[SHORT].time_ratio < 0.6
    assert rows[SHORT].wer <= rows[FULL].wer + 0.05
    assert report.silence.texts == ()
    assert sum(row.after_wake for row in report.silence.rows) >= 1
    (clean,) = (row for row in report.wake.rows if row.noise == "none")
    assert clean.missed <= clean.missed_stock + 1
    assert sum(row.accepts for row in report.wake.false_accepts) == 0
    assert VoiceReport.model_validate_json(report.model_dump_json()) == report


async def test_listening_is_measured_in_a_process_of_its_own(plan: Callable[..., Plan]) -> None:
    report = await measure(plan("idle"), SETTINGS)
    assert report.idle is not None
    assert report.idle.seconds == pytest.approx(15, abs=3)
    assert 0 < report.idle.cpu_percent < 100
    assert 100 < report.idle.rss_mb < 1500
    assert {measure.part for measure in report.measures} == {"idle"}


async def test_the_clips_are_those_of_the_corpus(plan: Callable[..., Plan]) -> None:
    made = plan("turns")
    assert {clip.engine for clip in load(made.folder) if clip.said and clip.engine != "human"} == {"piper"}
