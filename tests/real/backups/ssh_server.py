"""A real sshd on a high port of this machine, for this user and one key."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from tests.real.backups.spoiling import Spoiling

_CONFIGURATION = """
Port {port}
ListenAddress 127.0.0.1
HostKey "{folder}/host"
AuthorizedKeysFile "{folder}/key.pub"
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
LogLevel ERROR
Subsystem sftp internal-sftp
"""


class SshServer:
    """Ended with the ``Spoiling`` that starts it. ``key``: the one that it takes; ``known_hosts``: with its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.key = folder / "key"
        self.known_hosts = folder / "known_hosts"
        self.host = f"{getpass.getuser()}@127.0.0.1"
        self.port = 0

    async def start(self, spoiling: Spoiling) -> None:
        """Answers when this returns."""
        argv = self._prepare()
        await spoiling.hold(argv, {}, self._answers)

    def _prepare(self) -> list[str]:
        program = shutil.which("sshd") or "/usr/sbin/sshd"
        if not Path(program).exists():
            pytest.fail("sshd is not installed: apt-get install openssh-server, or `deploy/real.sh`.", pytrace=False)
        self._folder.mkdir(mode=0o700)
        for name in ("host", "key", "other"):
            made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._folder / name)]
            subprocess.run(made, check=True, capture_output=True)
        self.port = _free_port()
        public = (self._folder / "host.pub").read_text().split()[:2]
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {' '.join(public)}\n")
        configuration = self._folder / "sshd_config"
        configuration.write_text(_CONFIGURATION.format(port=self.port, folder=self._folder))
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it locks itself in; a service makes it
        return [program, "-D", "-e", "-f", str(configuration)]

    @property
    def other_key(self) -> Path:
        """One that it does not take."""
        return self._folder / "other"

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
