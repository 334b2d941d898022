"""A backup against the job's own history."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.evidence import Check
from tools.backups.history import AT_LEAST, COMPARED_WITH, outdone, share_of_usual, unchanged_since
from tools.backups.port import Copy

NEW = Copy(id="new", at=100.0, size=50)


def past(*sizes: int | None, complete: bool = True) -> list[Copy]:
    return [Copy(id=str(n), at=float(n), size=size, complete=complete) for n, size in enumerate(sizes)]


@pytest.mark.parametrize(
    "earlier, share",
    [
        (past(100, 100), None),  # no history yet
        (past(100, 100, 100), 0.5),
        (past(100, 100, 100, 10_000), 0.5),  # one odd copy does not move it
        (past(100, 200, 300), 0.25),
        (past(None, 100, 100, 100), 0.5),
        (past(None, None, None), None),
        (past(0, 0, 0), None),
        (past(100, 100, 100, complete=False), None),
        (past(*[1000] * 50, *[50] * COMPARED_WITH), 1.0),  # it follows growth
    ],
)
def test_share_of_the_usual_size(earlier: list[Copy], share: float | None) -> None:
    assert share_of_usual(NEW, earlier) == share


def test_files_are_counted_where_the_kind_tells_no_sizes() -> None:
    earlier = [Copy(id=str(n), at=float(n), files=10) for n in range(AT_LEAST)]
    assert share_of_usual(replace(NEW, size=None, files=5), earlier) == 0.5


def brought(*new: int | None) -> list[Copy]:
    """Newest first, a second apart."""
    return [Copy(id=str(n), at=100.0 - n, files_new=count) for n, count in enumerate(new)]


@pytest.mark.parametrize(
    "copies, since",
    [
        ([], None),
        (brought(None, None, None), 100.0),  # nobody can tell
        (brought(1, 0, 0), 100.0),
        (brought(0, 0, 2, 0), 98.0),
        (brought(0, 0, 0), 98.0),  # since the oldest at least
        (brought(0, None, 1), 99.0),
        ([replace(NEW, at=9.0), replace(NEW, at=8.0), replace(NEW, at=7.0, size=49)], 8.0),
        ([replace(NEW, at=9.0), replace(NEW, at=8.0, size=None)], 9.0),
        ([replace(NEW, at=9.0), replace(NEW, at=8.0, size=1, complete=False), replace(NEW, at=7.0)], 7.0),
    ],
)
def test_since_when_nothing_changed(copies: list[Copy], since: float | None) -> None:
    assert unchanged_since(copies) == since


@given(st.lists(st.integers(0, 2), min_size=1, max_size=20))
def test_more_history_before_a_change_does_not_move_it(counts: list[int]) -> None:
    counts[-1] = 1
    assert unchanged_since(brought(*counts)) == unchanged_since(brought(*counts, 0, 3, 0))


DAMAGE = Check(at=0.0, level="data", share=0.1, ok=False)


@pytest.mark.parametrize(
    "level, later, over",
    [
        ("metadata", [], False),
        ("metadata", [("metadata", 0.0)], True),
        ("metadata", [("data", 0.1)], True),
        ("metadata", [("nonsense", 1.0)], False),
        ("data", [("metadata", 1.0)], False),
        ("data", [("data", 0.9)], False),
        ("data", [("data", 1.0)], True),
        ("data", [("data", 0.1)] * 10, True),
    ],
)
def test_what_outdoes_a_check_that_found_damage(level: str, later: list[tuple[str, float]], over: bool) -> None:
    assert outdone(replace(DAMAGE, level=level), later) is over  # type: ignore[arg-type]
