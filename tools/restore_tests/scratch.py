"""Scratch folders for restores: below the state folder, never near a source, always cleaned."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_NAME = "scratch"


class ScratchError(Exception):
    """The scratch folder would not be safe; the text says why."""


@contextmanager
def scratch_folder(state_dir: Path, sources: Iterable[str]) -> Iterator[Path]:
    """A new empty folder, removed afterwards whatever happens.

    Raises ScratchError when it would lie in a source or a source in it (real paths, links followed).
    """
    parent = state_dir / _NAME
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    real_parent = parent.resolve(strict=True)
    if real_parent != state_dir.resolve(strict=True) / _NAME:
        raise ScratchError(f"{parent} is a link to somewhere else")
    for source in sources:
        real_source = Path(source).resolve()
        if real_parent.is_relative_to(real_source) or real_source.is_relative_to(real_parent):
            raise ScratchError(f"the scratch folder {real_parent} and the source {real_source} overlap")
    folder = Path(tempfile.mkdtemp(prefix=f"restore-{os.getpid()}-", dir=real_parent))
    try:
        yield folder
    finally:
        _remove(folder)


def clean_left_overs(state_dir: Path) -> int:
    """Remove what a crash left behind, not what a living process restores; returns how many folders that were."""
    parent = state_dir / _NAME
    if parent.is_symlink() or not parent.is_dir():
        return 0
    left = [folder for folder in parent.glob("restore-*") if not folder.is_symlink() and not _in_use(folder)]
    for folder in left:
        _remove(folder)
    return len(left)


def _in_use(folder: Path) -> bool:
    """Whether the process that its name tells is alive. A process id that was given again only delays the cleaning;
    our own is from before a restart, as in a container, where it never changes.
    """
    owner = folder.name.split("-")[1]
    if not owner.isdigit() or int(owner) == os.getpid():
        return False
    try:
        os.kill(int(owner), 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def _remove(folder: Path) -> None:
    """Restored folders may be read-only or unreadable; make each ours before looking into it."""
    folder.chmod(0o700)
    for parent, inner, _ in os.walk(folder):
        for path in (Path(parent) / name for name in inner):
            if not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(folder)
