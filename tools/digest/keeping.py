"""The notes folder: one markdown file a day, whole or not at all, and never over what somebody else wrote."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from tools.digest.note import is_ours

MODE = 0o644


def keep_note(folder: Path, day: str, text: str) -> Path:
    """Write ``day`` (YYYY-MM-DD) into the folder, which has to be there; its path. Blocks. Raises OSError.

    A note of that day that somebody else wrote (a diary of the same names) stays; ours goes beside it.
    """
    path = folder / f"{day}.md"
    if _is_anothers(path):
        path = folder / f"{day}-jarvis.md"
    if _is_anothers(path):
        raise FileExistsError(f"{path} is not ours")
    part = folder / f".{path.name}.part"
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, MODE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return path


def _is_anothers(path: Path) -> bool:
    """A link is somebody's, too: what it leads to may lie anywhere."""
    if path.is_symlink():
        return True
    try:
        return not is_ours(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except UnicodeDecodeError:
        return True
