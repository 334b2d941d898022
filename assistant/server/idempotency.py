"""``Idempotency-Key``: a phone that asks again because no answer came gets the first turn's answer, and no second turn.

That a key was used is on the disk before its turn begins, as a hash and without a word of what was said: a restart in
between makes no second turn of it either. Answers are kept in memory only, with the turns.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from assistant.broadcast import RunningTurn
from assistant.server.answers import RequestError
from assistant.server.bodies import Command
from tools.database import DatabaseError, Schema, open_database

HEADER = "idempotency-key"
MAX_KEY_CHARACTERS = 255
KEPT_S = 86_400.0
"""A phone that comes back into the house after a day asks anew."""

_TABLE = """
CREATE TABLE IF NOT EXISTS requests (key TEXT PRIMARY KEY, digest TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS requests_by_age ON requests (at);
"""
SCHEMA = Schema((_TABLE,))


class Requests:
    """The keys that were used, each with the turn that it began."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """``path``: of the database, which is opened when the first key comes."""
        self._path = path
        self._clock = clock
        self._turns: dict[str, asyncio.Future[str]] = {}
        self._db: sqlite3.Connection | None = None
        self._lock = asyncio.Lock()

    def close(self) -> None:
        """Idempotent."""
        if self._db is not None:
            self._db.close()
            self._db = None

    async def once(
        self,
        key: str | None,
        owner: str,
        command: Command,
        start: Callable[[], Awaitable[RunningTurn]],
        find: Callable[[str], RunningTurn | None],
    ) -> RunningTurn:
        """The turn of this request: a new one, or the one that its key began. ``find``: a turn that is still kept, by
        its id. Raises RequestError."""
        if key is None:
            return await start()
        if not key or len(key) > MAX_KEY_CHARACTERS or not key.isprintable():
            message = f"Idempotency-Key is text of at most {MAX_KEY_CHARACTERS} characters."
            raise RequestError(400, "bad_idempotency_key", message)
        own = hashlib.sha256(f"{owner}\0{key}".encode("utf-8", "replace")).hexdigest()
        async with self._lock:  # whoever finds the key known finds its turn, too
            known = await asyncio.to_thread(self._take, own, _digest(command))
            if not known:
                began = self._turns[own] = asyncio.get_running_loop().create_future()
                began.add_done_callback(_looked_at)
        if known:
            return await self._first(own, find)
        try:
            turn = await start()
        except BaseException as error:
            del self._turns[own]
            await asyncio.to_thread(self._forget, own)  # no turn came of it: it may be asked again
            began.set_exception(error if isinstance(error, RequestError) else _broken_off())
            raise
        began.set_result(turn.turn_id)
        return turn

    async def _first(self, own: str, find: Callable[[str], RunningTurn | None]) -> RunningTurn:
        began = self._turns.get(own)
        turn = find(await asyncio.shield(began)) if began is not None else None
        if turn is None:
            message = "This request was taken before, and its answer is not kept any more."
            raise RequestError(409, "taken_before", message, "Look at what is true now, and ask with a new key.")
        return turn

    def _take(self, own: str, digest: str) -> bool:
        """Whether the key was known; it is now. Raises RequestError."""
        now = self._clock()
        try:
            db = self._opened()
            for (old,) in db.execute("SELECT key FROM requests WHERE at < ?", (now - KEPT_S,)).fetchall():
                self._turns.pop(old, None)
                db.execute("DELETE FROM requests WHERE key = ?", (old,))
            if db.execute("INSERT OR IGNORE INTO requests VALUES (?, ?, ?)", (own, digest, now)).rowcount:
                return False
            (first,) = db.execute("SELECT digest FROM requests WHERE key = ?", (own,)).fetchone()
        except (DatabaseError, sqlite3.Error, OSError, TypeError) as error:
            message = "Whether this request came before cannot be told, so nothing was done."
            raise RequestError(503, "requests_unusable", message, "Look at the disk of the state folder.") from error
        if first != digest:
            message = "This Idempotency-Key came with another request before."
            raise RequestError(422, "key_reused", message, "Use a new key for a new request.")
        return True

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = open_database(self._path, SCHEMA, busy_s=2.0)
        return self._db

    def _forget(self, own: str) -> None:
        try:
            self._opened().execute("DELETE FROM requests WHERE key = ?", (own,))
        except (DatabaseError, sqlite3.Error, OSError):
            return  # then it stays used, which does nothing twice


def _digest(command: Command) -> str:
    """Of what was asked; a multipart body is another one at each try."""
    parts = (command.text or "", command.conversation_id, command.engine or "", command.room or "")
    said = "\0".join(parts).encode("utf-8", "replace")
    return hashlib.sha256(said + b"\0" + hashlib.sha256(command.clip or b"").digest()).hexdigest()


def _broken_off() -> RequestError:
    return RequestError(503, "broken_off", "The first request broke off before its turn began.", "Ask again.")


def _looked_at(began: asyncio.Future[str]) -> None:
    if not began.cancelled():
        began.exception()
