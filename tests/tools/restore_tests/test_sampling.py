"""Which files a restore test takes: bounded, the same for the same seed, and in time all of them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.port import Entry
from tools.restore_tests import sampling
from tools.restore_tests.sampling import FILE_OVERHEAD_BYTES, batches, choose, coverage

KB = 1_000
MB = 1_000_000
PATHS = st.text("abc/", min_size=1, max_size=6)
ENTRIES = st.lists(st.builds(Entry, PATHS, st.integers(0, 3_000 * MB)), max_size=40)
TIMES = st.dictionaries(PATHS, st.floats(0, 2e9), max_size=20)
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture
def small_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a copy of some dozen files is a large one."""
    monkeypatch.setattr(sampling, "WHOLE_FILES", 4)
    monkeypatch.setattr(sampling, "MIN_FILES", 3)
    monkeypatch.setattr(sampling, "MIN_BYTES", 40 * MB)


def used(entries: tuple[Entry, ...]) -> int:
    return sum(entry.size + FILE_OVERHEAD_BYTES for entry in entries)


@given(entries=ENTRIES, restored=TIMES, seed=SEEDS, limit=st.integers(0, 10_000 * MB), whole=st.booleans())
def test_a_sample_is_of_the_copy_fits_the_limit_and_is_the_same_for_the_same_seed(
    entries: list[Entry], restored: Mapping[str, float], seed: int, limit: int, whole: bool
) -> None:
    sample = choose(entries, restored, seed=seed, max_bytes=limit, whole=whole)
    assert choose(entries, restored, seed=seed, max_bytes=limit, whole=whole) == sample
    assert set(sample.entries) <= set(entries)
    paths = [entry.path for entry in sample.entries]
    assert len(paths) == len(set(paths))
    assert sample.whole or used(sample.entries) <= limit
    assert sample.size == sum(entry.size for entry in sample.entries)
    fitting = {
        path for path, entry in {one.path: one for one in entries}.items() if entry.size + FILE_OVERHEAD_BYTES <= limit
    }
    assert set(paths) <= fitting
    assert bool(paths) == bool(fitting)
    assert not sample.whole or set(paths) == fitting
    assert sample.too_large == len({entry.path for entry in entries}) - len(fitting)


@given(entries=ENTRIES, limit=st.integers(0, 10_000 * MB))
def test_batches_are_all_of_it_in_parts_that_fit(entries: list[Entry], limit: int) -> None:
    parts = batches(entries, limit)
    assert [entry for part in parts for entry in part] == entries
    assert all(used(tuple(part)) <= limit or len(part) == 1 for part in parts)
    assert all(used((*before, after[0])) > limit for before, after in pairwise(parts))


@given(entries=ENTRIES, restored=TIMES, seed=SEEDS)
def test_a_small_copy_is_taken_whole(entries: list[Entry], restored: Mapping[str, float], seed: int) -> None:
    small = [Entry(entry.path, entry.size % (40 * MB)) for entry in entries]
    sample = choose(small, restored, seed=seed, max_bytes=5_000 * MB)
    assert sample.whole == bool(small)
    assert {entry.path for entry in sample.entries} == {entry.path for entry in small}


def test_a_large_copy_is_taken_whole_where_that_is_asked_for() -> None:
    entries = [Entry(f"/{number}", 500 * MB) for number in range(10)]
    assert not choose(entries, {}, seed=1, max_bytes=20_000 * MB).whole
    assert choose(entries, {}, seed=1, max_bytes=20_000 * MB, whole=True).whole
    in_parts = choose(entries, {}, seed=1, max_bytes=2_100 * MB, whole=True)
    assert (in_parts.whole, len(in_parts.entries)) == (True, 10)
    assert [len(part) for part in batches(in_parts.entries, 2_100 * MB)] == [4, 4, 2]


def test_a_sample_is_a_twelfth_of_the_copy_so_that_monthly_tests_come_round_in_a_year() -> None:
    entries = [Entry(f"/{number}", MB) for number in range(12_000)]
    restored: dict[str, float] = {}
    for month in range(12):
        sample = choose(entries, restored, seed=month, max_bytes=20_000 * MB)
        assert len(sample.entries) <= 1_001
        restored |= dict.fromkeys((entry.path for entry in sample.entries), float(month))
    assert coverage(entries, restored, since=0.0) > 0.99


@pytest.mark.usefixtures("small_samples")
def test_files_never_restored_come_first_and_then_those_restored_longest_ago() -> None:
    entries = [Entry(f"/{number}", 10 * KB) for number in range(9)]
    restored = {"/0": 300.0, "/1": 100.0, "/2": 200.0, "/3": 400.0, "/4": 150.0, "/5": 500.0, "/6": 600.0, "/7": 700.0}
    sample = choose(entries, restored, seed=1, max_bytes=MB)
    assert [entry.path for entry in sample.entries] == ["/8", "/1", "/4"]


@pytest.mark.usefixtures("small_samples")
def test_each_size_class_has_its_turn() -> None:
    notes = [Entry(f"/note-{number}", KB) for number in range(50)]
    pictures = [Entry(f"/picture-{number}", 5 * MB) for number in range(5)]
    films = [Entry(f"/film-{number}", 20 * MB) for number in range(2)]
    sample = choose([*notes, *pictures, *films], {}, seed=3, max_bytes=100 * MB)
    assert sorted(entry.path.split("-")[0] for entry in sample.entries[:3]) == ["/film", "/note", "/picture"]


@pytest.mark.usefixtures("small_samples")
@given(
    sizes=st.lists(st.integers(0, 100 * MB), min_size=1, max_size=60),
    seeds=st.lists(SEEDS, min_size=60, max_size=60),
)
def test_in_time_every_file_that_fits_is_restored(sizes: list[int], seeds: list[int]) -> None:
    entries = [Entry(f"/{number}", size) for number, size in enumerate(sizes)]
    fitting = {entry.path for entry in entries if entry.size + FILE_OVERHEAD_BYTES <= 60 * MB}
    restored: dict[str, float] = {}
    for at, seed in enumerate(seeds):
        sample = choose(entries, restored, seed=seed, max_bytes=60 * MB)
        restored |= dict.fromkeys((entry.path for entry in sample.entries), float(at))
    assert set(restored) == fitting


@given(entries=ENTRIES, restored=TIMES, since=st.floats(0, 2e9))
def test_coverage_counts_the_files_of_the_copy_that_were_restored_since_then(
    entries: list[Entry], restored: Mapping[str, float], since: float
) -> None:
    paths = {entry.path for entry in entries}
    done = {path for path, at in restored.items() if at >= since}
    assert coverage(entries, restored, since=since) == (len(paths & done) / len(paths) if paths else 0.0)
