"""What is backed up, here; and argvs that never get too long."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.kinds.sources import batches, source_below, there
from tools.backups.kinds.unchanged import Unchanged, listed
from tools.backups.port import BackupError, Entry, Fault


@given(st.lists(st.text()), st.integers(1, 200))
def test_batches_are_all_the_arguments_in_order_and_short(arguments: list[str], limit: int) -> None:
    found = list(batches(arguments, limit))
    assert [argument for part in found for argument in part] == arguments
    assert all(len(part) == 1 or sum(len(os.fsencode(one)) + 9 for one in part) <= limit for part in found)


async def test_a_source_that_is_gone_is_counted_and_none_at_all_is_refused(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    assert await there([str(tmp_path), gone]) == 1
    for paths, fault in (([gone], Fault.SOURCE_MISSING), ([], Fault.NOT_CONFIGURED)):
        with pytest.raises(BackupError) as raised:
            await there(paths)
        assert raised.value.fault is fault


def test_only_files_below_absolute_paths_have_a_source() -> None:
    assert source_below(Entry("/srv/a/b", 1), ["/srv/a/"]) == Path("/srv/a/b")
    assert source_below(Entry("/srv/ab", 1), ["/srv/a"]) is None
    assert source_below(Entry("/srv/a", 1), ["srv", ""]) is None


async def test_what_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    reads = 0

    async def read() -> int:
        nonlocal reads
        reads += 1
        return reads

    unchanged: Unchanged[int] = Unchanged()

    async def now() -> int:
        return await unchanged.read(("one",), lambda: listed([tmp_path / "config"], [tmp_path]), read)

    assert (await now(), await now()) == (1, 2)  # nothing to tell it by
    (tmp_path / "config").write_text("x")
    assert (await now(), await now()) == (3, 3)
    (tmp_path / "more").write_text("x")
    assert (await now(), await now()) == (4, 4)
