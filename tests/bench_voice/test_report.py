"""The voice benchmark's report: its figures by group, its measures, its JSON and its page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.bench.measures import FULL, SHORT
from assistant.bench.report_page import markdown
from assistant.bench.turns import rows
from assistant.bench.voice_report import SilenceRow, SilenceTable, Spread, SttTable, Turn, VoiceReport, WakeTable
from tests.fakes_bench import QUIET, TURN, accept_row, report, stt_row, table, turn, wake_row

PAGE = Path(__file__).parents[2] / "docs" / "voice-benchmark.md"
MARK = "<!-- generated: python -m assistant.bench.report_page -->\n"

endings = st.sampled_from(["answered", "not woken", "nothing heard", "failed", "timed out"])
some_ms = st.none() | st.floats(-500, 5000)
turns = st.lists(
    st.builds(
        lambda ending, kind, synthesizer, decided, ms, cut, errors: turn(
            ending=ending,
            kind=kind,
            synthesizer=synthesizer,
            decided_by=decided,
            endpoint_ms=ms,
            first_audio_ms=ms if ending == "answered" else None,
            cut_off=cut and ms is not None,
            word_errors=errors,
        ),
        endings,
        st.sampled_from(["command", "pause"]),
        st.sampled_from(["piper", "flite"]),
        st.sampled_from(["sentence", "model", "none"]),
        some_ms,
        st.booleans(),
        st.integers(0, 6),
    ),
    max_size=12,
)


# ── groups ────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(turns)
def test_every_turn_stands_once_in_all_once_by_kind_and_once_by_synthesizer(spoken: list[Turn]) -> None:
    found = {row.group: row for row in rows(spoken)}
    if not spoken:
        assert found == {}
        return
    assert found["all"].turns == len(spoken)
    for groups in (("command", "pause"), ("piper", "flite")):
        members = [found[group] for group in groups if group in found]
        assert sum(row.turns for row in members) == len(spoken)
        assert sum(row.cut_off for row in members) == found["all"].cut_off
        assert sum(row.right for row in members) == found["all"].right


@given(turns)
def test_shares_and_times_are_of_what_was_heard(spoken: list[Turn]) -> None:
    for row in rows(spoken):
        assert row.cut_off <= row.heard <= row.turns
        assert row.cut_off_share is None or 0 <= row.cut_off_share <= 1
        assert (row.endpoint.n if row.endpoint else 0) == row.heard - row.cut_off


def test_a_turn_that_was_cut_off_has_no_say_in_the_times() -> None:
    (everything, *_) = rows([TURN, turn(id="cut", cut_off=True, endpoint_ms=-900.0, first_audio_ms=-100.0)])
    assert everything.cut_off_share == 0.5
    assert everything.first_audio == Spread(n=1, p50=520.0, p95=520.0, max=520.0)


def test_words_of_a_turn_that_heard_none_are_errors_and_those_of_one_not_woken_are_not() -> None:
    deaf = turn(id="deaf", heard="", ending="nothing heard", word_errors=4)
    asleep = turn(id="asleep", heard="", ending="not woken", endpoint_ms=None, word_errors=4)
    (everything, *_) = rows([TURN, deaf, asleep])
    assert everything.wer == 0.5
    assert everything.not_woken == 1


# ── measures ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_report_that_keeps_all_that_is_promised() -> None:
    made = report()
    assert {measure.part for measure in made.measures} == {"turns", "model", "stt", "wake", "silence", "idle"}
    assert len(made.measures) == 13
    assert made.missed == ()


@pytest.mark.parametrize(
    ("part", "found", "missed"),
    [
        ("turns", table(turn(first_audio_ms=610.0)), "first audio, p50"),
        ("turns", table(*[TURN] * 9, turn(first_audio_ms=901.0)), "first audio, p95"),
        ("turns", table(turn(endpoint_ms=351.0)), "endpoint, p50"),
        ("turns", table(*[TURN] * 30, turn(cut_off=True)), "cut off"),
        ("model", table(turn(decided_by="model", first_audio_ms=2001.0)), "model and tool: first audio"),
        ("stt", SttTable(rows=(stt_row(FULL), stt_row(SHORT, time_ratio=0.34)), load=QUIET), "short window to"),
        ("stt", SttTable(rows=(stt_row(FULL), stt_row(SHORT, time_ratio=0.3, wer=0.046)), load=QUIET), "adds"),
        (
            "stt",
            SttTable(rows=(stt_row(FULL), stt_row(SHORT, time_ratio=0.3, name_accuracy=0.94)), load=QUIET),
            "names",
        ),
        ("wake", WakeTable(rows=(wake_row("fan", 3, 2, 20.0),), false_accepts=(), load=QUIET), "noise classes"),
        ("wake", WakeTable(rows=(), false_accepts=(accept_row("recorded people", 1),), load=QUIET), "false accepts"),
        (
            "silence",
            SilenceTable(
                rows=(SilenceRow(noise="hum", clips=1, texts=0, after_wake=1, texts_after_wake=1),),
                texts=("hum: thanks for watching",),
                load=QUIET,
            ),
            "nobody spoke",
        ),
    ],
)
def test_what_is_worse_than_promised_is_missed_and_nothing_else(part: str, found: object, missed: str) -> None:
    (only,) = report(**{part: found}).missed
    assert missed in only.name
    assert only.part == part


def test_idle_is_measured_against_both_of_its_limits() -> None:
    found = report()
    assert found.idle is not None
    greedy = report(idle=found.idle.model_copy(update={"cpu_percent": 4.1, "rss_mb": 601.0}))
    assert [measure.unit for measure in greedy.missed] == ["% of a core", "MB"]


def test_a_class_of_noise_is_judged_over_all_its_loudnesses() -> None:
    level = (wake_row("fan", 3, 2, 20.0), wake_row("fan", 4, 5, 5.0))
    assert report(wake=WakeTable(rows=level, false_accepts=(), load=QUIET)).missed == ()


def test_false_accepts_in_noise_are_shown_and_not_promised() -> None:
    heard = WakeTable(rows=(), false_accepts=(accept_row("no speech", 2),), load=QUIET)
    assert report(wake=heard).missed == ()


def test_a_part_that_was_not_measured_promises_nothing() -> None:
    made = report(turns=None, model=None, stt=None, wake=None, silence=None)
    assert {measure.part for measure in made.measures} == {"idle"}


# ── JSON and page ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_json_is_one_object_that_reads_back_the_same() -> None:
    made = report()
    text = made.model_dump_json()
    assert VoiceReport.model_validate_json(text) == made
    assert set(json.loads(text)) == set(VoiceReport.model_json_schema()["properties"])


def test_unknown_keys_are_refused() -> None:
    raw = json.loads(report().model_dump_json())
    raw["turns"]["surprise"] = 1
    with pytest.raises(ValueError, match="surprise"):
        VoiceReport.model_validate(raw)


def test_the_keys_in_the_docs_are_the_generated_ones() -> None:
    _, _, keys = PAGE.read_text(encoding="utf-8").partition(MARK)
    assert keys == markdown(), "put the output of `python -m assistant.bench.report_page` below the mark"
