"""Measure: with the model alone the embedded 1.5B chooses right in all but one line about the two tools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from assistant.cli.evaluate import evaluate

DEV = Path(__file__).parents[1] / "eval" / "dev.jsonl"
TWO_TOOLS = {"check_services", "check_backups"}


@pytest.mark.real_models
def test_the_embedded_model_chooses_right_in_all_but_one_line(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JARVIS_MODELS", str(models_dir))
    config = tmp_path / "jarvis.toml"
    config.write_text("[model]\ndiscover = false\n")
    ours = tmp_path / "two-tools.jsonl"
    ours.write_text("".join(f"{line}\n" for line in DEV.read_text().splitlines() if _is_ours(json.loads(line))))
    app = typer.Typer()
    app.command()(evaluate)

    arguments = [str(ours), "--engine", "model", "--json", "--config", str(config)]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)

    report = json.loads(result.stdout)
    print(f"\n{report['right']} of {report['turns']} right, {report['decision_ms']}")  # noqa: T201 - a measurement
    assert report["turns"] >= 12
    assert len(report["wrong"]) <= 1, report["wrong"]


def _is_ours(entry: dict[str, object]) -> bool:
    """Lines, or conversations, that have something to do with the two tools."""
    turns = entry.get("turns", [entry])
    assert isinstance(turns, list)
    return any(call["tool"] in TWO_TOOLS for turn in turns for call in turn.get("expect", []))
