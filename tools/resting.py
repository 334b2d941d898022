"""A question to a server behind a circuit breaker: one that is down or hangs is not waited for every time it is asked.

While it rests, the reason of its last failure is given at once; what others know is merged as ever.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from tools.breaker import Breaker

NOT_IN_TIME = "it does not answer in time"

SOONER_S = 0.1
"""It gives up so long before whoever waits for all of them does."""

LONGEST_REST_S = 30.0
"""Shorter than of other servers: many questions can do without this one, and a state is believed for minutes."""

T = TypeVar("T")


class RestingQuestion(Generic[T]):
    """One question, asked through a breaker. ``failure``: the error that says why there is no answer, and whose
    text is the reason; ``patience_s``: what an answer may take; ``clock``: seconds of one that never goes back."""

    def __init__(
        self,
        name: str,
        ask: Callable[[], Awaitable[T]],
        failure: type[Exception],
        patience_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.breaker = Breaker(name, clock, longest_rest_s=LONGEST_REST_S)
        self._ask = ask
        self._failure = failure
        self._patience_s = patience_s
        self._reason = ""

    async def __call__(self) -> T:
        """The answer. Raises ``failure``, and what the question raises besides (a fault of ours says nothing of the
        server)."""
        attempt = self.breaker.attempt()
        if attempt is None:
            raise self._failure(self._reason)
        with attempt:
            try:
                async with asyncio.timeout(self._patience_s):
                    answer = await self._ask()
            except TimeoutError:
                self._reason = NOT_IN_TIME
                attempt.failed()
                raise self._failure(NOT_IN_TIME) from None
            except self._failure as error:
                self._reason = str(error)
                attempt.failed()
                raise
            attempt.succeeded()
            return answer


def patience_of(deadline_s: float) -> float:
    """What one of several answers may take when all of them have to be there within ``deadline_s``, in seconds."""
    return max(deadline_s - SOONER_S, deadline_s / 2)
