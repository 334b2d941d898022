"""``jarvis bench voice`` at the command line; what is measured is measured elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from assistant import egress
from assistant.bench import run as bench_run
from assistant.bench.beside import HomeAssistantAccess
from assistant.bench.run import Plan
from assistant.bench.voice_report import Part, VoiceReport
from assistant.cli.main import app
from assistant.config import Settings
from tests.fakes_bench import report, table, turn

Bench = Callable[..., Result]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """`jarvis bench voice …` with a configuration of its own."""
    (tmp_path / "jarvis.toml").write_text("[model]\ndiscover = false\n")
    monkeypatch.setattr(egress, "_guard", None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("JARVIS_MODELS", str(tmp_path / "no-models"))
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str) -> Result:
        config = ("--config", str(tmp_path / "jarvis.toml"))
        return CliRunner().invoke(app, ["bench", "voice", *arguments, *config], catch_exceptions=False)

    return run


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """A machine on which everything is as good as promised but the p95 of the first audio; the plans it was given."""
    plans: list[Plan] = []

    async def measure(plan: Plan, base: Settings, progress: Any = None) -> VoiceReport:
        plans.append(plan)
        progress("turns", 1, 1)
        return report(turns=table(*[turn()] * 9, turn(id="slow", first_audio_ms=950.0, right=False, called=())))

    monkeypatch.setattr(bench_run, "measure", measure)
    return plans


def test_without_clips_it_names_the_command_that_makes_them(bench: Bench) -> None:
    result = bench()
    assert result.exit_code == 1
    assert "no full corpus of clips" in result.stderr
    assert "jarvis bench clips" in result.stderr


def test_a_folder_without_clips_is_an_error_before_anything_is_loaded(bench: Bench, tmp_path: Path) -> None:
    result = bench("--clips", str(tmp_path), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "no_clips"


def test_a_part_that_is_none_is_refused_with_those_there_are(bench: Bench) -> None:
    result = bench("--only", "turns,tunrs")
    assert result.exit_code == 3
    assert "tunrs is no part" in result.stderr
    assert "turns, model, stt, wake, silence, idle" in result.stderr


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ((), {"turns", "stt", "wake", "silence", "idle"}),
        (("--model",), {"turns", "model", "stt", "wake", "silence", "idle"}),
        (("--only", "idle, wake"), {"idle", "wake"}),
        (("--only", "idle", "--model"), {"idle", "model"}),
    ],
)
def test_what_is_measured_is_what_was_asked_for(
    bench: Bench, measured: list[Plan], tmp_path: Path, options: tuple[str, ...], parts: set[Part]
) -> None:
    assert bench("--clips", str(tmp_path), "--short", "--limit", "7", *options).exit_code == 0
    (plan,) = measured
    assert plan == Plan(tmp_path, frozenset(parts), short=True, limit=7)


def test_the_tables_fit_eighty_columns_and_say_which_measure_is_missed(
    bench: Bench, measured: list[Plan], tmp_path: Path
) -> None:
    shown = bench("--clips", str(tmp_path)).stdout
    tables = [line for line in shown.splitlines() if "  " in line]
    assert max(map(len, tables)) <= 80
    assert "…" not in shown
    assert "first audio, p95" in shown
    assert shown.count("missed") >= 1
    assert "another call: slow" in shown


def test_check_fails_when_a_measure_is_missed_and_only_then(bench: Bench, measured: list[Plan], tmp_path: Path) -> None:
    assert bench("--clips", str(tmp_path)).exit_code == 0
    assert bench("--clips", str(tmp_path), "--check").exit_code == 1


def test_json_is_the_whole_report_and_nothing_else_on_stdout(
    bench: Bench, measured: list[Plan], tmp_path: Path
) -> None:
    found = VoiceReport.model_validate_json(bench("--clips", str(tmp_path), "--json").stdout)
    assert [measure.value for measure in found.missed] == [950.0]


def test_pictures_are_written_where_they_were_asked_for(bench: Bench, measured: list[Plan], tmp_path: Path) -> None:
    result = bench("--clips", str(tmp_path), "--plot", str(tmp_path / "pictures"))
    assert result.exit_code == 0
    assert (tmp_path / "pictures" / "turns.png").is_file()


def test_home_assistant_wants_a_token_and_then_the_turns_are_measured_too(
    bench: Bench, measured: list[Plan], tmp_path: Path
) -> None:
    there = ("--clips", str(tmp_path), "--only", "idle", "--home-assistant", "http://127.0.0.1:8123")
    without = bench(*there)
    assert (without.exit_code, measured) == (3, [])
    assert "long-lived access token" in " ".join(without.stderr.split())
    empty = tmp_path / "empty"
    empty.write_text("\n")
    assert bench(*there, "--token-file", str(empty)).exit_code == 3
    token = tmp_path / "token"
    token.write_text("secret\n")
    assert bench(*there, "--token-file", str(token)).exit_code == 0
    (plan,) = measured
    assert plan.parts == {"idle", "turns"}
    assert plan.home_assistant == HomeAssistantAccess("http://127.0.0.1:8123", "secret")
