"""The adapter for MariaDB with real servers: dumps, their proof in a throwaway server, and every fault."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.real.backups.argvs import seen_argvs
from tests.real.backups.ground_mariadb import PASSWORD, TheGround
from tests.real.backups.servers import let_through, listing, nothing_left, running, temporary
from tests.real.backups.spoiling import cut, flip
from tools.backups.kinds.dump_files import MANIFEST, STILL_WRITTEN_S
from tools.backups.kinds.mariadb import MariaDbDump
from tools.backups.kinds.target import targets
from tools.backups.port import BackupError, Fault
from tools.settings import BackupSettings

pytestmark = [pytest.mark.real_server, pytest.mark.asyncio(loop_scope="module")]


def nobody(share: float, doing: str) -> None:
    """Progress that nobody reads."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TheGround]:
    """One server with one good dump, for all tests here: none changes it."""
    made = TheGround(tmp_path_factory.mktemp("mariadb"))
    try:
        await made.prepare()
        yield made
    finally:
        await made.close()


@pytest.fixture
def settings(ground: TheGround, tmp_path: Path) -> BackupSettings:
    """The dumps as a copy of this test's own."""
    shutil.copytree(ground.place, tmp_path / "dumps")
    return ground.settings.model_copy(update={"repository": str(tmp_path / "dumps")})


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir(mode=0o700)
    return tmp_path / "scratch"


def adapter(settings: BackupSettings) -> MariaDbDump:
    return MariaDbDump(settings, targets(settings)[0])


def newest(settings: BackupSettings) -> Path:
    return max(Path(settings.repository or "").glob("*.sql.gz"))


def foreign(settings: BackupSettings, text: bytes) -> Path:
    """A dump that somebody else made, and the only one there."""
    folder = Path(settings.repository or "")
    shutil.rmtree(folder)
    folder.mkdir()
    dump = folder / "photos.sql"
    dump.write_bytes(text)
    os.utime(dump, (time.time() - 2 * STILL_WRITTEN_S,) * 2)
    return dump


async def prove(settings: BackupSettings, scratch: Path) -> tuple[str, ...]:
    kind = adapter(settings)
    (*_, copy) = (await kind.look()).copies
    return (await kind.prove(copy, scratch, nobody)).mismatches


async def test_a_dump_is_made_and_proven_by_its_rows_without_its_password_in_any_argv(
    settings: BackupSettings, scratch: Path
) -> None:
    kind = adapter(settings)
    with seen_argvs() as argvs:
        copy = await kind.back_up(nobody)
        found = await kind.look()
        proof = await kind.prove(copy, scratch, nobody)
    assert found.copies[-1] == copy
    assert copy.complete
    assert copy.size
    assert found.free
    assert (proof.checked, proof.of, proof.mismatches) == (3, 3, ())
    assert proof.said == "3 tables with 540 rows"
    assert not [argv for argv in argvs if PASSWORD in argv]
    assert newest(settings).stat().st_mode & 0o077 == 0
    assert nothing_left(scratch)


async def test_it_is_proven_by_a_server_without_rights_where_the_scratch_folder_lets_it(
    settings: BackupSettings,
) -> None:
    """A test's own folders are below one of root alone; this one is where any user may pass."""
    with tempfile.TemporaryDirectory(prefix="scratch-") as name:
        assert await prove(settings, let_through(name)) == ()
        assert nothing_left(Path(name))


async def test_rows_that_are_missing_are_named(settings: BackupSettings, scratch: Path) -> None:
    manifest = newest(settings).with_name(newest(settings).name + MANIFEST)
    said = json.loads(manifest.read_text())
    said["tables"] |= {"users": [501, 1502], "gone": [3, 3]}
    manifest.write_text(json.dumps(said))
    assert await prove(settings, scratch) == (
        "the table gone is missing",
        "the table users has 500 rows instead of 501 to 1,502",
    )


async def test_what_the_options_leave_out_is_not_missed(settings: BackupSettings, scratch: Path) -> None:
    chosen = settings.model_copy(update={"options": ("--ignore-table=photos.empty",)})
    copy = await adapter(chosen).back_up(nobody)
    proof = await adapter(chosen).prove(copy, scratch, nobody)
    assert (proof.of, proof.mismatches) == (2, ())


async def test_flipped_bytes_are_found_with_a_manifest_and_without(settings: BackupSettings, scratch: Path) -> None:
    flip(newest(settings), newest(settings).stat().st_size // 2)
    for attempt in range(2):
        for check in (adapter(settings).verify("data", nobody), prove(settings, scratch)):
            with pytest.raises(BackupError) as raised:
                await check
            assert raised.value.fault is Fault.DAMAGED
        if not attempt:
            newest(settings).with_name(newest(settings).name + MANIFEST).unlink()


async def test_a_dump_that_was_cut_off_is_no_backup(settings: BackupSettings, scratch: Path) -> None:
    cut(newest(settings))
    for check in (adapter(settings).look(), adapter(settings).verify("metadata", nobody)):
        with pytest.raises(BackupError) as raised:
            await check
        assert raised.value.fault is Fault.TRUNCATED
    newest(settings).with_name(newest(settings).name + MANIFEST).unlink()
    for broken in (adapter(settings).verify("data", nobody), prove(settings, scratch)):
        with pytest.raises(BackupError) as raised:
            await broken
        assert raised.value.fault is Fault.TRUNCATED


async def test_a_dump_without_its_last_line_is_cut_off_though_its_packing_is_whole(
    settings: BackupSettings, scratch: Path
) -> None:
    """What a full disk leaves of ``mariadb-dump | gzip``."""
    text = gzip.decompress(newest(settings).read_bytes())
    foreign(settings, text[: len(text) // 2])
    with pytest.raises(BackupError) as raised:
        await adapter(settings).look()
    assert raised.value.fault is Fault.TRUNCATED


async def test_a_dump_runs_no_program_here(settings: BackupSettings, scratch: Path, tmp_path: Path) -> None:
    marker = tmp_path / "touched"
    text = gzip.decompress(newest(settings).read_bytes())
    foreign(settings, b"\\! touch %s" % str(marker).encode() + b"\n" + text)
    assert await prove(settings, scratch) != ()
    assert not marker.exists()


async def test_a_dump_of_whole_databases_and_one_that_fails(settings: BackupSettings, scratch: Path) -> None:
    text = gzip.decompress(newest(settings).read_bytes())
    foreign(settings, b"CREATE DATABASE `photos`;\nUSE `photos`;\n" + text)
    assert await prove(settings, scratch) == ()
    foreign(settings, b"INSERT INTO nothing_of_the_kind VALUES (1);\n" + text)
    assert await prove(settings, scratch) == (
        "MariaDB refused it: Table 'jarvis_proof.nothing_of_the_kind' doesn't exist",
    )


async def test_what_keeps_a_database_from_being_dumped_is_told_apart(settings: BackupSettings, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("another one\n")
    assert settings.database is not None
    changes: list[tuple[dict[str, object], Fault]] = [
        ({"password_file": wrong}, Fault.WRONG_PASSWORD),
        ({"password_file": tmp_path / "none"}, Fault.PASSWORD_UNREADABLE),
        ({"name": "nothing"}, Fault.DENIED),  # it does not say to everybody what is there
        ({"name": "nothing", "user": "root", "password_file": None}, Fault.SOURCE_MISSING),
        ({"host": str(tmp_path / "s")}, Fault.UNREACHABLE),
    ]
    before = listing(settings.repository)
    for change, fault in changes:
        database = settings.database.model_copy(update=change)
        with pytest.raises(BackupError) as raised:
            await adapter(settings.model_copy(update={"database": database})).back_up(nobody)
        assert raised.value.fault is fault, raised.value.reason
        assert PASSWORD not in raised.value.reason
    assert listing(settings.repository) == before


async def test_the_rights_that_the_documentation_names_are_enough(
    ground: TheGround, settings: BackupSettings, tmp_path: Path
) -> None:
    (tmp_path / "other").write_text("of another user")
    await ground.sql("CREATE USER backup@localhost IDENTIFIED BY 'of another user'")
    await ground.sql("GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON photos.* TO backup@localhost")
    assert settings.database is not None
    database = settings.database.model_copy(update={"user": "backup", "password_file": tmp_path / "other"})
    chosen = settings.model_copy(update={"database": database})
    for granted in (False, True):
        copy = await adapter(chosen).back_up(nobody)
        text = gzip.decompress(newest(chosen).with_name(copy.id).read_bytes())
        assert (b"FUNCTION `twice`" in text) is granted
        await ground.sql("GRANT SELECT ON mysql.proc TO backup@localhost")


async def test_a_run_that_is_cancelled_leaves_nothing_behind(settings: BackupSettings, scratch: Path) -> None:
    before, seen = listing(settings.repository), []

    def cancel(share: float, doing: str) -> None:
        if doing == "dumping the database":
            seen.extend(temporary())
            task.cancel()

    task = asyncio.create_task(adapter(settings).back_up(cancel))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen, "no password had been written when it was cancelled"
    assert listing(settings.repository) == before
    assert nothing_left(scratch)


async def test_a_proof_that_is_cancelled_leaves_no_server_and_no_file(settings: BackupSettings, scratch: Path) -> None:
    kind = adapter(settings)
    (copy,) = (await kind.look()).copies
    seen: list[list[str]] = []

    def cancel(share: float, doing: str) -> None:
        if doing == "loading the dump":
            seen.append(running())
            task.cancel()

    task = asyncio.create_task(kind.prove(copy, scratch, cancel))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert any(seen), "no server ran when it was cancelled"
    assert nothing_left(scratch)


async def test_a_scratch_folder_that_is_full_says_nothing_against_the_dump(
    ground: TheGround, settings: BackupSettings, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    ground.spoiling.small_disk(small, 20)
    with pytest.raises(BackupError) as raised:
        await prove(settings, small)
    assert not raised.value.fault.refutes
    assert nothing_left(small)
