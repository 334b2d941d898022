"""The running server's view of ``tokens.db``: as new as the file, at the price of one ``stat`` a request.

Commands write the file while the server runs. A change is seen at the next request by the file's inode, size and
times; within two seconds of a change the file is read each time, as its times may be no finer than that.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from assistant.errors import StateError
from assistant.tokens import NOTED_EVERY_S, Token, TokenStore

log = logging.getLogger(__name__)

COARSEST_TIMES_S = 2.0
"""Of file systems that homes have (FAT)."""

Look = tuple[int, int, int, int]


class TokenBook:
    """What is known of tokens now, and when each was used last."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.store = TokenStore(path, clock)
        self._clock = clock
        self._looked: Look | None = None
        self._settled = False
        self._tokens: Mapping[bytes, Token] = {}
        self._needed = False
        self._reading = asyncio.Lock()
        self._noted: dict[bytes, float] = {}
        self._noting: set[asyncio.Task[None]] = set()

    @property
    def needed(self) -> bool:
        """Whether tokens are needed; once they are, they are as long as this process lives."""
        return self._needed

    def now(self) -> float:
        """Seconds since 1970, by which tokens end."""
        return self._clock()

    async def tokens(self) -> Mapping[bytes, Token]:
        """By the SHA-256 of each. Raises StateError where they cannot be read: then nobody comes in by one."""
        look = self._look()
        if look == self._looked and (self._settled or look is None):
            return self._tokens
        async with self._reading:
            return await asyncio.to_thread(self.read)

    def read(self) -> Mapping[bytes, Token]:
        """The same, blocking, from the file. Raises StateError."""
        look = self._look()  # before it is read: what is written meanwhile is a change
        self._looked, self._tokens = None, {}
        self._needed = self._needed or look is not None
        self._tokens = self.store.by_hash()
        self._settled = look is not None and self._clock() - max(look[2:]) / 1e9 > COARSEST_TIMES_S
        self._looked = look
        return self._tokens

    def used(self, sha256: bytes) -> None:
        """Note that a token was used, at most once a minute, behind the request."""
        now = self._clock()
        if now - self._noted.get(sha256, 0.0) < NOTED_EVERY_S:
            return
        self._noted = {known: at for known, at in self._noted.items() if known in self._tokens} | {sha256: now}
        task = asyncio.get_running_loop().create_task(self._note(sha256))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def close(self) -> None:
        """What was to be noted is noted."""
        if self._noting:
            await asyncio.wait(self._noting)

    async def _note(self, sha256: bytes) -> None:
        try:
            await asyncio.to_thread(self.store.note_use, sha256)
        except StateError as error:  # whoever has a token comes in, also while the disk is full
            log.warning("that a token was used could not be noted: %s", error.detail)

    def _look(self) -> Look | None:
        """Raises StateError."""
        try:
            there = self.store.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._needed = True  # whether there are tokens cannot be told
            raise self.store.unusable(error) from error
        return there.st_ino, there.st_size, there.st_mtime_ns, there.st_ctime_ns
