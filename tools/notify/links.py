"""Links that answer a question: signed, for one call, for five minutes, once.

    /confirm/NONCE.EXPIRES.MAC

The nonce is the one of the open confirmation (``tools/confirmations.py``); the database holds its hash only. The MAC is
HMAC-SHA256 over nonce, call digest and end, with a key in the state folder: neither the database nor a guess makes a
link. Whether it was answered stands in the database, and the confirmation behind it is burnt before anything is done.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tools.contract import Caller, OpenConfirmation, PlannedCall
from tools.store import Store, StoreError

KEY_FILE = "confirm.key"
KEY_BYTES = 32

MOST_OPEN = 5
"""Questions at once: an outside client must not fill the phone."""

KEPT_S = 86400.0
"""After its end, so that whoever comes late is told so."""

_TOKEN = re.compile(r"([A-Za-z0-9_-]{16,64})\.([0-9]{1,12})\.([A-Za-z0-9_-]{43})")


class Standing(Enum):
    """What a link is worth."""

    OPEN = "open"
    ANSWERED = "answered"
    LATE = "late"
    FORGED = "forged"


@dataclass(frozen=True, slots=True)
class Question:
    """What stands behind a link."""

    call: PlannedCall
    caller: Caller
    text: str
    nonce: str
    standing: Standing


class Links:
    """Over the tools' database. Every method is short and blocks, and raises StoreError only."""

    def __init__(self, store: Store, state_dir: Path, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._file = state_dir / KEY_FILE
        self._clock = clock

    def open(self, call: PlannedCall, caller: Caller, opened: OpenConfirmation, text: str) -> str | None:
        """The token of a new link; None when too many are open. It ends with the confirmation."""
        now = self._clock()
        self._store.write("DELETE FROM links WHERE expires < ?", [(now - KEPT_S,)])
        ((count,),) = self._store.read("SELECT COUNT(*) FROM links WHERE answer IS NULL AND expires > ?", (now,))
        if count >= MOST_OPEN:
            return None
        expires = int(now + opened.expires_in_s)
        mac = self._mac(opened.nonce, call.digest, expires)
        self._store.write(
            "INSERT INTO links (nonce_sha256, digest, call, caller, question, created, expires) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    _hashed(opened.nonce), call.digest, call.model_dump_json(), caller.model_dump_json(), text, now,
                    expires,
                )
            ],
        )  # fmt: skip
        return f"{opened.nonce}.{expires}.{mac}"

    def read(self, token: str) -> Question | None:
        """What a token stands for; None for one that is not ours. Changes nothing."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        nonce, expires, mac = match[1], int(match[2]), match[3]
        rows = self._store.read(
            "SELECT digest, call, caller, question, created, expires, answer FROM links WHERE nonce_sha256 = ?",
            (_hashed(nonce),),
        )
        digest, call, caller, text, created, ends, answer = rows[0] if rows else ("", "", "", "", 0.0, 0, None)
        signed = hmac.compare_digest(self._mac(nonce, digest, expires).encode(), mac.encode())
        if not signed or not rows or ends != expires:
            return None
        planned = PlannedCall.model_validate_json(call)
        if not hmac.compare_digest(planned.digest, digest):  # somebody changed the row
            return None
        in_time = created <= self._clock() < ends
        standing = Standing.ANSWERED if answer is not None else Standing.OPEN if in_time else Standing.LATE
        return Question(planned, Caller.model_validate_json(caller), text, nonce, standing)

    def answer(self, question: Question, yes: bool) -> bool:
        """Use it up. True for exactly one of those who try, while it is open."""
        now = self._clock()
        return (
            self._store.write(
                "UPDATE links SET answer = ? "
                "WHERE nonce_sha256 = ? AND answer IS NULL AND created <= ? AND expires > ?",
                [("yes" if yes else "no", _hashed(question.nonce), now, now)],
            )
            == 1
        )

    def _mac(self, nonce: str, digest: str, expires: int) -> str:
        made = hmac.new(self._key(), f"jarvis confirm\0{nonce}\0{digest}\0{expires}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(made.digest()).decode().rstrip("=")

    def _key(self) -> bytes:
        """Made at first use, for this user only. One that others could have read is replaced: its links are void."""
        try:
            if self._file.exists():
                if not self._file.stat().st_mode & 0o077 and len(key := self._file.read_bytes()) == KEY_BYTES:
                    return key
                self._file.unlink()
            return self._new_key()
        except OSError as error:
            raise StoreError(f"The key {self._file} cannot be used: {error.strerror}.") from error

    def _new_key(self) -> bytes:
        """Whole or not at all, also where two make it at once."""
        part = self._file.with_name(f".{KEY_FILE}.{secrets.token_hex(4)}")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, secrets.token_bytes(KEY_BYTES))
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            os.link(part, self._file)
        except FileExistsError:  # the other was quicker
            pass
        finally:
            part.unlink()
        return self._file.read_bytes()


def _hashed(nonce: str) -> str:
    return hashlib.sha256(nonce.encode("utf-8", "replace")).hexdigest()
