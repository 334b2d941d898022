"""What tools may know of whoever is asking, and nothing else, so that they cannot decide by it.

While a call is planned: the room that is meant where a room is left open (ADR 31). While it is executed: who asks, for
tools that start something that outlives the call, which is told at that door when it is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from tools.contract import Caller


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call was said: the ``room``, if anybody knows it, and whether the words leave it ``open`` that it is
    meant."""

    room: str | None = None
    open: bool = False


NOWHERE = Place()

_place: ContextVar[Place] = ContextVar("place", default=NOWHERE)


def said_in() -> Place:
    """Of the call that is being planned; outside of any, and for calls that say all they mean, nowhere."""
    return _place.get()


@contextmanager
def said_by(caller: Caller | None) -> Iterator[None]:
    """For as long as the call is planned. What a yes confirms says all that it means."""
    place = Place(caller.room, caller.here and caller.confirmation is None) if caller is not None else NOWHERE
    token = _place.set(place)
    try:
        yield
    finally:
        _place.reset(token)


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
