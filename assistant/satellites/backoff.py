"""How long to wait before a satellite is tried again. Pure but for the chance that it is given."""

from __future__ import annotations

from collections.abc import Callable

FIRST_S = 1.0
LONGEST_S = 30.0
"""A satellite that was switched on is heard within this time."""

STEADY_S = 20.0
"""A connection that held so long was a good one: the next wait is the first again."""


class Backoff:
    """Waits that double, each of them drawn from its upper half: satellites that were lost together (the access point)
    do not come back together."""

    def __init__(self, chance: Callable[[], float]) -> None:
        """``chance``: a number from 0 to 1."""
        self._chance = chance
        self._next_s = FIRST_S

    def wait_s(self, held_s: float = 0.0) -> float:
        """Before the next try. ``held_s``: how long the last connection held."""
        if held_s >= STEADY_S:
            self._next_s = FIRST_S
        wait = self._next_s * (0.5 + self._chance() / 2)
        self._next_s = min(self._next_s * 2, LONGEST_S)
        return wait
