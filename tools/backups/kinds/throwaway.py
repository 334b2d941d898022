"""A database server for the time of one proof: in the scratch folder, on a unix socket only, and gone afterwards.

It runs as a user of its own where we are root (PostgreSQL refuses root, and a dump runs as code in it), ends with the
block however that is left, and with this process should that be killed.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tools.backups.kinds.dump_files import os_fault
from tools.backups.kinds.target import not_run
from tools.backups.port import BackupError, Fault
from tools.program import ProgramError, Started, started

READY_WITHIN_S = 60.0
ASKED_AGAIN_S = 0.05

_OURS = "jarvis-of-"
SOCKETS, PASSWORDS = "database", "password"


@asynccontextmanager
async def data_folder(scratch: Path, name: str, user: str | None) -> AsyncIterator[tuple[Path, int]]:
    """An empty folder below ``scratch`` that belongs to ``user``, as a path and as an open descriptor; removed after.

    ``/proc/self/fd/N`` of a program that inherits the descriptor is that folder even where the program's user cannot
    pass the folders above it, as below a 0700 folder of root.
    """
    folder = scratch / name
    try:
        await asyncio.to_thread(_make, folder, user)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise os_fault(error, "the scratch folder cannot be used") from error
    try:
        yield folder, descriptor
    finally:
        os.close(descriptor)
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))


@asynccontextmanager
async def temporary(purpose: str, user: str | None = None) -> AsyncIterator[Path]:
    """A folder with a short path (a socket's has 107 bytes at most), 0700 for ``user``; removed afterwards.

    Those that a killed process left, a password's file among them, are removed first: they are named after it.
    """
    await asyncio.to_thread(_clear)
    try:
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=f"{_OURS}{purpose}-{os.getpid()}-"))
        await asyncio.to_thread(_give, folder, user)
    except OSError as error:
        raise os_fault(error, "the folder for temporary files cannot be used") from error
    try:
        yield folder
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))


@asynccontextmanager
async def server(
    argv: Sequence[str],
    *,
    name: str,
    answers: Callable[[], Awaitable[bool]],
    environment: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    ended_by: signal.Signals,
) -> AsyncIterator[Started]:
    """Run it for the time of the block, from when it ``answers``. Raises BackupError."""
    try:
        async with started(
            argv, environment=environment, folder=Path("/"), quiet=True, pass_fds=pass_fds, ended_by=ended_by
        ) as running:
            await _until_ready(running, name, answers)
            yield running
    except ProgramError as error:
        raise not_run(error) from error


async def _until_ready(running: Started, name: str, answers: Callable[[], Awaitable[bool]]) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while not await answers():
        if not running.running:
            said = (await running.ended()).complaints
            if "no space left on device" in said.casefold():
                raise BackupError(Fault.DISK_FULL, "the scratch folder's disk is full")
            raise BackupError(Fault.FAILED, f"a throwaway {name} does not start: {last_line(said)}")
        if time.monotonic() > until:
            raise BackupError(Fault.TIMED_OUT, f"a throwaway {name} did not start within {READY_WITHIN_S:g} seconds")
        await asyncio.sleep(ASKED_AGAIN_S)


def as_user(user: str | None, *, ends_with_us: signal.Signals | None = None) -> list[str]:
    """What stands before an argv so that it runs as ``user`` (None: as we do), and dies with us."""
    if shutil.which("setpriv") is None:  # not Linux: no way to be told of our end
        return []
    changed = [f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups"] if user else []
    dying = [f"--pdeathsig={ends_with_us.name.removeprefix('SIG')}"] if ends_with_us else []
    return ["setpriv", *changed, *dying, "--"] if changed or dying else []


def user_for(name: str) -> str | None:
    """The user to run a server as: None is ourselves, where we are not root. Raises BackupError not_installed."""
    if os.geteuid() != 0:
        return None
    if shutil.which("setpriv") is None:
        raise BackupError(Fault.NOT_INSTALLED, "setpriv (package util-linux) is not installed")
    try:
        pwd.getpwnam(name)
    except KeyError:
        raise BackupError(Fault.NOT_INSTALLED, f"there is no user {name} to run its server as") from None
    return name


def last_line(said: str) -> str:
    """The last that a program complained of, for a reason."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:200].rstrip(".") if lines else "it says nothing"


def _make(folder: Path, user: str | None) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    _give(folder, user)


def _give(folder: Path, user: str | None) -> None:
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(folder, entry.pw_uid, entry.pw_gid)


def _clear() -> None:
    for purpose in (SOCKETS, PASSWORDS):
        for folder in Path(tempfile.gettempdir()).glob(f"{_OURS}{purpose}-*"):
            owner = folder.name.removeprefix(f"{_OURS}{purpose}-").partition("-")[0]
            if owner.isdecimal() and not folder.is_symlink() and _is_over(int(owner)):
                shutil.rmtree(folder, ignore_errors=True)


def _is_over(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False  # alive, and somebody else's
    return False
