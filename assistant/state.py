"""The state folder: where it is, who owns it now, and where the running server answers."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from pydantic import BaseModel, ValidationError

from assistant.errors import StateError

APP = "jarvis"
LOCK_WAIT_S = 3.0
LOCK_POLL_S = 0.1


class RunningServer(BaseModel):
    """``serve.json``: where ``jarvis serve`` answers. ``token`` is its own for local clients, new at every start."""

    pid: int
    url: str
    token: str
    version: str
    started: float


def default_state_dir() -> Path:
    """JARVIS_STATE, else the platform's own place."""
    named = os.environ.get("JARVIS_STATE")
    return Path(named) if named else Path(platformdirs.user_state_dir(APP))


@dataclass(frozen=True, slots=True)
class StateFolder:
    """The folder (0700) and what has a fixed name in it."""

    path: Path

    @classmethod
    def prepared(cls, path: Path) -> StateFolder:
        """Made if need be, and really writable. Raises StateError."""
        mend = "Set `state_dir` in jarvis.toml, or JARVIS_STATE, to a folder that you can write."
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe = path / f".writable-{os.getpid()}"
            probe.touch(mode=0o600)
            probe.unlink()
        except OSError as error:
            mend = _mend_of(error, path) or mend
            raise StateError(
                "unwritable", f"The state folder {path} cannot be used: {error.strerror}.", mend=mend
            ) from error
        return cls(path)

    @property
    def server_file(self) -> Path:
        """Where the running server is written down."""
        return self.path / "serve.json"

    @property
    def _lock_file(self) -> Path:
        return self.path / "lock"

    @contextmanager
    def owned(self, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
        """Own the folder; the kernel lets go of it when the process ends, however it ends.

        Raises StateError locked, with the owner's process id, when another process has it for longer than ``wait_s``.
        """
        try:
            handle = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            detail = f"{self._lock_file} cannot be opened: {error.strerror}."
            raise StateError("unwritable", detail, mend=_mend_of(error, self.path)) from error
        try:
            self._lock(handle, wait_s)
            with suppress(OSError):  # on a full disk it is owned all the same, and nobody is told by whom
                os.truncate(handle, 0)
                os.pwrite(handle, str(os.getpid()).encode(), 0)
            yield
        finally:
            os.close(handle)

    def _lock(self, handle: int, wait_s: float) -> None:
        until = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    raise StateError("unwritable", f"{self.path} cannot be locked: {error.strerror}.") from error
                if time.monotonic() >= until:
                    owner = os.pread(handle, 20, 0).decode(errors="replace").strip() or "unknown"
                    mend = "Wait for it, end it, or use another state folder (JARVIS_STATE)."
                    raise StateError("locked", f"{self.path} is in use by process {owner}.", mend=mend) from error
                time.sleep(LOCK_POLL_S)
            else:
                return

    def announce(self, server: RunningServer) -> None:
        """Write down where the server answers (0600, whole or not at all). Raises StateError."""
        partial = self.server_file.with_suffix(".partial")
        try:
            handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(server.model_dump_json())
            partial.replace(self.server_file)
        except OSError as error:
            detail = f"{self.server_file} cannot be written: {error.strerror}."
            raise StateError("unwritable", detail, mend=_mend_of(error, self.path)) from error

    def retract(self) -> None:
        """The server is gone. Idempotent."""
        self.server_file.unlink(missing_ok=True)

    def running_server(self) -> RunningServer | None:
        """The server that owns the folder now; a file left behind by a dead one is no server.

        The lock decides, and not the process id, which another program may have by now.
        """
        try:
            server = RunningServer.model_validate(json.loads(self.server_file.read_bytes()))
        except (OSError, ValueError, ValidationError):
            return None
        return server if self._is_owned() else None

    def _is_owned(self) -> bool:
        try:
            handle = os.open(self._lock_file, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(handle)
        return False


def _mend_of(error: OSError, folder: Path) -> str:
    """For a disk that is full, or mounted so that nothing can be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full: free some space for {folder}."
    if error.errno == errno.EROFS:
        return f"The disk of {folder} is mounted read-only: mount it writable. `dmesg` may say why."
    return ""
