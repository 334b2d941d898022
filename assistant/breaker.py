"""Circuit breakers of the stages: the machine is :mod:`tools.breaker`; here is what a stage says while one is open."""

from __future__ import annotations

from typing import TypeVar

from assistant.errors import JarvisError
from tools.breaker import Attempt, Breaker

__all__ = ["Attempt", "Breaker", "said_again"]

E = TypeVar("E", bound=JarvisError)


def said_again(error: E) -> E:
    """The same error for another turn: with the traceback of a raised one each turn would add its own."""
    return type(error)(error.code, error.detail, mend=error.mend)
