"""A restore test of a restic job: restore the newest snapshot into scratch, let restic verify it, compare hashes."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools.backups import restic
from tools.contract import JsonObject
from tools.restore_tests.scratch import ScratchError, scratch_folder
from tools.settings import BackupSettings
from tools.store import Store

TIMEOUT_S = 3600.0


@dataclass(slots=True)
class Comparison:
    """What comparing restored files with their sources came to."""

    restored: int = 0
    compared: int = 0
    mismatches: list[str] = field(default_factory=list)


async def restore_test(job: str, settings: BackupSettings, state_dir: Path, store: Store) -> JsonObject:
    """Run the test and enter it into the ledger, passed or failed. Raises StoreError only.

    ``coverage_pct`` is the share of restored files that could be compared with a source that is older than the
    snapshot; the rest was verified by restic against the repository's own hashes.
    """
    started = time.time()
    snapshot_id, comparison, first_error = "", Comparison(), ""
    try:
        found = await restic.snapshots(settings)
        if not found:
            raise restic.ResticError("there is no snapshot to restore", broken=True)
        newest = found[-1]
        snapshot_id = newest.id
        comparison = await _restore_and_compare(settings, newest, state_dir)
        first_error = comparison.mismatches[0] if comparison.mismatches else ""
        if not comparison.restored:
            first_error = "nothing was restored"
    except restic.ResticError as error:
        first_error = error.reason
    except (ScratchError, OSError) as error:
        first_error = str(error)
    coverage = 100.0 * comparison.compared / comparison.restored if comparison.restored else 0.0
    record: JsonObject = {
        "job": job,
        "kind": settings.kind,
        "snapshot": snapshot_id,
        "level": "restored" if comparison.restored else "none",
        "sample_n": comparison.restored,
        "coverage_pct": round(coverage, 1),
        "mismatches": len(comparison.mismatches),
        "first_error": first_error or None,
        "duration_s": round(time.time() - started, 2),
    }
    ok = not first_error
    await asyncio.to_thread(store.add_restore_test, job, settings.kind, started, ok=ok, record=record)
    return {**record, "at": started, "ok": ok}


async def _restore_and_compare(settings: BackupSettings, snapshot: restic.Snapshot, state_dir: Path) -> Comparison:
    with scratch_folder(state_dir, snapshot.paths) as scratch:
        # Without the cache: it holds directory trees that the repository may have lost.
        argv = restic.arguments(settings, "--no-cache", "restore", snapshot.id, "--target", str(scratch), "--verify")
        await restic.run(settings, argv, TIMEOUT_S)
        made_here = snapshot.host == socket.gethostname()
        return await asyncio.to_thread(compare, scratch, snapshot.at if made_here else None)


def compare(scratch: Path, snapshot_at: float | None) -> Comparison:
    """SHA-256 of each restored file against the file it came from, where that is unchanged since the snapshot.

    ``snapshot_at`` is Unix time, or None for a snapshot of another machine, whose files only have the same paths.
    """
    comparison = Comparison()
    for restored in _files(scratch):
        comparison.restored += 1
        source = Path("/") / restored.relative_to(scratch)
        try:
            if snapshot_at is None or source.is_symlink() or not source.is_file():
                continue
            status = source.stat()
            if max(status.st_mtime, status.st_ctime) > snapshot_at:  # ctime: a copy may bring an old mtime along
                continue
            comparison.compared += 1
            if _sha256(source) != _sha256(restored):
                comparison.mismatches.append(f"{source} came back different")
        except OSError as error:
            comparison.mismatches.append(f"{source} cannot be compared: {error.strerror}")
    return comparison


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
