"""A booted systemd with this checkout in it, read-only, and a small house to be installed as a service there."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from assistant.models import ModelStore
from tests.real.engines.systemd_machine import Machine, machine

CHECKOUT = Path(__file__).resolve().parents[3]
MODELS = ("silero-vad", "hey-jarvis", "smart-turn", "whisper-base", "piper-en-us-joe")
"""What ears and mouth need; these are copied, so that everybody may read them as docs/operation.md wants it."""

SLOW_BACKUP = """#!/bin/sh
[ "$1" = look ] && exit 0
exec sleep 300
"""
CONFIGURATION = """
engine = "sentences"
[model]
discover = false
[services.grafana]
url = "http://127.0.0.1:1/"
[backups.photos]
kind = "command"
command = ["/srv/house/slow-backup"]
repository = "/var/cache/jarvis/photos"
paths = ["/srv/house"]
"""
COMMAND_S = 240.0
PATIENCE_S = 90.0


@dataclass(frozen=True)
class Guest:
    """``jarvis`` there is that of this checkout, as root."""

    machine: Machine

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command in it."""
        ended = subprocess.run(
            self.machine.argv(*command), capture_output=True, text=True, check=False, timeout=COMMAND_S,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert not check or ended.returncode == 0, (command, ended.stdout, ended.stderr)
        return ended

    def jarvis(self, *words: str, check: bool = True, state: str = "/root/state") -> subprocess.CompletedProcess[str]:
        """With the house's configuration; ``state``: the folder of the service to speak to it."""
        given = ("JARVIS_CONFIG=/srv/house/jarvis.toml", "JARVIS_MODELS=/srv/models", f"JARVIS_STATE={state}")
        return self.run("env", *given, str(CHECKOUT / ".venv/bin/jarvis"), *words, check=check)

    def show(self, name: str) -> str:
        """A property of our unit."""
        return self.run("systemctl", "show", "jarvis.service", f"--property={name}", "--value").stdout.strip()

    def until(self, there: Callable[[], bool]) -> None:
        """Or the test fails."""
        deadline = time.monotonic() + PATIENCE_S
        while not there():
            assert time.monotonic() < deadline, self.run("systemctl", "status", "jarvis.service", check=False).stdout
            time.sleep(0.2)

    def tree(self) -> dict[str, str]:
        """Every file and folder that an install could leave, with kind and mode, and the size of files."""
        places = ("/etc", "/usr/local", "/usr/lib/systemd", "/var/lib", "/var/cache", "/root", "/run/systemd/system")
        said = self.run("find", *places, "-xdev", "-printf", "%p\\t%y %m %s\\n").stdout
        entries = dict(line.split("\t") for line in said.splitlines() if "/systemd/timers/" not in line)
        return {path: " ".join(told.split()[:2]) if told[0] == "d" else told for path, told in entries.items()}


@contextmanager
def guest(folder: Path) -> Iterator[Guest]:
    """Booted; ``folder`` holds what is bound into it."""
    house = folder / "house"
    house.mkdir()
    (house / "jarvis.toml").write_text(CONFIGURATION, encoding="utf-8")
    (house / "slow-backup").write_text(SLOW_BACKUP, encoding="utf-8")
    (house / "slow-backup").chmod(0o755)
    models = folder / "models"
    for name in MODELS:
        shutil.copytree(ModelStore().models_dir / name, models / name)
    subprocess.run(["chmod", "-R", "a+rX", str(models), str(house)], check=True)
    bound = [f"{house}:/srv/house", f"{models}:/srv/models", str(CHECKOUT)]
    if sys.base_prefix != "/usr":  # the root has Debian's own
        bound.append(sys.base_prefix)
    # The kernel's filter for addresses is a program that systemd hands to the kernel (bpf(2)).
    options = ["--system-call-filter=bpf", "--capability=all", *(f"--bind-ro={path}" for path in bound)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1")  # filters want it, also where the host is older
        with machine(folder / "log", *options) as running:
            yield Guest(running)
