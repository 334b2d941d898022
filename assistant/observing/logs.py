"""Log lines: for people (``text``) or for programs (``json``), and never forged by what stands in them.

One record is one line in JSON, and in text one line and, below it, indented, where an exception came from. Newlines and
control characters are escaped in both. An exception's own words may be anybody's (a transcript, an argument), so above
DEBUG only its type and its frames are logged.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
import unicodedata
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal, TextIO

from tools.known_secrets import HidingFormatter

TURN: ContextVar[str] = ContextVar("turn", default="")
"""Id of the turn under way, which every record of its task carries."""

FIELDS = ("turn_id", "stage", "code", "door", "matched", "outcome", "tool", "total_ms", "heartbeat", "breaker")
"""What a record may carry besides its message (``extra``); anything else is not written."""

TALKATIVE = ("httpx", "httpx2", "openai")
"""Loggers of libraries that write whole URLs at INFO, with the tokens that some of them carry."""

_OWN_LINE = "  | "
"""Begins each further line of a record, so that none can pass for another record."""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""General categories that a terminal or a pager may act on, or that are no text at all."""


def escaped(text: str) -> str:
    """The text in one line that shows all of itself: what cannot be seen stands there as an escape. Pure; idempotent
    but for a backslash that was there before."""
    return "".join(_escape(c) if unicodedata.category(c) in _UNSEEN else c for c in text)


def _escape(character: str) -> str:
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    code = ord(character)
    return named.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\U{code:08x}")


class TextFormatter(logging.Formatter):
    """``WARNING assistant.chat.chain: the chat model … failed``, the turn's id behind it where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and indented ones for an exception."""
        turn = _turn_of(record)
        head = escaped(f"{record.levelname} {record.name}: {record.getMessage()}{f' [turn {turn}]' if turn else ''}")
        return "\n".join([head, *(_OWN_LINE + escaped(line) for line in _exception(record))])


class JsonFormatter(logging.Formatter):
    """One object: ``time``, ``level``, ``logger``, ``message``, what there is of FIELDS, ``exception``, ``frames``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of ASCII, so that nothing in it is more than a character."""
        found: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.casefold(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if turn := _turn_of(record):
            found["turn_id"] = turn
        for name in FIELDS:
            value = record.__dict__.get(name)
            if isinstance(value, str | int | float) and name not in found:
                found[name] = value
        if lines := list(_exception(record)):
            found["exception"], found["frames"] = lines[-1], lines[:-1]
        return json.dumps(found)


def set_up(level: str, form: Literal["text", "json"], stream: TextIO | None = None) -> None:
    """The root logger writes to standard error like that, and to nothing else; a later call replaces it."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(HidingFormatter(JsonFormatter() if form == "json" else TextFormatter()))
    root = logging.getLogger()
    for known in [one for one in root.handlers if getattr(one, "of_jarvis", False)]:
        root.removeHandler(known)
    handler.of_jarvis = True  # type: ignore[attr-defined]
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.NOTSET if level == "debug" else logging.WARNING)


def _turn_of(record: logging.LogRecord) -> str:
    told = record.__dict__.get("turn_id")
    return told if isinstance(told, str) else TURN.get()


def _exception(record: logging.LogRecord) -> Iterator[str]:
    """Frames, innermost last, then the type; its own words only where the root logger is at DEBUG."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"{frame.filename}:{frame.lineno} in {frame.name}"
    words = str(error) if logging.getLogger().isEnabledFor(logging.DEBUG) else ""
    yield f"{type(error).__qualname__}: {words}" if words else type(error).__qualname__
