"""The state folder in one file, and back: ``jarvis state backup`` and ``restore``.

A tar.gz of mode 0600. Its first member is ``manifest.json``: every other one with its size and SHA-256. Databases are
copied by SQLite's online backup, so that the server may go on. A restore believes nothing that is not in the manifest,
writes to a new folder beside the old one, and only then lets them change places.
"""

from __future__ import annotations

import ctypes
import errno
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import stat
import tarfile
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.errors import StateError
from assistant.state import StateFolder
from tools.database import DatabaseError
from tools.keeping.copies import checked, copy_online, sync
from tools.keeping.returned import carry_revocations, settle

FORMAT = 1
MANIFEST = "manifest.json"
DATABASES = ("jarvis.db", "tokens.db", "traces.db", "requests.db")
FILES = ("home-assistant.json",)
FOLDERS = ("outbox",)
SECRETS_OF_STATE = ("confirm.key",)

MOST_FILES = 200_000
LARGEST_MANIFEST_BYTES = 64_000_000
LARGEST_BYTES = 10_000_000_000
LONGEST_PATH = 300
BLOCK = 1 << 20
LARGEST_HEADER_BYTES = 100_000

UNDER_WAY = ".restoring"
"""Stands in a folder that is being filled: without it, it is somebody's state and is never removed."""

_PART = re.compile(r"[^\x00-\x1f/\\]{1,200}")
_TOPS = ("state", "config", "secrets")
_RENAME_EXCHANGE = 2


class Entry(BaseModel):
    """One file of the archive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(max_length=LONGEST_PATH)
    bytes: int = Field(ge=0, le=LARGEST_BYTES)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    source: str = ""


class Manifest(BaseModel):
    """What the archive holds. ``made``: Unix seconds; ``secrets``: whether files with secrets are in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    version: str
    made: float
    secrets: bool
    files: tuple[Entry, ...] = Field(max_length=MOST_FILES)


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did. ``old``: where the folder from before is kept; ``config``, ``secrets``: where those files lie
    now, for a person to put in their places; ``revoked``: tokens that stay revoked."""

    manifest: Manifest
    old: Path | None
    config: Path | None
    secrets: Path | None
    revoked: int


@dataclass(frozen=True, slots=True)
class Extra:
    """A file from outside the state folder, under this name in the archive."""

    name: str
    path: Path


def back_up(
    state: Path,
    target: Path,
    *,
    version: str,
    config: Iterable[Extra] = (),
    secrets: Iterable[Extra] = (),
    with_secrets: bool = False,
) -> Manifest:
    """Write the archive, whole or not at all, over nothing that is there. Blocks. ``secrets`` go in only
    ``with_secrets``, and so does the key of links to the phone. Raises StateError."""
    if target.exists():
        raise StateError("file_exists", f"{target} is there already.", mend="Name a new file.")
    part = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".jarvis-backup-") as scratch:
            found = list(_of_state(state, Path(scratch), with_secrets=with_secrets))
            outside = [(f"config/{one.name}", one.path) for one in config]
            outside += [(f"secrets/{one.name}", one.path) for one in secrets if with_secrets]
            found += _kept_still(outside, Path(scratch))
            sources = {name: str(path) for name, path in outside}
            manifest = Manifest(
                format=FORMAT,
                version=version,
                made=time.time(),
                secrets=with_secrets,
                files=tuple(_entry(name, path, sources.get(name, "")) for name, path in found),
            )
            _write(part, manifest, dict(found))
        os.link(part, target)
        sync(target.parent)
    except FileExistsError as error:
        raise StateError("file_exists", f"{target} is there already.", mend="Name a new file.") from error
    except (OSError, sqlite3.Error) as error:
        raise StateError("backup_failed", f"{target} cannot be written: {error}.", mend=_mend(error)) from error
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _mend(error: Exception) -> str:
    if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full: free some space, or name a file elsewhere."
    if isinstance(error, sqlite3.DatabaseError):
        return "`jarvis doctor` looks at the databases."
    return "See that the folder is there and can be written."


def _of_state(state: Path, scratch: Path, *, with_secrets: bool) -> Iterator[tuple[str, Path]]:
    """(name in the archive, file): databases as copies in ``scratch``, the rest where it is."""
    for name in DATABASES:
        if (state / name).exists():
            copy = scratch / name
            os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            copy_online(state / name, copy)
            checked(copy)
            yield f"state/{name}", copy
    yield from _kept_still(_plain(state, with_secrets=with_secrets), scratch)


def _plain(state: Path, *, with_secrets: bool) -> Iterator[tuple[str, Path]]:
    for name in (*FILES, *(SECRETS_OF_STATE if with_secrets else ())):
        if (state / name).is_file():
            yield f"state/{name}", state / name
    for folder in FOLDERS:
        for path in sorted((state / folder).rglob("*")):
            name = f"state/{path.relative_to(state).as_posix()}"
            if path.is_file() and not path.is_symlink() and _is_safe(name):
                yield name, path


def _kept_still(files: Iterable[tuple[str, Path]], scratch: Path) -> Iterator[tuple[str, Path]]:
    """Copies: what is written meanwhile would not be what the manifest says. What is gone meanwhile is left out."""
    for name, path in files:
        copy = scratch / hashlib.sha256(name.encode()).hexdigest()
        with suppress(FileNotFoundError):
            shutil.copyfile(path, copy)
            yield name, copy


def _entry(name: str, path: Path, source: str) -> Entry:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Entry(path=name, bytes=file.tell(), sha256=digest, source=source)


def _write(part: Path, manifest: Manifest, files: dict[str, Path]) -> None:
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with (
        os.fdopen(handle, "wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=6, mtime=0, filename="") as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        text = manifest.model_dump_json().encode()
        tar.addfile(_member(MANIFEST, len(text)), io.BytesIO(text))
        for entry in manifest.files:
            with files[entry.path].open("rb") as file:
                tar.addfile(_member(entry.path, entry.bytes), file)
    sync(part)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


def read_manifest(archive: Path) -> Manifest:
    """What an archive says of itself; nothing else of it is read. Raises StateError."""
    with _reading(archive) as members:
        return _manifest(next(members, None))


def restore(archive: Path, state: Path, *, now: float | None = None) -> Restored:
    """Put the archive's state in the place of the folder, which is kept beside it. Blocks. Refuses while somebody owns
    the folder, and an archive that is not in every byte what its manifest says. Raises StateError."""
    at = time.time() if now is None else now
    folder = StateFolder.prepared(state.parent)
    new = folder.path / f".{state.name}-restoring-{os.getpid()}"
    _remove(new)
    try:
        if not state.exists():
            manifest = _extract(archive, new)
            return _placed(manifest, new, state, None, at)
        with StateFolder(state).owned(wait_s=0.5):
            manifest = _extract(archive, new)
            return _placed(manifest, new, state, _free_name(state, at), at)
    except (OSError, sqlite3.Error, DatabaseError) as error:
        raise StateError("restore_failed", f"{archive} was not restored: {error}.", mend=_mend(error)) from error
    finally:
        _remove(new)


def _remove(new: Path) -> None:
    if (new / UNDER_WAY).exists():
        shutil.rmtree(new, ignore_errors=True)


def _free_name(state: Path, at: float) -> Path:
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
    names = (state.with_name(f"{state.name}-before-{stamp}{more}") for more in ("", *(f"-{n}" for n in range(1, 1000))))
    return next(name for name in names if not name.exists())


def _placed(manifest: Manifest, new: Path, state: Path, old: Path | None, at: float) -> Restored:
    """The new folder is made to go on with, and changes places with the old one."""
    revoked = carry_revocations(state / "tokens.db", new / "tokens.db")
    if (new / "jarvis.db").exists():
        told = {"made": round(manifest.made), "version": manifest.version}
        settle(new / "jarvis.db", "restored", told, at)
    _same_owner(new, state if old is not None else state.parent)
    (new / UNDER_WAY).unlink()
    sync(new)
    if old is None:
        new.rename(state)
    else:
        _exchange(new, state)
        new.rename(old)  # what has that name now is the folder from before
    sync(state.parent)
    parts = {top: state / "restored" / top for top in ("config", "secrets")}
    config, secrets = (part if part.is_dir() else None for part in parts.values())
    return Restored(manifest, old, config, secrets, revoked)


def _same_owner(new: Path, like: Path) -> None:
    """Restored by root, it belongs to whom it belonged before."""
    there = like.stat()
    if os.geteuid() == 0 and there.st_uid != 0:
        for path in (new, *new.rglob("*")):
            os.chown(path, there.st_uid, there.st_gid, follow_symlinks=False)


def _exchange(one: Path, other: Path) -> None:
    """In one step where the kernel can (renameat2(2)), so that there is a folder at every moment; else in two."""
    with suppress(AttributeError, OSError):
        done = ctypes.CDLL(None, use_errno=True).renameat2(-100, bytes(one), -100, bytes(other), _RENAME_EXCHANGE)
        if done == 0:
            return
    between = other.with_name(f".{other.name}-exchanged-{os.getpid()}")
    other.rename(between)
    one.rename(other)
    between.rename(one)


def _extract(archive: Path, new: Path) -> Manifest:
    """Every file of the manifest, and no other, into a new folder; each is looked at. Raises StateError, OSError."""
    new.mkdir(mode=0o700)
    (new / UNDER_WAY).touch(mode=0o600)
    with _reading(archive) as members:
        manifest = _manifest(next(members, None))
        _check_room(manifest, new)
        wanted = {entry.path: entry for entry in manifest.files}
        for member, file in members:
            entry = wanted.pop(member.name, None)
            if entry is None or not member.isreg() or member.size != entry.bytes:
                raise _bad(f"{member.name[:100]!r} is not what the manifest says")
            try:
                _put(entry, file, new)
            except OSError as error:
                if isinstance(error, gzip.BadGzipFile):
                    raise
                detail = f"{entry.path!r} of it cannot be written: {error.strerror or error}."
                raise StateError("restore_failed", detail, mend=_mend(error)) from error
        if wanted:
            raise _bad(f"{len(wanted)} files of the manifest are not in it, {next(iter(wanted))!r} among them")
    for name in DATABASES:
        if (new / name).exists():
            try:
                checked(new / name)
            except sqlite3.Error as error:
                raise _bad(f"{name} in it is damaged") from error
    return manifest


def _put(entry: Entry, file: IO[bytes], new: Path) -> None:
    top, _, rest = entry.path.partition("/")
    target = new / rest if top == "state" else new / "restored" / entry.path
    digest, left = hashlib.sha256(), entry.bytes
    for parent in reversed(target.relative_to(new).parents[:-1]):
        (new / parent).mkdir(mode=0o700, exist_ok=True)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as writing:
        while left:
            block = file.read(min(BLOCK, left))
            if not block:
                raise _bad(f"{entry.path!r} is cut off")
            digest.update(block)
            writing.write(block)
            left -= len(block)
        writing.flush()
        os.fsync(writing.fileno())
    if digest.hexdigest() != entry.sha256:
        raise _bad(f"{entry.path!r} has another content than the manifest says")


def _check_room(manifest: Manifest, new: Path) -> None:
    total = sum(entry.bytes for entry in manifest.files)
    free = shutil.disk_usage(new).free
    if total > min(LARGEST_BYTES, free):
        mend = "Free some space, if you trust it."
        raise StateError("no_room", f"It would need {total / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free.", mend=mend)


def _manifest(first: tuple[tarfile.TarInfo, IO[bytes]] | None) -> Manifest:
    if first is None or first[0].name != MANIFEST or not first[0].isreg():
        raise _bad("it does not begin with a manifest")
    if first[0].size > LARGEST_MANIFEST_BYTES:
        raise _bad("its manifest is too large")
    try:
        raw = json.loads(first[1].read(LARGEST_MANIFEST_BYTES))
        if isinstance(raw, dict) and isinstance(raw.get("format"), int) and raw["format"] > FORMAT:
            raise StateError("newer_archive", "It was written by a newer version of Jarvis.", mend="Use that version.")
        manifest = Manifest.model_validate(raw)
    except (ValueError, RecursionError, ValidationError) as error:
        raise _bad("its manifest cannot be read") from error
    names = [entry.path for entry in manifest.files]
    if len(set(names)) != len(names) or len({name.casefold() for name in names}) != len(names):
        raise _bad("its manifest names a file twice")
    for name in names:
        if not _is_safe(name):
            raise _bad(f"{name[:100]!r} is no name for a file of it")
    return manifest


def _is_safe(name: str) -> bool:
    """Whether a name stays inside, and is one of those that we write."""
    parts = PurePosixPath(name).parts
    if len(parts) < 2 or parts[0] not in _TOPS or len(name) > LONGEST_PATH or name != "/".join(parts):
        return False
    if any(part.startswith(".") or not _PART.fullmatch(part) for part in parts):
        return False
    return parts[0] != "state" or _is_of_state(parts[1:])


def _is_of_state(parts: tuple[str, ...]) -> bool:
    if len(parts) == 1:
        return parts[0] in (*DATABASES, *FILES, *SECRETS_OF_STATE)
    return parts[0] in FOLDERS and len(parts) <= 4


@contextmanager
def _reading(archive: Path) -> Iterator[Iterator[tuple[tarfile.TarInfo, IO[bytes]]]]:
    """The regular members in their order, each with its content; anything else in it ends the reading."""
    try:
        if not stat.S_ISREG(archive.stat().st_mode):
            raise _bad("it is no file")
        with gzip.open(archive, "rb") as packed, tarfile.open(fileobj=packed, mode="r|", tarinfo=_Member) as tar:
            yield _members(tar)
    except (tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError, UnicodeError, OverflowError) as error:
        raise _bad(f"it is no archive ({type(error).__name__})") from error
    except OSError as error:
        raise StateError("unreadable", f"{archive} cannot be read: {error.strerror or error}.") from error


class _Member(tarfile.TarInfo):
    """A header that says that it is gigabytes long is not read: tarfile would take it into memory."""

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) and self.size > LARGEST_HEADER_BYTES:
            raise tarfile.HeaderError("a header is too long")
        return cast("tarfile.TarInfo", super()._proc_member(tar))  # type: ignore[misc]


def _members(tar: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    for count, member in enumerate(tar):
        file = tar.extractfile(member) if member.isreg() else None
        if file is None or count > MOST_FILES:
            raise _bad(f"{member.name[:100]!r} in it is no file")
        yield member, file
        tar.members = []  # type: ignore[attr-defined]  # a stream needs none, and a list of millions is a bomb


def _bad(what: str) -> StateError:
    return StateError("bad_archive", f"The archive was refused: {what}.", mend="Nothing was changed. Use another one.")
