"""Pictures of the voice benchmark: one for each table, of whatever was measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.bench.plots import draw
from assistant.bench.voice_report import SilenceTable, SttTable, WakeTable
from assistant.errors import AudioError
from tests.fakes_bench import QUIET, report, table, turn

PNG = b"\x89PNG\r\n\x1a\n"


def test_each_table_has_a_picture_of_its_own(tmp_path: Path) -> None:
    written = draw(report(), tmp_path / "pictures")
    assert [path.name for path in written] == [
        "turns.png",
        "model.png",
        "stt.png",
        "wake.png",
        "silence.png",
        "idle.png",
    ]
    for path in written:
        assert path.read_bytes().startswith(PNG)
        assert path.stat().st_size > 5_000  # axes and words, not an empty sheet


def test_what_was_not_measured_has_none(tmp_path: Path) -> None:
    made = report(turns=None, model=None, stt=None, wake=None, silence=None)
    assert [path.name for path in draw(made, tmp_path)] == ["idle.png"]


def test_tables_without_a_single_row_are_drawn_too(tmp_path: Path) -> None:
    made = report(
        turns=table(turn(ending="not woken", endpoint_ms=None)),
        model=table(),
        stt=SttTable(rows=(), load=QUIET),
        wake=WakeTable(rows=(), false_accepts=(), load=QUIET),
        silence=SilenceTable(rows=(), texts=(), load=QUIET),
        idle=None,
    )
    assert len(draw(made, tmp_path)) == 5


def test_the_same_report_makes_other_pictures_when_a_figure_is_other(tmp_path: Path) -> None:
    (before,) = draw(report(model=None, stt=None, wake=None, silence=None, idle=None), tmp_path / "a")
    slow = table(turn(first_audio_ms=1500.0))
    (after,) = draw(report(turns=slow, model=None, stt=None, wake=None, silence=None, idle=None), tmp_path / "b")
    assert before.read_bytes() != after.read_bytes()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AudioError, match="cannot be written") as failure:
        draw(report(), tmp_path / "file")
    assert failure.value.code == "plot_unwritable"
