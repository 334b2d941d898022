"""A backup of Home Assistant, opened to its last file."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tools.backups.kinds import secure_tar
from tools.backups.kinds.archives import Unpacking, clean, reading, to_the_end, untar
from tools.backups.port import BackupError, Fault

LIST = "backup.json"
LIST_LIMIT_BYTES = 8_000_000
CORE = "homeassistant"
CONFIGURATION = "data/configuration.yaml"
DATABASE = "data/home-assistant_v2.db"
INNER = (".tar.gz", ".tar")
WRONG_LIMIT = 20


@dataclass(slots=True)
class Opened:
    """What came of it. ``archives``: names without their ending; ``database``: its states, None where there is none."""

    version: str = ""
    archives: set[str] = field(default_factory=set)
    files: int = 0
    encrypted: bool = False
    database: int | None = None
    wrong: list[str] = field(default_factory=list)


def read_list(tar: tarfile.TarFile) -> dict[str, Any]:
    """backup.json. Raises BackupError damaged, nonsense."""
    for name in (f"./{LIST}", LIST):
        try:
            member = tar.getmember(name)
        except KeyError:
            continue
        file = tar.extractfile(member) if member.isreg() and member.size <= LIST_LIMIT_BYTES else None
        if file is None:
            break
        with file:
            try:
                found = json.loads(file.read())
            except (ValueError, RecursionError) as error:
                raise BackupError(Fault.DAMAGED, "its backup.json cannot be read") from error
        if isinstance(found, dict) and isinstance(found.get("date"), str) and isinstance(found.get("slug"), str):
            return found
        break
    raise BackupError(Fault.DAMAGED, "it has no backup.json as Home Assistant writes it")


def check_list(backup: Path, *, whole: bool, limit: int) -> None:
    """Its list of contents, and with ``whole`` each inner archive read to its end, where it is not encrypted.

    Raises BackupError.
    """
    unpacking = Unpacking(limit)
    with reading(backup.name), tarfile.open(backup, "r:") as tar:
        said = read_list(tar)
        inner = {_inner(member.name) for member in tar.getmembers() if member.isreg()}
        missing = _expected(said) - inner
        if missing:
            raise BackupError(Fault.TRUNCATED, f"the archive {min(missing)} is missing from it")
        for member in tar.getmembers() if whole else ():
            if not member.isreg() or _inner(member.name) is None:
                continue
            file = tar.extractfile(member)
            assert file is not None  # noqa: S101 - a regular file
            with file:
                if secure_tar.is_plain(file.read(512)):
                    file.seek(0)
                    _read_through(file, unpacking)
        to_the_end(tar, unpacking)


def opens(backup: Path, password: str | None) -> bool | None:
    """Whether the password is that of its first encrypted archive; None where nothing in it is encrypted.

    Raises BackupError.
    """
    with reading(backup.name), tarfile.open(backup, "r:") as tar:
        for member in tar:
            source = tar.extractfile(member) if member.isreg() and _inner(member.name) is not None else None
            if source is None:
                continue
            with source:
                if secure_tar.is_plain(source.read(512)):
                    continue
                source.seek(0)
                return password is not None and secure_tar.opens(source, password)
    return None


def open_all(backup: Path, folder: Path, password: str | None, limit: int, stopped: Callable[[], bool]) -> Opened:
    """Everything in it into ``folder``, one archive after the other, each removed before the next.

    Raises BackupError for what cannot be opened at all; what is wrong with its contents stands in ``wrong``.
    """
    opened = Opened()
    unpacking = Unpacking(limit)
    folder.mkdir(parents=True)
    try:
        with reading(backup.name), tarfile.open(backup, "r:") as tar:
            said = read_list(tar)
            home = said.get("homeassistant")
            opened.version = str(home.get("version") or "") if isinstance(home, dict) else ""
            for member in tar:
                tarfile.data_filter(member, str(folder))
                name = _inner(member.name)
                if not member.isreg() or name is None:
                    continue
                if stopped():
                    raise BackupError(Fault.CANCELLED, "it was cancelled")
                _open_inner(tar, member, name, folder, password, unpacking, opened)
            to_the_end(tar, unpacking)
        opened.wrong += [f"the archive {name} is missing" for name in sorted(_expected(said) - opened.archives)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return opened


def _open_inner(
    tar: tarfile.TarFile,
    member: tarfile.TarInfo,
    name: str,
    folder: Path,
    password: str | None,
    unpacking: Unpacking,
    opened: Opened,
) -> None:
    plain, place = folder / "plain.tar", folder / "files"
    source = tar.extractfile(member)
    assert source is not None  # noqa: S101 - a regular file
    with source:
        encrypted = not secure_tar.is_plain(source.read(512))
        source.seek(0)
        if encrypted and password is None:
            raise BackupError(
                Fault.NOT_CONFIGURED, "it is encrypted, and no password_file with its encryption key is configured"
            )
        if encrypted:
            secure_tar.decrypt(source, member.size, plain, password or "", limit=unpacking.left)
        opened.encrypted |= encrypted
        with reading(f"the archive {name}"):
            if encrypted:
                with tarfile.open(plain, "r:*") as inner:
                    names = untar(inner, place, unpacking)
            else:
                with tarfile.open(fileobj=source, mode="r:*") as inner:
                    names = untar(inner, place, unpacking)
    opened.archives.add(name)
    opened.files += len(names)
    if name == CORE:
        _check_core(place, set(names), opened)
    plain.unlink(missing_ok=True)
    shutil.rmtree(place, ignore_errors=True)


def _check_core(place: Path, names: set[str], opened: Opened) -> None:
    """The configuration is there, its registries are JSON, and the database is sound."""
    if CONFIGURATION not in names:
        opened.wrong.append("configuration.yaml is not in it")
    for name in sorted(names):
        if name.startswith("data/.storage/") and name.count("/") == 2 and len(opened.wrong) < WRONG_LIMIT:
            try:
                json.loads((place / name).read_bytes())
            except (ValueError, RecursionError):
                opened.wrong.append(f"{name.removeprefix('data/')} is no JSON")
    if DATABASE in names:
        _check_database(place / DATABASE, opened)


def _check_database(file: Path, opened: Opened) -> None:
    """A copy in the scratch folder, with its log beside it where the backup brought one."""
    try:
        with closing(sqlite3.connect(file)) as database:
            found = [str(row[0]) for row in database.execute("PRAGMA integrity_check(5)")]
            if found != ["ok"]:
                opened.wrong.append(f"its database is damaged: {found[0].splitlines()[0][:150]}")
                return
            tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if "states" not in tables:
                opened.wrong.append("its database has no table of states")
                return
            (opened.database,) = database.execute("SELECT count(*) FROM states").fetchone()
    except sqlite3.Error as error:
        opened.wrong.append(f"its database cannot be read: {error}")


def _expected(said: dict[str, Any]) -> set[str]:
    """The inner archives that backup.json names."""
    names = {CORE} if said.get("homeassistant") else set()
    addons = said.get("addons")
    for addon in addons if isinstance(addons, list) else ():
        if isinstance(addon, dict) and isinstance(addon.get("slug"), str):
            names.add(addon["slug"])
    folders = said.get("folders")
    for one in folders if isinstance(folders, list) else ():
        if isinstance(one, str):
            names.add(one.replace("/", "_"))
    return names


def _inner(name: str) -> str | None:
    """The name of an inner archive, without its ending; None for what is none."""
    known = clean(name) or ""
    for ending in INNER:
        if known.endswith(ending) and "/" not in known:
            return known.removesuffix(ending)
    return None


def _read_through(file: IO[bytes], unpacking: Unpacking) -> None:
    with tarfile.open(fileobj=file, mode="r:*") as inner:
        for member in inner:
            content = inner.extractfile(member) if member.isreg() else None
            if content is not None:
                with content:
                    while block := content.read(1 << 20):
                        unpacking.count(len(block))
        to_the_end(inner, unpacking)
