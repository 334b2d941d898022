"""The folder in one file and back: nothing is lost on the way, and no archive gets anything else onto the disk."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import stat
import tarfile
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant import state_backup
from assistant.errors import StateError
from assistant.state import StateFolder
from assistant.state_backup import MANIFEST, Extra, Restored, back_up, read_manifest, restore
from assistant.tokens import Token, TokenStore
from tools.audit import AuditReader
from tools.contract import Caller, Door, Level, PlannedCall
from tools.outbox import Outbox
from tools.store import Store
from tools.tasks.schedules import Schedules

NOW = 1_800_000_000.0
ENTRY = {
    "who": "anna", "role": "owner", "door": "cli", "tool": "check_backups", "arguments": "{}", "decision": "allowed",
    "outcome": "ok",
}  # fmt: skip


def lived(state: Path, lines: int = 3) -> None:
    with Store(state / "jarvis.db") as store:
        for _ in range(lines):
            store.audit(ENTRY)
    Outbox(state / "outbox").leave("check_backups", {"spoken": "fine"})


def made(state: Path, target: Path, **options: Any) -> Path:
    back_up(state, target, version="1", **options)
    return target


def files(folder: Path) -> dict[str, bytes]:
    left_out = ("lock", "jarvis.db", "tokens.db")
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in left_out
    }


def refused(work: Callable[[], object]) -> StateError:
    with pytest.raises(StateError) as caught:
        work()
    return caught.value


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody pulls the plug in a test."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


# ── there and back ────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_there_is_there_again_and_the_folder_from_before_is_kept(tmp_path: Path) -> None:
    state = tmp_path / "state"
    lived(state)
    archive = made(state, tmp_path / "a.tar.gz")
    before = files(state)
    with Store(state / "jarvis.db") as store:
        store.audit(ENTRY | {"who": "ben"})
    (state / "outbox" / "check_backups" / "latest.json").write_text("changed")
    done = restore(archive, state, now=NOW)
    assert files(state) == before
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    with Store(state / "jarvis.db") as store:
        assert [line["decision"] for line in store.audit_lines()] == ["restored", "allowed", "allowed", "allowed"]
    assert AuditReader(state / "jarvis.db").verified().faults == ()
    assert done.old == tmp_path / "state-before-20270115T080000Z"
    assert (done.old / "outbox" / "check_backups" / "latest.json").read_text() == "changed"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.gz", "state", done.old.name]


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="/\\."), min_size=1,
                max_size=40)  # fmt: skip


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(artifacts=st.dictionaries(NAMES, st.binary(max_size=5000), max_size=5), lines=st.integers(0, 3))
def test_any_artifact_comes_back_byte_for_byte(artifacts: Mapping[str, bytes], lines: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        lived(state, lines)
        for name, content in artifacts.items():
            if len(name.encode()) < 200:
                (state / "outbox" / "check_backups" / name).write_bytes(content)
        before = files(state)
        if len({name.casefold() for name in before}) != len(before):
            return  # two names that some file systems cannot tell apart are refused
        archive = made(state, Path(folder) / "a.tar.gz")
        restore(archive, Path(folder) / "other")
        assert files(Path(folder) / "other") == before


def test_while_somebody_owns_the_folder_nothing_is_restored_and_a_backup_can_be_made(tmp_path: Path) -> None:
    state = tmp_path / "state"
    lived(state)
    with StateFolder.prepared(state).owned():
        archive = made(state, tmp_path / "a.tar.gz")
        before = files(state)
        assert refused(lambda: restore(archive, state)).code == "locked"
        assert files(state) == before
    assert len(list(tmp_path.iterdir())) == 2


def test_a_backup_is_written_over_nothing(tmp_path: Path) -> None:
    lived(tmp_path / "state")
    (tmp_path / "a.tar.gz").write_text("precious")
    assert refused(lambda: made(tmp_path / "state", tmp_path / "a.tar.gz")).code == "file_exists"
    assert (tmp_path / "a.tar.gz").read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.gz", "state"]


def test_secrets_are_in_it_only_when_they_are_asked_for_and_lie_apart_afterwards(tmp_path: Path) -> None:
    state, secret = tmp_path / "state", tmp_path / "ha-token"
    lived(state)
    (state / "confirm.key").write_text("the key")
    secret.write_text("hunter2")
    extra = {"secrets": [Extra("01-ha-token", secret)], "config": [Extra("jarvis.toml", secret)]}
    without = made(state, tmp_path / "a.tar.gz", secrets=extra["secrets"])
    assert b"hunter2" not in gzip.decompress(without.read_bytes())
    assert b"the key" not in gzip.decompress(without.read_bytes())
    done = restore(made(state, tmp_path / "b.tar.gz", with_secrets=True, **extra), state)
    assert (state / "confirm.key").read_text() == "the key"
    assert done.secrets is not None
    assert (done.secrets / "01-ha-token").read_text() == "hunter2"
    assert (state / "restored" / "config" / "jarvis.toml").exists()
    assert stat.S_IMODE((done.secrets / "01-ha-token").stat().st_mode) == 0o600


# ── what was true then and must not be believed now ───────────────────────────────────────────────────────────────


def test_a_token_that_was_revoked_since_stays_revoked(tmp_path: Path) -> None:
    state = tmp_path / "state"
    lived(state)
    store = TokenStore(state / "tokens.db")
    store.create(Token("phone", "owner"))
    store.create(Token("tablet", "member"))
    archive = made(state, tmp_path / "a.tar.gz")
    store.revoke("phone", "anna")
    assert restore(archive, state).revoked == 1
    assert {token.name: token.state(time.time()) for token in store.tokens()} == {
        "phone": "revoked",
        "tablet": "valid",
    }


def test_that_a_token_is_needed_is_not_forgotten(tmp_path: Path) -> None:
    state = tmp_path / "state"
    lived(state)
    archive = made(state, tmp_path / "a.tar.gz")
    TokenStore(state / "tokens.db").create(Token("phone", "owner"))
    restore(archive, state)
    assert TokenStore(state / "tokens.db").exists


def test_no_yes_and_nothing_scheduled_counts_twice(tmp_path: Path) -> None:
    state = tmp_path / "state"
    stop = PlannedCall(tool="vm_power", arguments={"vm": "windows", "action": "shutdown"}, level=Level.DESTRUCTIVE)
    with Store(state / "jarvis.db") as store:
        Schedules(store, lambda: NOW - 3600).add("x", "in 30 minutes", stop, Caller(door=Door.CLI))
        store.write("INSERT INTO confirmations VALUES ('n', 'd', 'anna', 'cli', NULL, NULL, 0, 1e12, 0, 1e12, 0)", [()])
    restore(made(state, tmp_path / "a.tar.gz"), state, now=NOW)
    with Store(state / "jarvis.db") as store:
        assert Schedules(store, lambda: NOW).due() == []
        assert store.read("SELECT * FROM confirmations") == []


# ── archives that somebody else made ──────────────────────────────────────────────────────────────────────────────


def entry(path: str, content: bytes, **changed: object) -> dict[str, object]:
    told = {"path": path, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return {**told, **changed}


def member(
    name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname, info.mode = kind, len(content), link, 0o4777
    return info, content


def archive_of(
    path: Path, entries: list[dict[str, object]], *members: tuple[tarfile.TarInfo, bytes], **top: object
) -> Path:
    manifest = {"format": 1, "version": "1", "made": 1.0, "secrets": False, "files": entries, **top}
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        for info, content in (member(MANIFEST, json.dumps(manifest).encode()), *members):
            tar.addfile(info, io.BytesIO(content))
    return path


GOOD = "state/outbox/x/a.json"
HOSTILE: Mapping[str, Callable[[Path], Path]] = {
    "a path upwards": lambda p: archive_of(p, [entry("state/../../evil", b"x")], member("state/../../evil", b"x")),
    "an absolute path": lambda p: archive_of(p, [entry("/etc/evil", b"x")], member("/etc/evil", b"x")),
    "a name that is no file of ours": lambda p: archive_of(
        p, [entry("state/serve.json", b"{}")], member("state/serve.json", b"{}")
    ),
    "a lock": lambda p: archive_of(p, [entry("state/lock", b"")], member("state/lock", b"")),
    "a hidden name": lambda p: archive_of(p, [entry("state/outbox/.x/a", b"x")], member("state/outbox/.x/a", b"x")),
    "a backslash": lambda p: archive_of(p, [entry("state/outbox/..\\a", b"x")], member("state/outbox/..\\a", b"x")),
    "a double slash": lambda p: archive_of(p, [entry("state//outbox/a", b"x")], member("state//outbox/a", b"x")),
    "a symlink": lambda p: archive_of(p, [entry(GOOD, b"")], member(GOOD, b"", tarfile.SYMTYPE, "/etc/passwd")),
    "a hard link": lambda p: archive_of(p, [entry(GOOD, b"")], member(GOOD, b"", tarfile.LNKTYPE, "/etc/passwd")),
    "a device": lambda p: archive_of(p, [entry(GOOD, b"")], member(GOOD, b"", tarfile.CHRTYPE)),
    "a fifo": lambda p: archive_of(p, [entry(GOOD, b"")], member(GOOD, b"", tarfile.FIFOTYPE)),
    "a folder in the place of a file": lambda p: archive_of(p, [entry(GOOD, b"")], member(GOOD, b"", tarfile.DIRTYPE)),
    "another content": lambda p: archive_of(p, [entry(GOOD, b"good")], member(GOOD, b"evil")),
    "another size": lambda p: archive_of(p, [entry(GOOD, b"good")], member(GOOD, b"good and more")),
    "a file that the manifest has not": lambda p: archive_of(p, [], member(GOOD, b"x")),
    "a file that is not there": lambda p: archive_of(p, [entry(GOOD, b"x")]),
    "the same file twice": lambda p: archive_of(p, [entry(GOOD, b"x"), entry(GOOD, b"x")], member(GOOD, b"x")),
    "the same member twice": lambda p: archive_of(p, [entry(GOOD, b"x")], member(GOOD, b"x"), member(GOOD, b"x")),
    "names that differ in case only": lambda p: archive_of(
        p, [entry(GOOD, b"x"), entry(GOOD.replace("a.json", "A.json"), b"x")], member(GOOD, b"x")
    ),
    "more than there is room for": lambda p: archive_of(
        p, [entry(f"state/outbox/x/{n}", b"", bytes=10**10) for n in range(50)], member(GOOD, b"")
    ),
    "a negative size": lambda p: archive_of(p, [entry(GOOD, b"", bytes=-1)], member(GOOD)),
    "a manifest of another shape": lambda p: archive_of(p, [], files={"a": 1}),
    "a manifest that is a list in a list": lambda p: archive_of(p, [["x"]]),  # type: ignore[list-item]
    "a newer format": lambda p: archive_of(p, [], format=2),
    "a database that is none": lambda p: archive_of(
        p, [entry("state/jarvis.db", b"no database" * 900)], member("state/jarvis.db", b"no database" * 900)
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_archive_is_refused_and_leaves_nothing(what: str, tmp_path: Path) -> None:
    state = tmp_path / "house" / "state"
    lived(state)
    before, archive = files(tmp_path / "house"), HOSTILE[what](tmp_path / "a.tar.gz")
    assert refused(lambda: restore(archive, state)).code in ("bad_archive", "no_room", "newer_archive")
    assert files(tmp_path / "house") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.gz", "house"]
    assert [path.name for path in state.parent.iterdir()] == ["state"]


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", gzip.compress(b""), gzip.compress(b"x" * 2000), gzip.compress(b"\0" * 30_000_000)[:-9]],
    ids=["empty", "text", "empty gzip", "text in gzip", "cut off zeros"],
)
def test_what_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    assert refused(lambda: restore(tmp_path / "a", tmp_path / "state")).code == "bad_archive"
    assert not (tmp_path / "state").exists()


def test_a_header_of_gigabytes_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pax header, which tarfile takes into memory as a whole, that unpacks to 200 MB from 200 kB."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 200_000_000
    header = info.tobuf(tarfile.USTAR_FORMAT)
    archive = tmp_path / "a"
    with gzip.open(archive, "wb", compresslevel=1) as packed:
        packed.write(header)
        for _ in range(20):
            packed.write(b"\0" * 10_000_000)
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refused(lambda: restore(archive, tmp_path / "state")).code == "bad_archive"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_an_archive_that_is_cut_off_anywhere_changes_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state"
    lived(state)
    whole = made(state, tmp_path / "a.tar.gz").read_bytes()
    before = files(state)
    for length in (10, 100, len(whole) // 2, len(whole) - 2000, len(whole) - 100):
        (tmp_path / "cut").write_bytes(whole[:length])
        refused(lambda: restore(tmp_path / "cut", state))
        assert files(state) == before
    assert len(list(tmp_path.iterdir())) == 3


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
def test_an_archive_with_any_byte_changed_is_refused_or_the_same(share: float, change: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        lived(state, 1)
        whole = bytearray(made(state, Path(folder) / "a").read_bytes())
        whole[int(share * len(whole))] ^= change
        (Path(folder) / "b").write_bytes(whole)
        try:
            restore(Path(folder) / "b", Path(folder) / "other")
        except StateError:
            assert not (Path(folder) / "other").exists()
        else:
            assert files(Path(folder) / "other") == files(state)


def test_broken_off_while_it_is_written_the_folder_from_before_is_untouched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    lived(state)
    archive = made(state, tmp_path / "a.tar.gz")
    before = files(state)

    def full(*_: object) -> Restored:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(state_backup, "_put", full)
    problem = refused(lambda: restore(archive, state))
    assert (problem.code, "disk is full" in problem.mend) == ("restore_failed", True)
    assert files(state) == before
    assert len(list(tmp_path.iterdir())) == 2


def test_an_archive_says_what_is_in_it(tmp_path: Path) -> None:
    lived(tmp_path / "state")
    manifest = read_manifest(made(tmp_path / "state", tmp_path / "a.tar.gz"))
    assert {one.path for one in manifest.files} >= {"state/jarvis.db", "state/outbox/check_backups/latest.json"}
    assert manifest.secrets is False


def test_where_the_kernel_cannot_exchange_two_folders_it_takes_two_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    lived(state)
    archive = made(state, tmp_path / "a.tar.gz")
    monkeypatch.setattr("assistant.state_backup.ctypes.CDLL", lambda *_, **__: os)  # it has no renameat2
    done = restore(archive, state)
    assert done.old is not None
    assert files(done.old) == files(state)
