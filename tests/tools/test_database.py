"""The one way in: what a file is looked at for, how it is brought to the newest schema, and what is said when it is not
to be used."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tools.database import DatabaseError, Fault, Schema, open_database
from tools.keeping.copies import copies_of

ONE = Schema(("CREATE TABLE things (name TEXT);",))
TWO = Schema((*ONE.migrations, "ALTER TABLE things ADD COLUMN size INTEGER; UPDATE things SET size = 1;"))
BROKEN = Schema((*ONE.migrations, "ALTER TABLE things ADD COLUMN size INTEGER; INSERT INTO nothing VALUES (1);"))
NOW = 1_800_000_000.0

CHILD = """
import os, sys
from pathlib import Path
from tools.database import Schema, open_database

def step(db):
    db.execute("ALTER TABLE things ADD COLUMN size INTEGER")
    db.execute("PRAGMA cache_size=1")
    db.executemany("INSERT INTO things VALUES (?, 2)", [("x" * 3000,) for _ in range(500)])
    print("in the middle", flush=True)
    sys.stdin.readline()

open_database(Path(sys.argv[1]), Schema(("CREATE TABLE things (name TEXT);", step)))
print("done", flush=True)
"""
"""Waits in the middle of a migration, with pages of it on the disk already."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "things.db"


def filled(path: Path, schema: Schema = ONE, rows: int = 3) -> None:
    with closing(open_database(path, schema)) as db:
        db.executemany("INSERT INTO things (name) VALUES (?)", [(f"thing {n}" + "x" * 500,) for n in range(rows)])


def names(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return [row[0][:7] for row in db.execute("SELECT name FROM things ORDER BY rowid")]


def refused(opening: Callable[[], object]) -> DatabaseError:
    with pytest.raises(DatabaseError) as caught:
        opening()
    return caught.value


def damage(path: Path) -> None:
    """Every page but the first."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))


def test_a_new_file_is_for_its_owner_only_and_needs_no_copy(path: Path) -> None:
    filled(path)
    assert (stat.S_IMODE(path.parent.stat().st_mode), stat.S_IMODE(path.stat().st_mode)) == (0o700, 0o600)
    assert copies_of(path) == []


def test_before_a_migration_a_copy_is_made_and_named_after_both_versions(path: Path) -> None:
    filled(path)
    with closing(open_database(path, TWO, clock=lambda: NOW)) as db:
        assert db.execute("SELECT DISTINCT size FROM things").fetchall() == [(1,)]
    (copy,) = copies_of(path)
    assert copy.path.name == "things-000001-20270115T080000Z-v1-before-v2.db"
    assert (copy.schema, copy.before, copy.at) == (1, 2, NOW)
    assert stat.S_IMODE(copy.path.stat().st_mode) == 0o600
    assert names(copy.path) == names(path) == ["thing 0", "thing 1", "thing 2"]


def test_a_migration_that_fails_leaves_the_file_as_it_was_and_says_so(path: Path) -> None:
    filled(path)
    problem = refused(lambda: open_database(path, BROKEN))
    assert problem.fault is Fault.MIGRATION
    assert "could not be brought to schema 2" in str(problem)
    assert "is as it was" in str(problem)
    open_database(path, ONE).close()
    assert names(path) == ["thing 0", "thing 1", "thing 2"]


def test_without_room_for_the_copy_nothing_is_migrated(path: Path) -> None:
    filled(path)
    (path.parent / "copies").write_text("a file where the folder should be")
    refused(lambda: open_database(path, TWO))
    open_database(path, ONE).close()


def test_killed_in_the_middle_of_a_migration_the_next_start_is_whole(path: Path) -> None:
    filled(path)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "in the middle\n"
        assert path.with_name("things.db-journal").stat().st_size > 0
        child.send_signal(signal.SIGKILL)
        child.wait(30)
    finally:
        child.kill()
        child.communicate()
    with closing(open_database(path, TWO)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("SELECT COUNT(*), MAX(size) FROM things").fetchall() == [(3, 1)]
    assert [copy.before for copy in copies_of(path)] == [2, 2]


def test_a_file_of_a_newer_version_is_refused_and_says_whether_there_is_a_way_back(path: Path) -> None:
    filled(path)
    open_database(path, TWO).close()
    problem = refused(lambda: open_database(path, ONE))
    assert problem.fault is Fault.NEWER
    assert "newer version of Jarvis (schema 2)" in str(problem)
    assert "jarvis state rollback" in str(problem)
    shutil.rmtree(path.parent / "copies")
    assert "rollback" not in str(refused(lambda: open_database(path, ONE)))


def test_damage_that_sqlite_would_only_meet_later_is_seen_when_it_is_opened(path: Path) -> None:
    filled(path, rows=200)
    damage(path)
    problem = refused(lambda: open_database(path, ONE))
    assert problem.fault is Fault.DAMAGED
    assert "is damaged" in str(problem)


def test_a_file_that_somebody_holds_is_waited_for_and_then_said_to_be_held(path: Path) -> None:
    filled(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        problem = refused(lambda: open_database(path, ONE, busy_s=0.2))
    assert problem.fault is Fault.LOCKED
    assert time.monotonic() - began >= 0.2
    assert "did not let go of it within 0.2 seconds" in str(problem)


def test_where_there_is_none_none_is_made_unless_it_is_wanted(path: Path) -> None:
    refused(lambda: open_database(path, ONE, make=False))
    assert not path.exists()


def test_a_step_may_be_code(path: Path) -> None:
    filled(path)

    def step(db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM things WHERE name LIKE 'thing 1%'")

    open_database(path, Schema((*ONE.migrations, step))).close()
    assert names(path) == ["thing 0", "thing 2"]
