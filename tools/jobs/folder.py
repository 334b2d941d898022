"""What a job has on disk while it is under way, and that it is gone afterwards.

``STATE/jobs/ID.json``   the settings that the worker reads (0600; they name files with secrets, and hold none)
``TMP/jarvis-job-ID/``   every temporary file of the worker and its programs, as their TMPDIR. Others may pass through
                         it (0711), because a database's own user has to reach what was made for it, and cannot list it.
``STATE/jobs/worker.log``  what workers had to complain of
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

LOG_LIMIT_BYTES = 1_000_000

_PREFIX = "jarvis-job-"


def jobs_folder(state_dir: Path) -> Path:
    """Made if need be (0700). Raises OSError."""
    folder = state_dir / "jobs"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def settings_file(state_dir: Path, job_id: str) -> Path:
    """Where the worker of a job reads its settings."""
    return state_dir / "jobs" / f"{job_id}.json"


def write_settings(state_dir: Path, job_id: str, text: str) -> None:
    """For the worker's eyes only. Raises OSError."""
    jobs_folder(state_dir)
    handle = os.open(settings_file(state_dir, job_id), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def temporary_folder(job_id: str) -> Path:
    """Where a job's temporary files lie."""
    return Path(tempfile.gettempdir()) / f"{_PREFIX}{job_id}"


def open_log(state_dir: Path) -> int:
    """A descriptor to append to the workers' log, emptied when it has grown too long. Raises OSError."""
    path = jobs_folder(state_dir) / "worker.log"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    if os.fstat(handle).st_size > LOG_LIMIT_BYTES:
        os.ftruncate(handle, 0)
    return handle


def clear(state_dir: Path, job_id: str) -> None:
    """Remove what a job had; idempotent. What cannot be removed stays for the next start."""
    with suppress(OSError):
        settings_file(state_dir, job_id).unlink(missing_ok=True)
    folder = temporary_folder(job_id)
    if not folder.is_symlink() and folder.is_dir() and folder.stat().st_uid == os.getuid():
        _open_up(folder)
        shutil.rmtree(folder, ignore_errors=True)


def clear_left_overs(state_dir: Path, still_under_way: frozenset[str]) -> None:
    """Remove what is there of jobs that are not under way any more."""
    for path in (state_dir / "jobs").glob("*.json"):
        if path.stem not in still_under_way:
            clear(state_dir, path.stem)


def _open_up(folder: Path) -> None:
    """What was restored may be read-only or unreadable: each folder is made ours before it is looked into."""
    with suppress(OSError):
        folder.chmod(0o700)
        for parent, inner, _ in os.walk(folder):
            for path in (Path(parent) / name for name in inner):
                if not path.is_symlink():
                    path.chmod(0o700)
