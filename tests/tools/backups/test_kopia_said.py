"""What kopia prints, by its own source."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.kinds import kopia_said as said
from tools.backups.port import BackupError, Entry, Fault

MANIFEST: dict[str, Any] = {
    "id": "cafe",
    "source": {"host": "nas", "userName": "root", "path": "/srv/photos"},
    "startTime": "2026-05-13T08:00:00.123456789Z",
    "endTime": "2026-05-13T08:02:00.123456789Z",
    "rootEntry": {"obj": "k12", "summ": {"size": 5000, "files": 7, "numFailed": 1, "numIgnoredErrors": 2}},
    "stats": {"totalSize": 1, "fileCount": 1, "nonCachedFiles": 3},
    "tags": {"tag:job": "photos"},
}


def test_a_snapshot_is_read() -> None:
    (found,) = said.snapshots(json.dumps([MANIFEST]).encode(), "nas")
    copy = found.copy
    assert (copy.id, copy.size, copy.files, copy.files_new, copy.unread) == ("cafe", 5000, 7, 3, 3)
    assert (copy.complete, copy.here, copy.paths) == (True, True, ("/srv/photos",))
    assert copy.duration_s == pytest.approx(120.0)
    assert (found.root, found.host, found.tags, found.pinned) == ("k12", "nas", frozenset({"job:photos"}), False)
    assert not said.snapshot({**MANIFEST, "incomplete": "checkpoint"}, "nas").copy.complete
    assert said.snapshot({**MANIFEST, "pins": ["keep"]}, "nas").pinned


def test_only_the_jobs_snapshots_are_chosen() -> None:
    found = said.snapshots(json.dumps([MANIFEST]).encode(), "nas")
    assert said.chosen(found, ("/srv/photos/",), ("job:photos",), "nas") == found
    assert said.chosen(found, ("/srv",), (), None) == []
    assert said.chosen(found, (), ("job:music",), None) == []
    assert said.chosen(found, (), (), "laptop") == []


@pytest.mark.parametrize(
    ("complaints", "fault"),
    [
        ("ERROR open repository: invalid repository password", Fault.WRONG_PASSWORD),
        ("ERROR open repository: repository is not connected. See https://kopia.io", Fault.NOT_CONFIGURED),
        ("ERROR cannot access storage path: stat /x: no such file or directory", Fault.NO_REPOSITORY),
        ("ERROR error reading object k1: BLOB not found", Fault.DAMAGED),
        ("ERROR write /x: no space left on device", Fault.DISK_FULL),
        ("ERROR something else", Fault.FAILED),
    ],
)
def test_why_it_gave_up(complaints: str, fault: Fault) -> None:
    assert said.refusal(1, complaints).fault is fault


def test_a_list_of_files_is_read() -> None:
    line = b"-rw-r--r--       600000 2026-01-01 00:00:00 UTC 3f2a                               2024/a  b.jpg"
    assert said.entry(line, "/srv/photos/") == Entry("/srv/photos/2024/a  b.jpg", 600_000)
    folder = b"drwxr-xr-x       600000 2026-01-01 00:00:00 UTC k3f2a                              2024/"
    assert said.entry(folder, "/srv") is None
    assert said.entry(b"", "/srv") is None


def test_progress_is_read() -> None:
    line = b" | 1 hashing, 20 hashed (3 MB), 0 cached (0 B), uploaded 2 MB, estimated 9 MB (42.0%) 3s left"
    assert said.share_done(line) == 0.42
    assert said.is_progress(line)
    assert not said.is_progress(b"ERROR open repository")


@given(
    st.one_of(st.binary(), st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=8).map(json.dumps))
)
def test_whatever_it_prints_is_read_or_refused(output: bytes | str) -> None:
    raw = output if isinstance(output, bytes) else output.encode()
    said.entry(raw, "/srv")
    said.share_done(raw)
    try:
        assert said.snapshots(raw, "here") == []
    except BackupError as error:
        assert error.fault is Fault.NONSENSE  # noqa: PT017 - an empty list is read
