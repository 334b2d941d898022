"""``jarvis state``: what is kept, the folder in one file and back, and the way back from an upgrade."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from assistant.state import StateFolder
from tests.cli.conftest import Jarvis
from tools.keeping.copies import make_copy
from tools.store import Store

ENTRY = {
    "who": "anna", "role": "owner", "door": "cli", "tool": "check_backups", "arguments": "{}", "decision": "allowed",
    "outcome": "ok",
}  # fmt: skip


@pytest.fixture
def state(tmp_path: Path, jarvis: Jarvis, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A house with something configured, and a state folder that has lived."""
    secret = tmp_path / "ha-token"
    secret.write_text("hunter2")
    secret.chmod(0o600)
    Path("jarvis.toml").write_text(
        '[services.gitea]\nurl = "http://gitea.lan"\n'
        f'[home_assistant]\nurl = "http://ha.lan"\ntoken_file = "{secret}"\n'
    )
    folder = tmp_path / "kept" / "state"
    monkeypatch.setenv("JARVIS_STATE", str(folder))
    with Store(folder / "jarvis.db") as store:
        store.audit(ENTRY)
    return folder


def lines(state: Path) -> list[str]:
    with Store(state / "jarvis.db") as store:
        return [line["decision"] for line in store.audit_lines()]


def test_info_says_what_fills_the_folder_and_how_it_is(jarvis: Jarvis, state: Path) -> None:
    make_copy(state / "jarvis.db", 1_800_000_000.0)
    told = json.loads(jarvis("state", "info", "--json").stdout)
    assert told["path"] == str(state)
    assert told["bytes"] == sum(told["parts"].values()) > 0
    assert [(one["name"], one["state"]) for one in told["databases"]] == [("jarvis.db", "sound")]
    assert [(one["at"], one["before"]) for one in told["copies"]] == [(1_800_000_000.0, None)]
    assert "jarvis.db: schema" in jarvis("state", "info").stdout


def test_there_and_back(jarvis: Jarvis, state: Path, tmp_path: Path) -> None:
    assert jarvis("state", "backup", "a.tar.gz").exit_code == 0
    assert "with 2 files" in jarvis("state", "restore", "a.tar.gz", "--check").stdout
    with Store(state / "jarvis.db") as store:
        store.audit(ENTRY)
    done = jarvis("state", "restore", "a.tar.gz")
    assert done.exit_code == 0, done.stderr
    assert lines(state) == ["restored", "allowed"]
    assert "it was not put in force" in done.stdout
    assert (state / "restored" / "config" / "jarvis.toml").read_text() == Path("jarvis.toml").read_text()
    assert not (state / "restored" / "secrets").exists()


def test_with_secrets(jarvis: Jarvis, state: Path) -> None:
    told = json.loads(jarvis("state", "backup", "a.tar.gz", "--with-secrets", "--json").stdout)
    assert "secrets/01-ha-token" in [one["path"] for one in told["files"]]
    assert "put them where" in jarvis("state", "restore", "a.tar.gz").stdout


def test_without_a_name_it_is_named_after_the_time(jarvis: Jarvis, state: Path) -> None:
    told = json.loads(jarvis("state", "backup", "--json").stdout)
    assert Path(told["file"]).exists()
    assert told["file"].startswith("jarvis-state-2")


def test_while_the_server_runs_nothing_is_restored(jarvis: Jarvis, state: Path) -> None:
    jarvis("state", "backup", "a.tar.gz")
    with StateFolder(state).owned():
        refused = jarvis("state", "restore", "a.tar.gz", "--json")
        rolled = jarvis("state", "rollback")
    assert (refused.exit_code, json.loads(refused.stdout)["error"]["code"]) == (5, "locked")
    assert rolled.exit_code == 5
    assert lines(state) == ["allowed"]


def test_back_to_before_an_upgrade(jarvis: Jarvis, state: Path) -> None:
    refused = jarvis("state", "rollback", "--json")
    assert (refused.exit_code, json.loads(refused.stdout)["error"]["code"]) == (5, "no_copy")
    make_copy(state / "jarvis.db", 1_800_000_000.0, before=99)
    with closing(sqlite3.connect(state / "jarvis.db")) as db:
        db.execute("CREATE TABLE of_tomorrow (x)")
        db.execute("PRAGMA user_version=99")
    done = jarvis("state", "rollback")
    assert done.exit_code == 0, done.stderr
    assert "before schema 99" in done.stdout
    assert lines(state) == ["rolled back", "allowed"]
    (aside,) = (state / "aside").iterdir()
    with closing(sqlite3.connect(aside)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (99,)
    assert len(list((state / "copies").iterdir())) == 1


def test_where_there_is_nothing_yet_it_says_so(jarvis: Jarvis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("jarvis.toml").write_text('[services.gitea]\nurl = "http://gitea.lan"\n')
    monkeypatch.setenv("JARVIS_STATE", str(tmp_path / "none"))
    assert "Start Jarvis first" in jarvis("state", "backup", "a.tar.gz").stderr
    assert jarvis("state", "info").exit_code == 0
    assert not (tmp_path / "none").exists()
