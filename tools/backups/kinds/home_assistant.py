"""Home Assistant's backups: tars in a folder, as it makes them itself, or as it would.

A backup is a tar of ``backup.json`` and of inner archives: ``homeassistant.tar.gz`` with the configuration below
``data/``, and one for each add-on and folder where the Supervisor made it. Inner archives may be encrypted
(``secure_tar``); the password is the backup's encryption key.

Home Assistant makes its own backups. With ``paths`` naming its configuration folder (core or container, where there is
no Supervisor) one of the same form is made here, which it can restore.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

from tools.backups.kinds.dump_files import Dump, check_whole
from tools.backups.kinds.dumps import DumpFolder
from tools.backups.kinds.home_assistant_read import CORE, Opened, check_list, open_all, opens
from tools.backups.kinds.home_assistant_write import write
from tools.backups.kinds.stoppable import in_thread
from tools.backups.kinds.target import Target, check_mounted
from tools.backups.port import BackupError, Copy, Fault, Found, Progress, Proof, Pruned, Verified
from tools.program import read_secret
from tools.settings import BackupSettings

SUFFIXES = (".tar",)
UNPACKED_PER_BYTE = 12
"""How much larger a backup is unpacked, from above: its database packs to about an eighth."""


SMALL_BYTES = 20_000_000


class HomeAssistantTar:
    """The backups in one folder."""

    kind: ClassVar[str] = "home-assistant-tar"

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self._settings = settings
        self._target = target
        self._folder = DumpFolder(settings, target, name=None, called="home-assistant", suffixes=SUFFIXES, ends=_ends)
        self.destination = target.shown

    async def look(self) -> Found:
        """Raises BackupError wrong_password where the newest is encrypted with another key."""
        found = await self._folder.look()
        if await self._opens_newest() is False and self._target.password_file is None:
            return replace(
                found, warnings=(*found.warnings, "the newest is encrypted, and no key for it is configured")
            )
        return found

    async def back_up(self, progress: Progress) -> Copy:
        """A tar of the form of Home Assistant's own, of ``paths``; its database is copied while it is written to."""
        if not self._settings.paths:
            raise BackupError(
                Fault.NOT_CONFIGURED,
                "Home Assistant makes its own backups; set paths to its configuration folder to have them made here",
            )
        configuration = Path(self._settings.paths[0])
        await check_mounted(self._target)
        await self._opens_newest()  # one folder, one key: a key that was changed by mistake encrypts nothing
        password = await self._password()
        part = await self._folder.begin(".tar")
        began = time.time()
        progress(-1, "packing the configuration")
        try:
            written = await in_thread(
                lambda stopped: write(configuration, part, password, self._settings.exclude, began, stopped)
            )
            manifest = {
                "kind": self.kind,
                "at": began,
                "files": written.files,
                "bytes": written.size,
                "unread": written.unread,
                "paths": list(self._settings.paths),
                "encrypted": password is not None,
            }
            return await self._folder.finish(part, manifest)
        finally:
            await asyncio.shield(asyncio.to_thread(part.unlink, missing_ok=True))

    async def verify(self, level: Literal["metadata", "data"], progress: Progress) -> Verified:
        """Of the newest: its list and backup.json; or all of its bytes, against the manifest and its archives' own."""
        dump = await self._folder.newest()
        progress(-1, "checking the newest backup")
        if dump.cut_off:
            raise BackupError(Fault.TRUNCATED, f"the backup {dump.path.name} is cut off")
        if level == "data":
            await check_whole(dump)
        limit = self._unpacked(dump)
        await asyncio.to_thread(check_list, dump.path, whole=level == "data", limit=limit)
        return await self._folder.verified(level, dump)

    async def prune(self, progress: Progress) -> Pruned:
        """Those made here; Home Assistant keeps house among its own."""
        progress(-1, "removing old backups")
        return await self._folder.prune()

    async def size(self, copy: Copy) -> int:
        return self._unpacked(await self._folder.of(copy))

    async def prove(self, copy: Copy, scratch: Path, progress: Progress) -> Proof:
        """Open it and all that is in it; the configuration has to be there, and its database sound."""
        dump = await self._folder.of(copy)
        progress(0.0, "checking the backup's bytes")
        await check_whole(dump)
        limit = await self.size(copy)
        password = await self._password()
        progress(0.2, "opening the backup")
        folder = scratch / "home-assistant"
        opened = await in_thread(lambda stopped: open_all(dump.path, folder, password, limit, stopped))
        return _proof(opened)

    async def _opens_newest(self) -> bool | None:
        """Whether our key is that of the newest; None where it is not encrypted, or cannot be told.

        Raises BackupError wrong_password where we have another one.
        """
        password = await self._password()
        for dump in (await self._folder.dumps())[-1:]:
            try:
                opened = await asyncio.to_thread(opens, dump.path, password)
            except BackupError:
                return None  # damaged, or still written: the checks say what it is
            if opened is False and password is not None:
                raise BackupError(Fault.WRONG_PASSWORD, "its key is not that of the newest backup there")
            return opened
        return None

    @staticmethod
    def _unpacked(dump: Dump) -> int:
        """Bytes of all that is in it, from above: tars are padded, and a small one never is a bomb."""
        unpacked = (dump.manifest or {}).get("bytes")
        files = (dump.manifest or {}).get("files")
        if isinstance(unpacked, int) and isinstance(files, int):
            return SMALL_BYTES + dump.size + 2 * unpacked + 4096 * files
        return SMALL_BYTES + UNPACKED_PER_BYTE * dump.size

    async def _password(self) -> str | None:
        file = self._target.password_file
        if file is None:
            return None
        try:
            return await asyncio.to_thread(read_secret, file)
        except (OSError, ValueError) as error:
            raise BackupError(Fault.PASSWORD_UNREADABLE, "its password file cannot be read") from error


def _ends(backup: Path) -> bool | None:
    """A tar is whole blocks of 512 bytes and ends in two of zeroes."""
    size = backup.stat().st_size
    if size % 512 or size < 1024:
        return False
    with backup.open("rb") as file:
        file.seek(-1024, 2)
        return not any(file.read())


def _proof(opened: Opened) -> Proof:
    if CORE not in opened.archives and not opened.wrong:
        return Proof(of=len(opened.archives), mismatches=("Home Assistant's own configuration is not in it",))
    parts = [f"Home Assistant {opened.version}" if opened.version else "Home Assistant", f"{opened.files:,} files"]
    if opened.database:
        parts.append(f"a sound database with {opened.database:,} states")
    return Proof(
        checked=opened.files,
        of=opened.files + len(opened.wrong),
        mismatches=tuple(opened.wrong),
        said=", ".join(parts),
        evidence={
            "version": opened.version,
            "archives": sorted(opened.archives),
            "encrypted": opened.encrypted,
            "states": opened.database,
        },
    )
