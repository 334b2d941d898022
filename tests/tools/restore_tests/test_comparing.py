"""Restored files against their sources: what is compared, and when."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.port import Entry
from tools.restore_tests.comparing import Comparison, Pair, StoppedError, Watched, compare, watch

FILES = st.dictionaries(st.sampled_from(["a", "b", "c", "d/e", "d/f"]), st.binary(max_size=3), max_size=5)


class Looks(threading.Event):
    """A restore that is done after so many looks at it; something happens before each."""

    def __init__(self, looks: int, before: Callable[[int], None] = lambda _: None) -> None:
        super().__init__()
        self._looks = looks
        self._before = before
        self.made = 0

    def wait(self, timeout: float | None = None) -> bool:
        self._before(self.made)
        self.made += 1
        if self.made > self._looks:
            self.set()
        return self.is_set()


def later() -> float:
    """When a copy of what is here now began."""
    return time.time() + 60.0


def written(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def pairs(source: Path, restored: Path, sizes: dict[str, int]) -> list[Pair]:
    return [Pair(Entry(f"/{name}", size), restored / name, source / name) for name, size in sizes.items()]


def compared(found: list[Pair], scratch: Path, copy_at: float, looks: int = 0) -> Comparison:
    stop = threading.Event()
    return compare(found, watch(found, copy_at, stop, Looks(looks)), scratch, stop)


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(os.path.realpath(tmp_path_factory.mktemp("trees")))


@given(source=FILES, copied=FILES, restored=FILES, changed=st.booleans(), looks=st.integers(0, 3))
def test_each_restored_file_has_its_size_and_the_content_of_its_unchanged_source(
    trees: Path,
    source: dict[str, bytes],
    copied: dict[str, bytes],
    restored: dict[str, bytes],
    changed: bool,
    looks: int,
) -> None:
    number = len(list(trees.iterdir()))
    here, scratch = written(trees / f"{number}-a", source), written(trees / f"{number}-b", restored)
    found = pairs(here, scratch, {name: len(content) for name, content in copied.items()})
    result = compared(found, scratch, time.time() - 3600 if changed else later(), looks)
    came = {name for name in copied if len(restored.get(name, b"four")) == len(copied[name])}
    both = set() if changed else came & set(source)
    assert result.restored == len(came)
    assert result.compared == len(both)
    assert set(result.mismatches) == {
        f"/{name}" for name in copied if name not in came or (name in both and source[name] != restored[name])
    }
    assert {path.relative_to(scratch).as_posix() for path in scratch.rglob("*") if path.is_file()} == (
        set(restored) - came
    )


def test_what_came_back_early_is_not_read_again(tmp_path: Path) -> None:
    source = written(tmp_path / "source", {"a": b"milk", "b": b"eggs"})
    scratch = written(Path(os.path.realpath(tmp_path)) / "scratch", {"a": b"milk"})
    found = pairs(source, scratch, {"a": 4, "b": 4})
    stop = threading.Event()

    def last_one(look: int) -> None:
        if look == 3:
            (scratch / "b").write_bytes(b"eggs")

    watched = watch(found, later(), stop, Looks(3, last_one))
    assert watched.seen == {"/a"}
    assert compare(found, watched, scratch, stop) == Comparison(restored=2, compared=2)


def test_a_file_that_is_still_being_written_is_left_to_the_end(tmp_path: Path) -> None:
    source = written(tmp_path / "source", {"a": b"milk"})
    scratch = written(Path(os.path.realpath(tmp_path)) / "scratch", {"a": b"mi\0\0"})
    found = pairs(source, scratch, {"a": 4})

    def goes_on(look: int) -> None:
        os.utime(scratch / "a", ns=(look, look))
        if look == 5:
            (scratch / "a").write_bytes(b"milk")

    watched = watch(found, later(), threading.Event(), Looks(5, goes_on))
    assert watched.seen == set()
    assert compare(found, watched, scratch, threading.Event()) == Comparison(restored=1, compared=1)


def test_a_file_that_seemed_done_too_early_is_compared_at_the_end(tmp_path: Path) -> None:
    source = written(tmp_path / "source", {"a": b"milk"})
    scratch = written(Path(os.path.realpath(tmp_path)) / "scratch", {"a": b"mi\0\0"})
    found = pairs(source, scratch, {"a": 4})
    watched = watch(found, later(), threading.Event(), Looks(4))
    assert watched.seen == set()
    (scratch / "a").write_bytes(b"milk")
    assert compare(found, watched, scratch, threading.Event()).mismatches == {}


def test_a_file_that_came_back_early_and_was_cut_off_afterwards_is_found(tmp_path: Path) -> None:
    source = written(tmp_path / "source", {"a": b"milk"})
    scratch = written(Path(os.path.realpath(tmp_path)) / "scratch", {"a": b"milk"})
    found = pairs(source, scratch, {"a": 4})
    watched = watch(found, later(), threading.Event(), Looks(4))
    assert watched.seen == {"/a"}
    (scratch / "a").write_bytes(b"mi")
    assert compare(found, watched, scratch, threading.Event()).mismatches == {"/a": "/a came back with 2 of 4 bytes"}


def test_a_new_source_with_an_old_date_is_not_compared(tmp_path: Path) -> None:
    source = written(tmp_path / "source", {"a": b"tea!"})
    os.utime(source / "a", (1, 1))
    scratch = written(Path(os.path.realpath(tmp_path)) / "scratch", {"a": b"milk"})
    result = compared(pairs(source, scratch, {"a": 4}), scratch, time.time() - 3600)
    assert result == Comparison(restored=1, compared=0)


def test_a_comparison_that_is_called_off_ends(tmp_path: Path) -> None:
    source = written(tmp_path / "source", {"a": b"milk"})
    scratch = written(Path(os.path.realpath(tmp_path)) / "scratch", {"a": b"milk"})
    stop = threading.Event()
    stop.set()
    found = pairs(source, scratch, {"a": 4})
    with pytest.raises(StoppedError):
        watch(found, later(), stop, Looks(0))
    with pytest.raises(StoppedError):
        compare(found, Watched({"/a": "0"}), scratch, stop)
