"""Restored files against their sources: what is compared, and when."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.port import Entry
from tools.restore_tests.comparing import PIECE_BYTES, Comparison, Pair, StoppedError, compare

FILES = st.dictionaries(st.sampled_from(["a", "b", "c", "d/e", "d/f"]), st.binary(max_size=3), max_size=5)


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


def compared(found: list[Pair], scratch: Path, copy_at: float) -> Comparison:
    return compare(found, copy_at, scratch, threading.Event())


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(os.path.realpath(tmp_path_factory.mktemp("trees")))


@given(source=FILES, copied=FILES, restored=FILES, changed=st.booleans())
def test_each_restored_file_has_its_size_and_the_content_of_its_unchanged_source(
    trees: Path,
    source: dict[str, bytes],
    copied: dict[str, bytes],
    restored: dict[str, bytes],
    changed: bool,
) -> None:
    number = len(list(trees.iterdir()))
    here, scratch = written(trees / f"{number}-a", source), written(trees / f"{number}-b", restored)
    found = pairs(here, scratch, {name: len(content) for name, content in copied.items()})
    result = compared(found, scratch, time.time() - 3600 if changed else later())
    came = {name for name in copied if len(restored.get(name, b"four")) == len(copied[name])}
    both = set() if changed else came & set(source)
    assert result.restored == len(came)
    assert result.compared == len(both)
    assert set(result.left) == {f"/{name}" for name in came - both}
    assert set(result.mismatches) == {
        f"/{name}" for name in copied if name not in came or (name in both and source[name] != restored[name])
    }
    assert {path.relative_to(scratch).as_posix() for path in scratch.rglob("*") if path.is_file()} == (
        set(restored) - came
    )


@pytest.mark.parametrize("at", [0, PIECE_BYTES - 1, PIECE_BYTES, 2 * PIECE_BYTES + 4])
def test_one_byte_that_is_another_is_found_wherever_it_is(tmp_path: Path, at: int) -> None:
    content = bytes(2 * PIECE_BYTES + 5)
    source = written(tmp_path / "source", {"a": content})
    scratch = written(Path(os.path.realpath(tmp_path)) / "scratch", {"a": content[:at] + b"!" + content[at + 1 :]})
    found = pairs(source, scratch, {"a": len(content)})
    assert compared(found, scratch, later()).mismatches == {"/a": "/a came back different"}


def test_a_large_file_that_came_back_whole_is_the_same(tmp_path: Path) -> None:
    content = os.urandom(2 * PIECE_BYTES + 5)
    source = written(tmp_path / "source", {"a": content})
    scratch = written(Path(os.path.realpath(tmp_path)) / "scratch", {"a": content})
    assert compared(pairs(source, scratch, {"a": len(content)}), scratch, later()) == Comparison(1, 1)


def test_a_source_that_is_longer_than_what_came_back_is_another(tmp_path: Path) -> None:
    source = written(tmp_path / "source", {"a": b"milk and eggs"})
    scratch = written(Path(os.path.realpath(tmp_path)) / "scratch", {"a": b"milk"})
    assert set(compared(pairs(source, scratch, {"a": 4}), scratch, later()).mismatches) == {"/a"}


def test_a_new_source_with_an_old_date_is_not_compared(tmp_path: Path) -> None:
    source = written(tmp_path / "source", {"a": b"tea!"})
    os.utime(source / "a", (1, 1))
    scratch = written(Path(os.path.realpath(tmp_path)) / "scratch", {"a": b"milk"})
    result = compared(pairs(source, scratch, {"a": 4}), scratch, time.time() - 3600)
    assert result == Comparison(restored=1, compared=0, left=["/a"])


def test_a_comparison_that_is_called_off_ends(tmp_path: Path) -> None:
    source = written(tmp_path / "source", {"a": b"milk"})
    scratch = written(Path(os.path.realpath(tmp_path)) / "scratch", {"a": b"milk"})
    stop = threading.Event()
    stop.set()
    found = pairs(source, scratch, {"a": 4})
    with pytest.raises(StoppedError):
        compare(found, later(), scratch, stop)
