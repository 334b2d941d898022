"""The list of a copy's files, and its marker."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.kinds import manifest
from tools.backups.kinds.manifest import Listed, Marker
from tools.backups.port import BackupError, Fault

PATHS = st.text(st.characters(exclude_characters="\0"), min_size=1).map(lambda name: "/" + name)
FILES = st.dictionaries(
    PATHS, st.tuples(st.integers(0), st.integers(0, 4_000_000_000), st.sampled_from(["", "ab" * 32]))
)


def listed(files: dict[str, tuple[int, int, str]]) -> dict[str, Listed]:
    return {path: Listed(path, size, mtime, sha256) for path, (size, mtime, sha256) in files.items()}


MARKER = Marker(
    id="2026-11-21T03-00-00",
    at=1795230000.25,
    duration_s=12.5,
    host="here",
    paths=("/srv/photos",),
    files=2,
    size=30,
    added=10,
    files_new=1,
    files_changed=0,
    unread=0,
    manifest="ab" * 32,
)


@given(FILES)
def test_a_list_is_read_as_it_was_written(files: dict[str, tuple[int, int, str]]) -> None:
    text = manifest.dump(listed(files).values())
    assert manifest.read(text, hashlib.sha256(text).hexdigest()) == listed(files)


def test_names_that_are_no_text_are_kept() -> None:
    name = b"/caf\xe9".decode("utf-8", "surrogateescape")
    text = manifest.dump([Listed(name, 1, 2, "")])
    assert list(manifest.read(text, hashlib.sha256(text).hexdigest())) == [name]


def test_another_list_than_the_marker_knows_is_damage() -> None:
    with pytest.raises(BackupError) as caught:
        manifest.read(b"", "ab" * 32)
    assert caught.value.fault is Fault.DAMAGED


def test_a_marker_is_read_as_it_was_written_and_its_copy_is_of_its_host() -> None:
    assert manifest.read_marker(MARKER.dump()) == MARKER
    assert MARKER.copy("here").here
    assert not MARKER.copy("elsewhere").here


@given(st.integers(0, len(MARKER.dump()) - 2))
def test_a_marker_that_is_cut_off_is_none(length: int) -> None:
    assert manifest.read_marker(MARKER.dump()[:length]) is None


@given(st.binary())
def test_no_bytes_break_the_reading_of_a_marker(text: bytes) -> None:
    assert manifest.read_marker(text) is None


@given(st.integers(0, 4_000_000_000))
def test_a_name_tells_its_second(at: int) -> None:
    assert manifest.stamped(manifest.stamp(at + 0.75)) == at


def test_names_are_free_and_in_order_though_the_clock_is_not() -> None:
    taken = [manifest.stamp(1000.0), manifest.stamp(1001.0)]
    assert manifest.free_stamp(1000.5, taken) == manifest.stamp(1002.0)
    assert manifest.later_stamp(1000.0, "") == manifest.stamp(1000.0)
    assert manifest.later_stamp(1000.0, manifest.stamp(5000.0)) == manifest.stamp(5001.0)
    assert manifest.stamped("lost+found") is None


@pytest.mark.parametrize(
    "change, fault, reason",
    [
        (lambda sizes: sizes.pop("/a"), Fault.DAMAGED, "one file of it is gone"),
        (lambda sizes: sizes.update({"/a": 4, "/b": 0}), Fault.TRUNCATED, "2 files of it are cut off"),
        (lambda sizes: sizes.update({"/a": 6}), Fault.DAMAGED, "a file of it has been written to"),
    ],
)
def test_files_that_are_not_as_listed_are_told(
    change: Callable[[dict[str, int]], object], fault: Fault, reason: str
) -> None:
    files = listed({"/a": (5, 0, ""), "/b": (5, 0, "")})
    sizes = {"/a": 5, "/b": 5, "/not listed": 1}
    manifest.check_sizes(files, sizes)
    change(sizes)
    with pytest.raises(BackupError) as caught:
        manifest.check_sizes(files, sizes)
    assert (caught.value.fault, caught.value.reason) == (fault, reason)


def test_a_file_that_was_never_hashed_cannot_be_wrong() -> None:
    files = listed({"/a": (5, 0, ""), "/b": (5, 0, "ab")})
    manifest.check_hashes(files, {"/b": "ab"})
    with pytest.raises(BackupError):
        manifest.check_hashes(files, {"/a": "cd"})
