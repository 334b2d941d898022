"""Who has just read text that somebody outside the house could have written: acts after that want a yes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from tools.contract import Caller

T = TypeVar("T")

OUTSIDE_WINDOW_S = 600.0
"""For callers without turns, whose model may keep what it read for as long as its own conversation lasts."""

MAX_REMEMBERED = 1024
"""Turns, and callers without turns, of which it is known: far more than are ever under way at once."""


class Taints:
    """By turn; for callers without turns (outside MCP clients) by name, for ten minutes."""

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._turns: OrderedDict[str, None] = OrderedDict()
        self._names: OrderedDict[str, float] = OrderedDict()

    def mark(self, caller: Caller) -> None:
        """A tainted result goes to this caller."""
        if caller.turn_id is not None:
            _remember(self._turns, caller.turn_id, None)
        else:
            _remember(self._names, caller.name, self._ticks())

    def holds(self, caller: Caller) -> bool:
        """Whether what this caller wants now may come from such a text."""
        if caller.turn_id is not None:
            return caller.turn_id in self._turns
        at = self._names.get(caller.name)
        return at is not None and self._ticks() - at < OUTSIDE_WINDOW_S


def _remember(known: OrderedDict[str, T], key: str, value: T) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > MAX_REMEMBERED:
        known.popitem(last=False)
