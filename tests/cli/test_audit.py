"""``jarvis audit``: shown, followed by scripts, exported and held against its chain, while somebody else writes."""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.cli.audit import since_when
from assistant.cli.main import app
from assistant.errors import ConfigError
from tools.store import Store


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "jarvis.toml").write_text('[services.gitea]\ntcp = "127.0.0.1:1"\n', encoding="utf-8")
    monkeypatch.setenv("JARVIS_CONFIG", str(tmp_path / "jarvis.toml"))
    monkeypatch.setenv("JARVIS_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path / "state"


@pytest.fixture
def store(state: Path) -> Iterator[Store]:
    with Store(state / "jarvis.db") as opened:
        for who, decision in (("anna", "allowed"), ("phone", "refused"), ("anna", "confirmed")):
            opened.audit(
                {
                    "who": who, "role": "member", "door": "http", "room": "study", "tool": "vm_power",
                    "arguments": '{"vm": "[bold]windows", "action": "start"}', "decision": decision,
                    "outcome": "refused" if decision == "refused" else "ok",
                }
            )  # fmt: skip
        yield opened


def jarvis(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["audit", *arguments])
    return done.exit_code, done.output


def test_the_newest_lines_are_shown_oldest_first(store: Store) -> None:
    code, printed = jarvis()
    lines = printed.splitlines()
    assert code == 0
    assert [line.split()[3] for line in lines[1:]] == ["anna", "phone", "anna"]
    assert "http (study)" in lines[1]
    assert "vm_power [bold]windows start" in lines[1]
    assert lines[2].split()[-1] == "refused"


def test_lines_as_json_can_be_filtered(store: Store) -> None:
    code, printed = jarvis("--json", "--who", "anna", "--since", "1h", "--limit", "1")
    (line,) = [json.loads(text) for text in printed.splitlines()]
    assert code == 0
    assert (line["decision"], line["arguments"]) == ("confirmed", {"vm": "[bold]windows", "action": "start"})
    assert line["time"].startswith("20")
    assert jarvis("--json", "--decision", "nothing")[1] == ""


def test_without_any_it_says_so(state: Path) -> None:
    assert jarvis()[1].strip() == "There is nothing of that in the audit."
    assert jarvis("verify")[1].strip() == "There is no audit yet."
    assert not (state / "jarvis.db").exists()


def test_an_export_is_for_its_owner_only_and_over_nothing(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    assert jarvis("export", str(file))[0] == 0
    lines = [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines()]
    assert [line["id"] for line in lines] == [1, 2, 3]
    assert all(len(line["chain"]) == 64 for line in lines)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    code, printed = jarvis("export", str(file))
    assert code != 0
    assert "is there already" in printed
    assert [path.name for path in tmp_path.glob(".audit*")] == []


def test_an_export_goes_to_a_pipe_too(store: Store) -> None:
    code, printed = jarvis("export", "-", "--door", "http", "--decision", "refused")
    assert (code, [json.loads(text)["id"] for text in printed.splitlines()]) == (0, [2])


def test_verify_notices_even_a_chain_that_was_reckoned_anew_by_an_older_export(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    jarvis("export", str(file))
    store.audit({"who": "anna", "role": "owner", "door": "cli", "tool": "x", "arguments": "{}", "decision": "allowed",
                 "outcome": "ok"})  # fmt: skip
    code, printed = jarvis("verify", "--against", str(file))
    assert (code, printed.startswith("four lines, all as they were written.")) == (0, True)
    told = [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines()]
    told[1]["chain"] = "0" * 64
    file.write_text("\n".join(json.dumps(line) for line in told), encoding="utf-8")
    code, printed = jarvis("verify", "--against", str(file))
    assert code == 1
    assert "#2 is not as it was exported." in printed


def test_verify_says_what_was_changed(store: Store, state: Path) -> None:
    with closing(sqlite3.connect(state / "jarvis.db")) as db:
        db.execute("DROP TRIGGER audit_is_append_only_update")
        db.execute("UPDATE audit SET decision = 'allowed' WHERE id = 2")
        db.commit()
    code, printed = jarvis("verify")
    assert code == 1
    assert "#2 is not as it was written." in printed


def test_a_damaged_database_is_one_message(state: Path) -> None:
    state.mkdir()
    (state / "jarvis.db").write_bytes(b"no database" * 100)
    for command in ((), ("verify",), ("export", "-")):
        code, printed = jarvis(*command)
        assert code not in (0, 70)
        assert "cannot be read" in printed


def test_times_are_ages_and_days() -> None:
    assert since_when(None, 1000.0) is None
    assert since_when("2h", 10_000.0) == 2800.0
    day = since_when("2027-01-31", 0.0)
    assert day is not None
    assert abs(day - 1_801_353_600.0) <= 14 * 3600.0
    for nonsense in ("yesterday", "5", "", "-3d"):
        with pytest.raises(ConfigError):
            since_when(nonsense, 0.0)
