"""The command line in a house of its own: the demo homelab, built once, and nothing of this machine's configuration."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assistant import egress
from assistant.cli.main import app

Jarvis = Callable[..., Result]


@pytest.fixture(scope="session")
def demo_state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """JARVIS_STATE of these tests: the demo's restic repository is made by the first that needs it."""
    return tmp_path_factory.mktemp("jarvis-state")


@pytest.fixture
def jarvis(demo_state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jarvis:
    """Run `jarvis …` in this process. Variables by keyword; the guard and what it switches off end with the test."""
    for name in [name for name in os.environ if name.startswith("JARVIS_")]:
        monkeypatch.delenv(name)
    for name, value in egress.TELEMETRY_OFF.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(egress, "_guard", None)
    monkeypatch.setenv("JARVIS_STATE", str(demo_state_dir))
    monkeypatch.setenv("JARVIS_MODELS", str(tmp_path / "no-models"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def run(*arguments: str, stdin: str | None = None, **variables: str) -> Result:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return CliRunner().invoke(app, arguments, input=stdin, catch_exceptions=False)

    return run
