"""What we sent ourselves, so that it is not taken for somebody else's when we listen to the same topic."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

from tools.store import Store

UNANSWERED_S = 86400.0
"""How long a message whose id we never learned (the answer was lost, or is still coming) is known by its words."""

KEPT_S = 30 * 86400.0


class Published:
    """By service: what was sent, and the id that it got there. Every method blocks and raises StoreError only."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    def sending(self, service: str, title: str, text: str) -> str:
        """Before it is sent; what :meth:`sent` wants to know it by."""
        words = _fingerprint(title, text)
        self._store.write(
            "INSERT INTO published (service, fingerprint, at) VALUES (?, ?, ?)", [(service, words, self._clock())]
        )
        return words

    def sent(self, service: str, words: str, remote: str) -> None:
        """It got this id there."""
        self._store.write(
            "UPDATE published SET remote = ? WHERE rowid = (SELECT MAX(rowid) FROM published "
            "WHERE service = ? AND fingerprint = ? AND remote = '')",
            [(remote, service, words)],
        )

    def not_sent(self, service: str, words: str) -> None:
        """The server said no: what comes with these words is somebody else's."""
        self._store.write(
            "DELETE FROM published WHERE rowid = (SELECT MAX(rowid) FROM published "
            "WHERE service = ? AND fingerprint = ? AND remote = '')",
            [(service, words)],
        )

    def is_ours(self, service: str, remote: str, title: str, text: str) -> bool:
        """By its id; by its words only for as long as we have not learned the id."""
        return bool(
            self._store.read(
                "SELECT 1 FROM published WHERE service = ? AND fingerprint = ? "
                "AND (remote = ? OR (remote = '' AND at > ?)) LIMIT 1",
                (service, _fingerprint(title, text), remote, self._clock() - UNANSWERED_S),
            )
        )

    def forget_old(self) -> None:
        """Drop what is older than KEPT_S."""
        self._store.write("DELETE FROM published WHERE at < ?", [(self._clock() - KEPT_S,)])


def _fingerprint(title: str, text: str) -> str:
    return hashlib.sha256(f"{title}\0{text}".encode("utf-8", "replace")).hexdigest()
