"""A folder of dated copies, here or on another machine, and the few lines of POSIX sh that look after it.

The lines are constants, paths reach them as arguments, and they are the same here and over ssh: what is tested on this
machine holds on the other. The other machine needs sh, ssh, rsync and sha256sum, as every NAS has them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

from tools.backups.kinds.target import Target, not_run
from tools.backups.port import BackupError, Fault
from tools.program import Ended, ProgramError, run
from tools.settings import BackupSettings

CONNECT_S = 10
"""For the ssh connection. Three unanswered questions, 15 seconds apart, end one that died."""

_NOT_MOUNTED, _MISSING, _DENIED = 71, 72, 73

_ENTER = """
LC_ALL=C; export LC_ALL
if [ -n "$1" ]; then
    if command -v mountpoint >/dev/null 2>&1; then mountpoint -q "$1" || exit 71
    else [ "$(df -P "$1" 2>/dev/null | tail -n 1 | sed 's/.*% *//')" = "$1" ] || exit 71; fi
fi
[ -d "$2" ] || exit 72
cd "$2" 2>/dev/null || exit 73
shift 2
"""


class Place:
    """Where a job's dated folders stand. ``folder`` is absolute; ``host`` empty for this machine."""

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self._settings = settings
        self._mount = str(target.mount or "")
        self.host, self.folder = _parts(target.repository)

    def check_configured(self) -> None:
        """Raises BackupError not_configured."""
        url = self.host and self.folder.startswith("//")  # rsync://…, which is no ssh
        if url or not self.folder.startswith("/") or self.host.startswith("-"):
            raise BackupError(Fault.NOT_CONFIGURED, "its repository has to be a folder, or user@host:/folder")

    def rsync(self, *parts: str) -> str:
        """A path below it, as rsync takes it."""
        path = "/".join((self.folder.rstrip("/"), *parts)) or "/"
        return f"{self.host}:{path}" if self.host else path

    def rsync_options(self) -> list[str]:
        """How rsync reaches it; ``-s``: no shell over there reads the names."""
        return ["-s", "-e", " ".join(_quoted(word) for word in self._ssh())] if self.host else []

    async def sh(
        self,
        script: str,
        *arguments: str,
        timeout_s: float,
        stdin: bytes | None = None,
        on_line: Callable[[bytes], None] | None = None,
        quiet: bool = True,
    ) -> Ended:
        """Run these lines in the folder. Raises BackupError where it cannot be entered; the lines' own exit code is
        the caller's, which must not be one of 71 to 73, 127 and 255."""
        self.check_configured()
        command = ["sh", "-c", _ENTER + script, "sh", self._mount, self.folder, *arguments]
        if self.host:
            self.check_key()
            command = [*self._ssh(), "--", self.host, shlex.join(command)]
        try:
            ended = await run(command, timeout_s=timeout_s, stdin=stdin, on_line=on_line, quiet=quiet)
        except ProgramError as error:
            raise not_run(error) from error
        self._check_entered(ended)
        return ended

    def check_key(self) -> None:
        """Raises BackupError password_unreadable. ssh itself goes on without a key, and says that access is denied."""
        key = self._settings.ssh_key
        try:
            if key is not None:
                with key.open("rb") as file:
                    file.read(1)
        except OSError as error:
            raise BackupError(Fault.PASSWORD_UNREADABLE, "its ssh key cannot be read") from error

    def refusal(self, complaints: str) -> BackupError | None:
        """What ssh or a file system said, as a fault; None where it is neither's."""
        text = complaints.casefold()
        return next((BackupError(fault, reason) for words, fault, reason in _REFUSALS if words in text), None)

    def _check_entered(self, ended: Ended) -> None:
        where = f"{self.host}:{self.folder}" if self.host else self.folder
        if ended.code == _NOT_MOUNTED:
            raise BackupError(Fault.NOT_MOUNTED, f"nothing is mounted at {self._mount}")
        if ended.code == _MISSING:
            raise BackupError(Fault.NO_REPOSITORY, f"its folder {where} is not there")
        if ended.code == _DENIED:
            raise BackupError(Fault.DENIED, f"its folder {where} may not be entered")
        if ended.code == 255 and self.host:
            raise self.refusal(ended.complaints) or BackupError(Fault.UNREACHABLE, "its server can't be reached")

    def _ssh(self) -> list[str]:
        own = self._settings
        options = ["BatchMode=yes", "StrictHostKeyChecking=yes", f"ConnectTimeout={CONNECT_S}", "ControlMaster=no"]
        options += ["ServerAliveInterval=15", "ServerAliveCountMax=3", "ClearAllForwardings=yes", "ForwardAgent=no"]
        if own.ssh_key is not None:
            options.append("IdentitiesOnly=yes")
        if own.known_hosts is not None:
            options.append(f'UserKnownHostsFile="{own.known_hosts}"')
        argv = ["ssh", "-T", "-p", str(own.ssh_port), *(word for option in options for word in ("-o", option))]
        return [*argv, "-i", str(own.ssh_key)] if own.ssh_key is not None else argv


_REFUSALS = (
    ("no space left on device", Fault.DISK_FULL, "the disk is full"),
    ("disk quota exceeded", Fault.DISK_FULL, "the disk is full"),
    ("host key verification failed", Fault.DENIED, "the server's key is not the one in known_hosts"),
    ("unprotected private key", Fault.PASSWORD_UNREADABLE, "its ssh key may be read by others"),
    ("permission denied (13)", Fault.DENIED, "permission is denied"),
    ("permission denied (", Fault.DENIED, "the server does not accept its ssh key"),
    ("connection refused", Fault.UNREACHABLE, "its server can't be reached"),
    ("connection timed out", Fault.UNREACHABLE, "its server can't be reached"),
    ("no route to host", Fault.UNREACHABLE, "its server can't be reached"),
    ("could not resolve hostname", Fault.UNREACHABLE, "its server can't be reached"),
    ("network is unreachable", Fault.UNREACHABLE, "its server can't be reached"),
    ("connection closed by", Fault.UNREACHABLE, "its server closed the connection"),
    ("connection reset by", Fault.UNREACHABLE, "its server closed the connection"),
    ("command not found", Fault.NOT_INSTALLED, "rsync is not installed on the server"),
    ("read-only file system", Fault.DENIED, "the destination is read-only"),
    ("permission denied", Fault.DENIED, "permission is denied"),
)
"""Words of OpenSSH 9, rsync 3 and libc; the first that fits. What rsync may not read it denies with the errno, "(13)";
OpenSSH with the ways to log in, "(publickey)"."""


def _parts(repository: str) -> tuple[str, str]:
    """Host (with user) and folder of ``user@host:/path``; a path without a host is on this machine."""
    remote = re.fullmatch(r"([^/:]*@)?([^/:]+|\[[0-9a-fA-F:]+\]):(.*)", repository)
    if remote is None:
        return "", str(Path(repository).absolute()) if repository else ""
    return (remote[1] or "") + remote[2], remote[3]


def _quoted(word: str) -> str:
    """rsync splits ``-e`` at blanks, and knows quotes: a doubled one stands for itself (rsync(1), --rsh)."""
    return "'" + word.replace("'", "''") + "'" if re.search(r"[\s'\"]", word) else word
