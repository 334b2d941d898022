"""Artifacts: whole files that other programs of the owner can read."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tools.outbox import KEPT, Outbox

AT = datetime(2026, 5, 13, 10, 0, tzinfo=UTC)


def test_a_check_leaves_the_latest_and_a_copy_with_its_time(tmp_path: Path) -> None:
    latest = Outbox(tmp_path / "outbox").leave("check_backups", {"spoken": "Größe"}, AT)
    assert latest == tmp_path / "outbox" / "check_backups" / "latest.json"
    copy = latest.with_name("20260513T100000.000000Z.json")
    assert copy.read_bytes() == latest.read_bytes()
    assert json.loads(latest.read_text(encoding="utf-8")) == {
        "tool": "check_backups",
        "at": "20260513T100000.000000Z",
        "spoken": "Größe",
    }


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    latest = Outbox(tmp_path / "outbox").leave("check_backups", {}, AT)
    for path, mode in ((latest, 0o600), (latest.parent, 0o700), (latest.parent.parent, 0o700)):
        assert stat.S_IMODE(path.stat().st_mode) == mode


def test_the_latest_is_replaced_and_the_copies_stay(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.leave("check_services", {"n": 1}, AT)
    latest = outbox.leave("check_services", {"n": 2}, AT + timedelta(seconds=1))
    assert json.loads(latest.read_text())["n"] == 2
    assert len(list(latest.parent.glob("2*.json"))) == 2
    assert not list(latest.parent.glob("*.partial"))


def test_the_oldest_copies_go_first(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    for second in range(KEPT + 3):
        outbox.leave("check_services", {}, AT + timedelta(seconds=second))
    kept = sorted(path.name for path in (tmp_path / "check_services").glob("2*.json"))
    assert len(kept) == KEPT
    assert kept[0] == "20260513T100003.000000Z.json"


def test_text_that_utf8_cannot_hold_is_kept_as_a_json_escape(tmp_path: Path) -> None:
    latest = Outbox(tmp_path).leave("check_services", {"said": "\ud800"}, AT)
    assert json.loads(latest.read_text(encoding="utf-8"))["said"] == "\ud800"


def test_a_folder_that_cannot_be_written_is_an_os_error_and_nothing_half_written_stays(tmp_path: Path) -> None:
    (tmp_path / "check_services").mkdir()
    (tmp_path / "check_services" / "latest.json").mkdir()
    with pytest.raises(OSError):
        Outbox(tmp_path).leave("check_services", {}, AT)
    assert not list((tmp_path / "check_services").glob("*.partial"))
    (tmp_path / "check_backups").write_text("a file")
    with pytest.raises(OSError):
        Outbox(tmp_path).leave("check_backups", {}, AT)
