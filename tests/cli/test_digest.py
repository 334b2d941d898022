"""`jarvis digest`, as a person or a script uses it, and `GET /digest`, which it asks where a server runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Jarvis
from tools.digest.facts import Digest

NO_VITALS = """
[alerts]
disks = []
load_warning = 1000
memory_warning_pct = 100
temperature_warning_c = 1000
"""
"""How the machine of the test is has no part in it."""


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    path = tmp_path / "jarvis.toml"
    path.write_text(
        f'state_dir = "{tmp_path / "state"}"\n[services.gitea]\nurl = "http://127.0.0.1:1/"\n{NO_VITALS}',
        encoding="utf-8",
    )
    return path


def test_it_says_what_is_wrong_and_what_was_not_looked_at(jarvis: Jarvis, toml: Path) -> None:
    result = jarvis("digest", "--plain", "--config", str(toml))
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Gitea is down")
    assert "found: 1 critical" in result.stdout
    assert "not set up: backups, virtual machines" in lines[-1]


def test_as_json_it_is_the_digest(jarvis: Jarvis, toml: Path) -> None:
    made = Digest.model_validate_json(jarvis("digest", "--plain", "--json", "--config", str(toml)).stdout)
    assert (made.severity, made.by, made.reason) == ("critical", "facts", "no model was asked")
    assert 1 <= len(made.sentences) <= 5
    assert [finding.subject for finding in made.findings] == ["gitea"]


def test_as_markdown_it_is_the_note(jarvis: Jarvis, toml: Path) -> None:
    text = jarvis("digest", "--plain", "--markdown", "--config", str(toml)).stdout
    assert text.startswith("---\ndate: '")
    assert "\nmade_by: jarvis digest\n---\n" in text
    assert "\nGitea is down." in text


def test_without_a_model_the_facts_are_said_with_the_reason(jarvis: Jarvis, toml: Path) -> None:
    """The test's house has no model files."""
    result = jarvis("digest", "--json", "--config", str(toml))
    made = json.loads(result.stdout)
    assert (made["by"], made["sentences"]) == ("facts", made["facts"])
    assert made["reason"]


def test_a_broken_configuration_is_one_message(jarvis: Jarvis, toml: Path) -> None:
    toml.write_text('[digest]\nat = "7 o\'clock"\n')
    result = jarvis("digest", "--config", str(toml))
    assert result.exit_code == 3
    assert "`digest.at`" in result.stderr
