"""What is fuzzed: a function of bytes, seeds to begin from, and the promise that no bytes may break."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

MAX_INPUT_BYTES = 20_000
"""Of one input here. What is larger is tried for itself, in ``tests/real/trust/test_bombs.py``."""

CPU_S = 8.0
"""Processor time of one input, in this thread. The honest ones take milliseconds; a machine's load is not in it."""


class TooSlowError(AssertionError):
    """An input took more processor time than any may."""


@dataclass(frozen=True, slots=True)
class Target:
    """``run`` raises for a broken promise and for nothing else; ``seeds`` are honest inputs, made when asked for.

    ``examples``: how many the short form tries, as one takes micro- or milliseconds.
    """

    name: str
    promise: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]
    examples: int = 60


def check(target: Target, data: bytes) -> None:
    """One input. Raises what the target's promise rules out, TooSlowError."""
    began = time.thread_time()
    target.run(data[:MAX_INPUT_BYTES])
    took = time.thread_time() - began
    if took > CPU_S:
        raise TooSlowError(f"{target.name}: {took:.1f} s for {len(data)} bytes")


@cache
def loop() -> asyncio.AbstractEventLoop:
    """One event loop for all inputs of this process: making one takes longer than most inputs."""
    return asyncio.new_event_loop()


def finished(work: Coroutine[Any, Any, T], within_s: float = 20.0) -> T:
    """Run it to its end; a hang is a broken promise. Raises TimeoutError."""

    async def bounded() -> T:
        async with asyncio.timeout(within_s):
            return await work

    return loop().run_until_complete(bounded())


@cache
def folder() -> Path:
    """A folder for the inputs of this process, which goes with it."""
    made = Path(tempfile.mkdtemp(prefix="jarvis-fuzz-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


class Reader:
    """Takes inputs apart: choices and pieces come from the bytes themselves, so that a mutation changes one of them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def byte(self) -> int:
        """The next byte; 0 at the end."""
        found = self._data[self._at] if self.left > 0 else 0
        self._at += 1
        return found

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[self.byte() % len(choices)]

    def line(self) -> bytes:
        """Up to the next line break."""
        end = self._data.find(b"\n", self._at)
        end = len(self._data) if end < 0 else end
        found, self._at = self._data[self._at : end], end + 1
        return found

    def rest(self) -> bytes:
        found, self._at = self._data[self._at :], len(self._data)
        return found


def pieces(data: bytes, sizes: bytes) -> list[bytes]:
    """``data`` cut into pieces of those sizes (1 to 256 bytes), over and over: how a network cuts it."""
    found: list[bytes] = []
    at, number = 0, 0
    while at < len(data):
        size = sizes[number % len(sizes)] + 1 if sizes else 64
        found.append(data[at : at + size])
        at, number = at + size, number + 1
    return found
