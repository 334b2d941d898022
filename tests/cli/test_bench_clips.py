"""``jarvis bench clips``, with synthesizers that hum."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.bench import clips, corpus, recordings, voices
from assistant.cli.main import app
from tests.fakes_clips import hummers


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No configuration, no recordings, no espeak-ng; clips in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JARVIS_CONFIG", str(tmp_path / "jarvis.toml"))
    (tmp_path / "jarvis.toml").write_text("")
    monkeypatch.setattr(recordings, "people", lambda models, prompts: ())
    monkeypatch.setattr(recordings, "sounds", lambda: ())
    monkeypatch.setattr(recordings, "missing", lambda: ("sound-icons",))
    monkeypatch.setattr(voices, "engines", lambda models: hummers(espeak_ng="the program espeak-ng"))
    monkeypatch.setattr(corpus, "clips_dir", lambda: tmp_path / "cache")


def test_it_makes_the_clips_and_says_how_many_and_where(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["bench", "clips", "--limit", "2", "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    made = clips.load(tmp_path / "out")
    assert f"{len(made)} clips in" in result.output
    assert "espeak-ng lacks the program espeak-ng: install espeak-ng-package." in result.stderr
    assert "install sound-icons" in result.stderr
    assert "command in noise" in result.output


def test_json_counts_kinds_and_engines(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["bench", "clips", "--limit", "2", "--engines", "flite,kokoro", "--json"])
    assert result.exit_code == 0, result.output
    shown = json.loads(result.stdout)
    assert Path(shown["folder"]).parent == tmp_path / "cache"
    assert shown["clips"] == sum(sum(row.values()) for row in shown["counts"].values()) == 10
    assert set(shown["counts"]) == {"command", "command in noise", "pause", "names", "no_speech"}


def test_the_second_time_it_takes_what_is_there(tmp_path: Path) -> None:
    command = ["bench", "clips", "--limit", "1", "--json"]
    first = json.loads(CliRunner().invoke(app, command).stdout)
    assert json.loads(CliRunner().invoke(app, command).stdout) == first
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_strict_ends_at_what_is_missing_with_the_package() -> None:
    result = CliRunner().invoke(app, ["bench", "clips", "--limit", "1", "--strict"])
    assert result.exit_code != 0
    assert "install espeak-ng-package" in result.stderr


def test_an_unknown_engine_is_an_error_with_those_there_are() -> None:
    result = CliRunner().invoke(app, ["bench", "clips", "--engines", "sam"])
    assert result.exit_code == 3
    assert "Known are espeak-ng, festival, flite, kokoro, piper." in result.stderr
