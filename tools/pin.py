"""The spoken PIN: digits that have to come with the yes to what is destructive, where anybody in the room can speak.

Wrong tries stand in the database, so that a restart forgets none of them. A PIN file that cannot be used opens nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from tools.contract import Caller, Level, PlannedCall
from tools.store import Store

TRIES = 3
"""Wrong ones within WINDOW_S after which no yes is taken by voice for LOCKED_S."""

WINDOW_S = 600.0
LOCKED_S = 600.0
KEPT_S = 30 * 86400.0

_DIGITS = re.compile(r"[0-9]{4,12}")

SAY_IT = "Say yes and the PIN."
MISSING = "I need the PIN with the yes."
WRONG = "That PIN is not right, so I changed nothing."
LOCKED = "There were too many wrong PINs, so I take no yes by voice for ten minutes."
UNREADABLE = "The PIN can't be read, so I can't take a yes for that by voice."


class PinError(Exception):
    """The PIN's file cannot be used; the text says why and how to mend it, never what stands in it."""


class Heard(Enum):
    """What came of the PIN in a yes."""

    RIGHT = "right"
    MISSING = "missing"
    WRONG = "wrong"
    LOCKED = "locked"
    UNREADABLE = "unreadable"


def read_pin(file: Path) -> str:
    """The digits. Raises PinError."""
    try:
        with file.open("rb") as opened:
            if file.stat().st_mode & 0o077:
                raise PinError(f"others can read {file}; `chmod 600 {file}` mends it.")
            content = opened.read(100).decode("ascii", "replace").strip()
    except OSError as error:
        raise PinError(f"{file} cannot be read: {error.strerror}.") from error
    if not _DIGITS.fullmatch(content):
        raise PinError(f"{file} does not hold a PIN: four to twelve digits and nothing else.")
    return content


class SpokenPin:
    """Over the tools' database. Methods are short and block; they raise StoreError where nothing is said."""

    def __init__(self, file: Path | None, store: Store, clock: Callable[[], float] = time.time) -> None:
        """``file``: None where no PIN is wanted; ``clock``: Unix seconds."""
        self._file = file
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()

    @property
    def configured(self) -> bool:
        """Whether there is a PIN at all."""
        return self._file is not None

    def wanted(self, call: PlannedCall) -> bool:
        """Whether a yes to this call has to bring it, where it is said aloud."""
        return self.configured and call.level is Level.DESTRUCTIVE

    def locked(self) -> bool:
        """Whether there were too many wrong ones just now."""
        now = self._clock()
        rows = self._store.read("SELECT at FROM pin_tries ORDER BY id DESC LIMIT ?", (TRIES,))
        times = sorted(at for (at,) in rows)
        within = len(times) == TRIES and times[-1] - times[0] <= WINDOW_S
        return within and abs(now - times[-1]) < LOCKED_S  # a clock that was set back by more does not lock for ever

    def hear(self, caller: Caller) -> Heard:
        """Compare what was said, in a time that tells nothing of it; a wrong one is kept before anybody hears of it."""
        if self._file is None:
            return Heard.RIGHT
        with self._lock:
            if self.locked():
                return Heard.LOCKED
            try:
                pin = read_pin(self._file)
            except PinError:
                return Heard.UNREADABLE
            if caller.pin is None:
                return Heard.MISSING
            if hmac.compare_digest(_hashed(caller.pin), _hashed(pin)):
                return Heard.RIGHT
            now = self._clock()
            self._store.write(
                "INSERT INTO pin_tries (at, who, door, room) VALUES (?, ?, ?, ?)",
                [(now, caller.name, caller.door.value, caller.room)],
            )
            self._store.write("DELETE FROM pin_tries WHERE at < ?", [(now - KEPT_S,)])
            return Heard.WRONG


def _hashed(digits: str) -> bytes:
    """Of one length, whatever was said."""
    return hashlib.sha256(digits.encode("utf-8", "replace")).digest()
