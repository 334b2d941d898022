"""Copies of a database that is in use, by SQLite itself: made, proven, pruned; and every fault."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.real.backups.asking import Asked, ask, fault_of, silent
from tests.real.backups.ground import Seed
from tests.real.backups.ground_sqlite import TheGround
from tests.real.backups.spoiling import fill
from tools.backups.kinds import make
from tools.backups.kinds.sqlite import Sqlite
from tools.backups.port import Fault, Proof, Pruned

pytestmark = pytest.mark.real_server


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[TheGround]:
    made = TheGround(tmp_path / "what's in here?")
    made.folder.mkdir()
    try:
        await made.prepare()
        yield made
    finally:
        await made.close()


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    made = tmp_path / "scratch"
    made.mkdir()
    return made


def adapter(ground: TheGround) -> Sqlite:
    made = make(ground.settings)
    assert isinstance(made, Sqlite)
    return made


async def proof(ground: TheGround, scratch: Path, number: int = -1) -> Proof:
    kind = adapter(ground)
    return await kind.prove((await kind.look()).copies[number], scratch, silent)


async def test_a_copy_is_proven_with_its_tables_and_rows(ground: TheGround, scratch: Path) -> None:
    kind = adapter(ground)
    found = await kind.look()
    assert len(found.copies) == 1
    copy = found.copies[0]
    assert (copy.complete, copy.here, copy.size) == (True, True, await kind.size(copy))
    proven = await kind.prove(copy, scratch, silent)
    assert (proven.level, proven.checked, proven.of, proven.mismatches) == ("app", 2, 2, ())
    assert proven.said == "2 tables with 1,020 rows"
    verified = await kind.verify("data", silent)
    assert (verified.level, verified.share) == ("data", 1.0)


async def test_a_database_is_copied_as_it_was_while_others_write_to_it(ground: TheGround, scratch: Path) -> None:
    """In WAL mode, with changes that are in no main file yet, and a writer that goes on during the copy."""
    with closing(sqlite3.connect(ground.database, isolation_level=None)) as writing:
        writing.execute("PRAGMA journal_mode = WAL")
        writing.execute("INSERT INTO users VALUES (100, 'before')")
        added = 0

        def write(_share: float, doing: str) -> None:
            nonlocal added
            writing.execute("INSERT INTO users (name) VALUES (?)", (doing,))
            added += 1

        await adapter(ground).back_up(write)
        assert added
        assert writing.execute("SELECT count(*) FROM users").fetchone()[0] == 21 + added
    proven = await proof(ground, scratch)
    assert proven.mismatches == ()
    assert proven.evidence["tables"] == {"users": 21, "secrets": 1000}
    assert [path.name for path in ground.place.iterdir() if path.name.endswith(("-wal", "-shm", ".part"))] == []


async def test_a_copy_that_lost_rows_is_no_proof(ground: TheGround, scratch: Path) -> None:
    """Whole by its own structure, and not what was backed up."""
    with closing(sqlite3.connect(ground.newest)) as changed, changed:
        changed.execute("DELETE FROM secrets WHERE id < 400")
        changed.execute("DELETE FROM users WHERE id = 19")
    _vouch_for(ground.newest)
    proven = await proof(ground, scratch)
    assert proven.mismatches == (
        "the table secrets has 600 rows instead of 1,000",
        "the table users has 19 rows instead of 20",
        "30 rows lack what they refer to",
    )


async def test_damage_that_no_hash_knows_is_found_by_sqlite(ground: TheGround, scratch: Path) -> None:
    other = "CREATE INDEX by_user ON secrets (text)"  # which is not what stands in the index
    with closing(sqlite3.connect(ground.newest)) as changed, changed:
        changed.execute("PRAGMA writable_schema = ON")
        changed.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'by_user'", (other,))
    _vouch_for(ground.newest)
    proven = await proof(ground, scratch)
    assert proven.mismatches
    assert proven.checked == 0
    assert (await fault_of(adapter(ground).verify("data", silent))).fault is Fault.DAMAGED


async def test_a_copy_by_somebody_else_is_checked_with_nothing_to_compare(ground: TheGround, scratch: Path) -> None:
    shutil.rmtree(ground.place)
    ground.place.mkdir()
    shutil.copy(ground.database, ground.place / "vault-of-cron.db")
    proven = await proof(ground, scratch)
    assert (proven.checked, proven.mismatches) == (2, ())
    assert proven.said == "2 tables with 1,020 rows, with nothing to compare them to"
    assert await adapter(ground).prune(silent) == Pruned(removed=0, freed=0)


async def test_damage_is_named(ground: TheGround, scratch: Path) -> None:
    await ground.seeds["damaged"]()
    assert (await fault_of(proof(ground, scratch))).fault is Fault.DAMAGED
    assert (await fault_of(adapter(ground).verify("data", silent))).fault is Fault.DAMAGED


async def test_something_else_under_the_name_of_a_copy_is_damage(ground: TheGround, scratch: Path) -> None:
    ground.newest.write_bytes(os.urandom(ground.newest.stat().st_size))
    assert (await fault_of(adapter(ground).verify("metadata", silent))).fault is Fault.DAMAGED


SPOILED: list[tuple[Seed, Asked, Fault]] = [
    ("no_repository", "look", Fault.NO_REPOSITORY),
    ("no_repository", "back_up", Fault.NO_REPOSITORY),
    ("not_mounted", "look", Fault.NOT_MOUNTED),
    ("not_mounted", "back_up", Fault.NOT_MOUNTED),
    ("locked", "back_up", Fault.LOCKED),
    ("truncated", "look", Fault.TRUNCATED),
    ("truncated", "verify", Fault.TRUNCATED),
    ("source_missing", "back_up", Fault.SOURCE_MISSING),
    ("disk_full", "back_up", Fault.DISK_FULL),
]


@pytest.mark.parametrize("seed, asked, fault", SPOILED)
async def test_each_fault_is_named(ground: TheGround, seed: Seed, asked: Asked, fault: Fault) -> None:
    await ground.seeds[seed]()
    assert (await fault_of(ask(adapter(ground), asked))).fault is fault
    assert list(ground.folder.rglob("*.part*")) == []


async def test_pruning_that_fails_is_told_and_else_leaves_the_newest(ground: TheGround) -> None:
    await ground.seeds["prune_failed"]()
    newest = ground.newest
    assert (await fault_of(adapter(ground).prune(silent))).fault is Fault.FAILED
    await ground.spoiling.close()
    assert (await adapter(ground).prune(silent)).removed == 1
    assert list(ground.place.glob("*.sqlite")) == [newest]


async def test_a_source_that_is_damaged_gives_no_copy(ground: TheGround) -> None:
    with ground.database.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(20_000))
    error = await fault_of(adapter(ground).back_up(silent))
    assert (error.fault, error.reason) == (Fault.FAILED, "the database itself is damaged, so no copy was made")
    assert len((await adapter(ground).look()).copies) == 1


async def test_a_cancelled_run_leaves_no_copy(ground: TheGround) -> None:
    with closing(sqlite3.connect(ground.database)) as larger, larger:
        larger.executemany("INSERT INTO secrets (text) VALUES (?)", [(os.urandom(100_000),) for _ in range(300)])
    begun = asyncio.Event()

    def hear(share: float, _doing: str) -> None:
        begun.set()

    run = asyncio.create_task(adapter(ground).back_up(hear))
    await begun.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert len((await adapter(ground).look()).copies) == 1
    assert sorted(path.suffix for path in ground.place.iterdir()) == [".json", ".sqlite"]


async def test_a_scratch_folder_that_is_full_is_told(ground: TheGround) -> None:
    small = ground.folder / "small"
    ground.spoiling.small_disk(small, 1)
    fill(small)
    assert (await fault_of(proof(ground, small))).fault is Fault.DISK_FULL


def _vouch_for(copy: Path) -> None:
    """Size and hash of the manifest are made those of the file, so that only SQLite can tell."""
    written = copy.with_name(copy.name + ".manifest.json")
    manifest = json.loads(written.read_text())
    content = copy.read_bytes()
    manifest |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    written.write_text(json.dumps(manifest))
