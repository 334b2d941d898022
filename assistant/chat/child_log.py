"""What a child process prints: a bounded file, and its last words in memory."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path

LOG_BYTES = 500_000
"""The file begins anew when it is fuller; what it held is kept once, as ``NAME.1``."""

TAIL_BYTES = 600


class ChildLog:
    """A disk that is full or gone costs the file and nothing else: the last words are kept in memory."""

    def __init__(self, path: Path, limit: int = LOG_BYTES) -> None:
        self._path = path
        self._limit = limit
        self._file: FileIO | None = None
        self._tail = b""

    def begin(self) -> None:
        """A new child: its words, not those of the one before."""
        self._tail = b""
        self._open()

    def add(self, words: bytes) -> None:
        """Append."""
        self._tail = (self._tail + words)[-TAIL_BYTES:]
        try:
            if self._file is not None and self._file.tell() + len(words) > self._limit:
                self._file.close()
                self._path.replace(self._path.with_name(self._path.name + ".1"))
                self._open()
            if self._file is not None:
                self._file.write(words)
        except OSError:
            self.end()

    def end(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def tail(self) -> str:
        """The last words, one line."""
        return " ".join(self._tail.decode(errors="replace").split())

    def _open(self) -> None:
        self._file = None
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._file = FileIO(descriptor, "a")
            self._file.seek(0, os.SEEK_END)
        except OSError:
            self.end()
