"""Asking a kind by the name of what it does, and for the error that it has to give."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

import pytest

from tools.backups.port import BackupError, Kind

Asked = Literal["look", "back_up", "verify", "verify data", "prune"]


def silent(_share: float, _doing: str) -> None:
    """Progress that nobody hears."""


async def ask(kind: Kind, asked: Asked) -> object:
    asks: dict[Asked, Callable[[], Awaitable[object]]] = {
        "look": kind.look,
        "back_up": lambda: kind.back_up(silent),
        "verify": lambda: kind.verify("metadata", silent),
        "verify data": lambda: kind.verify("data", silent),
        "prune": lambda: kind.prune(silent),
    }
    return await asks[asked]()


async def fault_of(work: Awaitable[object]) -> BackupError:
    """The error that it ends with."""
    with pytest.raises(BackupError) as caught:
        await work
    return caught.value
