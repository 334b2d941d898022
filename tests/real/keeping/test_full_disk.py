"""A disk that is really full, and one that is really mounted read-only: a tmpfs in a mount namespace of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.real_server


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("small-disk")
    command = ["unshare", "--mount", "--", sys.executable, "-m", "tests.real.keeping.full_disk", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    assert list(Path(folder).iterdir()) == []  # it was mounted for that process only
    return result


def test_with_room_both_are_done(told: dict[str, Any]) -> None:
    assert told["well"] | {"detail": None} == {
        "looked": True, "acted": True, "spoken": "Done.", "detail": None, "done": 1, "lines": 2,
    }  # fmt: skip


def test_on_a_full_disk_it_still_looks_and_does_nothing(told: dict[str, Any]) -> None:
    full = told["full"]
    assert (full["looked"], full["acted"], full["done"], full["lines"]) == (True, False, 1, 2)
    assert full["spoken"] == "I can't write down what I do right now, so I changed nothing."
    assert "the disk is full. Free some space for" in full["detail"]
    assert told["open when full"] == ""


def test_read_only_it_still_looks_and_does_nothing(told: dict[str, Any]) -> None:
    read_only = told["read-only"]
    assert (read_only["looked"], read_only["acted"], read_only["done"]) == (True, False, 0)
    assert "it cannot be written" in read_only["detail"]
    assert "Mount the disk" in read_only["detail"]
    assert "mounted read-only" in told["folder when read-only"]
    assert told["doctor when read-only"][0] == "broken"
    assert "Mount its disk writable" in told["doctor when read-only"][1]


def test_it_goes_on_by_itself_when_the_disk_is_well(told: dict[str, Any]) -> None:
    assert (told["well again"]["acted"], told["well again"]["done"], told["well again"]["lines"]) == (True, 2, 4)
    assert (told["in the end"]["acted"], told["in the end"]["done"], told["in the end"]["lines"]) == (True, 1, 6)
