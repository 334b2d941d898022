"""How a backup program calls ssh: with the job's key and no other, and without ever asking anybody."""

from __future__ import annotations

from tools.settings import BackupSettings

CONNECT_S = 15
"""Until a host that does not answer is given up."""


def command(settings: BackupSettings) -> list[str]:
    """ssh's argv up to the host."""
    argv = ["ssh", "-oBatchMode=yes", f"-oConnectTimeout={CONNECT_S}"]
    if settings.ssh_key is not None:
        argv += ["-i", str(settings.ssh_key), "-oIdentitiesOnly=yes"]
    if settings.known_hosts is not None:
        argv += [f"-oUserKnownHostsFile={_quoted(str(settings.known_hosts))}", "-oStrictHostKeyChecking=yes"]
    if settings.ssh_port != 22:  # else the port of the URL, or of ssh's own configuration
        argv += ["-p", str(settings.ssh_port)]
    return argv


def _quoted(path: str) -> str:
    """ssh reads a list of files here, apart by spaces."""
    return f'"{path}"' if " " in path else path
