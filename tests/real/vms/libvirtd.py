"""A real libvirtd with QEMU (TCG) in a temporary folder: a session daemon, as an ordinary user; ended by its id."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "nobody"
"""Whom a test as root becomes for it: as root libvirtd would use the system's own folders."""

START_S = 30.0

DOMAIN = """
<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>192</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>{kernel}</kernel>
    <initrd>{initrd}</initrd>
    <cmdline>console=ttyS0 quiet panic=-1</cmdline>
  </os>
  <features><acpi/></features>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>preserve</on_crash>
  <devices>
    <emulator>{emulator}</emulator>
    {disk}
    <serial type='file'><source path='{console}'/></serial>
    <memballoon model='none'/>
  </devices>
</domain>
"""

DISK = """<disk type='file' device='disk'>
      <driver name='qemu' type='{kind}'/><source file='{path}'/><target dev='vda' bus='virtio'/>
    </disk>"""


class Daemon:
    """``uri`` for clients, ``folder`` for what guests need: all of it is the daemon's user's."""

    def __init__(self, folder: Path, environment: dict[str, str], user: int | None) -> None:
        self.folder = folder
        self._environment = environment
        self._user = user
        self.uri = f"qemu:///session?socket={folder}/run/libvirt/libvirt-sock"

    def define(self, name: str, kernel: Path, initrd: Path, disk: str = "") -> Path:
        """Define a machine, not started; its console's file."""
        console = self.folder / f"{name}.console"
        emulator = program("qemu-system-x86_64", "qemu-system-x86")
        xml = self.folder / f"{name}.xml"
        told = DOMAIN.format(
            name=name, kernel=kernel, initrd=initrd, console=console, emulator=emulator, disk=self._disk(name, disk)
        )
        xml.write_text(told, encoding="utf-8")
        self.virsh("define", str(xml))
        return console

    def _disk(self, name: str, kind: str) -> str:
        if not kind:
            return ""
        path = self.folder / f"{name}.{kind}"
        image = program("qemu-img", "qemu-utils")
        self._run([image, "create", "-q", "-f", kind, str(path), "16M"])
        return DISK.format(kind=kind, path=path)

    def virsh(self, *arguments: str) -> str:
        """As the daemon's own user."""
        return self._run([program("virsh", "libvirt-clients"), "-q", "-c", self.uri, *arguments])

    def _run(self, argv: list[str]) -> str:
        done = subprocess.run(
            argv, env=self._environment, user=self._user, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{argv[0]} {argv[-1]}: {done.stderr}"
        return done.stdout


def program(name: str, package: str) -> str:
    """Where it is. Fails with how to get it."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    assert found, f"{name} is not installed: apt install {package} (deploy/setup.sh real does it)."
    return found


@contextmanager
def libvirtd(folder: Path) -> Iterator[Daemon]:
    """``folder``: an empty one whose path is short, for sockets."""
    user = pwd.getpwnam(USER) if os.geteuid() == 0 else None
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder / "run"),
        "XDG_CONFIG_HOME": str(folder / "config"), "XDG_CACHE_HOME": str(folder / "cache"),
    }  # fmt: skip
    for path in (folder, *(folder / part for part in ("run", "config", "cache"))):
        path.mkdir(mode=0o700, exist_ok=True)
        if user is not None:
            os.chown(path, user.pw_uid, user.pw_gid)
    _without_virtlogd(folder / "config" / "libvirt")
    log = folder / "libvirtd.log"
    daemon = Daemon(folder, environment, user.pw_uid if user else None)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program("libvirtd", "libvirt-daemon"), "--timeout", "0"],
            env=environment, stdout=output, stderr=output, start_new_session=True,
            user=user.pw_uid if user else None, group=user.pw_gid if user else None,
            extra_groups=[] if user else None, umask=0o022,
        )  # fmt: skip
    try:
        _wait_for(folder / "run" / "libvirt" / "libvirt-sock", process, log)
        yield daemon
    finally:
        for line in daemon.virsh("list", "--name").split() if process.poll() is None else []:
            daemon.virsh("destroy", line)
        process.terminate()
        process.wait(timeout=20)


def _without_virtlogd(folder: Path) -> None:
    """Consoles go to their files directly: no second daemon that outlives the first."""
    folder.mkdir()
    (folder / "qemu.conf").write_text('stdio_handler = "file"\n', encoding="utf-8")
    folder.chmod(0o755)
    if os.geteuid() == 0:
        owner = pwd.getpwnam(USER)
        os.chown(folder, owner.pw_uid, owner.pw_gid)


def _wait_for(socket: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_S
    while not socket.exists():
        assert process.poll() is None, f"libvirtd ended: {log.read_text(errors='replace')}"
        assert time.monotonic() < until, f"libvirtd does not listen: {log.read_text(errors='replace')}"
        time.sleep(0.1)
