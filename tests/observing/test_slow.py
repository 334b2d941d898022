"""Which stage made a turn slow."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from assistant import egress
from assistant.cli.main import app
from assistant.observing.slow import blamed, taken_ms
from assistant.traces import TraceStore
from tests.observing.turns import chatty_turn, spoken_turn, typed_turn
from tools.contract import JsonObject


def row(total: float | None, door: str = "http", **timings: float | None) -> JsonObject:
    return {"total_ms": total, "door": door, "timings_ms": {"wake": None, **timings, "total": total}}


def test_the_stage_that_took_most_beyond_its_median_is_to_blame() -> None:
    usual = [row(200, decision=100, tools=50)] * 9
    slow = [
        row(3_000, decision=2_700, tools=60),
        row(2_000, decision=110, tools=1_800),
        row(900, decision=100, tools=50),
    ]
    first, second, third = blamed(slow, [*usual, *slow])
    assert (first and first.stage, first and first.median_ms, first and first.over_ms) == ("decision", 100, 2_600)
    assert second is not None
    assert second.words == "tools: 1800 ms, usually 50"
    assert third is not None
    assert (third.stage, third.took_ms, third.total_median_ms) == ("rest", 750, 200)


def test_a_microphone_that_waits_for_an_hour_is_not_slow() -> None:
    waited = row(3_602_000, "microphone", wake=3_600_000.0, decision=300)
    assert taken_ms(waited) == 2_000
    assert taken_ms(row(3_000, "http", wake=2_500.0)) == 3_000
    (blame,) = blamed([waited], [waited])
    assert blame is not None
    assert blame.total_median_ms == 2_000


def test_a_turn_without_times_is_nobodys_fault() -> None:
    assert blamed([row(None)], [row(None), row(100)]) == [None]


timing = st.one_of(st.none(), st.floats(0, 1e6))
rows = st.lists(
    st.builds(row, timing, st.sampled_from(("http", "microphone")), decision=timing, tools=timing), min_size=1
)


@settings(max_examples=40)
@given(rows)
def test_every_turn_with_a_time_gets_one_of_its_own_stages(found: list[JsonObject]) -> None:
    for one, blame in zip(found, blamed(found, found), strict=True):
        assert (blame is None) == (one["total_ms"] is None)
        if blame is not None:
            assert blame.over_ms >= 0
            assert json.dumps(blame.as_json())


@pytest.fixture
def jarvis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """`jarvis …` in a house of its own with three turns in it; what it prints."""
    for name in [name for name in os.environ if name.startswith("JARVIS_")]:
        monkeypatch.delenv(name)
    for name, value in egress.TELEMETRY_OFF.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(egress, "_guard", None)
    state = tmp_path / "state"
    state.mkdir()
    config = tmp_path / "jarvis.toml"
    config.write_text('[services.gitea]\nurl = "http://127.0.0.1:1/"\n')
    monkeypatch.setenv("JARVIS_STATE", str(state))
    monkeypatch.setenv("COLUMNS", "120")
    traces = TraceStore(state / "traces.db", keep_words=False)
    for turn in (typed_turn(), chatty_turn(), spoken_turn()):
        traces.keep(turn, "http")
    traces.close()

    def run(*arguments: str) -> str:
        return CliRunner().invoke(app, ["--config", str(config), *arguments], catch_exceptions=False).stdout

    return run


def test_the_command_names_the_stage_and_the_usual(jarvis: Callable[..., str]) -> None:
    rows = json.loads(jarvis("turns", "--slow", "--json", "--limit", "2"))
    assert [row["turn_id"] for row in rows] == ["t1", "t4"]
    assert [row["slow"]["stage"] for row in rows] == ["rest", "decision"]
    assert rows[0]["slow"]["total_median_ms"] == 902
    shown = jarvis("turns", "--slow")
    assert "rest: 6500 ms, usually" in shown
    assert "902" in shown
    assert "slow" not in json.loads(jarvis("turns", "--json"))[0]
