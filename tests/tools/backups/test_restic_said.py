"""What restic prints, as every version of it does."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.kinds import restic_said as said
from tools.backups.kinds.restic import PARTS, part_of
from tools.backups.port import BackupError, Entry, Fault

DAY = 86_400


@pytest.mark.parametrize(
    ("code", "complaints", "fault"),
    [
        (1, "Fatal: wrong password or no key found", Fault.WRONG_PASSWORD),  # 0.14
        (12, '{"message_type":"exit_error","code":12,"message":"Fatal: ..."}', Fault.WRONG_PASSWORD),  # >= 0.17
        (10, "Fatal: repository does not exist: unable to open config file", Fault.NO_REPOSITORY),
        (1, "Fatal: unable to open config file: stat /x: no such file\nIs there a repository?", Fault.NO_REPOSITORY),
        (11, "", Fault.LOCKED),
        (1, "unable to create lock in backend: repository is already locked exclusively by PID 1", Fault.LOCKED),
        (1, "Fatal: Resolving password failed: open /x: no such file or directory", Fault.PASSWORD_UNREADABLE),
        (1, "Fatal: an empty password is not a password", Fault.PASSWORD_UNREADABLE),
        (1, "write /mnt/x: no space left on device", Fault.DISK_FULL),
        (1, 'Get "http://nas:8000/config": dial tcp: lookup nas: no such host', Fault.UNREACHABLE),
        (1, "Fatal: unable to open repository: open config: permission denied", Fault.DENIED),
        (1, "ignoring error for /a: ciphertext verification failed", Fault.DAMAGED),
        (1, "pack c75ba1: unexpected file size\nFatal: repository contains errors", Fault.DAMAGED),
        (1, "Fatal: all target directories/files do not exist", Fault.SOURCE_MISSING),
        (1, "Fatal: all source directories/files do not exist", Fault.SOURCE_MISSING),
        (1, "something else", Fault.FAILED),
    ],
)
def test_why_it_gave_up(code: int, complaints: str, fault: Fault) -> None:
    assert said.refusal(code, complaints).fault is fault


def test_newer_versions_tell_sizes_and_times_with_each_snapshot() -> None:
    entry = {
        "id": "ab",
        "time": "2026-05-13T10:00:00.123456789+02:00",
        "hostname": "here",
        "paths": ["/srv"],
        "summary": {
            "backup_start": "2026-05-13T10:00:00.1+02:00",
            "backup_end": "2026-05-13T10:02:00.1+02:00",
            "files_new": 3,
            "files_changed": 1,
            "data_added": 900,
            "data_added_packed": 400,
            "total_files_processed": 7,
            "total_bytes_processed": 5000,
        },
    }
    older = {"id": "aa", "time": "2026-05-12T08:00:00Z", "hostname": "there", "paths": None}
    first, second = said.snapshots(json.dumps([entry, older]).encode(), "here")
    assert (first.id, first.here, first.size, first.paths) == ("aa", False, None, ())
    assert (second.id, second.here, second.size, second.added, second.files) == ("ab", True, 5000, 400, 7)
    assert (second.files_new, second.files_changed, second.duration_s) == (3, 1, 120.0)
    assert second.at - first.at == pytest.approx(DAY + 0.123456, abs=1e-3)


@pytest.mark.parametrize("output", [b"null", b""])
def test_no_snapshots_are_none(output: bytes) -> None:
    assert said.snapshots(output, "here") == ()


@given(
    st.one_of(st.binary(), st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=8).map(json.dumps))
)
def test_whatever_it_prints_is_read_or_refused(output: bytes | str) -> None:
    raw = output if isinstance(output, bytes) else output.encode()
    said.message(raw)
    said.freed(raw)
    for read in (lambda: said.snapshots(raw, "here"), lambda: said.removed(raw, ("/srv",))):
        try:
            read()
        except BackupError as error:
            assert error.fault is Fault.NONSENSE  # noqa: PT017 - most outputs are read


def test_only_groups_of_just_the_jobs_paths_are_pruned() -> None:
    groups = [
        {"paths": ["/srv/photos"], "remove": [{"id": "a"}]},
        {"paths": ["/srv/photos", "/srv/more"], "remove": [{"id": "b"}]},
        {"paths": ["/srv/photos"], "remove": None},
    ]
    output = json.dumps(groups).encode() + b"\nkeep 1 snapshots\n"
    assert said.removed(output, ("/srv/photos/",)) == ["a"]
    assert said.removed(output, ()) == ["a", "b"]
    assert said.removed(b"", ()) == []


@given(st.text(min_size=1).map(lambda name: f"/{name}"), st.text(min_size=1).map(lambda name: f"/{name}"))
def test_a_path_as_a_pattern_matches_that_path_alone(path: str, other: str) -> None:
    as_fnmatch = re.sub(r"\\(.)", lambda found: f"[{found[1]}]" if found[1] in "*?[" else found[1], said.pattern(path))
    assert fnmatchcase(path, as_fnmatch)
    assert fnmatchcase(other, as_fnmatch) == (other == path)


def test_what_pruning_freed_and_a_check_read() -> None:
    assert said.freed(b"total prune:           1 blobs / 2.104 KiB\nremaining: 12 blobs / 2.863 MiB") == 2154
    assert said.freed(b"nothing") is None
    assert said.share_read(b"read group #1 of 2 data packs (out of total 8 packs in 4 groups)") == 0.25
    assert said.share_read(b"read group #1 of 0 data packs (out of total 3 packs in 3 groups)") == 0.0
    assert said.share_read(b"read all data") == 1.0


@pytest.mark.parametrize("every_days", [1, 2, 3, 7, 14, 28, 30])
@given(start=st.integers(0, 40_000))
def test_checks_at_any_usual_interval_come_to_every_part(every_days: int, start: int) -> None:
    read = {part_of((start + turn * every_days) * DAY) for turn in range(8 * PARTS)}
    assert read == set(range(1, PARTS + 1))


def test_files_of_a_list_are_read_but_those_that_it_misnames() -> None:
    file = {"type": "file", "path": "/srv/a", "size": 3}
    assert said.entry(json.dumps(file).encode()) == Entry("/srv/a", 3)
    assert said.entry(json.dumps({"type": "file", "path": "/srv/empty"}).encode()) == Entry("/srv/empty", 0)
    for other in ({"type": "dir"}, {"path": "/srv/\ufffd"}, {"path": 5}, {"size": "3"}):
        assert said.entry(json.dumps({**file, **other}).encode()) is None


def test_progress_is_read() -> None:
    assert said.share_done(b'{"message_type":"status","percent_done":0.35}') == 0.35
    assert said.share_done(b'{"message_type":"status"}') == 0.0
    assert said.share_done(b'{"message_type":"summary","percent_done":1}') is None
    assert said.share_done(b'{"message_type":"status","percent_done":"much"}') is None
