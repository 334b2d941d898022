"""Every kind × every seeded fault has the verdict of the truth table."""

from __future__ import annotations

import pytest

from tests.real.backups.ground import GROUNDS
from tests.real.backups.matrix import EXPECTED, NOT_RESTORED_HERE, Cell, row, table

pytestmark = pytest.mark.real_server


@pytest.mark.parametrize("name", GROUNDS)
async def test_every_fault_of_a_kind_has_the_verdict_that_it_has_to_have(name: str) -> None:
    cells = await row(name)
    assert all(cell.right for cell in cells), table(cells)
    assert sum(not cell.cannot for cell in cells) >= (6 if name in NOT_RESTORED_HERE else len(EXPECTED) / 2)


def test_a_cell_that_is_not_as_it_has_to_be_is_seen() -> None:
    good = Cell("restic", "damaged", EXPECTED["damaged"].verdict, next(iter(EXPECTED["damaged"].causes)))
    bad = Cell("restic", "damaged", EXPECTED["none"].verdict, next(iter(EXPECTED["none"].causes)))
    assert (good.right, bad.right) == (True, False)
    assert "1 of 2" in table([good, bad])
