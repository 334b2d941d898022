"""Measure, in short: narrowing and the embedded 1.5B, without sentence templates, over the development set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from assistant.cli.evaluate import evaluate

DEV = Path(__file__).parents[1] / "eval" / "dev.jsonl"


@pytest.mark.real_models
def test_narrowing_and_the_embedded_model_are_right_and_do_nothing_that_must_not_be(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JARVIS_MODELS", str(models_dir))
    config = tmp_path / "jarvis.toml"
    config.write_text("[model]\ndiscover = false\n")
    app = typer.Typer()
    app.command()(evaluate)

    arguments = [str(DEV), "--engine", "model", "--json", "--config", str(config)]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)

    report = json.loads(result.stdout)
    print(f"\n{report['right']} of {report['turns']} right, {report['decision_ms']}")  # noqa: T201 - a measurement
    assert report["acted"] == 0
    assert report["turns"] >= 50
    assert report["right_share"] >= 0.88
