"""launchd: an agent of the user, written from Apple's manuals (launchd.plist(5), launchctl(1)), never tried on a Mac.

launchd has no filter for addresses and no watchdog: what stands in for them is in docs/operation.md.
"""

from __future__ import annotations

import os
import plistlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

from assistant.config_file import Loaded
from assistant.errors import ServiceError
from assistant.models import ModelStore
from assistant.service.files import Change, ServiceFile, remove
from assistant.service.systemd import ServiceStatus
from assistant.state import default_state_dir

LABEL = "local.jarvis"
AGENTS = Path("~/Library/LaunchAgents").expanduser()
LOG = Path("~/Library/Logs/jarvis.log").expanduser()
MARK = "<!-- Written by `jarvis service install`; another install overwrites it. -->"
CAFFEINATE = ("/usr/bin/caffeinate", "-i")
"""Keeps the Mac from idle sleep while Jarvis runs (caffeinate(8)): asleep it neither hears nor backs up. The display
may sleep, and a closed lid sends it to sleep all the same."""

START_AGAIN_S = 10
COMMAND_S = 60.0


def agent(
    loaded: Loaded, *, listen: bool = False, folder: Path = AGENTS, log: Path = LOG, python: Path = Path(sys.executable)
) -> ServiceFile:
    """The property list for these settings. Pure but for where things stand."""
    settings = loaded.settings
    environment = {
        "JARVIS_STATE": str(settings.state_dir or default_state_dir()),
        "JARVIS_MODELS": str(ModelStore(settings.models_dir).models_dir),
        "PATH": "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",  # restic is Homebrew's
    }
    if loaded.file is not None:
        environment["JARVIS_CONFIG"] = str(loaded.file)
    command = [*CAFFEINATE, str(python), "-P", "-m", "assistant", "listen" if listen else "serve"]
    listed = {
        "Label": LABEL,
        "ProgramArguments": command,
        "EnvironmentVariables": environment,
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": START_AGAIN_S,
        "ExitTimeOut": 45,
        "AbandonProcessGroup": True,  # a backup of hours outlives a restart (docs/jobs.md)
        "ProcessType": "Interactive",  # no throttling of what has to answer a person
        "Umask": 0o077,
        "StandardErrorPath": str(log),
        "StandardOutPath": "/dev/null",
        "HardResourceLimits": {"Core": 0},
    }
    text = plistlib.dumps(listed, sort_keys=False).decode("utf-8")
    head, _, rest = text.partition("<plist")
    return ServiceFile(folder / f"{LABEL}.plist", f"{head}{MARK}\n<plist{rest}", MARK)


class LaunchdService:
    """The agent of this user, by ``launchctl``. Blocking."""

    def __init__(self, folder: Path = AGENTS, log: Path = LOG) -> None:
        self._file = folder / f"{LABEL}.plist"
        self._log = log
        self._domain = f"gui/{os.getuid()}"

    def install(self, file: ServiceFile, *, start: bool = True) -> Change:
        """Write it; where it has changed or does not run, load it anew. Raises ServiceError."""
        if shutil.which("launchctl") is None:
            raise ServiceError("no_launchd", "launchctl is not on this machine.", mend="It is a part of macOS.")
        change = file.write()
        if start and (change != "unchanged" or not self.status().running):
            self._launchctl("bootout", f"{self._domain}/{LABEL}", may_fail=True)
            self._launchctl("bootstrap", self._domain, str(file.path))
        return change

    def status(self) -> ServiceStatus:
        """As ``launchctl print`` tells it; its words are not promised to stay (launchctl(1))."""
        if not self._file.exists():
            return ServiceStatus(installed=False, manager="launchd")
        said = self._launchctl("print", f"{self._domain}/{LABEL}", may_fail=True).stdout
        state = re.search(r"^\s*state = (.+)$", said, re.MULTILINE)
        pid = re.search(r"^\s*pid = (\d+)$", said, re.MULTILINE)
        runs = re.search(r"^\s*runs = (\d+)$", said, re.MULTILINE)
        return ServiceStatus(
            installed=True,
            manager="launchd",
            file=str(self._file),
            active="active" if pid else "inactive",
            sub=state.group(1).strip() if state else None,
            pid=int(pid.group(1)) if pid else None,
            restarts=max(0, int(runs.group(1)) - 1) if runs else None,
        )

    def logs_command(self, *, lines: int, follow: bool) -> list[str]:
        """What shows its log."""
        return ["tail", "-n", str(lines), *(["-F"] if follow else []), str(self._log)]

    def uninstall(self, *, purge: bool = False) -> list[Path]:
        """End it and remove its files; the log with ``purge``. Idempotent. Raises ServiceError."""
        if self._file.exists():
            self._launchctl("bootout", f"{self._domain}/{LABEL}", may_fail=True)
        removed = [self._file] if remove(self._file, MARK) else []
        if purge and self._log.exists():
            self._log.unlink()
            removed.append(self._log)
        return removed

    def _launchctl(self, *words: str, may_fail: bool = False) -> subprocess.CompletedProcess[str]:
        try:
            ended = subprocess.run(
                ["launchctl", *words], capture_output=True, text=True, check=False, timeout=COMMAND_S
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ServiceError("no_answer", f"launchctl gave no answer: {error}.") from error
        if ended.returncode and not may_fail:
            raise ServiceError("refused", f"launchctl {words[0]}: {ended.stderr.strip() or ended.returncode}")
        return ended
