"""systemd: install, refresh, ask and remove the units, by ``systemctl``."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from assistant.errors import ServiceError
from assistant.service import unit
from assistant.service.files import Change, ServiceFile, remove, remove_empty
from assistant.service.plan import FOLDERS, Plan
from assistant.service.unit import MARK, NAME, REFRESH, TIMER, Scope

BOOTED = Path("/run/systemd/system")
"""There while systemd is the init (sd_booted(3))."""

COMMAND_S = 60.0
START_S = unit.START_S + 30.0
END_JOBS_S = 30.0
DROP_IN = Path(f"{NAME}.d") / "addresses.conf"

_ASKED = {
    "ActiveState": "active", "SubState": "sub", "UnitFileState": "enabled", "MainPID": "pid", "NRestarts": "restarts",
    "StatusText": "status", "ActiveEnterTimestamp": "since", "Result": "result", "MemoryCurrent": "memory_bytes",
    "TasksCurrent": "tasks", "FragmentPath": "file", "WatchdogUSec": "watchdog",
}  # fmt: skip
_NUMBERS = ("pid", "restarts", "memory_bytes", "tasks")


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """As the manager tells it; None for what it does not know. ``active``: active, activating, failed, inactive …;
    ``enabled``: whether it starts with the machine (user: with the user); ``result``: how it ended last."""

    installed: bool
    manager: str
    file: str | None = None
    active: str | None = None
    sub: str | None = None
    enabled: str | None = None
    pid: int | None = None
    since: str | None = None
    restarts: int | None = None
    status: str | None = None
    result: str | None = None
    memory_bytes: int | None = None
    tasks: int | None = None
    watchdog: str | None = None

    @property
    def running(self) -> bool:
        """Whether it is up, and not only on its way."""
        return self.active == "active"

    def as_json(self) -> dict[str, Any]:
        """For ``jarvis service status --json``."""
        return {**asdict(self), "running": self.running}


class SystemdService:
    """The units of one scope. Blocking. ``folder``: where they go, the manager's own where none is named."""

    def __init__(self, scope: Scope, folder: Path | None = None) -> None:
        self._scope: Scope = scope
        self._folder = folder or FOLDERS[scope]
        self._user = ("--user",) if scope == "user" else ()

    def check(self) -> None:
        """Raises ServiceError where there is no systemd, or the wrong user asks."""
        if shutil.which("systemctl") is None or not BOOTED.is_dir():
            raise ServiceError(
                "no_systemd",
                "This machine was not started by systemd, so it has no services to add to.",
                mend="Run `jarvis serve` by what it has (OpenRC, runit, a container: deploy/compose).",
            )
        root = os.geteuid() == 0
        if self._scope == "system" and not root:
            raise ServiceError("not_root", "Units of the system are root's.", mend="The same line with sudo before it.")
        if self._scope == "user" and root:
            mend = "As root say --system; or run it as the user whose service it shall be."
            raise ServiceError("is_root", "This would be a service of root's own.", mend=mend)

    def install(self, plan: Plan, *, start: bool = True) -> dict[Path, Change]:
        """Write, enable and start; again: what is unchanged stays, and what runs with an older unit is restarted.

        Raises ServiceError; what was written stays then, for a look at it.
        """
        for file in plan.files:
            file.change()  # nothing is written where something is somebody else's
        _make_state(plan)
        changes = {file.path: file.write() for file in plan.files}
        remove(self._folder / DROP_IN, MARK)  # of an older configuration; the unit has the addresses of now
        self._systemctl("daemon-reload")
        timers = [file.path.name for file in plan.files if file.path.suffix == ".timer"]
        self._systemctl("enable", "--quiet", NAME, *timers)
        if start:
            changed = any(change == "changed" for change in changes.values())
            self.start(again=changed)
            if timers:
                self._systemctl("start", *timers)
        return changes

    def start(self, *, again: bool = False) -> None:
        """Until it says that it is ready. Raises ServiceError with its last lines."""
        self._systemctl("reset-failed", NAME, may_fail=True)
        ended = self._systemctl("restart" if again else "start", NAME, timeout_s=START_S, may_fail=True)
        if ended.returncode:
            said = self._run(["journalctl", *self._of_unit(), "-n", "15", "-o", "cat", "--no-pager"], may_fail=True)
            last = (said.stdout.strip() or ended.stderr.strip()).splitlines()
            raise ServiceError(
                "does_not_start", ["The service does not start.", *last], mend="`jarvis service logs`, `jarvis doctor`."
            )

    def refresh(self, addresses: Sequence[str]) -> Change:
        """Let these through the filter from now on, without a restart. Raises ServiceError."""
        file = ServiceFile(self._folder / DROP_IN, unit.address_lines(addresses), MARK)
        change = file.write()
        if change != "unchanged":
            self._systemctl("daemon-reload")  # which gives a running unit its new filter, too
        return change

    def status(self) -> ServiceStatus:
        """Raises ServiceError when systemd cannot be asked."""
        if not (self._folder / NAME).exists():
            return ServiceStatus(installed=False, manager=f"systemd, {self._scope}")
        said = self._systemctl("show", NAME, f"--property={','.join(_ASKED)}").stdout
        found = dict(line.partition("=")[::2] for line in said.splitlines())
        return ServiceStatus(installed=True, manager=f"systemd, {self._scope}", **_shown(found))

    def logs_command(self, *, lines: int, follow: bool) -> list[str]:
        """What shows its journal."""
        return ["journalctl", *self._of_unit(), "-n", str(lines), "--no-pager", *(["-f"] if follow else [])]

    def uninstall(self, *, purge: bool = False) -> list[Path]:
        """Stop it, end its jobs as cancelled, remove every file of ours; ``purge``: the state that systemd
        keeps for it, too. Idempotent. Raises ServiceError."""
        there = (self._folder / NAME).exists()
        if there:
            self._systemctl("kill", "--kill-who=all", "--signal=TERM", NAME, may_fail=True)
            self._systemctl("disable", "--now", "--quiet", NAME, may_fail=True, timeout_s=unit.STOP_S + 30)
            self._end_jobs()
            self._systemctl("reset-failed", NAME, may_fail=True)
            self._systemctl("clean", f"--what={'all' if purge else 'cache,runtime'}", NAME, may_fail=True)
        if (self._folder / TIMER).exists():
            self._systemctl("disable", "--now", "--quiet", TIMER, may_fail=True)
        removed = [self._folder / name for name in (NAME, REFRESH, TIMER, DROP_IN) if remove(self._folder / name, MARK)]
        remove_empty((self._folder / DROP_IN).parent)
        if removed:
            self._systemctl("daemon-reload")
        return removed

    def _end_jobs(self) -> None:
        """KillMode=process leaves workers of jobs; they end cleanly within moments, or are killed."""
        group = self._systemctl("show", NAME, "--property=ControlGroup", "--value", may_fail=True).stdout.strip()
        if not group:
            return
        processes = Path("/sys/fs/cgroup") / group.lstrip("/") / "cgroup.procs"
        deadline = time.monotonic() + END_JOBS_S
        while time.monotonic() < deadline and _text(processes).strip():
            time.sleep(0.1)
        if _text(processes).strip():
            self._systemctl("kill", "--kill-who=all", "--signal=KILL", NAME, may_fail=True)

    def _of_unit(self) -> list[str]:
        return [f"--user-unit={NAME}" if self._scope == "user" else f"--unit={NAME}"]

    def _systemctl(
        self, *words: str, may_fail: bool = False, timeout_s: float = COMMAND_S
    ) -> subprocess.CompletedProcess[str]:
        return self._run(["systemctl", *self._user, *words], may_fail=may_fail, timeout_s=timeout_s)

    def _run(
        self, command: Sequence[str], *, may_fail: bool = False, timeout_s: float = COMMAND_S
    ) -> subprocess.CompletedProcess[str]:
        try:
            ended = subprocess.run(
                list(command), capture_output=True, text=True, check=False, timeout=timeout_s,
                stdin=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"},
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ServiceError("no_answer", f"{' '.join(command[:3])} gave no answer: {error}.") from error
        if ended.returncode and not may_fail:
            said = ended.stderr.strip() or f"exit code {ended.returncode}"
            raise ServiceError("refused", f"{' '.join(command[:4])}: {said}")
        return ended


def _make_state(plan: Plan) -> None:
    """ReadWritePaths needs it there. Raises ServiceError."""
    if plan.owner is None:
        return
    try:
        missing = [path for path in (plan.state, *plan.state.parents) if not path.exists()]
        for path in reversed(missing):
            path.mkdir(mode=0o700)
            if os.geteuid() == 0:
                shutil.chown(path, plan.owner, pwd.getpwnam(plan.owner).pw_gid)
    except (OSError, LookupError) as error:
        raise ServiceError("unwritable", f"The state folder {plan.state} cannot be made: {error}.") from error


def _shown(found: Mapping[str, str]) -> dict[str, Any]:
    shown: dict[str, Any] = {name: found.get(key) or None for key, name in _ASKED.items()}
    for name in _NUMBERS:
        value = shown[name]
        shown[name] = int(value) if value is not None and value.isdecimal() and 0 < int(value) < 2**63 else None
    shown["restarts"] = shown["restarts"] or 0
    return shown


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
