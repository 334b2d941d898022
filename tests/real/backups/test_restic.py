"""The adapter for restic with the real program: a backup, its look, restore, check and pruning, and every fault."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.real.backups.argvs import seen_argvs
from tests.real.backups.ground import Seed
from tests.real.backups.ground_restic import PASSWORD, TheGround
from tests.real.backups.spoiling import Heard, fill, running_with, until_done
from tests.real.backups.ssh_server import SshServer
from tools.backups.kinds import make
from tools.backups.kinds.restic import Restic
from tools.backups.port import BackupError, Fault
from tools.settings import KeepSettings

pytestmark = pytest.mark.real_server


@pytest.fixture
async def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TheGround]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = TheGround(tmp_path / "ground")
    made.folder.mkdir()
    try:
        await made.prepare()
        yield made
    finally:
        await made.close()


def adapter(ground: TheGround) -> Restic:
    made = make(ground.settings)
    assert isinstance(made, Restic)
    return made


async def test_a_backup_is_found_by_a_look_as_the_run_told_it(ground: TheGround) -> None:
    (ground.source / "new.jpg").write_bytes(os.urandom(2_000_000))
    (ground.source / "left out.tmp").write_bytes(b"x")
    heard = Heard()
    made = await adapter(ground).back_up(heard)
    assert (made.files, made.files_new, made.files_changed, made.unread) == (7, 1, 0, 0)
    assert made.size is not None
    assert made.added is not None
    assert made.size > 2_600_000 > made.added > 2_000_000
    assert heard.shares
    assert all(0 <= share <= 1 for share in heard.shares)
    found = await adapter(ground).look()
    newest = found.copies[-1]
    assert (newest.id, newest.at, newest.size, newest.here) == (made.id, made.at, made.size, True)
    assert newest.paths == (str(ground.source),)
    assert len(found.copies) == 2
    assert found.free is not None


async def test_a_repository_that_has_not_changed_is_not_read_again(ground: TheGround) -> None:
    first = await adapter(ground).look()
    began = time.perf_counter()
    assert (await adapter(ground).look()).copies == first.copies
    assert time.perf_counter() - began < 0.1
    await ground.back_up()
    assert len((await adapter(ground).look()).copies) == 2


async def test_a_sample_comes_back_as_it_was_and_nothing_else_does(ground: TheGround, tmp_path: Path) -> None:
    restic = adapter(ground)
    newest = (await restic.look()).copies[-1]
    entries = await restic.entries(newest)
    assert {Path(entry.path).relative_to(ground.source).as_posix() for entry in entries} == {
        "2024/holiday.jpg",
        "2024/summer [1]/what?*.txt",
        "2024/summer [1]/whatever.txt",
        "back\\slash and {brace}.txt",
        "notes für später.txt",
        "empty",
    }
    assert sum(entry.size for entry in entries) == newest.size
    sample = [entry for entry in entries if not entry.path.endswith(("whatever.txt", "holiday.jpg"))]
    scratch = tmp_path / "scratch"
    await restic.restore(newest, sample, scratch, Heard())
    restored = [path for path in scratch.rglob("*") if path.is_file()]
    assert len(restored) == len(sample) == 4
    for entry in sample:
        source = restic.source(entry)
        assert source is not None
        assert (scratch / entry.path.lstrip("/")).read_bytes() == source.read_bytes()


async def test_all_of_a_copy_comes_back(ground: TheGround, tmp_path: Path) -> None:
    restic = adapter(ground)
    newest = (await restic.look()).copies[-1]
    entries = await restic.entries(newest)
    await restic.restore(newest, entries, tmp_path / "scratch", Heard())
    assert len([path for path in (tmp_path / "scratch").rglob("*") if path.is_file()]) == len(entries)


async def test_what_was_backed_up_by_a_relative_path_has_no_source_at_its_path_here(ground: TheGround) -> None:
    argv = ["restic", "backup", "--quiet", "--tag", "relative", "source"]
    await until_done(argv, ground.environment, folder=ground.folder)
    restic = make(ground.settings.model_copy(update={"paths": (), "tags": ("relative",)}))
    assert isinstance(restic, Restic)
    (newest,) = (await restic.look()).copies
    entries = await restic.entries(newest)
    assert "/source/empty" in {entry.path for entry in entries}
    assert {restic.source(entry) for entry in entries} == {None}


@pytest.mark.parametrize("level", ["metadata", "data"])
async def test_a_good_repository_is_verified(ground: TheGround, level: str) -> None:
    verified = await adapter(ground).verify(level, Heard())  # type: ignore[arg-type]
    assert (verified.level, verified.share) == (level, 1.0 if level == "data" else 0.0)


async def test_pruning_leaves_what_the_job_keeps(ground: TheGround) -> None:
    for number in range(3):
        (ground.source / "empty").write_bytes(os.urandom(50_000 + number))
        await ground.back_up()
    before = (await adapter(ground).look()).copies
    pruned = await adapter(ground).prune(Heard())
    assert pruned.removed == 2
    assert pruned.freed is not None
    assert pruned.freed > 50_000
    assert [copy.id for copy in (await adapter(ground).look()).copies] == [copy.id for copy in before[-2:]]
    assert (await adapter(ground).prune(Heard())).removed == 0


async def test_pruning_never_touches_what_other_jobs_made_of_these_paths_and_more(ground: TheGround) -> None:
    other = ground.folder / "other"
    other.mkdir()
    for _ in range(4):
        await ground.restic("backup", "--quiet", str(ground.source), str(other))
    assert (await adapter(ground).prune(Heard())).removed == 0
    assert len((await adapter(ground).look()).copies) == 5


async def test_a_job_that_keeps_everything_is_not_pruned(ground: TheGround) -> None:
    await ground.back_up()
    nothing = KeepSettings(last=0, daily=0, weekly=0, monthly=0, days=0)
    settings = ground.settings.model_copy(update={"keep": nothing})
    assert (await make(settings).prune(Heard())).removed == 0
    assert len((await make(settings).look()).copies) == 2


LOOKS: dict[Seed, Fault] = {
    "wrong_password": Fault.WRONG_PASSWORD,
    "no_repository": Fault.NO_REPOSITORY,
    "not_mounted": Fault.NOT_MOUNTED,
}
RUNS: dict[Seed, Fault] = {
    **LOOKS,
    "locked": Fault.LOCKED,
    "source_missing": Fault.SOURCE_MISSING,
    "disk_full": Fault.DISK_FULL,
}


@pytest.mark.parametrize(("seed", "fault"), LOOKS.items())
async def test_a_look_says_what_is_wrong(ground: TheGround, seed: Seed, fault: Fault) -> None:
    await adapter(ground).look()  # what was read once does not hide what is wrong now
    await ground.seeds[seed]()
    with pytest.raises(BackupError) as raised:
        await adapter(ground).look()
    assert raised.value.fault is fault
    assert PASSWORD not in raised.value.reason


@pytest.mark.parametrize(("seed", "fault"), RUNS.items())
async def test_a_run_says_what_is_wrong(ground: TheGround, seed: Seed, fault: Fault) -> None:
    await ground.seeds[seed]()
    with pytest.raises(BackupError) as raised:
        await adapter(ground).back_up(Heard())
    assert raised.value.fault is fault
    assert PASSWORD not in raised.value.reason


async def test_a_locked_repository_can_be_looked_at_and_its_lock_stays(ground: TheGround) -> None:
    await ground.seeds["locked"]()
    assert len((await adapter(ground).look()).copies) == 1
    with pytest.raises(BackupError):
        await adapter(ground).verify("metadata", Heard())
    assert list((ground.place / "locks").iterdir())


@pytest.mark.parametrize("seed", ["damaged", "truncated"])
async def test_a_pack_that_is_not_what_it_was_is_found_by_check_and_by_restore(
    ground: TheGround, seed: Seed, tmp_path: Path
) -> None:
    restic = adapter(ground)
    await ground.seeds[seed]()
    with pytest.raises(BackupError) as checked:
        await restic.verify("data", Heard())
    assert checked.value.fault is Fault.DAMAGED
    newest = (await restic.look()).copies[-1]
    with pytest.raises(BackupError) as restored:
        await restic.restore(newest, await restic.entries(newest), tmp_path / "scratch", Heard())
    assert restored.value.fault is Fault.DAMAGED


async def test_a_source_that_cannot_be_read_is_missing_from_a_copy_that_was_made(ground: TheGround) -> None:
    await ground.seeds["sources_unread"]()
    made = await adapter(ground).back_up(Heard())
    assert (made.unread, made.files) == (1, 5)
    assert (await adapter(ground).look()).copies[-1].id == made.id


async def test_one_of_two_sources_that_is_gone_is_unread(ground: TheGround) -> None:
    settings = ground.settings.model_copy(update={"paths": (str(ground.source), str(ground.folder / "gone"))})
    assert (await make(settings).back_up(Heard())).unread == 1


async def test_pruning_that_removes_nothing_is_an_error_and_backups_go_on(ground: TheGround) -> None:
    await ground.seeds["prune_failed"]()
    with pytest.raises(BackupError) as raised:
        await adapter(ground).prune(Heard())
    assert raised.value.fault is Fault.LOCKED
    assert (await adapter(ground).back_up(Heard())).files == 6
    assert len((await adapter(ground).look()).copies) == 4


async def test_a_scratch_that_is_full_is_no_damage(ground: TheGround, tmp_path: Path) -> None:
    restic = adapter(ground)
    newest = (await restic.look()).copies[-1]
    scratch = tmp_path / "scratch"
    ground.spoiling.small_disk(scratch, 1)
    fill(scratch)
    with pytest.raises(BackupError) as raised:
        await restic.restore(newest, await restic.entries(newest), scratch, Heard())
    assert raised.value.fault is Fault.DISK_FULL


async def test_the_lock_of_a_killed_run_is_taken_away_by_the_next(ground: TheGround) -> None:
    await ground.seeds["locked"]()
    (held,) = ground.spoiling.held
    os.killpg(held.pid, signal.SIGKILL)
    await held.wait()
    assert list((ground.place / "locks").iterdir())
    assert (await adapter(ground).back_up(Heard())).files == 6
    assert not list((ground.place / "locks").iterdir())


async def test_a_cancelled_run_leaves_no_process_and_no_copy(ground: TheGround) -> None:
    (ground.source / "large").write_bytes(os.urandom(30_000_000))
    settings = ground.settings.model_copy(update={"options": ("--limit-upload", "100")})
    begun = asyncio.Event()
    task = asyncio.create_task(make(settings).back_up(lambda share, doing: begun.set()))
    async with asyncio.timeout(20):
        await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await asyncio.to_thread(running_with, f"RESTIC_REPOSITORY={ground.place}")
    assert len((await adapter(ground).look()).copies) == 1
    assert (await adapter(ground).prune(Heard())).removed == 0  # its lock is in nobody's way


async def test_no_secret_is_in_an_argv_an_error_or_the_destination(ground: TheGround) -> None:
    secret = ground.folder / "s3 key"
    secret.write_text("wJalrXUtnFEMI\n")
    settings = ground.settings.model_copy(update={"credentials": {"AWS_SECRET_ACCESS_KEY": secret}})
    with seen_argvs() as seen:
        await make(settings).back_up(Heard())
        rest = settings.model_copy(update={"repository": "rest:http://joe:hunter2@127.0.0.1:1/"})
        with pytest.raises(BackupError) as raised:
            await make(rest).look()
    assert any("restic" in argv for argv in seen)
    for text in (PASSWORD, "wJalrXUtnFEMI", "hunter2"):
        assert not any(text in argv for argv in seen)
        assert text not in raised.value.reason + make(rest).destination


async def test_a_password_file_or_credential_that_is_not_there_is_no_broken_backup(ground: TheGround) -> None:
    for update in ({"password_file": ground.folder / "none"}, {"credentials": {"B2_KEY": ground.folder / "none"}}):
        with pytest.raises(BackupError) as raised:
            await make(ground.settings.model_copy(update=update)).look()
        assert raised.value.fault is Fault.PASSWORD_UNREADABLE


async def test_a_machine_that_is_away_is_unreachable(ground: TheGround) -> None:
    for repository in ("rest:http://127.0.0.1:1/", "sftp:nobody@127.0.0.1:/nowhere"):
        settings = ground.settings.model_copy(update={"repository": repository, "ssh_port": 1})
        with pytest.raises(BackupError) as raised:
            await make(settings).look()
        assert raised.value.fault is Fault.UNREACHABLE


async def test_by_sftp_with_the_jobs_own_key_and_no_other(ground: TheGround, tmp_path: Path) -> None:
    server = SshServer(tmp_path / "ssh server")
    await server.start(ground.spoiling)
    there = {"repository": f"sftp:{server.host}:{ground.place}", "ssh_port": server.port}
    by_ssh = {**there, "known_hosts": server.known_hosts, "timeout_s": 30.0}
    restic = make(ground.settings.model_copy(update={**by_ssh, "ssh_key": server.key}))
    made = await restic.back_up(Heard())
    assert [copy.id for copy in (await restic.look()).copies][-1] == made.id
    with pytest.raises(BackupError) as raised:
        await make(ground.settings.model_copy(update={**by_ssh, "ssh_key": server.other_key})).look()
    assert raised.value.fault is Fault.DENIED


async def test_without_restic_it_is_said_that_it_is_not_installed(
    ground: TheGround, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(ground.place)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(BackupError) as raised:
        await adapter(ground).look()
    assert raised.value.fault is Fault.NOT_INSTALLED
