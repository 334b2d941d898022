"""The tokens of the house: ``tokens.db`` in the state folder, written by commands and by the running server alike.

Only the SHA-256 of a token is kept. That is enough, and no slow hash is needed: a token is 256 random bits, which
nobody can try, where a password is a word, which somebody can. A token is shown once, when it is made.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from assistant.errors import ConfigError, StateError
from assistant.token_terms import name_key
from tools.database import DatabaseError, Schema, open_database

FILE_NAME = "tokens.db"
TOKEN_BYTES = 32
PREFIX = "jarvis_"
"""So that whoever finds one knows what it opens."""

MOST_TOKENS = 500
"""Of those that were not revoked."""

NOTED_EVERY_S = 60.0
BUSY_TIMEOUT_S = 3.0

MIGRATIONS = (
    """
    CREATE TABLE tokens (
        sha256 BLOB PRIMARY KEY, name TEXT NOT NULL, name_key TEXT NOT NULL, role TEXT NOT NULL,
        only_grants TEXT NOT NULL, room TEXT, created REAL NOT NULL, made_by TEXT NOT NULL, expires REAL,
        last_used REAL, revoked REAL, revoked_by TEXT
    );
    CREATE UNIQUE INDEX tokens_by_name ON tokens (name_key) WHERE revoked IS NULL;
    """,
)

SCHEMA = Schema(MIGRATIONS)

_COLUMNS = "name, role, only_grants, room, created, made_by, expires, last_used, revoked"


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token; times in seconds since 1970."""

    name: str
    role: str
    only: tuple[str, ...] = ()
    room: str | None = None
    created: float = 0.0
    made_by: str = ""
    expires: float | None = None
    last_used: float | None = None
    revoked: float | None = None

    def state(self, now: float) -> Literal["valid", "expired", "revoked"]:
        """Whether it opens anything."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and now >= self.expires else "valid"


def hashed(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


class TokenStore:
    """Opens the file for each step, so that it can be replaced at any time. Blocks; threads are the caller's."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock

    def create(self, token: Token) -> tuple[Token, str]:
        """What is kept, and the token itself, which is not. Raises ConfigError (taken, too many), StateError."""
        secret = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        made = replace(token, created=self._clock())
        with self._writing(make=True) as db:
            (there,) = db.execute("SELECT COUNT(*) FROM tokens WHERE revoked IS NULL").fetchone()
            if there >= MOST_TOKENS:
                mend = "Revoke what is not used: `jarvis token list`."
                raise ConfigError("too_many_tokens", f"There are {there} tokens already.", mend=mend)
            try:
                db.execute(
                    f"INSERT INTO tokens (sha256, name_key, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                    (hashed(secret), name_key(token.name), *_row(made)),
                )
            except sqlite3.IntegrityError as error:
                mend = f"Choose another name, or `jarvis token revoke {token.name!r}` first."
                raise ConfigError("token_exists", f"There is a token {token.name!r} already.", mend=mend) from error
        return made, secret

    def revoke(self, name: str, by: str) -> Token:
        """The token that opens nothing any more. Raises ConfigError (unknown), StateError."""
        rows = []
        if self.exists:
            with self._writing() as db:
                rows = db.execute(
                    f"UPDATE tokens SET revoked = ?, revoked_by = ? WHERE name_key = ? AND revoked IS NULL "  # noqa: S608
                    f"RETURNING {_COLUMNS}",
                    (self._clock(), by, name_key(name)),
                ).fetchall()
        if not rows:
            known = ", ".join(token.name for token in self.tokens() if token.revoked is None) or "none"
            raise ConfigError("unknown_token", f"There is no token {name!r}.", mend=f"Tokens are: {known}.")
        return _token(rows[0])

    @property
    def exists(self) -> bool:
        """Whether a token was ever made: from then on tokens are needed, and no damage to the file ends that."""
        return self.path.exists()

    def tokens(self) -> Sequence[Token]:
        """All, revoked ones too, oldest first. Raises StateError."""
        return list(self.by_hash().values())

    def by_hash(self) -> Mapping[bytes, Token]:
        """The same, by the SHA-256 of each; empty where there is no file. Raises StateError."""
        if not self.exists:
            return {}
        with self._connected() as db:
            rows = db.execute(f"SELECT sha256, {_COLUMNS} FROM tokens ORDER BY created, rowid").fetchall()  # noqa: S608
            return {bytes(sha256): _token(row) for sha256, *row in rows}

    def note_use(self, sha256: bytes) -> None:
        """That it was used now, unless that was noted within the minute. Raises StateError."""
        now = self._clock()
        with self._writing() as db:
            db.execute(
                "UPDATE tokens SET last_used = ? WHERE sha256 = ? AND (last_used IS NULL OR last_used <= ?)",
                (now, sha256, now - NOTED_EVERY_S),
            )

    @contextmanager
    def _writing(self, *, make: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction. ``make``: the file and its folder, too. Raises StateError."""
        if make:
            try:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self.path.touch(mode=0o600, exist_ok=True)
            except OSError as error:
                raise self.unusable(error) from error
        with self._connected() as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(open_database(self.path, SCHEMA, busy_s=BUSY_TIMEOUT_S, make=False)) as db:
                yield db
        except (DatabaseError, sqlite3.Error, OSError, ValueError, TypeError) as error:
            raise self.unusable(error) from error

    def unusable(self, error: Exception) -> StateError:
        """The error that says so."""
        mend = (
            "Check that the state folder can be written and is not full; a damaged file can be moved away, and its "
            "tokens made anew."
        )
        detail = str(error) if isinstance(error, DatabaseError) else f"{self.path} cannot be used: {error}."
        return StateError("tokens_unusable", detail, mend=mend)


def _row(token: Token) -> tuple[object, ...]:
    """In the order of ``_COLUMNS``."""
    only = json.dumps(token.only)
    times = (token.expires, token.last_used, token.revoked)
    return (token.name, token.role, only, token.room, token.created, token.made_by, *times)


def _token(row: Sequence[Any]) -> Token:
    """Raises ValueError, TypeError for a row that nobody here wrote."""
    name, role, only, room, created, made_by, *times = row
    grants = json.loads(only)
    if not isinstance(grants, list):
        raise ValueError(f"the limits of {name!r} are no list")  # noqa: TRY004 - the file is bad, not the type
    return Token(name, role, tuple(str(grant) for grant in grants), room, created, made_by, *times)
