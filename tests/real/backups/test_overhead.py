"""What a restore test costs beyond the restore, on a small scale; ``python -m tests.real.backups.overhead`` is the real
measurement."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.backups.overhead import measure

MEGABYTES = 40
AT_MOST = 3.0
"""Two more keys are derived, half a second each, and restoring this little takes hardly longer."""


@pytest.mark.real_server
async def test_a_small_restore_test_takes_no_multiple_of_the_bare_restore(tmp_path: Path) -> None:
    found = await measure(tmp_path, MEGABYTES, rounds=2)
    assert found.ratio < AT_MOST, str(found)
