"""Scratch folders for restores: below the state folder, never near a source, always cleaned."""

from __future__ import annotations

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
    folder = Path(tempfile.mkdtemp(prefix="restore-", dir=real_parent))
    try:
        yield folder
    finally:
        _remove(folder)


def clean_left_overs(state_dir: Path) -> int:
    """Remove what a crash left behind; returns how many folders that were."""
    parent = state_dir / _NAME
    if parent.is_symlink() or not parent.is_dir():
        return 0
    left = [folder for folder in parent.iterdir() if folder.name.startswith("restore-") and not folder.is_symlink()]
    for folder in left:
        _remove(folder)
    return len(left)


def _remove(folder: Path) -> None:
    """Restored folders may be read-only; make them ours first."""
    for inner in [folder, *(path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink())]:
        inner.chmod(0o700)
    shutil.rmtree(folder)
