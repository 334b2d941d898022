"""What rsync, sha256sum, rclone and backup commands print, as it was seen."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.kinds import hashing, rclone_said, rsync_words
from tools.backups.kinds.command_said import Said
from tools.backups.kinds.manifest import Listed
from tools.backups.kinds.rsync_words import Item
from tools.backups.port import BackupError, Fault

UNREAD = 'rsync: [sender] send_files failed to open "/s/secret": Permission denied (13)\n'
OPENDIR = 'rsync: [sender] opendir "/s/z" failed: Permission denied (13)\n'
SUMMARY = "rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1394)\n"
CHOWN = 'rsync: [generator] chown "/m/a" failed: Operation not permitted (1)\n'
MKSTEMP = 'rsync: [receiver] mkstemp "/m/.a.m6q0aQ" failed: Permission denied (13)\n'


def test_a_line_of_rsync_is_a_file_with_its_time_and_its_real_name() -> None:
    line = b">f+++++++++|1|2026/11/21-21:21:15|src/we ird\\#012\xc3\xbc\\#134#123"
    assert rsync_words.item(line) == Item("/src/we ird\nü\\#123", 1, 1795296075, True, True)
    assert rsync_words.item(b"hf         |8|2026/11/21-21:21:16|/src/a") == Item("/src/a", 8, 1795296076, False, False)
    changed = rsync_words.item(b"<f.st......|8|2026/11/21-21:21:16|/src/a")
    assert changed is not None
    assert (changed.sent, changed.new) == (True, False)


@pytest.mark.parametrize(
    "line", [b"cd+++++++++|4096|2026/11/21-21:21:15|src/", b"cL+++++++++|1|2026/11/21-21:21:15|l", b""]
)
def test_what_is_no_regular_file_is_left_out(line: bytes) -> None:
    assert rsync_words.item(line) is None


@given(st.binary())
def test_no_line_breaks_the_reading(line: bytes) -> None:
    rsync_words.item(line)
    hashing.hashed(line)
    Said().note(line)


def test_a_hash_is_kept_only_for_what_rsync_did_not_send_again() -> None:
    known = {"/a": Listed("/a", 8, 100, "ab")}
    assert Item("/a", 8, 100, False, False).as_in(known) == known["/a"]
    assert Item("/a", 8, 100, True, False).as_in(known) is None
    assert Item("/a", 9, 100, False, False).as_in(known) is None
    assert Item("/a", 8, 101, False, False).as_in(known) is None
    assert Item("/a", 8, 100, False, False).as_in({"/a": Listed("/a", 8, 100, "")}) is None


@pytest.mark.parametrize(
    "code, complaints, unread",
    [
        (0, "", 0),
        (24, "file has vanished: /s/a\n", 0),
        (23, UNREAD + OPENDIR + SUMMARY, 2),
        (23, CHOWN + SUMMARY, 0),
        (23, UNREAD + CHOWN + SUMMARY, 1),
        (23, MKSTEMP + SUMMARY, None),
        (23, UNREAD + MKSTEMP + SUMMARY, None),
        (23, "something new", None),
        (11, UNREAD, None),
    ],
)
def test_unread_sources_are_told_from_a_destination_that_refuses(
    code: int, complaints: str, unread: int | None
) -> None:
    assert rsync_words.unread(code, complaints) == unread


def test_free_space_is_read_though_the_device_has_a_blank_in_its_name() -> None:
    assert rsync_words.room("//nas/my share  1000  400 600 40% /mnt/n a s") == (614_400, 1_024_000)
    assert rsync_words.room("df: no such file") == (None, None)


def test_hashes_have_the_names_as_they_are() -> None:
    digest = b"ab" * 32
    assert hashing.hashed(digest + b" *a b") == ("a b", "ab" * 32)
    assert hashing.hashed(b"\\" + digest + b" *a\\nb\\\\c") == ("a\nb\\c", "ab" * 32)
    assert hashing.hashed(b"sha256sum: nothere: No such file or directory") is None


def entry(message: str, name: str = "") -> str:
    return json.dumps({"level": "error", "msg": message} | ({"object": name} if name else {})) + "\n"


def test_rclone_counts_a_source_once_however_often_it_tried() -> None:
    wrong = entry("Failed to copy: failed to open source object: open /s/a: permission denied", "a")
    again = entry("Attempt 1/3 failed with 1 errors and: permission denied") + entry(
        "not deleting files as there were IO errors"
    )
    assert rclone_said.unread(wrong + again + wrong) == 1
    full = entry("Failed to copy: preallocate: file too big for remaining disk space", "new")
    assert rclone_said.unread(wrong + full) is None
    assert rclone_said.unread("") is None


@given(st.text(st.characters(exclude_characters="\0‛")))
def test_a_name_that_rclone_shows_otherwise_is_found_again(name: str) -> None:
    assert rclone_said.real(rclone_said.written(name)) == name
    assert "\n" not in rclone_said.written(name)


@pytest.mark.parametrize(
    "code, complaints, fault",
    [
        (1, "Couldn't decrypt configuration, most likely wrong password.", Fault.WRONG_PASSWORD),
        (1, "Failed to cat: read metadata failed: Unauthorized: 401 Unauthorized", Fault.WRONG_PASSWORD),
        (3, "Failed to lsf with 2 errors: last error was: directory not found", Fault.NO_REPOSITORY),
        (1, "dial tcp 127.0.0.1:1: connect: connection refused", Fault.UNREACHABLE),
        (1, "didn't find section in config file", Fault.NOT_CONFIGURED),
        (1, "preallocate: file too big for remaining disk space", Fault.DISK_FULL),
        (1, "open /mnt: permission denied", Fault.DENIED),
        (9, "something new", Fault.FAILED),
    ],
)
def test_what_rclone_refuses_has_its_fault(code: int, complaints: str, fault: Fault) -> None:
    assert rclone_said.refusal(code, complaints).fault is fault


def test_a_listing_that_is_none_is_nonsense() -> None:
    assert rclone_said.listed(b'[{"Path": "a", "Size": 5, "IsDir": false}]') == {"a": 5}
    for wrong in (b"{", b"[1]", b'[{"Path": "a"}]', b"5"):
        with pytest.raises(BackupError) as caught:
            rclone_said.listed(wrong)
        assert caught.value.fault is Fault.NONSENSE


KEYS = st.sampled_from(["copy", "entry", "room", "error", "id", "at", "size", "share"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


@given(VALUES)
def test_whatever_a_command_says_it_is_an_answer_or_an_error_of_ours(value: object) -> None:
    said = Said()
    for key in ("copy", "entry", "room", "warning", "verified", "pruned", "progress", "error"):
        said.note(json.dumps({key: value}).encode())
    try:
        said.check(0, "look", hidden={}, parts_missing=False)
    except BackupError:
        return
    assert all(copy.at >= 0.0 for copy in said.copies)
