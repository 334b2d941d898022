"""What a restic repository says of a job. Fixed argv, the password by file, its own time limit, no lock taken."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tools.settings import BackupSettings

OUTPUT_LIMIT_BYTES = 32_000_000
"""``snapshots --json`` of some ten thousand snapshots; more is no list that a person made."""

COMPLAINTS_LIMIT_BYTES = 1_000_000
"""Of standard error: restic says one line for each file that it cannot restore."""

_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "TMPDIR", "SSH_AUTH_SOCK", "XDG_CACHE_HOME")


class ResticError(Exception):
    """restic could not be run or said no. ``broken``: the repository itself is to blame."""

    def __init__(self, reason: str, *, broken: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.broken = broken


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One of restic's snapshots, a backup in our words; ``at`` is Unix time of its start, ``host`` its machine."""

    id: str
    at: float
    host: str
    paths: tuple[str, ...]
    summary: dict[str, Any]


def arguments(settings: BackupSettings, *command: str) -> list[str]:
    """restic's argv; nothing secret is in it: the repository, whose URL may carry a password, goes by environment.

    Raises ResticError when no repository is configured.
    """
    if not settings.repository:
        raise ResticError("no repository is configured", broken=False)
    return ["restic", *command]


def shown(repository: str | None) -> str | None:
    """The repository for people and programs: the password that its URL may carry is left out."""
    return re.sub(r"(://[^/\s:@]*):[^/\s]+@", r"\1:…@", repository) if repository else repository


def selection(settings: BackupSettings) -> list[str]:
    """The options that choose this job's snapshots."""
    chosen = [option for path in settings.paths for option in ("--path", path)]
    if settings.tags:
        chosen += ["--tag", ",".join(settings.tags)]
    if settings.host:
        chosen += ["--host", settings.host]
    return chosen


async def run(settings: BackupSettings, argv: Sequence[str], timeout_s: float) -> bytes:
    """restic's standard output. Raises ResticError with the reason in words; the child never outlives the call."""
    environment = {key: os.environ[key] for key in _KEPT_ENVIRONMENT if key in os.environ}
    if settings.repository:
        environment["RESTIC_REPOSITORY"] = settings.repository
    if settings.password_file is not None:
        environment["RESTIC_PASSWORD_FILE"] = str(settings.password_file)
    try:
        child = await asyncio.create_subprocess_exec(
            *argv,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # its own group, so that ssh or rclone below it end with it
        )
    except FileNotFoundError as error:
        raise ResticError("restic is not installed", broken=False) from error
    except OSError as error:
        raise ResticError(f"restic cannot be started: {error.strerror}", broken=False) from error
    try:
        async with asyncio.timeout(timeout_s):
            output, complaints = await _read(child)
    except TimeoutError as error:
        raise ResticError(f"restic did not answer within {timeout_s:g} seconds", broken=False) from error
    finally:
        with suppress(ProcessLookupError):  # all of the group may have ended
            os.killpg(child.pid, signal.SIGKILL)
        await child.communicate()  # wait() alone waits for ever when a pipe is full
    if child.returncode:
        said = complaints.decode(errors="replace").replace(settings.repository or "\n", "")
        raise _refusal(child.returncode, said)
    return output


async def _read(child: asyncio.subprocess.Process) -> tuple[bytes, bytes]:
    """Both streams to their ends, the first bounded; then the exit."""

    async def bounded(stream: asyncio.StreamReader | None, limit: int) -> bytes:
        kept = bytearray()
        while stream is not None and (piece := await stream.read(65536)):
            if len(kept) + len(piece) > limit:
                raise ResticError("restic printed more than can be read", broken=False)
            kept += piece
        return bytes(kept)

    reads = [
        asyncio.create_task(bounded(child.stdout, OUTPUT_LIMIT_BYTES)),
        asyncio.create_task(bounded(child.stderr, COMPLAINTS_LIMIT_BYTES)),
    ]
    try:
        output, complaints = await asyncio.gather(*reads)
    finally:
        for read in reads:
            read.cancel()
        await asyncio.wait(reads)  # a stream has one reader at a time
    await child.wait()
    return output, complaints


_UNREACHABLE = (
    "connection refused", "connection timed out", "connection reset", "no such host", "no route to host",
    "network is unreachable", "i/o timeout", "tls handshake timeout", "unable to start the sftp session",
)  # fmt: skip
_DAMAGED = (
    "ciphertext verification failed", "invalid data returned", "not found in repository", "not found in index",
    "streampack", "load(<", "unable to load index", "wrong hash", "hash mismatch",
)  # fmt: skip


def _refusal(code: int, complaints: str) -> ResticError:
    """restic ≥ 0.17 tells by exit code (10 no repository, 11 locked, 12 wrong password), older ones in text only."""
    text = complaints.casefold()
    if code == 12 or "wrong password" in text:
        return ResticError("the password is wrong", broken=True)
    if "password" in text and ("empty" in text or "no such file" in text or "resolv" in text):
        return ResticError("its password file cannot be read", broken=False)
    if any(words in text for words in _UNREACHABLE):
        return ResticError("its repository can't be reached", broken=False)
    if "permission denied" in text:
        return ResticError("permission is denied", broken=False)
    if code == 10 or "is there a repository" in text or "unable to open config file" in text:
        return ResticError("there is no repository at its place", broken=True)
    if code == 11 or "already locked" in text:
        return ResticError("the repository is locked by another program", broken=False)
    if "no space left on device" in text:
        return ResticError("the disk is full", broken=False)
    if any(words in text for words in _DAMAGED):
        return ResticError("the repository is damaged", broken=True)
    return ResticError(f"restic failed with exit code {code}", broken=False)


READ_AGAIN_S = 3600.0
"""A repository that has not changed is read again after this long all the same: what lies on a disk can rot."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read, of a repository in that state, and when (monotonic)."""

    state: tuple[object, ...]
    at: float
    snapshots: tuple[Snapshot, ...]


_known: dict[tuple[object, ...], _Known] = {}


async def snapshots(settings: BackupSettings) -> list[Snapshot]:
    """This job's snapshots, oldest first. Raises ResticError.

    restic takes half a second to make a key of the password, each time. Snapshot files are never changed, only added
    and removed, so a repository on this machine whose lists of snapshots and keys are the same is not read again.
    """
    asked = (settings.repository, settings.password_file, *selection(settings))
    state = await asyncio.to_thread(_state, settings)
    known = _known.get(asked)
    if known is not None and known.state == state and time.monotonic() - known.at < READ_AGAIN_S:
        return list(known.snapshots)
    found = await _read_snapshots(settings)
    if state is not None:
        _known[asked] = _Known(state, time.monotonic(), tuple(found))
    return found


def _state(settings: BackupSettings) -> tuple[object, ...] | None:
    """Names, sizes and times of what a local repository lists; None where it is elsewhere or cannot be looked at."""
    if not settings.repository or ":" in settings.repository or settings.password_file is None:
        return None
    root = Path(settings.repository)
    try:
        looked_at = [settings.password_file, root / "config"]
        for folder in ("snapshots", "keys"):
            looked_at += sorted((root / folder).iterdir())
        return tuple((str(path), (found := path.stat()).st_size, found.st_mtime_ns) for path in looked_at)
    except OSError:
        return None


async def _read_snapshots(settings: BackupSettings) -> list[Snapshot]:
    argv = arguments(settings, "--no-lock", "--json", "snapshots", *selection(settings))
    output = await run(settings, argv, settings.timeout_s)
    try:
        listed = json.loads(output or b"null") or []
        found = [
            Snapshot(
                id=str(entry["id"]),
                host=str(entry.get("hostname") or ""),
                at=datetime.fromisoformat(_to_microseconds(str(entry["time"]))).timestamp(),
                paths=tuple(str(path) for path in entry.get("paths") or ()),
                summary=dict(entry.get("summary") or {}),
            )
            for entry in listed
        ]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ResticError("restic answered with something that is no list of snapshots", broken=False) from error
    return sorted(found, key=lambda snapshot: snapshot.at)


def _to_microseconds(stamp: str) -> str:
    """Go's nanoseconds cut to what Python reads: ``2026-05-13T10:00:00.123456789+02:00`` → six digits."""
    head, dot, rest = stamp.partition(".")
    if not dot:
        return stamp
    digits = len(rest) - len(rest.lstrip("0123456789"))
    return f"{head}.{rest[:digits][:6].ljust(6, '0')}{rest[digits:]}"
