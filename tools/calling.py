"""Who is asking, for tools that start something that outlives the call: it is told at that door when it is done.

Tools are planned and executed without their caller, so that they cannot decide by it; what they start has to know
where to report back, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tools.contract import Caller

_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)


def current_caller() -> Caller:
    """The caller of the call under way; outside of any, nobody in particular, who may only look."""
    return _caller.get() or Caller(name="nobody", role="guest")


@contextmanager
def called_by(caller: Caller) -> Iterator[None]:
    """For as long as the call is executed."""
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)
