"""How restic is asked: argv, environment, and locks of the dead.

The repository, whose URL may carry a password, goes by environment, the password by file: nothing secret stands in an
argv.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tools import program
from tools.backups.kinds import restic_said as said
from tools.backups.kinds import ssh
from tools.backups.kinds.target import Target, check_mounted, credentials, not_run
from tools.backups.port import BackupError, Fault
from tools.program import Ended, ProgramError
from tools.settings import BackupSettings


class ResticProgram:
    """restic for one job at one destination."""

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self._settings = settings
        self._target = target

    async def _environment(self) -> dict[str, str]:
        found = await credentials(self._settings)
        found["RESTIC_REPOSITORY"] = self._target.repository
        found["RESTIC_PROGRESS_FPS"] = "2"
        if self._target.password_file is not None:
            found["RESTIC_PASSWORD_FILE"] = str(self._target.password_file)
        return found

    def _sftp(self) -> list[str]:
        """How an sftp repository is reached: with the job's key, and nobody is asked for a password. Else nothing."""
        found = re.match(r"sftp:(?://)?(?P<host>(?:[^@/]*@)?[^:/]+)(?::(?P<port>\d+)/)?", self._target.repository)
        if found is None:
            return []
        port = ["-p", found["port"]] if found["port"] else []
        return [*ssh.command(self._settings), *port, found["host"], "-s", "sftp"]

    def _options(self) -> list[str]:
        if not (sftp := self._sftp()):
            return []
        field = f"sftp.command={shlex.join(sftp)}".replace('"', '""')  # restic reads the option as a line of CSV
        return ["-o", f'"{field}"']

    async def _with_reason(self, ended: Ended) -> Ended:
        """restic may end before it has passed on what ssh said; ssh is then asked itself."""
        sftp = self._sftp()
        if not sftp or not ended.code or not said.no_sftp(ended.complaints):
            return ended
        asked = await program.run(sftp, timeout_s=self._settings.timeout_s)
        return replace(ended, complaints=ended.complaints + asked.complaints)

    async def run(
        self,
        command: Sequence[str],
        timeout_s: float | None = None,
        on_line: Callable[[bytes], None] | None = None,
        on_complaint: Callable[[bytes], bool] | None = None,
    ) -> Ended:
        """To its end, however it ends: at low priority without ``timeout_s``."""
        if not self._target.repository:
            raise BackupError(Fault.NOT_CONFIGURED, "no repository is configured")
        await check_mounted(self._target)
        environment = await self._environment()
        try:
            ended = await program.run(
                ["restic", *self._options(), *command],
                timeout_s=timeout_s or self._settings.run_timeout_h * 3600,
                environment=environment,
                on_line=on_line,
                on_complaint=on_complaint,
                hidden=[self._target.repository, *(environment[name] for name in self._settings.credentials)],
                quiet=timeout_s is None,
            )
            return await self._with_reason(ended)
        except ProgramError as error:
            raise not_run(error) from error

    async def done(self, command: Sequence[str], **lines: Any) -> Ended:
        """It has to end well. Raises BackupError."""
        return _succeeded(await self.unlocking(command, **lines))

    async def read(self, command: Sequence[str], timeout_s: float) -> Ended:
        """Without a lock, and within this time. Raises BackupError."""
        return _succeeded(await self.run(["--no-lock", "--json", *command], timeout_s))

    async def unlocking(self, command: Sequence[str], **lines: Any) -> Ended:
        """Where a lock is in the way, restic may remove those whose program is dead, and no others; then once more."""
        ended = await self.run(command, **lines)
        if ended.code and said.refusal(ended.code, ended.complaints).fault is Fault.LOCKED:
            await self.run(["unlock"])
            ended = await self.run(command, **lines)
        return ended

    def hopeless(self, complaint: bytes) -> bool:
        """For ``on_complaint``: gives up at once what restic would try for most of a minute."""
        if self._target.folder is not None and said.lost(complaint):
            raise BackupError(Fault.DAMAGED, "the repository is damaged")
        return False


def _succeeded(ended: Ended) -> Ended:
    if ended.code:
        raise said.refusal(ended.code, ended.complaints)
    return ended
