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
SIDE_PIXELS = 96
FILES = {
    "photos": [f"made-for-the-demo/noise-{number:02}.ppm" for number in range(1, 13)],
    "gitea": [f"made-for-the-demo/notes-{number:02}.txt" for number in range(1, 7)],
}
"""What is backed up, some 350 kB: pictures of noise that any viewer opens, and text. The names say what they are."""

BUILD_TIMEOUT_S = 120.0


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
        parts = (self._repository / "config", self._password, state_dir / "jarvis.db")
        if 0 <= _age(marker) < REFRESH_AFTER_S and all(part.exists() for part in parts):
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
        chance = random.Random(SEED)  # noqa: S311 - content to back up, no secret
        for job in JOBS:
            for name in FILES[job]:
                path = self._folder / "data" / job / name
                content = _content(name, chance)
                if not path.exists():
                    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    path.write_bytes(content)

    async def _restic(self, *arguments: str) -> None:
        """With a person's own RESTIC_ variables left out: they mean another repository."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("RESTIC_")}
        own = ["--repo", str(self._repository), "--password-file", str(self._password), "--no-cache"]
        await _run(["restic", *own, *arguments], environment)

    async def _prove(self, state_dir: Path) -> None:
        """The tools' own command: what it finds goes into the ledger, whatever it is."""
        settings = self._folder / "settings.json"
        text = ToolSettings(backups=self.settings()).model_dump_json()
        await asyncio.to_thread(settings.write_text, text, "utf-8")
        command = [sys.executable, "-m", "tools.restore_tests", "--settings", str(settings), "--state", str(state_dir)]
        await _run([*command, PROVEN], {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})


async def _run(argv: Sequence[str], environment: dict[str, str]) -> None:
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


def _content(name: str, chance: random.Random) -> bytes:
    """A picture (portable pixmap, netpbm's P6) or a text, the same for every user."""
    if name.endswith(".ppm"):
        return f"P6 {SIDE_PIXELS} {SIDE_PIXELS} 255\n".encode() + chance.randbytes(3 * SIDE_PIXELS**2)
    lines = (f"line {number}: {chance.getrandbits(64):016x}" for number in range(200))
    return ("Made for the demo.\n" + "\n".join(lines) + "\n").encode()


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return float("inf")
