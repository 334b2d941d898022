"""A circuit breaker: whoever keeps failing is left alone for a while, and then tried by one, not by all. Pure.

    closed ──(``failures`` within ``window_s``)──▶ open ──(the rest is over)──▶ half-open ──▶ closed, or open again

It guards what may cost a turn its deadline: servers on other machines. ``docs/faults.md`` says where it stands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Literal, Self

State = Literal["closed", "open", "half-open"]

FAILURES = 2
"""Failures in the window that open it: one may be chance."""

WINDOW_S = 60.0
REST_S = 5.0
LONGEST_REST_S = 120.0
"""Whoever was mended is asked again after so long at most."""

_MOST_DOUBLINGS = 16


class Attempt:
    """One use of what is behind the breaker. Its first verdict counts; left without one, it says nothing."""

    def __init__(self, breaker: Breaker, age: int, began: float, *, probing: bool) -> None:
        self._breaker = breaker
        self._age = age
        self._began = began
        self._probing = probing
        self._over = False

    @property
    def counts(self) -> bool:
        """Whether its verdict is still asked for: no other one opened or closed the breaker meanwhile."""
        return not self._over and self._age == self._breaker._age

    def succeeded(self) -> None:
        """What is behind is well."""
        if self._is_first():
            self._breaker._close()

    def failed(self, *, opens: bool = False) -> None:
        """It is not. ``opens``: one such failure is enough (nobody is there at all)."""
        if self._is_first():
            self._breaker._note_failure(self._began, opens=opens or self._probing)

    def abandoned(self) -> None:
        """Nothing was learnt (whoever asked went away): another one may probe."""
        if self._is_first() and self._probing:
            self._breaker._probing = False

    def _is_first(self) -> bool:
        first, self._over = self.counts, True
        return first

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abandoned()


class Breaker:
    """For one event loop. ``name`` is what is behind it, as metrics show it; ``opened`` counts how often it did.

    ``clock``: seconds of a clock that never goes back. The first rest takes ``rest_s`` and each further one twice as
    long, up to ``longest_rest_s``; none is shorter than the failure before it took, so that a server that hangs for a
    minute does not cost a minute at every second question.
    """

    def __init__(
        self,
        name: str,
        clock: Callable[[], float],
        *,
        failures: int = FAILURES,
        window_s: float = WINDOW_S,
        rest_s: float = REST_S,
        longest_rest_s: float = LONGEST_REST_S,
    ) -> None:
        self.name = name
        self.opened = 0
        self._clock = clock
        self._window_s = window_s
        self._rest_s = rest_s
        self._longest_rest_s = longest_rest_s
        self._failures: deque[float] = deque(maxlen=failures)
        self._age = 0
        self._rests = 0
        self._rest_until: float | None = None
        self._probing = False

    @property
    def state(self) -> State:
        """``half-open``: the rest is over, and the next one who asks finds out, or is about to."""
        if self._rest_until is None:
            return "closed"
        return "half-open" if self._probing or self._clock() >= self._rest_until else "open"

    @property
    def rests_s(self) -> float:
        """How long it is still left alone, in seconds."""
        return max(0.0, self._rest_until - self._clock()) if self._rest_until is not None else 0.0

    def attempt(self) -> Attempt | None:
        """Leave to ask what is behind; None: it rests, or somebody finds out at this moment whether it is back."""
        return None if self.state == "open" else self.probe()

    def probe(self) -> Attempt | None:
        """The same without waiting for the end of the rest, for whoever tries by a timetable of its own."""
        if self._probing:
            return None
        self._probing = self._rest_until is not None
        return Attempt(self, self._age, self._clock(), probing=self._probing)

    def _close(self) -> None:
        if self._rest_until is None:
            self._failures.clear()
            return
        self._age += 1
        self._rest_until, self._probing, self._rests = None, False, 0

    def _note_failure(self, began: float, *, opens: bool) -> None:
        now = self._clock()
        self._failures.append(now)
        full = len(self._failures) == self._failures.maxlen and now - self._failures[0] <= self._window_s
        if opens or full:
            rest_s = max(self._rest_s * 2 ** min(self._rests, _MOST_DOUBLINGS), now - began)
            self._age += 1
            self._rests += 1
            self.opened += 1
            self._failures.clear()
            self._probing, self._rest_until = False, now + min(rest_s, self._longest_rest_s)
