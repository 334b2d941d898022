"""Run a child process that downloads, and watch how many bytes it has written.

A pull makes no connection itself: pip and the hub's client do, each in a child of its own, so that neither can hang,
import or configure anything in this process.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_POLL_S = 0.25


class SourceError(Exception):
    """A source could not give the file; the text says why. Never leaves this package."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended: its return code and what it wrote (both streams, decoded)."""

    code: int
    output: str


def size_on_disk(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; what vanishes meanwhile counts as nothing."""
    if not path.is_dir():
        try:
            return path.stat().st_size
        except OSError:
            return 0
    total = 0
    for folder, _, names in os.walk(path):
        total += sum(size_on_disk(Path(folder, name)) for name in names)
    return total


def run_watched(argv: Sequence[str], env: Mapping[str, str], watch: Path, on_bytes: Callable[[int], None]) -> Ended:
    """Run to the end, telling ``on_bytes`` the size of ``watch`` four times a second.

    The child is ended when this is interrupted. Raises SourceError when it cannot be started.
    """
    with tempfile.TemporaryFile() as output:
        try:
            child = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        except OSError as error:
            raise SourceError(f"{argv[0]} cannot be started: {error}") from error
        try:
            while True:
                try:
                    code = child.wait(timeout=_POLL_S)
                    break
                except subprocess.TimeoutExpired:
                    on_bytes(size_on_disk(watch))
        except BaseException:  # Ctrl-C above all: no download may go on without us
            child.kill()
            child.wait()
            raise
        output.seek(0)
        return Ended(code, output.read().decode(errors="replace"))
