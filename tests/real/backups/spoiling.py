"""Ways to spoil a real backup that need the system: full disks, files that cannot be read or removed, held locks."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest


class Spoiling:
    """What was mounted, started and put on PATH, until ``close``. Needs root, for mounting."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mounted: list[Path] = []
        self.held: list[asyncio.subprocess.Process] = []
        self._path: str | None = None

    def small_disk(self, folder: Path, megabytes: int) -> None:
        """A file system of that size at a folder, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        self._mount("-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "none", str(folder))
        self._mounted.append(folder)

    def irremovable(self, *files: Path) -> None:
        """They can be read and written; removing them fails (EBUSY)."""
        for file in files:
            self._mount("--bind", str(file), str(file))
            self._mounted.append(file)

    def _mount(self, *arguments: str) -> None:
        made = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
        if made.returncode:
            pytest.fail(f"These tests mount small file systems, so they need root: {made.stderr.strip()}")

    def unprivileged(self, *programs: str) -> None:
        """From now on these programs have no right to read what its mode forbids, also not for root. The programs are
        the real ones."""
        if os.geteuid() != 0:
            return
        for program in programs:
            found = shutil.which(program)
            assert found is not None, f"{program} is not installed"
            self.on_path(program, f'setpriv --bounding-set=-dac_override,-dac_read_search "{found}"')

    def on_path(self, name: str, command: str) -> None:
        """From now on ``name`` is this command of a shell, with its arguments after it."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        (folder / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (folder / name).chmod(0o755)
        self._path = self._path or os.environ["PATH"]
        os.environ["PATH"] = f"{folder}:{os.environ['PATH']}"

    async def hold(self, argv: Sequence[str], environment: Mapping[str, str], held: Callable[[], bool]) -> int:
        """Start a program that holds something, and wait until it does; its pid. It is ended by ``close``."""
        child = await asyncio.create_subprocess_exec(
            *argv,
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        self.held.append(child)
        async with asyncio.timeout(20):
            while not held():
                assert child.returncode is None, f"{argv[0]} ended before it held anything"
                await asyncio.sleep(0.02)
        return child.pid

    async def close(self) -> None:
        for child in self.held:
            if child.returncode is None:
                os.killpg(child.pid, signal.SIGKILL)
            await child.wait()
            child._transport.close()  # type: ignore[attr-defined] # its pipe
        await asyncio.to_thread(self._unmount)
        if self._path is not None:
            os.environ["PATH"] = self._path
        self.held, self._path = [], None

    def _unmount(self) -> None:
        while self._mounted:
            subprocess.run(["umount", "-l", str(self._mounted.pop())], check=False, capture_output=True)


def fill(folder: Path) -> None:
    """Not a byte is left on its file system."""
    with (folder / "filling").open("wb", buffering=0) as file:
        size = 1 << 20
        while size:
            try:
                file.write(b"\0" * size)
            except OSError:
                size //= 2


def flip(file: Path, offset: int = 1000) -> None:
    """Other bytes in the middle of a file, of the same length."""
    file.chmod(0o600)
    with file.open("r+b") as opened:
        opened.seek(offset)
        found = opened.read(64)
        opened.seek(offset)
        opened.write(bytes(byte ^ 0xFF for byte in found))


def cut(file: Path) -> None:
    """The second half is gone."""
    file.chmod(0o600)
    os.truncate(file, file.stat().st_size // 2)


def largest(folder: Path) -> Path:
    return max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


def some_files(source: Path) -> None:
    """A source as people have them: folders, an empty file, and names that a pattern would misread."""
    (source / "2024" / "summer [1]").mkdir(parents=True)
    (source / "2024" / "holiday.jpg").write_bytes(os.urandom(600_000))
    (source / "2024" / "summer [1]" / "what?*.txt").write_text("a name that is a pattern")
    (source / "2024" / "summer [1]" / "whatever.txt").write_text("not asked for")
    (source / "back\\slash and {brace}.txt").write_text("another one")
    (source / "notes für später.txt").write_text("milk, eggs")
    (source / "empty").write_bytes(b"")


async def until_done(argv: Sequence[str], environment: Mapping[str, str], folder: Path | None = None) -> str:
    """A program's output; it has to succeed."""
    child = await asyncio.create_subprocess_exec(
        *argv,
        env={**os.environ, **environment},
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        output, complaints = await child.communicate()
    assert child.returncode == 0, complaints.decode(errors="replace")
    return output.decode()


def needs(program: str, how: str) -> None:
    """Fail, and say how to get it, where a program is not installed."""
    if shutil.which(program) is None:
        pytest.fail(f"{program} is not installed: {how}, or run `deploy/real.sh`.", pytrace=False)


class Heard:
    """Progress as it was told."""

    def __init__(self) -> None:
        self.shares: list[float] = []

    def __call__(self, share: float, doing: str) -> None:
        assert doing
        assert share == -1 or 0 <= share <= 1
        self.shares.append(share)


def running_with(variable: str) -> list[str]:
    """The processes that have this (``NAME=value``) in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended meanwhile
            if variable.encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return found
