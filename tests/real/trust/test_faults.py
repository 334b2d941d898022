"""Every fault of the table with the real process: the stage is named in time, nothing is done twice, and it is well
again by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import get_args

import pytest
import pytest_asyncio

from tests.trust.fault_world import World
from tests.trust.faults import FAULTS, RECOVERS, Fault, Kind, opened, survive

pytestmark = [pytest.mark.real_server, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

BY_KIND = sorted(FAULTS, key=lambda fault: get_args(Kind).index(fault.kind))
"""One process after another, each for all of its faults."""


class Worlds:
    """The process of one kind at a time."""

    def __init__(self) -> None:
        self.kind: Kind | None = None
        self._world: World | None = None
        self._open = AsyncExitStack()

    async def of(self, kind: Kind) -> World:
        if self._world is None or kind != self.kind:
            await self.close()
            self._world, self.kind = await self._open.enter_async_context(opened(kind)), kind
        return self._world

    async def close(self) -> None:
        await self._open.aclose()
        self._world = None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worlds() -> AsyncIterator[Worlds]:
    made = Worlds()
    yield made
    await made.close()


@pytest.mark.parametrize("fault", BY_KIND, ids=lambda fault: fault.name)
async def test_it_is_survived(fault: Fault, worlds: Worlds) -> None:
    await survive(await worlds.of(fault.kind), fault)


async def test_the_table_names_each_fault_once() -> None:
    names = [fault.name for fault in FAULTS]
    assert len(set(names)) == len(names)
    assert set(RECOVERS) <= set(names)
