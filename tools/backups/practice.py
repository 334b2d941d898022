"""Backups to practise on: ``python -m tools.backups.practice --settings FILE.json --state DIR JOB=STEP,STEP…``.

What the demo homelab is made with. Each job is made, spoiled and proven with the real programs, through the adapters
and into the same records as anybody's. Steps: ``run``, ``test``; ``age`` (a backup whose last run is days ago),
``database`` (a run against a server that exists for it alone), ``damage`` (bytes of the newest dump are flipped).

Prints a line of JSON for each step; a job stops at the first that fails for want of a program. Exit code 3: settings or
state folder cannot be used. Never point it at a job of your own: two of the steps spoil it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from tools.backups.kinds import make, targets
from tools.backups.kinds.manifest import read_marker, stamp
from tools.backups.kinds.postgres_client import program
from tools.backups.kinds.postgres_server import throwaway_postgres
from tools.backups.port import BackupError, Fault
from tools.backups.records import BackupRecords
from tools.backups.run import run_backup
from tools.program import ProgramError, run
from tools.restore_tests.testing import test_restore
from tools.settings import BackupSettings, DatabaseSettings, ToolSettings
from tools.store import Store, StoreError

AGE_S = 64 * 3600.0
"""Of the last run of a job that is late: people call it three days, today as tomorrow."""

SEED = 8
ROOM_BYTES = 2_000_000_000
STEP_TIMEOUT_S = 90.0
DATABASE = "homelab"
SQL = """
CREATE TABLE recipes (id serial PRIMARY KEY, name text NOT NULL, minutes int);
INSERT INTO recipes (name, minutes) SELECT 'for the demo, ' || md5(n::text), n % 90 FROM generate_series(1, 4000) n;
CREATE TABLE notes (id int PRIMARY KEY, recipe int REFERENCES recipes, words text);
INSERT INTO notes SELECT n, n, repeat(md5((n * 7)::text), 4) FROM generate_series(1, 4000) n;
"""
UNUSABLE = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tools.backups.practice", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="ToolSettings as JSON")
    parser.add_argument("--state", type=Path, required=True, help="state folder")
    parser.add_argument("plan", nargs="+", metavar="JOB=STEP,…")
    options = parser.parse_args(arguments)
    try:
        settings = ToolSettings.model_validate_json(options.settings.read_bytes())
        plan = [_chain(settings, text) for text in options.plan]
        with Store(options.state / "jarvis.db") as store:
            asyncio.run(_all(plan, BackupRecords(store), options.state))
    except (OSError, ValidationError, StoreError, KeyError) as error:
        sys.stderr.write(f"{error}\n")
        return UNUSABLE
    return 0


Chain = tuple[str, BackupSettings, list[str]]


def _chain(settings: ToolSettings, text: str) -> Chain:
    """Raises KeyError for a job or a step that is not there."""
    job, _, steps = text.rpartition("=")
    named = steps.split(",")
    if unknown := set(named) - set(STEPS):
        raise KeyError(f"unknown steps: {', '.join(sorted(unknown))}")
    return job, settings.backups[job], named


async def _all(plan: Sequence[Chain], records: BackupRecords, state: Path) -> None:
    """Jobs of one repository one after another, the others at the same time."""
    by_place: dict[str, list[Chain]] = defaultdict(list)
    for chain in plan:
        by_place[chain[1].repository or chain[0]].append(chain)
    async with asyncio.TaskGroup() as group:
        for chains in by_place.values():
            group.create_task(_one_after_another(chains, records, state))


async def _one_after_another(chains: Iterable[Chain], records: BackupRecords, state: Path) -> None:
    for job, settings, steps in chains:
        for name in steps:
            try:
                async with asyncio.timeout(STEP_TIMEOUT_S):
                    ok, spoken = await STEPS[name](job, settings, records, state)
            except BackupError as error:
                ok, spoken = False, error.reason
            except TimeoutError:
                ok, spoken = False, f"it was not done within {STEP_TIMEOUT_S:g} seconds"
            sys.stdout.write(json.dumps({"job": job, "step": name, "ok": ok, "spoken": spoken}) + "\n")
            sys.stdout.flush()
            if not ok and name != "test":
                break


async def _run(job: str, settings: BackupSettings, records: BackupRecords, _: Path) -> tuple[bool, str]:
    report = await run_backup(job, settings, records, progress=_quietly)
    return report.ok, report.spoken


async def _test(job: str, settings: BackupSettings, records: BackupRecords, state: Path) -> tuple[bool, str]:
    report = await test_restore(
        job, settings, records, state, seed=SEED, max_bytes=ROOM_BYTES, progress=_quietly, whole=True
    )
    return report.ok, report.spoken


async def _age(job: str, settings: BackupSettings, records: BackupRecords, _: Path) -> tuple[bool, str]:
    """A snapshot of rsync's, made now; then its name and its marker say that it was made AGE_S ago."""
    kind = make(settings)
    made = await kind.back_up(_quietly)
    await asyncio.to_thread(_make_old, Path(settings.repository or ""), made.id, made.at - AGE_S)
    at = time.time()
    await asyncio.to_thread(records.keep_look, job, "", at, await kind.look(), None)
    return True, ""


def _make_old(folder: Path, name: str, at: float) -> None:
    marker = folder / name / ".jarvis" / "complete.json"
    known = read_marker(marker.read_bytes())
    if known is None:
        raise BackupError(Fault.NONSENSE, "the snapshot has no marker")
    marker.write_bytes(replace(known, id=stamp(at), at=at).dump())
    (folder / name).rename(folder / stamp(at))


async def _database(job: str, settings: BackupSettings, records: BackupRecords, state: Path) -> tuple[bool, str]:
    """The server is there for the dump alone: the demo needs none afterwards."""
    await asyncio.to_thread(state.mkdir, mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="database-", dir=state) as scratch:
        async with throwaway_postgres(Path(scratch), STEP_TIMEOUT_S) as server:
            await _sql(server.environment, "postgres", f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8'")
            await _sql(server.environment, DATABASE, SQL)
            database = DatabaseSettings(name=DATABASE, host=server.environment["PGHOST"], port=5432, user="postgres")
            return await _run(job, settings.model_copy(update={"database": database}), records, state)


async def _sql(environment: dict[str, str], database: str, text: str) -> None:
    argv = [program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database]
    try:
        ended = await run(argv, timeout_s=STEP_TIMEOUT_S, environment=environment, stdin=text.encode())
    except ProgramError as error:
        raise BackupError(Fault.FAILED, str(error)) from error
    if ended.code:
        raise BackupError(Fault.FAILED, f"psql ended with {ended.code}: {ended.complaints.strip()[:200]}")


async def _damage(job: str, settings: BackupSettings, records: BackupRecords, _: Path) -> tuple[bool, str]:
    """A disk that rots: the dump has its size and its name, and what is in it is not what was written."""
    await asyncio.to_thread(_flip, targets(settings)[0].folder or Path())
    return True, ""


def _flip(folder: Path) -> None:
    newest = max(folder.glob("*.dump"), key=lambda path: path.stat().st_mtime)
    content = bytearray(newest.read_bytes())
    for at in range(len(content) // 2, min(len(content) // 2 + 64, len(content))):
        content[at] ^= 0xFF
    newest.write_bytes(content)


def _quietly(share: float, doing: str) -> None:
    """Nobody watches."""


Step = Callable[[str, BackupSettings, BackupRecords, Path], Awaitable[tuple[bool, str]]]
STEPS: Mapping[str, Step] = {"run": _run, "test": _test, "age": _age, "database": _database, "damage": _damage}
"""Each gives whether it went well, and a sentence."""


if __name__ == "__main__":
    sys.exit(main())
