"""A mirror at any of rclone's remotes, with what each run replaced or removed kept beside it.

``current/`` is the mirror, each file at its full path; ``changed/DATE/`` what the run of that date replaced or removed;
``runs/DATE.jsonl`` the list of files of that run, with hashes, and ``runs/DATE.json`` its marker, written last. With
them the files of any run that is still listed can be found again: a file of the run S is the one that the first run
after S has put aside, or else the one in the mirror. A run that broke off has no marker, and takes nothing away.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tools.backups.kinds import manifest, rclone_said
from tools.backups.kinds.manifest import Listed, Marker
from tools.backups.kinds.target import Target, check_mounted, credentials, not_run, room
from tools.backups.port import BackupError, Copy, Fault, Found
from tools.program import Ended, ProgramError, read_secret, run
from tools.settings import BackupSettings

CURRENT, CHANGED, RUNS = "current", "changed", "runs"

_IMPATIENT = ("--retries", "1", "--low-level-retries", "1", "--contimeout", "10s")
"""For looks: who asks waits for the answer."""


class RcloneStore:
    """All methods raise BackupError."""

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self._settings = settings
        self._target = target
        self._run_s = settings.run_timeout_h * 3600.0

    def path(self, *parts: str) -> str:
        """A place in the remote."""
        base = self._target.repository
        inner = "/".join(part.strip("/") for part in parts)
        return f"{base}{inner}" if base.endswith((":", "/")) else f"{base}/{inner}"

    async def look(self) -> Found:
        """The markers by one command, and the free space by another, at the same time."""
        await self.check_there()
        runs, (free, total) = await asyncio.gather(self._runs(), self._room())
        return Found(copies=tuple(marker.copy(socket.gethostname()) for marker in runs), free=free, total=total)

    async def files(self, copy: Copy) -> dict[str, Listed]:
        """The list of a run, by path. Raises BackupError damaged where it is not the one that was written."""
        if manifest.stamped(copy.id) is None:
            raise BackupError(Fault.NONSENSE, "there is no backup of that name")
        await self.check_there()
        marker, lines = await asyncio.gather(self._read(f"{copy.id}.json"), self._read(f"{copy.id}.jsonl"))
        read = manifest.read_marker(marker)
        if read is None:
            raise BackupError(Fault.DAMAGED, "its marker is damaged")
        return await asyncio.to_thread(manifest.read, lines, read.manifest)

    async def sizes(self, *parts: str) -> dict[str, int]:
        """Sizes of the files below a place, by path from the place on with a leading slash."""
        argv = ["lsjson", "-R", "--files-only", "--no-modtime", "--no-mimetype", self.path(*parts)]
        ended = await self.rclone(*argv)
        if ended.code in rclone_said.NOT_FOUND:
            return {}
        if ended.code:
            raise rclone_said.refusal(ended.code, ended.complaints)
        return {f"/{path}": size for path, size in rclone_said.listed(ended.output).items()}

    async def found(self, copy: Copy, wanted: Iterable[str]) -> dict[str, dict[str, int]]:
        """Where the files of a run are now: by place, the sizes by path. Those that are gone are in none."""
        left, places = set(wanted), dict[str, dict[str, int]]()
        later = [name for name in await self.changes() if name > copy.id]
        for place in [*(f"{CHANGED}/{name}" for name in later), CURRENT]:
            sizes = await self.sizes(place)
            places[place] = {path: sizes[path] for path in left & sizes.keys()}
            left -= sizes.keys()
        return {place: sizes for place, sizes in places.items() if sizes}

    async def changes(self) -> list[str]:
        """Dates of the runs that have put something aside, oldest first."""
        ended = await self.rclone("lsf", "--dirs-only", self.path(CHANGED))
        if ended.code and ended.code not in rclone_said.NOT_FOUND:
            raise rclone_said.refusal(ended.code, ended.complaints)
        return [name for name in rclone_said.folders(ended.output) if manifest.stamped(name) is not None]

    async def hashes(self, place: str, paths: Sequence[str], each: Callable[[], None]) -> dict[str, str]:
        """SHA-256 of files at a place, read back from there; without those that cannot be read."""
        found: dict[str, str] = {}

        def note(line: bytes) -> None:
            one = rclone_said.hashed([line])
            found.update({f"/{path}": digest for path, digest in one.items()})
            if one:
                each()

        if paths:
            argv = ["hashsum", "sha256", "--download", "--files-from-raw", "-", self.path(place)]
            await self.rclone(*argv, stdin=lines(paths), on_line=note)
        return found

    async def fetch(self, place: str, paths: Iterable[str], scratch: Path) -> None:
        """Files at a place, each to its path below ``scratch``."""
        argv = ["copy", "--files-from-raw", "-", "--no-traverse", self.path(place), str(scratch)]
        await self.succeed(*argv, stdin=lines(paths))

    async def finish(self, marker: Marker, text: bytes) -> None:
        """Write the list (``text``), and after it the marker."""
        for name, content in ((f"{marker.id}.jsonl", text), (f"{marker.id}.json", marker.dump())):
            await self.succeed("rcat", self.path(RUNS, name), stdin=content)

    async def succeed(self, *arguments: str, stdin: bytes | None = None) -> None:
        """Run it to a good end."""
        ended = await self.rclone(*arguments, stdin=stdin)
        if ended.code:
            raise rclone_said.refusal(ended.code, ended.complaints)

    async def rclone(
        self,
        *arguments: str,
        timeout_s: float | None = None,
        stdin: bytes | None = None,
        on_line: Callable[[bytes], None] | None = None,
        quiet: bool = True,
    ) -> Ended:
        """Run it, whatever comes of it."""
        if not self._target.repository:
            raise BackupError(Fault.NOT_CONFIGURED, "no repository is configured")
        environment = await self._environment()
        config = ["--config", str(self._settings.config_file)] if self._settings.config_file is not None else []
        try:
            return await run(
                ["rclone", "--ask-password=false", *config, *arguments],
                timeout_s=self._run_s if timeout_s is None else timeout_s,
                environment=environment,
                stdin=stdin,
                on_line=on_line,
                hidden=list(environment.values()),
                quiet=quiet,
            )
        except ProgramError as error:
            raise not_run(error) from error

    async def check_there(self) -> None:
        """A folder on this machine has to be there: rclone would make one in the empty place of a disk."""
        await check_mounted(self._target)
        folder = self._target.folder
        if folder is not None and not await asyncio.to_thread(folder.is_dir):
            raise BackupError(Fault.NO_REPOSITORY, f"its folder {folder} is not there")
        config = self._settings.config_file
        if config is not None and not await asyncio.to_thread(os.access, config, os.R_OK):
            raise BackupError(Fault.NOT_CONFIGURED, "its rclone configuration cannot be read")

    async def _runs(self) -> list[Marker]:
        """Oldest first."""
        argv = ["cat", "--include", "/*.json", *_IMPATIENT, self.path(RUNS)]
        ended = await self.rclone(*argv, timeout_s=self._settings.timeout_s, quiet=False)
        if ended.code in rclone_said.NOT_FOUND or not ended.output:
            await self._check_password(ended)
            return []
        if ended.code:
            raise rclone_said.refusal(ended.code, ended.complaints)
        found = [one for line in ended.output.splitlines() if (one := manifest.read_marker(line)) is not None]
        return sorted(found, key=lambda one: one.at)

    async def _check_password(self, ended: Ended) -> None:
        """Nothing is found where nothing is, and where a crypt remote's password does not fit the names: rclone tells
        the one from the other only when it is asked to talk."""
        if ended.code and ended.code not in rclone_said.NOT_FOUND:
            raise rclone_said.refusal(ended.code, ended.complaints)
        argv = ["lsf", "-vv", "--max-depth", "1", *_IMPATIENT, self.path("")]
        root = await self.rclone(*argv, timeout_s=self._settings.timeout_s, quiet=False)
        if root.code or (not root.output and "undecryptable" in root.complaints.casefold()):
            raise rclone_said.refusal(root.code, root.complaints)

    async def _room(self) -> tuple[int | None, int | None]:
        folder = self._target.folder
        if folder is not None:
            return await room(folder)
        try:
            argv = ["about", "--json", *_IMPATIENT, self.path("")]
            ended = await self.rclone(*argv, timeout_s=self._settings.timeout_s, quiet=False)
        except BackupError:
            return None, None  # the other command tells why
        return rclone_said.room(ended.output)

    async def _read(self, name: str) -> bytes:
        read: list[bytes] = []
        ended = await self.rclone("cat", self.path(RUNS, name), on_line=lambda line: read.append(line + b"\n"))
        if ended.code in rclone_said.NOT_FOUND or (not ended.code and not read):
            raise BackupError(Fault.DAMAGED, "its list of files is gone")
        if ended.code:
            raise rclone_said.refusal(ended.code, ended.complaints)
        return b"".join(read)

    async def _environment(self) -> Mapping[str, str]:
        secrets = await credentials(self._settings)
        password = self._target.password_file
        if password is None:
            return secrets
        try:
            return secrets | {"RCLONE_CONFIG_PASS": await asyncio.to_thread(read_secret, password)}
        except (OSError, ValueError) as error:
            raise BackupError(Fault.PASSWORD_UNREADABLE, "its password file cannot be read") from error


def lines(paths: Iterable[str]) -> bytes:
    """For ``--files-from-raw``."""
    return b"".join(os.fsencode(rclone_said.written(path.lstrip("/"))) + b"\n" for path in paths)
