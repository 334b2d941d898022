"""``jarvis soak`` at the command line, without a server."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from assistant.cli.main import app
from assistant.cli.soak import blocks, show_soak
from assistant.soak.plots import CURVES, draw
from assistant.soak.report import Failure, SoakReport
from assistant.soak.verdict import measures, warm_up
from tests.soak.test_verdict import DECK, ROUNDS, rounds, turned


def report(failed: int = 0) -> SoakReport:
    """Of ten thousand turns with a server that is well."""
    some, turns, warm = rounds(), turned(), warm_up(ROUNDS * DECK, DECK)
    return SoakReport(
        version="0", wanted=ROUNDS * DECK, turns=ROUNDS * DECK, warm_up=warm, seconds=60.0, seed=1, cores=2, kinds={},
        acts=7, failures=tuple(Failure(turn=at, kind="a service", detail="[wrong]") for at in range(min(failed, 100))),
        failed=failed, doors=(), rounds=tuple(some), measures=measures(turns, failed, some, warm),
    )  # fmt: skip


def shown(found: SoakReport) -> str:
    console = Console(file=io.StringIO(), record=True, width=160)
    show_soak(found, console)
    return console.export_text()


def test_the_verdict_comes_last_and_says_what_was_missed() -> None:
    well, ill = shown(report()), shown(report(failed=150))
    assert "missed" not in well
    assert "10,000 of 10,000 turns" in well
    assert "turn 3, a service: [wrong]" in ill
    assert "130 more failures" in ill
    assert ill.index("150 of") > ill.index("[wrong]")


def test_there_is_a_picture_for_each_figure_and_one_of_the_most_important(tmp_path: Path) -> None:
    written = draw(report(), tmp_path / "new")
    assert [path.stem for path in written] == [*(curve.name for curve in CURVES), "soak"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)


@given(st.lists(st.just(0.0) | st.floats(0.001, 1e6), min_size=1, max_size=300), st.integers(1, 80))
def test_a_curve_is_as_wide_as_it_may_be_and_its_top_is_full(values: list[float], columns: int) -> None:
    line = blocks(values, columns)
    assert len(line) == min(columns, len(values))
    assert max(values) == 0 or "█" in line


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--doors", "cellar"], "cellar is no door of the soak"),
        (["--url", "http://192.0.2.1:8765"], "no address of this machine"),
        (["--url", "http://127.0.0.1:9", "--token-file", "/nowhere"], "cannot be read"),
    ],
)
def test_what_cannot_be_soaked_is_said_before_anything_begins(options: list[str], said: str) -> None:
    ended = CliRunner().invoke(app, ["soak", *options])
    assert ended.exit_code != 0
    assert said in " ".join(ended.output.split())
