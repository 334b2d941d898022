"""Files of dumps: one, its manifest, its bytes, and how a new one gets its name."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.backups.port import BackupError, Copy, Fault

MANIFEST = ".manifest.json"
PART = ".part"
WORK = ".work"
STILL_WRITTEN_S = 900.0
"""Younger than this, a dump of somebody else may still be written: without its end it is not yet cut off."""

BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Dump:
    """One dump as it lies there. ``at``: Unix seconds of its begin (manifest), or when its file was last written."""

    path: Path
    size: int
    at: float
    written: float
    manifest: dict[str, Any] | None = field(default=None, hash=False)

    @property
    def copy(self) -> Copy:
        """For the rest: whole as far as its manifest tells."""
        manifest = self.manifest or {}
        ended = manifest.get("ended")
        return Copy(
            id=self.path.name,
            at=self.at,
            duration_s=max(float(ended) - self.at, 0.0) if isinstance(ended, int | float) else None,
            size=self.size,
            added=self.size,
            files=_count(manifest.get("files")),
            unread=_count(manifest.get("unread")) or 0,
            complete=not self.cut_off,
            here=self.manifest is not None,
            paths=tuple(str(path) for path in paths) if isinstance(paths := manifest.get("paths"), list) else (),
        )

    @property
    def cut_off(self) -> bool:
        expected = (self.manifest or {}).get("size")
        return isinstance(expected, int) and self.size < expected


async def check_whole(dump: Dump) -> None:
    """The bytes are those that were written, by the manifest. Raises BackupError truncated, damaged."""
    if dump.cut_off:
        raise BackupError(Fault.TRUNCATED, f"the dump {dump.path.name} is cut off")
    expected = (dump.manifest or {}).get("sha256")
    if isinstance(expected, str):
        try:
            found = await asyncio.to_thread(sha256_of, dump.path)
        except OSError as error:
            raise os_fault(error, "the dump cannot be read") from error
        if found != expected:
            raise BackupError(
                Fault.DAMAGED, f"the dump {dump.path.name} is not the one that was written: it is damaged"
            )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None


@contextmanager
def work_folder(part: Path) -> Iterator[Path]:
    """A folder (0700) beside a dump that is being written, for what it is made of; removed afterwards, or by a later
    run where this process is killed. Raises OSError."""
    folder = part.with_name(part.name + WORK)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_left_over(left: Path) -> None:
    if left.is_dir() and not left.is_symlink():
        shutil.rmtree(left, ignore_errors=True)
        return
    with suppress(OSError):
        left.unlink()


def read_manifest(dump: Path) -> dict[str, Any] | None:
    """What stands beside a dump; None where nothing does, or nothing that can be read."""
    try:
        read = json.loads(dump.with_name(dump.name + MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def finish(part: Path, dump: Path, manifest: dict[str, Any]) -> Copy:
    size = part.stat().st_size
    whole = manifest | {"size": size, "sha256": sha256_of(part), "ended": time.time()}
    written = dump.with_name(dump.name + MANIFEST)
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(whole, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    _sync(part)
    part.rename(dump)
    _sync(dump.parent)
    return Dump(dump, size, float(manifest["at"]), time.time(), whole).copy


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def tail(path: Path, size: int = 4096) -> bytes:
    """The last bytes of a file. Raises OSError."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - size, 0))
        return file.read(size)


def safe_name(name: str) -> str:
    """A name as a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip(".-") or "dump"


def os_fault(error: OSError, what: str) -> BackupError:
    """What the operating system refused, as a fault; ``what`` is the clause for all that has none of its own."""
    if error.errno in {28, 122}:  # ENOSPC, EDQUOT
        return BackupError(Fault.DISK_FULL, "the disk is full")
    if error.errno in {1, 13, 30}:  # EPERM, EACCES, EROFS
        return BackupError(Fault.DENIED, f"{what}: permission is denied")
    return BackupError(Fault.FAILED, f"{what}: {(error.strerror or 'input or output failed').lower()}")
