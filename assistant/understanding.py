"""What an utterance is understood with: templates and narrowing, both filled with the live names, renewed with them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from assistant.narrowing.narrower import Narrower
from assistant.ports import Names, SentenceMatcher


@dataclass(frozen=True, slots=True)
class Understood:
    """For one set of live names. Without a narrower every tool is put to the model."""

    matcher: SentenceMatcher
    narrower: Narrower | None = None


class Understanding:
    """Builds anew what holds the names when they change: a service was added, an alias was edited."""

    def __init__(self, build: Callable[[Names], Understood]) -> None:
        self._build = build
        self._names: Names | None = None
        self._understood: Understood | None = None
        self._lock = asyncio.Lock()

    @property
    def latest(self) -> Understood | None:
        """The last one built, if any: for whoever cannot wait."""
        return self._understood

    async def of(self, names: Names) -> Understood:
        """The current one; building takes a quarter of a second, beside the loop."""
        async with self._lock:
            if self._understood is None or names != self._names:
                self._understood = await asyncio.to_thread(self._build, names)
                self._names = names
            return self._understood
