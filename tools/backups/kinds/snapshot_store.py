"""Dated folders at a place, each with a marker and the list of its files: looked at, begun, finished, removed.

``DATE/.jarvis/complete.json`` is the marker, ``DATE/.jarvis/manifest.jsonl`` the list; all else is what was backed up,
at its full path. ``.partial-DATE`` is being written or broke off, ``.removing-DATE`` is being removed.
"""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from collections.abc import Callable, Sequence

from tools.backups.kinds import hashing, manifest, rsync_words
from tools.backups.kinds.manifest import Listed, Marker
from tools.backups.kinds.place import Place
from tools.backups.kinds.target import Target, check_mounted
from tools.backups.port import BackupError, Copy, Fault, Found
from tools.program import Ended
from tools.settings import BackupSettings

PARTIAL = ".partial-"
OWN = ".jarvis"

FEW_FILES = 0.5
"""A snapshot with less than this share of the files of the one before is worth a word."""

_LOOK = """
for one in [0-9][0-9][0-9][0-9]-* .partial-*; do
    [ -d "$one" ] || continue
    printf '%s\\t' "$one"
    head -n 1 "$one/.jarvis/complete.json" 2>/dev/null
    printf '\\n'
done
df -Pk . | tail -n 1
"""
_BEGIN = """
umask 077
[ ! -e "$2" ] && mkdir "$1" && mkdir "$1/.jarvis"
"""
_WRITE = """
umask 077
cat >"$1/.jarvis/manifest.jsonl"
"""
_FINISH = """
umask 077
[ ! -e "$2" ] && cat >"$1/.jarvis/complete.json" || exit 74
sync -f . 2>/dev/null || sync
mv "$1" "$2"
"""
# The marker is on the disk before the name is: after a power cut there is no name without it.
_LIST = """
cat "$1/.jarvis/complete.json" "$1/.jarvis/manifest.jsonl"
"""
_HASH = (
    """
cd "$1" || exit 74
"""
    + hashing.SCRIPT
)
_REMOVE = """
for one in "$@"; do
    [ ! -d "$one" ] || mv "$one" ".removing-${one#.partial-}" || exit 74
done
for one in .removing-*; do
    [ -d "$one" ] || continue
    find "$one" -type d ! -perm -700 -exec chmod u+rwx {} \\;
    rm -rf "$one" || exit 74
    printf '%s\\n' "$one"
done
"""
# Only folders get other rights: a file is the same one in the snapshots that stay.


class SnapshotStore:
    """All methods raise BackupError."""

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self.place = Place(settings, target)
        self._target = target
        self._look_s = settings.timeout_s
        self._run_s = settings.run_timeout_h * 3600.0

    async def look(self) -> Found:
        """One command, here or over ssh."""
        await self.check_mounted()
        ended = await self.place.sh(_LOOK, timeout_s=self._look_s, quiet=False)
        if ended.code:
            raise self.refusal(ended)
        lines = ended.output.decode(errors="replace").splitlines()
        copies = sorted((one for line in lines if (one := _copy(line)) is not None), key=lambda copy: copy.at)
        free, total = rsync_words.room(lines[-1] if lines else "")
        return Found(copies=tuple(copies), free=free, total=total, warnings=_fewer_files(copies))

    async def files(self, copy: Copy) -> dict[str, Listed]:
        """The list of a copy, by path. Raises BackupError damaged where it is not the one that was written."""
        if manifest.stamped(copy.id) is None:
            raise BackupError(Fault.NONSENSE, "there is no snapshot of that name")
        await self.check_mounted()
        lines: list[bytes] = []
        ended = await self.place.sh(_LIST, copy.id, timeout_s=self._run_s, on_line=lines.append)
        marker = manifest.read_marker(lines[0]) if lines else None
        if ended.code or marker is None:
            raise BackupError(Fault.DAMAGED, "its list of files is gone")
        text = b"".join(line + b"\n" for line in lines[1:])
        return await asyncio.to_thread(manifest.read, text, marker.manifest)

    async def hashes(self, name: str, paths: Sequence[str], each: Callable[[], None]) -> dict[str, str]:
        """SHA-256 of files in the folder of that name, by path; without those that cannot be read."""
        found: dict[str, str] = {}

        def note(line: bytes) -> None:
            if (one := hashing.hashed(line)) is not None:
                found["/" + one[0]] = one[1]
                each()

        if paths:
            stdin = hashing.names([path.lstrip("/") for path in paths])
            ended = await self.place.sh(_HASH, name, timeout_s=self._run_s, stdin=stdin, on_line=note)
            hashing.check_hashing(ended.code)
        return found

    async def begin(self, name: str) -> str:
        """A folder to write a new snapshot into; its name."""
        await self._sh(_BEGIN, PARTIAL + name, name)
        return PARTIAL + name

    async def finish(self, marker: Marker, text: bytes) -> None:
        """Make it a snapshot: its list (``text``), the marker, and when all of it is on the disk its name."""
        partial = PARTIAL + marker.id
        await self._sh(_WRITE, partial, stdin=text)
        await self._sh(_FINISH, partial, marker.id, stdin=marker.dump())

    async def remove(self, names: Sequence[str], each: Callable[[], None]) -> None:
        """Each is renamed before it is removed: what is half removed must not look whole. Also what an earlier call
        did not get done."""
        argv = [name for name in names if manifest.stamped(name.removeprefix(PARTIAL)) is not None]
        ended = await self.place.sh(_REMOVE, *argv, timeout_s=self._run_s, on_line=lambda _: each())
        if ended.code:
            raise self.refusal(ended, "its old snapshots could not be removed")

    async def check_mounted(self) -> None:
        """Here; over there the place does it, with each command."""
        if not self.place.host:
            await check_mounted(self._target)

    def refusal(self, ended: Ended, otherwise: str = "") -> BackupError:
        """Why a command did not go well."""
        reason = otherwise or f"rsync failed with exit code {ended.code}"
        return self.place.refusal(ended.complaints) or BackupError(Fault.FAILED, reason)

    async def _sh(self, script: str, *arguments: str, stdin: bytes | None = None) -> None:
        ended = await self.place.sh(script, *arguments, timeout_s=self._run_s, stdin=stdin)
        if ended.code:
            raise self.refusal(ended, "its destination cannot be written to")


def _copy(line: str) -> Copy | None:
    """Of one line of the look: the folder's name and its marker."""
    name, tab, text = line.partition("\t")
    at = manifest.stamped(name.removeprefix(PARTIAL)) if tab else None
    if at is None:
        return None
    marker = manifest.read_marker(text)
    if marker is None or name.startswith(PARTIAL):
        return Copy(id=name, at=at, complete=False)
    return dataclasses.replace(marker.copy(socket.gethostname()), id=name)


def _fewer_files(copies: Sequence[Copy]) -> tuple[str, ...]:
    *_, before, last = [0, 0, *(copy.files or 0 for copy in copies if copy.complete)]
    if last >= before * FEW_FILES:
        return ()
    return (f"the last snapshot has {last:,} files, the one before had {before:,}",)
