"""What borg prints, in 1.2 and 1.4."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.kinds import borg_said as said
from tools.backups.port import BackupError, Entry, Fault


def complaint(msgid: str, message: str = "", level: str = "ERROR") -> str:
    return json.dumps({"type": "log_message", "levelname": level, "msgid": msgid, "message": message})


@pytest.mark.parametrize(
    ("complaints", "fault"),
    [
        (complaint("PassphraseWrong"), Fault.WRONG_PASSWORD),
        (complaint("Repository.DoesNotExist"), Fault.NO_REPOSITORY),
        (complaint("Repository.InvalidRepository"), Fault.NO_REPOSITORY),
        (complaint("LockTimeout"), Fault.LOCKED),
        (complaint("IntegrityError"), Fault.DAMAGED),
        (complaint("ConnectionClosedWithHint"), Fault.UNREACHABLE),
        (f"Permission denied (publickey).\n{complaint('ConnectionClosedWithHint')}", Fault.DENIED),
        (complaint("", "[Errno 28] No space left on device: '/x'"), Fault.DISK_FULL),
        ("Repository /x does not exist.", Fault.NO_REPOSITORY),
        ("passphrase supplied in BORG_PASSPHRASE, by BORG_PASSCOMMAND is incorrect.", Fault.WRONG_PASSWORD),
        (complaint("Repository.DoesNotExist", level="WARNING"), Fault.FAILED),
        ("", Fault.FAILED),
    ],
)
def test_why_it_gave_up(complaints: str, fault: Fault) -> None:
    assert said.refusal(2, complaints).fault is fault


def archive(**more: object) -> bytes:
    entry = {
        "id": "ab",
        "name": "nas-photos-2026",
        "hostname": "nas",
        "start": "2026-05-13T08:00:00.000000",
        "end": "2026-05-13T08:02:00.000000",
        "command_line": ["/usr/bin/borg", "create", "--stats", "::nas-photos-2026", "/srv/photos/"],
        **more,
    }
    return json.dumps({"archives": [entry]}).encode()


def test_an_archive_knows_its_host_paths_and_time() -> None:
    (found,) = said.archives(archive(), "nas")
    assert (found.copy.at, found.copy.duration_s, found.copy.here) == (1778659200.0, 120.0, True)
    assert (found.copy.paths, found.copy.complete) == (("/srv/photos",), True)
    (zoned,) = said.archives(archive(start="2026-05-13T10:00:00.000000+02:00"), "elsewhere")
    assert (zoned.copy.at, zoned.copy.here) == (1778659200.0, False)
    (broken_off,) = said.archives(archive(name="nas.checkpoint.1"), "nas")
    assert not broken_off.copy.complete


def test_an_archive_belongs_to_the_jobs_that_its_paths_tags_and_host_are_of() -> None:
    (found,) = said.archives(archive(), "nas")
    assert found.belongs(("/srv/photos",), ("photos",), "nas")
    assert not found.belongs(("/srv",), (), None)
    assert not found.belongs((), ("photo",), None)
    assert not found.belongs((), (), "laptop")
    (of_patterns,) = said.archives(archive(command_line=["borg", "create", "--patterns-from", "x", "::a"]), "nas")
    assert of_patterns.belongs(("/anything",), (), None)
    (of_text,) = said.archives(archive(command_line="/usr/bin/borg create ::a srv/photos"), "nas")
    assert of_text.belongs(("/srv/photos",), (), None)


def test_a_run_tells_what_is_new_changed_and_unread() -> None:
    made = said.Made()
    for status in "AAMEC":
        assert made.take(json.dumps({"type": "file_status", "status": status, "path": "/a"}).encode())
    assert made.take(b'{"type": "archive_progress", "original_size": 5}')
    assert not made.take(complaint("LockTimeout").encode())
    assert (made.new, made.changed, made.unread, made.read_bytes) == (2, 1, 1, 5)


def test_entries_are_regular_files_each_once() -> None:
    file = {"type": "-", "path": "srv/a b", "size": 3, "source": "", "linktarget": ""}
    assert said.entry(json.dumps(file).encode()) == Entry("/srv/a b", 3)
    assert said.entry(json.dumps({**file, "type": "d"}).encode()) is None
    assert said.entry(json.dumps({**file, "source": "srv/other name"}).encode()) is None
    assert said.entry(b"nonsense") is None
    assert said.entry(b'{"type": "-"}') is None


def test_progress_is_read() -> None:
    assert said.share_done(b'{"type": "progress_percent", "current": 1, "total": 4}') == 0.25
    assert said.share_done(b'{"type": "progress_percent", "finished": true}') is None


def test_what_compacting_freed() -> None:
    assert said.freed("compaction freed about 3.01 MB repository space.") == 3_010_000
    assert said.freed("") is None


@given(
    st.one_of(st.binary(), st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=8).map(json.dumps))
)
def test_whatever_it_prints_is_read_or_refused(output: bytes | str) -> None:
    raw = output if isinstance(output, bytes) else output.encode()
    said.fault(raw.decode(errors="replace"))
    with pytest.raises(BackupError) as raised:
        said.archives(raw, "here")
    assert raised.value.fault is Fault.NONSENSE
