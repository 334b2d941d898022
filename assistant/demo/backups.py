"""The demo's backups: seven jobs, made with the real programs; three are bad, because the fault is really there.

Sources and repositories are made here; running, spoiling and proving them is ``tools.backups.practice``'s. A program
that is not installed leaves its job without a backup, which is then its verdict; restic alone has to be there.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import shlex
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from pathlib import Path

from assistant.errors import StateError
from tools.settings import BackupKind, BackupSettings, DatabaseSettings, KeepSettings, ToolSettings

KINDS: dict[str, BackupKind] = {
    "photos": "restic",
    "documents": "borg",
    "gitea": "restic",
    "home assistant": "home-assistant-tar",
    "databases": "postgres-dump",
    "passwords": "sqlite",
    "config": "rsync-snapshots",
}
JOBS = tuple(KINDS)
STEPS = {
    "photos": "run,test",
    "documents": "run,test",
    "gitea": "run",  # never restored
    "home assistant": "run,test",
    "databases": "database,damage,test",  # the dump cannot be restored
    "passwords": "run,test",
    "config": "age,test",  # the last run was three days ago
}
"""What is done with each; see ``tools.backups.practice``."""

NEEDS = {"documents": ("borg", "borgbackup"), "config": ("rsync", "rsync"), "databases": ("pg_dump", "postgresql")}
"""Programs that a job is made with, and the package that brings each. restic, without which there is no demo, apart."""

REFRESH_AFTER_S = 20 * 3600.0
"""A backup of the demo is made anew when it is older, well before it would be stale."""

SEED = 8
SIDE_PIXELS = 96
FILES = {
    "photos": [f"made-for-the-demo/noise-{number:02}.ppm" for number in range(1, 13)],
    "gitea": [f"made-for-the-demo/notes-{number:02}.txt" for number in range(1, 7)],
    "documents": [f"made-for-the-demo/letter-{number:02}.txt" for number in range(1, 9)],
    "config": [f"made-for-the-demo/{name}.yaml" for name in ("jellyfin", "gitea", "immich", "paperless")],
    "home assistant": ["configuration.yaml", ".HA_VERSION"],
}
"""What is backed up, some 400 kB: pictures of noise that any viewer opens, and text. The names say what they are."""

HOME_ASSISTANT = {
    "configuration.yaml": "# Made for the demo.\nhomeassistant:\n  name: The demo homelab\n",
    ".HA_VERSION": "2026.11.0",
}
DATABASES = {"home assistant": ("home-assistant_v2.db", "states"), "passwords": ("vault.sqlite3", "ciphers")}
"""SQLite databases among the sources: file and table, named as Home Assistant's and Vaultwarden's are."""

BUILD_TIMEOUT_S = 120.0


class DemoBackups:
    """Below ``folder``: sources (``data``), places of the backups, and their password files."""

    def __init__(self, folder: Path, aliases: dict[str, tuple[str, ...]]) -> None:
        self._folder = folder
        self._aliases = aliases

    def settings(self) -> dict[str, BackupSettings]:
        """The jobs as ``jarvis.toml`` would have them."""
        return {job: self._settings(job, kind) for job, kind in KINDS.items()}

    def _settings(self, job: str, kind: BackupKind) -> BackupSettings:
        return BackupSettings(
            kind=kind,
            aliases=self._aliases.get(job, ()),
            repository=str(self._place(job)),
            password_file=self._password(kind) if kind in ("restic", "borg") else None,
            paths=() if kind == "postgres-dump" else (str(self._source(job)),),
            tags=(job,) if kind == "restic" else (),
            database=DatabaseSettings(name="homelab") if kind == "postgres-dump" else None,
            keep=KeepSettings(last=0, daily=0, weekly=0, monthly=0, days=0),
            verify="none",  # what proves them is the restore; a demo that is to be quick checks nothing twice
            min_free_pct=0.0,  # how full this machine is, is none of the demo's business
        )

    def _place(self, job: str) -> Path:
        """Both jobs of restic share a repository."""
        return self._folder / ("restic" if KINDS[job] == "restic" else f"{KINDS[job]}-{job.replace(' ', '-')}")

    def _source(self, job: str) -> Path:
        folder = self._folder / "data" / job
        return folder / DATABASES[job][0] if job == "passwords" else folder

    def _password(self, kind: BackupKind) -> Path:
        return self._folder / f"{kind}.password"

    async def build(self, state_dir: Path, say: Callable[[str], None]) -> None:
        """Make what is missing or too old; a second call finds all there. Raises StateError."""
        if shutil.which("restic") is None:
            mend = "Install it: `apt-get install restic` (Debian) or `brew install restic` (macOS)."
            raise StateError(
                "restic_missing", "The demo makes its backups with restic, which is not installed.", mend=mend
            )
        marker = self._folder / "built.json"
        parts = (self._place("photos") / "config", self._password("restic"), state_dir / "jarvis.db")
        absent = missing()
        fresh = 0 <= _age(marker) < REFRESH_AFTER_S and all(part.exists() for part in parts)
        if fresh and _built(marker) >= set(JOBS) - set(absent):
            return
        await asyncio.to_thread(self._prepare)
        await self._make_repositories(absent, say)
        for job, program in absent.items():
            say(f"{program} is not installed: {job} gets no backup")
        made = [job for job in JOBS if job not in absent]
        say(f"backing up {', '.join(made)} and restoring what is to be proven")
        await self._practise(state_dir, made, say)
        await asyncio.to_thread(marker.write_text, json.dumps({"jobs": made}), "utf-8")

    async def _make_repositories(self, absent: Collection[str], say: Callable[[str], None]) -> None:
        """Those of restic and borg that are not there, at the same time: deriving a key takes a second."""
        making = []
        if not (self._place("photos") / "config").exists():
            say("making a restic repository")
            making.append(self._restic("init", "--quiet"))
        if "documents" not in absent and not (self._place("documents") / "config").exists():
            say("making a borg repository")
            making.append(self._borg("init", "--encryption", "repokey"))
        for made in await asyncio.gather(*making, return_exceptions=True):
            if isinstance(made, BaseException):
                raise made

    def _prepare(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for password in (self._password("restic"), self._password("borg")):
            if not password.exists():
                password.touch(mode=0o600)
                password.write_text(secrets.token_urlsafe(24), encoding="utf-8")
        chance = random.Random(SEED)  # noqa: S311 - content to back up, no secret
        for job, names in FILES.items():
            for name in names:
                path = self._folder / "data" / job / name
                content = _content(name, chance)
                if not path.exists():
                    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    path.write_bytes(content)
        for job, (name, table) in DATABASES.items():
            _make_database(self._folder / "data" / job / name, table)
        for job in JOBS:
            if KINDS[job] not in ("restic", "borg"):
                self._place(job).mkdir(mode=0o700, exist_ok=True)

    async def _restic(self, *arguments: str) -> None:
        """With a person's own RESTIC_ variables left out: they mean another repository."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("RESTIC_")}
        own = ["--repo", str(self._place("photos")), "--password-file", str(self._password("restic")), "--no-cache"]
        await _run(["restic", *own, *arguments], environment)

    async def _borg(self, *arguments: str) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("BORG_")}
        environment["BORG_PASSCOMMAND"] = shlex.join(["cat", str(self._password("borg"))])
        await _run(["borg", *arguments, str(self._place("documents"))], environment)

    async def _practise(self, state_dir: Path, jobs: Sequence[str], say: Callable[[str], None]) -> None:
        """The tools' own command: what it finds goes into the records, whatever it is. A backup that could not be made
        is said; a restore that fails is what the demo is about."""
        settings = self._folder / "settings.json"
        text = ToolSettings(backups=self.settings()).model_dump_json()
        await asyncio.to_thread(settings.write_text, text, "utf-8")
        command = [sys.executable, "-m", "tools.backups.practice", "--settings", str(settings), "--state"]
        plan = [f"{job}={STEPS[job]}" for job in jobs]
        path = os.pathsep.join(filter(None, sys.path))
        output = await _run([*command, str(state_dir), *plan], {**os.environ, "PYTHONPATH": path})
        for line in output.splitlines():
            if line.startswith("{") and not (step := json.loads(line))["ok"] and step["step"] != "test":
                say(f"{step['job']} could not be backed up: {step['spoken']}")


def missing() -> dict[str, str]:
    """Jobs that cannot be made here, and the program that each wants."""
    return {job: package for job, (program, package) in NEEDS.items() if shutil.which(program) is None}


def _built(marker: Path) -> set[str]:
    try:
        return set(json.loads(marker.read_bytes())["jobs"])
    except (OSError, ValueError, KeyError, TypeError):
        return set()


async def _run(argv: Sequence[str], environment: dict[str, str]) -> str:
    """All that it printed. Raises StateError where it fails."""
    child = await asyncio.create_subprocess_exec(
        *argv,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(BUILD_TIMEOUT_S):
            output, _ = await child.communicate()
    except TimeoutError as error:
        detail = f"The demo could not be built: {argv[0]} took longer than {BUILD_TIMEOUT_S:g} s."
        raise StateError("demo_failed", detail) from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.communicate()  # wait() alone waits for ever when the pipe is full
    if child.returncode:
        last = output.decode(errors="replace").strip()[-400:]
        raise StateError(
            "demo_failed",
            f"The demo could not be built: {Path(argv[0]).name} ended with {child.returncode}: {last}",
            mend="`jarvis demo --reset` removes the demo's folder and builds it anew.",
        )
    return output.decode(errors="replace")


def _make_database(path: Path, table: str) -> None:
    """A small SQLite database; nothing where it is there already."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, words TEXT NOT NULL)")
        rows = [(f"made for the demo {number}",) for number in range(500)]
        database.executemany(f"INSERT INTO {table} (words) VALUES (?)", rows)  # noqa: S608 - a constant


def _content(name: str, chance: random.Random) -> bytes:
    """A picture (portable pixmap, netpbm's P6) or a text, the same for every user."""
    if name in HOME_ASSISTANT:
        return HOME_ASSISTANT[name].encode()
    if name.endswith(".ppm"):
        return f"P6 {SIDE_PIXELS} {SIDE_PIXELS} 255\n".encode() + chance.randbytes(3 * SIDE_PIXELS**2)
    lines = (f"line {number}: {chance.getrandbits(64):016x}" for number in range(200))
    return ("Made for the demo.\n" + "\n".join(lines) + "\n").encode()


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return float("inf")
