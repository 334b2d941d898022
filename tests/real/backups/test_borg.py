"""The adapter for borg with the real program: a backup, its look, restore, check and pruning, and every fault."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.real.backups.argvs import seen_argvs
from tests.real.backups.ground import Seed
from tests.real.backups.ground_borg import PASSWORD, TheGround
from tests.real.backups.spoiling import Heard, fill, running_with, until_done
from tests.real.backups.ssh_server import SshServer
from tools.backups.kinds import make
from tools.backups.kinds.borg import Borg
from tools.backups.port import BackupError, Fault

pytestmark = pytest.mark.real_server


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[TheGround]:
    made = TheGround(tmp_path / "ground")
    made.folder.mkdir()
    try:
        await made.prepare()
        yield made
    finally:
        await made.close()


def adapter(ground: TheGround) -> Borg:
    made = make(ground.settings)
    assert isinstance(made, Borg)
    return made


async def test_a_backup_is_found_by_a_look_as_the_run_told_it(ground: TheGround) -> None:
    (ground.source / "newest").write_text("borg does not trust what changed last, and counts it as new again")
    await ground.back_up()
    (ground.source / "new.jpg").write_bytes(os.urandom(2_000_000))
    (ground.source / "empty").write_text("no more")
    (ground.source / "left out.tmp").write_bytes(b"x")
    heard = Heard()
    made = await adapter(ground).back_up(heard)
    assert (made.files, made.files_changed, made.unread) == (8, 1, 0)
    assert made.files_new in (1, 2)
    assert made.size is not None
    assert made.added is not None
    assert made.size > 2_600_000 > made.added > 2_000_000
    assert heard.shares
    found = await adapter(ground).look()
    newest = found.copies[-1]
    assert (newest.id, newest.at, newest.here) == (made.id, made.at, True)
    assert (newest.size, newest.added, newest.files) == (made.size, made.added, made.files)
    assert newest.paths == (str(ground.source),)
    assert abs(newest.at - time.time()) < 60
    assert len(found.copies) == 3
    assert found.free is not None


async def test_a_repository_that_has_not_changed_is_not_read_again(ground: TheGround) -> None:
    first = await adapter(ground).look()
    began = time.perf_counter()
    assert (await adapter(ground).look()).copies == first.copies
    assert time.perf_counter() - began < 0.1
    await ground.back_up()
    assert len((await adapter(ground).look()).copies) == 2


async def test_only_archives_of_the_jobs_paths_tags_and_host_count(ground: TheGround) -> None:
    await ground.borg("create", "::nas-photos-2026", str(ground.source / "2024"))
    await ground.borg("create", "::nas-photos-2026.checkpoint", str(ground.source / "2024"))

    async def names(**changes: object) -> list[bool]:
        found = await make(ground.settings.model_copy(update=changes)).look()
        return [copy.complete for copy in found.copies]

    assert await names(paths=()) == [True, True, False]
    assert await names() == [True]
    assert await names(paths=(f"{ground.source}/2024/",)) == [True, False]
    assert await names(paths=(), tags=("photos",)) == [True, False]
    assert await names(paths=(), tags=("photo",)) == []
    assert await names(paths=(), host="elsewhere") == []


async def test_a_sample_comes_back_as_it_was_and_nothing_else_does(ground: TheGround, tmp_path: Path) -> None:
    (ground.source / "other name of notes").hardlink_to(ground.source / "notes für später.txt")
    await ground.back_up()
    borg = adapter(ground)
    newest = (await borg.look()).copies[-1]
    entries = await borg.entries(newest)
    assert len(entries) == 6  # each file once
    sample = [entry for entry in entries if not entry.path.endswith(("whatever.txt", "holiday.jpg"))]
    scratch = tmp_path / "scratch"
    await borg.restore(newest, sample, scratch, Heard())
    restored = [path for path in scratch.rglob("*") if path.is_file()]
    assert len(restored) == len(sample) == 4
    for entry in sample:
        source = borg.source(entry)
        assert source is not None
        assert (scratch / entry.path.lstrip("/")).read_bytes() == source.read_bytes()


async def test_what_was_archived_from_a_folder_has_no_source_here(ground: TheGround) -> None:
    await ground.borg("create", "--stdin-name", "hosts", "::typed", "-")
    borg = make(ground.settings.model_copy(update={"paths": (), "tags": ("typed",)}))
    assert isinstance(borg, Borg)
    (newest,) = (await borg.look()).copies
    (entry,) = await borg.entries(newest)
    assert (entry.path, borg.source(entry)) == ("/hosts", None)


@pytest.mark.parametrize("level", ["metadata", "data"])
async def test_a_good_repository_is_verified(ground: TheGround, level: str) -> None:
    verified = await adapter(ground).verify(level, Heard())  # type: ignore[arg-type]
    assert (verified.level, verified.share) == (level, 1.0 if level == "data" else 0.0)


async def test_pruning_leaves_what_the_job_keeps_and_what_other_jobs_made(ground: TheGround) -> None:
    for number in range(3):
        (ground.source / "2024" / "holiday.jpg").write_bytes(os.urandom(600_000 + number))
        await ground.back_up()
        await ground.borg("create", f"::other-{number}", str(ground.source / "2024"))
    before = (await adapter(ground).look()).copies
    pruned = await adapter(ground).prune(Heard())
    assert pruned.removed == 2
    assert pruned.freed is not None
    assert pruned.freed > 500_000
    assert [copy.id for copy in (await adapter(ground).look()).copies] == [copy.id for copy in before[-2:]]
    assert (await adapter(ground).prune(Heard())).removed == 0
    assert (await ground.borg("list", "--short")).count("other-") == 3


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
    with pytest.raises(BackupError) as raised:
        await adapter(ground).verify("metadata", Heard())
    assert raised.value.fault is Fault.LOCKED
    assert (ground.place / "lock.exclusive").exists()


@pytest.mark.parametrize("seed", ["damaged", "truncated"])
async def test_a_segment_that_is_not_what_it_was_is_found_by_check_and_by_restore(
    ground: TheGround, seed: Seed, tmp_path: Path
) -> None:
    borg = adapter(ground)
    newest = (await borg.look()).copies[-1]
    await ground.seeds[seed]()
    with pytest.raises(BackupError) as checked:
        await borg.verify("data", Heard())
    assert checked.value.fault is Fault.DAMAGED
    with pytest.raises(BackupError) as restored:
        await borg.restore(newest, await borg.entries(newest), tmp_path / "scratch", Heard())
    assert restored.value.fault is Fault.DAMAGED


async def test_a_source_that_cannot_be_read_is_missing_from_a_copy_that_was_made(ground: TheGround) -> None:
    await ground.seeds["sources_unread"]()
    made = await adapter(ground).back_up(Heard())
    assert (made.unread, made.files) == (1, 5)
    assert (await adapter(ground).look()).copies[-1].id == made.id


async def test_one_of_two_sources_that_is_gone_is_unread(ground: TheGround) -> None:
    settings = ground.settings.model_copy(update={"paths": (str(ground.source), str(ground.folder / "gone"))})
    assert (await make(settings).back_up(Heard())).unread == 1


async def test_pruning_that_frees_nothing_is_an_error(ground: TheGround) -> None:
    await ground.seeds["prune_failed"]()
    with pytest.raises(BackupError):
        await adapter(ground).prune(Heard())


async def test_a_scratch_that_is_full_is_no_damage(ground: TheGround, tmp_path: Path) -> None:
    borg = adapter(ground)
    newest = (await borg.look()).copies[-1]
    scratch = tmp_path / "scratch"
    ground.spoiling.small_disk(scratch, 1)
    fill(scratch)
    with pytest.raises(BackupError) as raised:
        await borg.restore(newest, await borg.entries(newest), scratch, Heard())
    assert raised.value.fault is Fault.DISK_FULL


async def test_the_lock_of_a_killed_run_is_taken_away_by_the_next(ground: TheGround) -> None:
    await ground.seeds["locked"]()
    (held,) = ground.spoiling.held
    os.killpg(held.pid, signal.SIGKILL)
    await held.wait()
    assert (ground.place / "lock.exclusive").exists()
    assert (await adapter(ground).back_up(Heard())).files == 6
    assert not (ground.place / "lock.exclusive").exists()


async def test_a_cancelled_run_leaves_no_process_and_no_complete_copy(ground: TheGround) -> None:
    (ground.source / "large").write_bytes(os.urandom(30_000_000))
    settings = ground.settings.model_copy(update={"options": ("--upload-ratelimit", "100", "--compression", "lzma,9")})
    begun = asyncio.Event()
    task = asyncio.create_task(make(settings).back_up(lambda share, doing: begun.set()))
    async with asyncio.timeout(20):
        await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await asyncio.to_thread(running_with, f"BORG_REPO={ground.place}")
    found = (await adapter(ground).look()).copies
    assert [copy.complete for copy in found].count(True) == 1
    assert (await adapter(ground).back_up(Heard())).complete  # its lock is in nobody's way


async def test_no_secret_is_in_an_argv_or_an_error_and_a_machine_that_is_away_is_unreachable(ground: TheGround) -> None:
    with seen_argvs() as seen:
        await adapter(ground).back_up(Heard())
        away = ground.settings.model_copy(update={"repository": "ssh://joe@127.0.0.1:1/nowhere"})
        with pytest.raises(BackupError) as raised:
            await make(away).look()
    assert raised.value.fault is Fault.UNREACHABLE
    assert any("borg" in argv for argv in seen)
    assert [argv for argv in seen if PASSWORD in argv] == []
    assert PASSWORD not in raised.value.reason


@pytest.mark.parametrize("content", [None, "", "two\nlines\n"])
async def test_a_password_file_that_cannot_be_used_is_no_broken_backup(ground: TheGround, content: str | None) -> None:
    ground.password.unlink()
    if content is not None:
        ground.password.write_text(content)
    with pytest.raises(BackupError) as raised:
        await adapter(ground).look()
    assert raised.value.fault is Fault.PASSWORD_UNREADABLE


async def test_a_repository_that_was_moved_is_not_trusted_without_a_person(ground: TheGround) -> None:
    moved = ground.place.rename(ground.folder / "moved")
    settings = ground.settings.model_copy(update={"repository": str(moved)})
    with pytest.raises(BackupError) as raised:
        await make(settings).back_up(Heard())
    assert "moved" in raised.value.reason


async def test_by_ssh_with_the_jobs_own_key_and_no_other(ground: TheGround, tmp_path: Path) -> None:
    server = SshServer(tmp_path / "ssh server")
    await server.start(ground.spoiling)
    by_ssh = {
        "repository": f"ssh://{server.host}{ground.folder}/far",
        "ssh_port": server.port,
        "known_hosts": server.known_hosts,
        "timeout_s": 30.0,
    }
    far = {"BORG_REPO": str(ground.folder / "far"), "BORG_BASE_DIR": str(ground.folder / "far base")}
    await until_done(["borg", "init", "--encryption", "repokey"], {**ground.environment, **far})
    borg = make(ground.settings.model_copy(update={**by_ssh, "ssh_key": server.key}))
    assert isinstance(borg, Borg)
    made = await borg.back_up(Heard())
    found = await borg.look()
    assert ([copy.id for copy in found.copies], found.free) == ([made.id], None)
    assert len(await borg.entries(made)) == 6
    with pytest.raises(BackupError) as raised:
        await make(ground.settings.model_copy(update={**by_ssh, "ssh_key": server.other_key})).look()
    assert raised.value.fault in (Fault.DENIED, Fault.UNREACHABLE)  # borg may not hear what ssh said before it ended


async def test_without_borg_it_is_said_that_it_is_not_installed(
    ground: TheGround, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    settings = ground.settings.model_copy(update={"timeout_s": 19.0})  # nothing read before
    with pytest.raises(BackupError) as raised:
        await make(settings).look()
    assert raised.value.fault is Fault.NOT_INSTALLED
