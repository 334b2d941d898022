"""The end of a log file: bounded, whatever the file is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.engines.tail import MAX_LINE, tail


def test_the_last_lines_oldest_first(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("".join(f"line {at}\n" for at in range(100)))
    assert tail(file, 2) == ["line 98", "line 99"]


def test_a_line_that_was_cut_by_the_bound_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("a long first line\nsecond\nthird\n")
    assert tail(file, 10, max_bytes=16) == ["second", "third"]


def test_one_huge_line_is_cut(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(b"x" * 100_000)
    assert [len(line) for line in tail(file, 10)] == [MAX_LINE]


def test_links_are_followed_and_empty_files_are_empty(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    (tmp_path / "link").symlink_to(tmp_path / "log")
    assert tail(tmp_path / "link", 10) == []


def test_a_pipe_is_no_log(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "gone"):
        with pytest.raises(OSError):
            tail(path, 10)


@given(data=st.binary(max_size=400), lines=st.integers(1, 20), max_bytes=st.integers(1, 500))
def test_it_is_the_end_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, lines: int, max_bytes: int
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.log"
    file.write_bytes(data)
    found = tail(file, lines, max_bytes)

    assert len(found) <= lines
    if max_bytes >= len(data):
        assert found == data.decode(errors="replace").splitlines()[-lines:]
