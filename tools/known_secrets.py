"""The secrets that this process knows, so that none of them is written anywhere: logs, errors, artifacts, answers.

Nothing of ours puts a secret into a text; what others answer may: a proxy that quotes the request's headers, a program
that prints its environment. So every secret that is read (``tools.program.read_secret``, ``learn`` over the settings)
is kept here in memory, and ``hide`` replaces it, and the forms in which it travels, wherever a text leaves: the log
formatter, the errors of the assistant, the outcome of a tool (with it audit, artifacts, events, pages).

A value of fewer than MIN_CHARACTERS is not replaced: it would be found in ordinary words and figures. A spoken PIN is
that short; it is taken off the utterance before anything is kept of it (``tools/pin.py``).
"""

from __future__ import annotations

import base64
import json
import logging
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from pydantic import BaseModel

HIDDEN = "…"
MIN_CHARACTERS = 8
MAX_FILE_BYTES = 65_536
"""Of a secret's file that is read here: keys and token files are smaller."""

MOST = 10_000
"""Forms kept: more than a house has; a program that reads new secrets for ever is none of ours."""

FILE_SETTING = re.compile(
    r"(?:token|tokens|password|api_key|pin|secret|url)_file$|^(?:ssh_key|credentials|config_file)$"
)
"""Names of settings that name a file with a secret; the test of the canaries asks that every secret setting fits."""

_USERINFO = re.compile(r"://([^/\s@]+)@")
_OPTION = re.compile(r"^(?:--?)?[\w-]*(?:key|token|secret|pass(?:word|wd)?|auth)[\w-]*(?:[=:](?P<value>.+))?$", re.I)
"""An argument that is a secret, or whose next one is: ``--api-key X``, ``TOKEN=X``."""

_LINE = re.compile(
    r"^[\w.\"' -]*(?:key|token|secret|pass\w*|phrase)[\w.\"']*\s*[:=]\s*[\"']?(?P<value>[^\"'\s]+)", re.I
)
"""A line of another program's configuration that holds a secret."""


class KnownSecrets:
    """May be used from any thread. ``repr`` tells how many there are, never which."""

    def __init__(self) -> None:
        self._forms: dict[str, None] = {}
        self._pattern: re.Pattern[str] | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"KnownSecrets({len(self._forms)} forms)"

    def add(self, value: str) -> None:
        """One more; what is too short, or known, changes nothing."""
        value = value.strip()
        if len(value) < MIN_CHARACTERS or value in self._forms:
            return
        with self._lock:
            if len(self._forms) < MOST:
                self._forms.update(dict.fromkeys(secret_forms(value)))
                longest = sorted(self._forms, key=len, reverse=True)  # a secret may stand inside another
                self._pattern = re.compile("|".join(map(re.escape, longest)))

    def learn(self, settings: BaseModel) -> None:
        """All that these settings hold or name. Files that cannot be read are passed over: whoever needs one says so.
        Blocks."""
        for value in secrets_in(settings):
            self.add(value)

    def hide(self, text: str) -> str:
        """The text with every known secret replaced."""
        pattern = self._pattern
        return pattern.sub(HIDDEN, text) if pattern is not None else text

    def hide_in(self, value: Any) -> Any:
        """The same for all texts inside of lists, tuples and objects; keys stay."""
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, dict):
            return {key: self.hide_in(item) for key, item in value.items()}
        return type(value)(map(self.hide_in, value)) if type(value) in (list, tuple) else value

    def stands_in(self, text: str) -> bool:
        """Whether one of them is in it."""
        return self._pattern is not None and self._pattern.search(text) is not None


KNOWN = KnownSecrets()
"""Of this process: a log line may come from anywhere in it."""


class HidingFormatter(logging.Formatter):
    """Another formatter's lines without what is known to be secret: message, arguments and tracebacks alike."""

    def __init__(self, inner: logging.Formatter, known: KnownSecrets = KNOWN) -> None:
        super().__init__()
        self._inner = inner
        self._known = known

    def format(self, record: logging.LogRecord) -> str:
        """See the class."""
        return self._known.hide(self._inner.format(record))


def secrets_in(settings: BaseModel) -> Iterator[str]:
    """Every secret that the settings hold (in URLs and arguments), or that stands in a file which they name."""
    for name, value in settings:
        yield from _found(name, value)


def _found(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from secrets_in(value)
    elif isinstance(value, Path):
        if FILE_SETTING.search(name):
            yield from _in_file(value, others_own=name == "config_file")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _found(name if isinstance(item, Path) else str(key), item)
    elif isinstance(value, str):
        yield from _in_url(value)
    elif isinstance(value, Sequence):
        words = [item for item in value if isinstance(item, str)]
        yield from _in_arguments(words)
        for item in value:
            yield from _found(name, item)
    elif hasattr(value, "unicode_string"):  # one of pydantic's URLs
        yield from _in_url(str(value))


def _in_url(text: str) -> Iterator[str]:
    for match in _USERINFO.finditer(text):
        _, colon, password = match[1].partition(":")
        if colon:
            yield password
            yield unquote(password)
        else:
            yield match[1]  # a token in the user's place


def _in_arguments(words: Sequence[str]) -> Iterator[str]:
    for word, after in zip(words, [*words[1:], ""], strict=False):
        if match := _OPTION.match(word):
            yield match["value"] or (after if word.startswith("-") else "")


def _in_file(path: Path, *, others_own: bool) -> Iterator[str]:
    """Its lines, and what stands behind the last mark of each: ``name:role:TOKEN``, ``user@realm!id=TOKEN``."""
    try:
        with path.open("rb") as opened:
            text = opened.read(MAX_FILE_BYTES).decode("utf-8", "replace")
    except OSError:
        return
    for line in map(str.strip, text.splitlines()):
        if others_own:
            if match := _LINE.match(line):
                yield match["value"]
        elif line and not line.startswith(("#", "-----")):
            yield line
            yield from re.split(r"[:=]", line)[1:]
            yield from _in_url(line)


def secret_forms(value: str) -> Iterator[str]:
    """A secret as it is, and as it travels: in a URL, in JSON, in ``Authorization: Basic`` (behind a user's name of any
    length, so of its own characters only those that do not depend on the name)."""
    yield value
    yield quote(value, safe="")
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + value.encode("utf-8", "replace")).decode()
        end = len(whole) - 4 if (before + len(value.encode("utf-8", "replace"))) % 3 else len(whole)
        core = whole[4 if before else 0 : end]
        if len(core) >= MIN_CHARACTERS:
            yield core
