"""Inputs that once broke a promise: ``tests/fuzz/cases/TARGET/NAME``, each tried again by every run of the tests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent / "cases"


def cases() -> Iterator[tuple[str, Path]]:
    """(target, file) of each case."""
    for file in sorted(FOLDER.glob("*/*")):
        yield file.parent.name, file


def keep(target: str, data: bytes) -> Path:
    """Keep an input as a case; the same one twice is one case."""
    file = FOLDER / target / f"{hashlib.sha256(data).hexdigest()[:12]}.bin"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file
