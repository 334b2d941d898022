"""A worker that is killed at any moment leaves nothing behind, is not forgotten, and is no success."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.backups.kills import KINDS, kill_often

TIMES = 4
"""Of each kind; `python -m tests.real.backups.kills --times 50` is the long form."""


@pytest.mark.real_server
@pytest.mark.parametrize("kind", KINDS)
async def test_a_killed_worker_leaves_nothing_and_is_never_a_success(kind: str, tmp_path: Path) -> None:
    tally = await kill_often(kind, TIMES, seed=20, folder=tmp_path)

    assert sum(tally.states.values()) == TIMES
