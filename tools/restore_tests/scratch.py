"""Scratch folders for restores: below a folder of ours, never near a source, always cleaned.

Each is named after the process that made it, so that what a crash left is told from what a living process uses.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path

log = logging.getLogger(__name__)

_NAME = "scratch"
_ATTEMPTS = 3
"""To remove a folder in which a program that outlived its parent still writes."""


class ScratchError(Exception):
    """The scratch folder would not be safe; the text says why, and the mend."""


@contextmanager
def scratch_folder(parent: Path, sources: Iterable[str], left_out: Iterable[str] = ()) -> Iterator[Path]:
    """A new empty folder (0700, a real path) in ``parent``/scratch, removed afterwards whatever happens.

    ``sources``: what it must not overlap with, links followed; ``left_out``: parts of them that no backup takes, in
    which it may lie. Raises ScratchError, OSError.
    """
    folder = parent / _NAME
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    real = folder.resolve(strict=True)
    if real != parent.resolve(strict=True) / _NAME:
        raise ScratchError(f"{folder} is a link to somewhere else")
    _check_apart(real, sources, left_out)
    made = Path(tempfile.mkdtemp(prefix=f"restore-{os.getpid()}-{_started(os.getpid())}-", dir=real))
    try:
        yield made
    finally:
        _remove(made)


@contextmanager
def named_folder(scratch: Path, name: str) -> Iterator[Path]:
    """A new empty folder in a scratch folder, removed afterwards. Raises OSError."""
    folder = scratch / name
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        _remove(folder)


@asynccontextmanager
async def in_loop(folder: AbstractContextManager[Path]) -> AsyncIterator[Path]:
    """One of the folders above, for an event loop: its removal, which takes as long as there is much in it, is done in
    a thread, and to its end, however often the caller is cancelled meanwhile."""
    path = folder.__enter__()
    try:
        yield path
    finally:
        removal = asyncio.ensure_future(asyncio.to_thread(folder.__exit__, None, None, None))
        cancelled = False
        while not removal.done():
            try:
                await asyncio.wait([removal])
            except asyncio.CancelledError:
                cancelled = True
        removal.result()
        if cancelled:
            raise asyncio.CancelledError


def clean_left_overs(parent: Path) -> int:
    """Remove what a crash left behind, not what a living process restores; returns how many folders went.

    One that cannot be removed is left for the next time, and logged: nothing else depends on it.
    """
    folder = parent / _NAME
    if folder.is_symlink() or not folder.is_dir():
        return 0
    gone = 0
    for one in folder.glob("restore-*"):
        if one.is_symlink() or _in_use(one):
            continue
        try:
            _remove(one)
        except OSError as error:
            log.warning("the scratch folder %s cannot be removed: %s", one, error.strerror)
        else:
            gone += 1
    return gone


def _check_apart(scratch: Path, sources: Iterable[str], left_out: Iterable[str]) -> None:
    free = [Path(path).resolve() for path in left_out if path.startswith("/")]
    for source in sources:
        real = Path(source).resolve()
        if any(scratch.is_relative_to(part) and part.is_relative_to(real) for part in free):
            continue
        if scratch.is_relative_to(real) or real.is_relative_to(scratch):
            raise ScratchError(
                f"the scratch folder {scratch} and {real} overlap; set restore_scratch to a folder elsewhere, "
                "or leave that one out of the backup"
            )


def _in_use(folder: Path) -> bool:
    """Whether the process that its name tells is alive. Our own id is from before a restart, as in a container, where
    it never changes, unless the start is ours too."""
    owner, _, rest = folder.name.removeprefix("restore-").partition("-")
    started = rest.partition("-")[0]
    if not owner.isdecimal():
        return False
    if int(owner) == os.getpid():
        return started != "0" and started == _started(os.getpid())
    try:
        os.kill(int(owner), 0)
    except PermissionError:
        return _same(started, int(owner))
    except (ProcessLookupError, OverflowError):
        return False
    return _same(started, int(owner))


def _same(started: str, process: int) -> bool:
    """Whether it is the process that made the folder, and not a later one with its id; yes where that is not known."""
    now = _started(process)
    return not started.isdecimal() or "0" in (started, now) or started == now


def _started(process: int) -> str:
    """When a process began, in ticks since the machine's start (Linux, /proc/PID/stat field 22); "0": not known."""
    with suppress(OSError, IndexError):
        return (
            Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[19]
        )
    return "0"


def _remove(folder: Path) -> None:
    """Restored folders may be read-only or unreadable; make each ours before looking into it. Raises OSError."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            folder.chmod(0o700)
            for parent, inner, _ in os.walk(folder):
                for path in (Path(parent) / name for name in inner):
                    if not path.is_symlink():
                        path.chmod(0o700)
            shutil.rmtree(folder)
        except FileNotFoundError:
            if not folder.exists():
                return
        except OSError:
            if attempt == _ATTEMPTS:
                raise
        else:
            return
