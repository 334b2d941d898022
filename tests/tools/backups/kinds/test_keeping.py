"""Which dated copies stay."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from tools.backups.kinds.keeping import DAY_S, superfluous
from tools.backups.port import Copy
from tools.settings import KeepSettings

NOW = datetime(2026, 11, 21, 12).timestamp()
NOTHING = KeepSettings(last=0, daily=0, weekly=0, monthly=0, days=0)

COUNTS = st.integers(0, 5)
KEEP = st.builds(KeepSettings, last=COUNTS, daily=COUNTS, weekly=COUNTS, monthly=COUNTS, days=COUNTS)
AGES = st.lists(st.tuples(st.integers(-3 * 86_400, 400 * 86_400), st.booleans()), max_size=40)


def copies(ages: list[tuple[int, bool]]) -> list[Copy]:
    return [Copy(id=str(number), at=NOW - age, complete=whole) for number, (age, whole) in enumerate(ages)]


def gone(found: list[Copy], keep: KeepSettings) -> set[str]:
    return {copy.id for copy in superfluous(found, keep, NOW, broken_off_after_s=3600.0)}


@given(AGES, KEEP)
def test_the_newest_complete_copy_always_stays(ages: list[tuple[int, bool]], keep: KeepSettings) -> None:
    found = copies(ages)
    whole = [copy for copy in found if copy.complete]
    if whole:
        newest = max(copy.at for copy in whole)
        left = [copy for copy in whole if copy.id not in gone(found, keep)]
        assert newest in {copy.at for copy in left}


@given(AGES)
def test_where_no_rule_is_set_no_complete_copy_goes(ages: list[tuple[int, bool]]) -> None:
    found = copies(ages)
    assert all(not copy.complete for copy in found if copy.id in gone(found, NOTHING))


@given(AGES, KEEP)
def test_a_second_pruning_finds_nothing_more(ages: list[tuple[int, bool]], keep: KeepSettings) -> None:
    found = copies(ages)
    removed = gone(found, keep)
    assert gone([copy for copy in found if copy.id not in removed], keep) == set()


@given(AGES, KEEP)
def test_what_is_younger_than_days_or_of_the_last_stays(ages: list[tuple[int, bool]], keep: KeepSettings) -> None:
    found = copies(ages)
    removed = gone(found, keep)
    whole = sorted((copy for copy in found if copy.complete), key=lambda copy: copy.at)[::-1]
    assert not removed & {copy.id for copy in whole[: keep.last]}
    assert not removed & {copy.id for copy in whole if copy.at > NOW - keep.days * DAY_S}


def test_two_weeks_of_dailies_and_one_a_month_before() -> None:
    found = [Copy(id=str(day), at=NOW - day * DAY_S) for day in range(90)]
    keep = KeepSettings(last=0, daily=0, weekly=0, monthly=3, days=14)
    left = {copy.id for copy in found} - gone(found, keep)
    assert left == {str(day) for day in range(14)} | {"21", "52"}  # the last of October and of September


def test_what_broke_off_goes_when_a_whole_one_is_newer_and_nobody_can_be_writing_it() -> None:
    found = [
        Copy(id="old", at=NOW - 9 * 3600, complete=False),
        Copy(id="whole", at=NOW - 7200),
        Copy(id="young", at=NOW - 1800, complete=False),
    ]
    assert gone(found, NOTHING) == {"old"}
    assert gone(found[:1], NOTHING) == set()


def test_of_copies_of_one_second_the_one_that_is_listed_last_is_the_newest() -> None:
    found = copies([(10, True), (10, True), (10, True)])
    assert gone(found, NOTHING.model_copy(update={"last": 1})) == {"0", "1"}
