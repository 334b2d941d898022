"""A backup of the form that Home Assistant makes itself, of its configuration folder."""

from __future__ import annotations

import fnmatch
import io
import json
import os
import secrets
import sqlite3
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tools.backups.kinds import secure_tar
from tools.backups.kinds.dump_files import os_fault, work_folder
from tools.backups.port import BackupError, Fault

DATABASE = "home-assistant_v2.db"
LEFT_OUT = (
    "*/__pycache__/*", "__pycache__/*", "*.DS_Store", ".HA_RESTORE", "*.db-shm", "*.db-wal", "*.log.*", "*.log",
    "backups/*.tar", "tmp_backups/*.tar", "OZW_Log.txt", "tts/*",
)  # fmt: skip
"""What Home Assistant leaves out of its own; the database's log is in the copy that is made of it."""


@dataclass(frozen=True, slots=True)
class Written:
    """``size``: bytes before packing; ``unread``: files that could not be read, and are missing from it."""

    files: int
    size: int
    unread: int


def write(
    configuration: Path,
    part: Path,
    password: str | None,
    exclude: Sequence[str],
    at: float,
    stopped: Callable[[], bool],
) -> Written:
    """The backup, as a new file (0600). Raises BackupError."""
    if not (configuration / "configuration.yaml").is_file():
        raise BackupError(Fault.SOURCE_MISSING, "there is no configuration.yaml in its configuration folder")
    try:
        with work_folder(part) as folder:
            inner = folder / "homeassistant.tar.gz"
            written = _inner(configuration, inner, folder, exclude, stopped)
            sealed = inner
            if password is not None:
                sealed = folder / "sealed"
                with sealed.open("xb") as file:
                    secure_tar.encrypt(inner, file, password)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as opened, tarfile.open(fileobj=opened, mode="w") as outer:
                _add_bytes(outer, "./backup.json", _list(configuration, at, password is not None), at)
                outer.add(sealed, "homeassistant.tar.gz", filter=_nobody)
    except OSError as error:
        raise os_fault(error, "the backup cannot be written") from error
    return written


def _inner(
    configuration: Path, target: Path, folder: Path, exclude: Sequence[str], stopped: Callable[[], bool]
) -> Written:
    files = size = unread = 0
    with tarfile.open(target, "w:gz", compresslevel=6) as tar:
        tar.add(configuration, "data", recursive=False, filter=_nobody)
        for path, name in _walk(configuration, exclude):
            if stopped():
                raise BackupError(Fault.CANCELLED, "it was cancelled")
            taken = _copy_of_database(path, folder) if name == DATABASE else path
            if taken is None or not _readable(taken):
                unread += 1
                continue
            tar.add(taken, f"data/{name}", recursive=False, filter=_nobody)
            if name == DATABASE:
                _add_bytes(tar, f"data/{name}-wal", b"", 0)  # Home Assistant asks for both when it restores
            if taken.is_file():
                files += 1
                size += taken.stat().st_size
    return Written(files, size, unread)


def _readable(path: Path) -> bool:
    """Asked before its entry is begun: a tar cannot take one back."""
    try:
        if path.is_file() and not path.is_symlink():
            with path.open("rb"):
                return True
        path.lstat()
    except OSError:
        return False
    return True


def _walk(folder: Path, exclude: Sequence[str]) -> Iterator[tuple[Path, str]]:
    """Folders before what is in them, each with its name below ``folder``; links are kept as links."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in (*LEFT_OUT, *exclude)):
            yield path, name


def _copy_of_database(path: Path, folder: Path) -> Path | None:
    """SQLite's own copy, of one state, while Home Assistant writes to it; None where it cannot be read."""
    copy = folder / DATABASE
    try:
        with (
            closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        if "full" in str(error):
            raise BackupError(Fault.DISK_FULL, "the disk is full") from error
        return None
    return copy


def _list(configuration: Path, at: float, encrypted: bool) -> bytes:
    """backup.json, version 2 of its form."""
    try:
        version = (configuration / ".HA_VERSION").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        version = ""
    said = {
        "version": 2,
        "slug": secrets.token_hex(4),
        "name": "Jarvis",
        "date": datetime.fromtimestamp(at, UTC).isoformat(),
        "type": "partial",
        "compressed": True,
        "protected": encrypted,
        "crypto": "aes128" if encrypted else None,
        "homeassistant": {"version": version, "exclude_database": not (configuration / DATABASE).exists()},
        "folders": [],
        "addons": [],
        "repositories": [],
        "extra": {},
    }
    return json.dumps(said, indent=2).encode()


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes, at: float) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = len(content), int(at), 0o644
    tar.addfile(entry, io.BytesIO(content))


def _nobody(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Owners of this machine mean nothing where it is restored; sockets and devices are left out."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry if entry.isreg() or entry.isdir() or entry.issym() else None
