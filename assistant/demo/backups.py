"""The demo's backups: one real restic repository with two jobs, of which one is proven by a real restore."""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from assistant.errors import StateError
from tools.settings import BackupSettings, ToolSettings

JOBS = ("photos", "gitea")
PROVEN = "photos"
REFRESH_AFTER_S = 20 * 3600.0
"""A backup of the demo is made anew when it is older, well before it would be stale."""

SEED = 8
FILES = {
    "photos": [f"2026/{month:02}/IMG_{number:04}.jpg" for month in (3, 4, 5) for number in range(1, 5)],
    "gitea": ["gitea.db", "repositories/home/dotfiles.git/HEAD", "repositories/home/dotfiles.git/packed-refs"],
}
FILE_BYTES = 24_000


class DemoBackups:
    """Below ``folder``: sources, the repository, its password file."""

    def __init__(self, folder: Path, aliases: dict[str, tuple[str, ...]]) -> None:
        self._folder = folder
        self._aliases = aliases
        self._password = folder / "restic.password"
        self._repository = folder / "restic"

    def settings(self) -> dict[str, BackupSettings]:
        """The jobs as ``jarvis.toml`` would have them."""
        return {
            job: BackupSettings(
                kind="restic",
                aliases=self._aliases.get(job, ()),
                repository=str(self._repository),
                password_file=self._password,
                tags=(job,),
            )
            for job in JOBS
        }

    async def build(self, state_dir: Path, say: Callable[[str], None]) -> None:
        """Make what is missing or too old; a second call finds all there. Raises StateError."""
        if shutil.which("restic") is None:
            mend = "Install it: `apt-get install restic` (Debian) or `brew install restic` (macOS)."
            raise StateError(
                "restic_missing", "The demo makes its backups with restic, which is not installed.", mend=mend
            )
        marker = self._folder / "built.json"
        if _age(marker) < REFRESH_AFTER_S:
            return
        await asyncio.to_thread(self._prepare)
        if not (self._repository / "config").exists():
            say("making a restic repository")
            await self._restic("init", "--quiet")
        for job in JOBS:
            say(f"backing up {job} with restic")
            await self._restic("backup", "--quiet", "--tag", job, str(self._folder / "data" / job))
        say(f"restoring {PROVEN} into a scratch folder and comparing")
        await self._prove(state_dir)
        await asyncio.to_thread(marker.write_text, json.dumps({"jobs": JOBS}), "utf-8")

    def _prepare(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._password.exists():
            self._password.touch(mode=0o600)
            self._password.write_text(secrets.token_urlsafe(24), encoding="utf-8")
        noise = random.Random(SEED)  # noqa: S311 - picture-like bytes, no secret
        for job in JOBS:
            for name in FILES[job]:
                path = self._folder / "data" / job / name
                if not path.exists():
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(noise.randbytes(FILE_BYTES))

    async def _restic(self, *arguments: str) -> None:
        environment = {**os.environ, "RESTIC_PASSWORD_FILE": str(self._password)}
        await _run(["restic", "--repo", str(self._repository), *arguments], environment)

    async def _prove(self, state_dir: Path) -> None:
        """The tools' own command: what it finds goes into the ledger, whatever it is."""
        settings = self._folder / "settings.json"
        text = ToolSettings(backups=self.settings()).model_dump_json()
        await asyncio.to_thread(settings.write_text, text, "utf-8")
        command = [sys.executable, "-m", "tools.restore_tests", "--settings", str(settings), "--state", str(state_dir)]
        await _run([*command, PROVEN], dict(os.environ))


async def _run(argv: Sequence[str], environment: dict[str, str]) -> None:
    child = await asyncio.create_subprocess_exec(
        *argv,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await child.communicate()
    if child.returncode:
        last = output.decode(errors="replace").strip()[-400:]
        mend = "Remove the demo's folder (`jarvis demo --reset`) and try again."
        raise StateError(
            "demo_failed", f"The demo could not be built: {argv[0]} ended with {child.returncode}: {last}", mend=mend
        )


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return float("inf")
