"""The adapter for PostgreSQL with real servers: dumps, their proof in a throwaway server, and every fault."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.real.backups.argvs import seen_argvs
from tests.real.backups.ground_postgres import PASSWORD, TheGround
from tests.real.backups.servers import gone, listing, nothing_left, running, temporary
from tests.real.backups.spoiling import cut, flip, until_done
from tools.backups.kinds.dump_files import MANIFEST, STILL_WRITTEN_S
from tools.backups.kinds.postgres import PostgresDump
from tools.backups.kinds.postgres_client import program
from tools.backups.kinds.target import targets
from tools.backups.port import BackupError, Fault
from tools.settings import BackupSettings

pytestmark = [pytest.mark.real_server, pytest.mark.asyncio(loop_scope="module")]


def nobody(share: float, doing: str) -> None:
    """Progress that nobody reads."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TheGround]:
    """One server with one good dump, for all tests here: none changes it."""
    made = TheGround(tmp_path_factory.mktemp("postgres"))
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


def adapter(settings: BackupSettings) -> PostgresDump:
    return PostgresDump(settings, targets(settings)[0])


def newest(settings: BackupSettings) -> Path:
    return max(Path(settings.repository or "").glob("*.dump"))


def without_manifest(dump: Path) -> Path:
    dump.with_name(dump.name + MANIFEST).unlink()
    return dump


def add_plain(settings: BackupSettings, text: str, *, age_s: float = 2 * STILL_WRITTEN_S) -> Path:
    """A plain dump that somebody else made, and the only one there."""
    folder = Path(settings.repository or "")
    shutil.rmtree(folder)
    folder.mkdir()
    dump = folder / "nextcloud_nightly.sql"
    dump.write_text(text)
    os.utime(dump, (time.time() - age_s,) * 2)
    return dump


async def plain(ground: TheGround, *options: str) -> str:
    """What pg_dump writes as a plain dump."""
    return await until_done([program("pg_dump"), *options], ground.environment() | {"PGDATABASE": "nextcloud"})


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
    assert (proof.checked, proof.of, proof.mismatches) == (5, 5, ())
    assert proof.said == "5 tables with 904 rows"
    assert not [argv for argv in argvs if PASSWORD in argv]
    assert newest(settings).stat().st_mode & 0o077 == 0
    assert nothing_left(scratch)


async def test_what_is_written_during_the_dump_is_in_neither_the_dump_nor_its_counts(
    ground: TheGround, settings: BackupSettings, scratch: Path
) -> None:
    async def write() -> None:
        for _ in range(200):
            await ground.sql("INSERT INTO private.empty SELECT generate_series(1, 50)")

    writing = asyncio.create_task(write())
    try:
        copies = [await adapter(settings).back_up(nobody) for _ in range(3)]
    finally:
        writing.cancel()
        await asyncio.wait([writing])
    counts = [
        json.loads((Path(settings.repository or "") / (copy.id + MANIFEST)).read_text())["tables"]["private.empty"]
        for copy in copies
    ]
    assert counts == sorted(counts)
    assert counts[-1] > 0
    assert await prove(settings, scratch) == ()
    await ground.sql("TRUNCATE private.empty")


async def test_rows_that_are_missing_are_named(settings: BackupSettings, scratch: Path) -> None:
    manifest = newest(settings).with_name(newest(settings).name + MANIFEST)
    said = json.loads(manifest.read_text())
    said["tables"] |= {"public.users": 1501, "public.gone": 3}
    manifest.write_text(json.dumps(said))
    assert await prove(settings, scratch) == (
        "the table public.gone is missing",
        "the table public.users has 500 rows instead of 1,501",
    )


async def test_what_the_options_leave_out_is_not_missed(settings: BackupSettings, scratch: Path) -> None:
    chosen = settings.model_copy(
        update={"options": ("--exclude-table-data=public.readings_1", "--exclude-schema=private")}
    )
    copy = await adapter(chosen).back_up(nobody)
    proof = await adapter(chosen).prove(copy, scratch, nobody)
    assert (proof.of, proof.mismatches) == (3, ())


async def test_flipped_bytes_are_found_with_a_manifest_and_without(settings: BackupSettings, scratch: Path) -> None:
    flip(newest(settings), newest(settings).stat().st_size // 2)
    for attempt in range(2):
        with pytest.raises(BackupError) as raised:
            await adapter(settings).verify("data", nobody)
        assert raised.value.fault is Fault.DAMAGED
        if not attempt:
            without_manifest(newest(settings))
    assert await prove(settings, scratch) != ()


async def test_a_dump_that_was_cut_off_is_no_backup(settings: BackupSettings, scratch: Path) -> None:
    cut(newest(settings))
    for check in (adapter(settings).look(), adapter(settings).verify("metadata", nobody)):
        with pytest.raises(BackupError) as raised:
            await check
        assert raised.value.fault is Fault.TRUNCATED
    without_manifest(newest(settings))
    with pytest.raises(BackupError) as raised:
        await adapter(settings).verify("data", nobody)
    assert raised.value.fault is Fault.TRUNCATED
    assert await prove(settings, scratch) == ("it is cut off",)


async def test_a_plain_dump_of_somebody_else_is_proven_too(
    ground: TheGround, settings: BackupSettings, scratch: Path
) -> None:
    text = await plain(ground, "--create")
    dump = add_plain(settings, text)
    (dump.parent / "roles.sql").write_text("CREATE ROLE reader;\nALTER ROLE reader WITH NOLOGIN;\n")
    assert await adapter(settings).verify("data", nobody)
    assert await prove(settings, scratch) == ()
    await until_done(["gzip", str(dump)], {})
    assert await adapter(settings).verify("data", nobody)
    assert await prove(settings, scratch) == ()


async def test_a_plain_dump_without_its_end_is_cut_off_unless_it_may_still_be_written(
    ground: TheGround, settings: BackupSettings
) -> None:
    text = await plain(ground, "--no-acl")
    add_plain(settings, text[: len(text) // 2], age_s=10)
    assert len((await adapter(settings).look()).copies) == 1
    add_plain(settings, text[: len(text) // 2])
    with pytest.raises(BackupError) as raised:
        await adapter(settings).look()
    assert raised.value.fault is Fault.TRUNCATED


async def test_a_role_that_no_copy_brings_keeps_a_dump_from_being_restored(
    ground: TheGround, settings: BackupSettings, scratch: Path
) -> None:
    add_plain(settings, await plain(ground))
    (mismatch,) = await prove(settings, scratch)
    assert mismatch.startswith("it needs the role reader, which the backup does not bring")


async def test_an_extension_that_is_not_installed_here_says_nothing_against_the_dump(
    ground: TheGround, settings: BackupSettings, scratch: Path
) -> None:
    add_plain(settings, "CREATE EXTENSION timescaledb;\n" + await plain(ground, "--no-acl"))
    with pytest.raises(BackupError) as raised:
        await prove(settings, scratch)
    assert raised.value.reason == "it cannot be loaded here: the extension timescaledb is not installed"
    assert not raised.value.fault.refutes


async def test_a_statement_that_fails_fails_the_proof(
    ground: TheGround, settings: BackupSettings, scratch: Path
) -> None:
    """psql goes on after an error, and ends with 0, unless told not to."""
    text = await plain(ground, "--no-acl")
    add_plain(settings, text.replace("CREATE FUNCTION", "SELECT nothing_of_the_kind();\nCREATE FUNCTION", 1))
    (mismatch,) = await prove(settings, scratch)
    assert mismatch == "PostgreSQL refused it: function nothing_of_the_kind() does not exist"


@pytest.mark.parametrize("command", ["SELECT 1 \\! touch {}", "\\o |touch {}"])
async def test_a_dump_runs_no_program_here(
    command: str, ground: TheGround, settings: BackupSettings, scratch: Path, tmp_path: Path
) -> None:
    marker = tmp_path / "touched"
    add_plain(settings, command.format(marker) + "\n" + await plain(ground, "--no-acl"))
    assert await prove(settings, scratch) != ()
    assert not marker.exists()


async def test_what_keeps_a_database_from_being_dumped_is_told_apart(
    ground: TheGround, settings: BackupSettings, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("another one\n")
    assert settings.database is not None
    changes: list[tuple[dict[str, object], Fault]] = [
        ({"password_file": wrong}, Fault.WRONG_PASSWORD),
        ({"password_file": tmp_path / "none"}, Fault.PASSWORD_UNREADABLE),
        ({"password_file": None}, Fault.NOT_CONFIGURED),
        ({"name": "nothing"}, Fault.SOURCE_MISSING),
        ({"host": str(tmp_path)}, Fault.UNREACHABLE),
        ({"name": "postgres"}, Fault.DENIED),
    ]
    await ground.sql("CREATE TABLE theirs (id int)", user="postgres", database="postgres")
    before = listing(settings.repository)
    for change, fault in changes:
        database = settings.database.model_copy(update=change)
        with pytest.raises(BackupError) as raised:
            await adapter(settings.model_copy(update={"database": database})).back_up(nobody)
        assert raised.value.fault is fault, raised.value.reason
        assert PASSWORD not in raised.value.reason
    assert listing(settings.repository) == before


async def test_pruning_keeps_the_newest_and_what_others_made(settings: BackupSettings) -> None:
    kind = adapter(settings)
    foreign = Path(settings.repository or "") / "nextcloud_old.dump"
    shutil.copy(newest(settings), foreign)
    os.utime(foreign, (1, 1))
    copies = [await kind.back_up(nobody) for _ in range(2)]
    pruned = await kind.prune(nobody)
    assert pruned.removed == 1
    assert pruned.freed
    assert [copy.id for copy in (await kind.look()).copies] == [foreign.name, *(copy.id for copy in copies)]
    assert len(list(foreign.parent.glob(f"*{MANIFEST}"))) == 2


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
    ground.spoiling.small_disk(small, 30)
    with pytest.raises(BackupError) as raised:
        await prove(settings, small)
    assert raised.value.fault is Fault.DISK_FULL
    assert not raised.value.fault.refutes
    assert nothing_left(small)


SERVE = """
import asyncio, sys
from pathlib import Path
from tools.backups.kinds.postgres_server import throwaway_postgres
async def main():
    async with throwaway_postgres(Path(sys.argv[1]), 60.0):
        print((next(Path(sys.argv[1]).glob("postgres/postmaster.pid"))).read_text().split()[0], flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_the_server_ends_when_the_process_that_started_it_is_killed(scratch: Path) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVE, str(scratch), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        pid = int(await child.stdout.readline())
        os.kill(pid, 0)
        child.send_signal(signal.SIGKILL)
        await child.wait()
        assert await asyncio.to_thread(gone, pid)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
