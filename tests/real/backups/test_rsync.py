"""Snapshots by the real rsync, here and over a real sshd: linked, looked at, verified, pruned, restored, spoiled."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.backups.argvs import seen_argvs
from tests.real.backups.asking import Asked, ask, fault_of, silent
from tests.real.backups.ground import Seed
from tests.real.backups.ground_rsync import OnThisMachine, TheGround
from tests.real.backups.spoiling import fill
from tools.backups.kinds import make
from tools.backups.kinds.rsync import RsyncSnapshots
from tools.backups.port import Copy, Fault, Level, Pruned
from tools.settings import KeepSettings

pytestmark = pytest.mark.real_server


async def _made(ground: TheGround) -> AsyncIterator[TheGround]:
    ground.folder.mkdir()
    try:
        await ground.prepare()
        yield ground
    finally:
        await ground.close()


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[TheGround]:
    """In a folder whose name a shell would misread."""
    async for made in _made(OnThisMachine(tmp_path / 'it\'s "here" $HOME')):
        yield made


@pytest.fixture(params=[OnThisMachine, TheGround], ids=["here", "over ssh"])
async def ground(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TheGround]:
    async for made in _made(request.param(tmp_path / "it's $HOME")):
        yield made


@pytest.fixture
async def over_ssh(tmp_path: Path) -> AsyncIterator[TheGround]:
    async for made in _made(TheGround(tmp_path / "ground")):
        yield made


def adapter(ground: TheGround) -> RsyncSnapshots:
    made = make(ground.settings)
    assert isinstance(made, RsyncSnapshots)
    return made


def inode(path: Path) -> int:
    return path.stat().st_ino


async def test_what_has_not_changed_is_one_file_in_both_snapshots(ground: TheGround) -> None:
    photo, notes, new = (
        ground.source / name for name in ("2024/holiday.jpg", "notes für später.txt", "new\nline \\ ü")
    )
    first = ground.newest
    notes.write_text("milk, eggs, and bread")
    new.write_bytes(b"12345")
    (ground.source / "left out.tmp").write_bytes(b"x")
    made = await adapter(ground).back_up(silent)
    second = ground.newest
    assert second.name == made.id > first.name
    assert inode(first / str(photo)[1:]) == inode(second / str(photo)[1:])
    assert inode(first / str(notes)[1:]) != inode(second / str(notes)[1:])
    assert (first / str(notes)[1:]).read_text() == "milk, eggs"
    assert (second / str(notes)[1:]).read_text() == "milk, eggs, and bread"
    assert (second / str(new)[1:]).read_bytes() == b"12345"
    assert (made.files, made.files_new, made.files_changed, made.added, made.unread) == (7, 1, 1, 26, 0)
    assert sorted(path.name for path in ground.place.iterdir()) == [first.name, second.name]


async def test_a_look_finds_what_the_runs_told(ground: TheGround) -> None:
    made = await adapter(ground).back_up(silent)
    found = await adapter(ground).look()
    assert len(found.copies) == 2
    assert found.copies[-1] == made
    assert made.here
    assert made.complete
    assert made.paths == (str(ground.source),)
    assert found.free is not None
    assert found.total is not None
    assert 0 < found.free < found.total
    assert found.warnings == ()


async def test_a_snapshot_with_far_fewer_files_is_worth_a_word(here: TheGround) -> None:
    for path in sorted(here.source.rglob("*.txt")):
        path.unlink()
    await here.back_up()
    assert (await adapter(here).look()).warnings == ("the last snapshot has 2 files, the one before had 6",)


async def test_files_come_back_as_they_were_sent(ground: TheGround, tmp_path: Path) -> None:
    kind = adapter(ground)
    copy = (await kind.look()).copies[-1]
    entries = await kind.entries(copy)
    assert {entry.path: entry.size for entry in entries} == {
        str(path): path.stat().st_size for path in ground.source.rglob("*") if path.is_file()
    }
    wanted = [entry for entry in entries if not entry.path.endswith("whatever.txt")]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    await kind.restore(copy, wanted, scratch, silent)
    restored = {f"/{path.relative_to(scratch)}": path for path in scratch.rglob("*") if path.is_file()}
    assert sorted(restored) == sorted(entry.path for entry in wanted)
    for entry in wanted:
        source = kind.source(entry)
        assert source is not None
        assert source.read_bytes() == restored[entry.path].read_bytes()


async def test_an_older_snapshot_gives_back_the_older_file(here: TheGround, tmp_path: Path) -> None:
    kind = adapter(here)
    notes = here.source / "notes für später.txt"
    notes.write_text("forget the milk")
    await kind.back_up(silent)
    older = (await kind.look()).copies[0]
    entry = next(one for one in await kind.entries(older) if one.path == str(notes))
    await kind.restore(older, [entry], tmp_path, silent)
    assert (tmp_path / str(notes)[1:]).read_text() == "milk, eggs"


async def test_a_flipped_byte_is_found_though_all_snapshots_share_it(ground: TheGround, tmp_path: Path) -> None:
    kind = adapter(ground)
    await kind.back_up(silent)
    await ground.seeds["damaged"]()
    await kind.back_up(silent)  # links the damaged file once more, and must not hash it anew
    assert (await kind.verify("metadata", silent)).level == "metadata"
    error = await fault_of(kind.verify("data", silent))
    assert (error.fault, error.reason) == (Fault.DAMAGED, "one file of it is damaged")
    copy = (await kind.look()).copies[-1]
    photo = next(one for one in await kind.entries(copy) if one.path.endswith("holiday.jpg"))
    assert (await fault_of(kind.restore(copy, [photo], tmp_path, silent))).fault is Fault.DAMAGED


async def test_what_is_whole_is_verified(here: TheGround) -> None:
    verified = await adapter(here).verify("data", silent)
    level: Level = "data"
    assert (verified.level, verified.share) == (level, 1.0)


async def test_a_source_that_is_written_to_meanwhile_is_hashed_as_it_was_copied(here: TheGround) -> None:
    """Its source is younger than the run, so the copy is read instead."""
    log = here.source / "growing.log"
    log.write_text("one line\n")
    os.utime(log, (time.time() + 3600, time.time() + 3600))
    await here.back_up()
    manifest = (here.newest / ".jarvis" / "manifest.jsonl").read_text()
    assert hashlib.sha256(b"one line\n").hexdigest() in manifest
    assert (await adapter(here).verify("data", silent)).share == 1.0


async def test_pruning_keeps_the_newest_complete_snapshot_and_what_is_young(here: TheGround) -> None:
    for _ in range(2):
        await here.back_up()
    newest = here.newest.name
    here.change(keep=KeepSettings(last=0, daily=0, weekly=0, monthly=0, days=14))
    assert await adapter(here).prune(silent) == Pruned(removed=0)
    here.change(keep=KeepSettings(last=1, daily=0, weekly=0, monthly=0, days=0))
    assert await adapter(here).prune(silent) == Pruned(removed=2)
    assert [path.name for path in here.place.iterdir()] == [newest]
    here.change(keep=KeepSettings(last=0, daily=0, weekly=0, monthly=0, days=0))
    assert await adapter(here).prune(silent) == Pruned(removed=0)


async def test_pruning_leaves_the_rights_of_files_in_the_snapshots_that_stay(here: TheGround) -> None:
    notes = here.source / "notes für später.txt"
    notes.chmod(0o440)
    (here.source / "2024").chmod(0o555)
    await here.back_up()
    await here.back_up()
    assert (await adapter(here).prune(silent)).removed == 2
    assert here.snapshot_of(notes).stat().st_mode & 0o777 == 0o440
    assert here.snapshot_of(here.source / "2024").stat().st_mode & 0o777 == 0o555


async def test_a_run_that_is_killed_leaves_no_complete_snapshot_and_the_next_goes_on(ground: TheGround) -> None:
    (ground.source / "large").write_bytes(os.urandom(30_000_000))
    ground.change(options=("--bwlimit=4000",))
    run = asyncio.create_task(adapter(ground).back_up(silent))
    await _until(lambda: any(path.stat().st_size > 1_000_000 for path in ground.place.glob(".partial-*/**/.large.*")))
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert not [argv for argv in _running("rsync") if str(ground.place) in argv]
    found = await adapter(ground).look()
    assert [copy.complete for copy in found.copies] == [True, False]
    ground.change(options=())
    made = await adapter(ground).back_up(silent)
    assert made.files == 7
    found = await adapter(ground).look()
    assert [copy.complete for copy in found.copies] == [True, False, True]
    assert (await adapter(ground).verify("data", silent)).share == 1.0


async def test_a_snapshot_without_its_marker_is_no_backup(here: TheGround) -> None:
    (here.newest / ".jarvis" / "complete.json").unlink()
    found = await adapter(here).look()
    assert [copy.complete for copy in found.copies] == [False]
    assert (await fault_of(adapter(here).verify("metadata", silent))).fault is Fault.NO_REPOSITORY


async def test_a_list_of_files_that_was_changed_is_not_believed(here: TheGround) -> None:
    listed = here.newest / ".jarvis" / "manifest.jsonl"
    listed.write_text(listed.read_text().replace("holiday", "holliday"))
    copy = (await adapter(here).look()).copies[-1]
    assert (await fault_of(adapter(here).entries(copy))).fault is Fault.DAMAGED
    made = await adapter(here).back_up(silent)  # a new one can be made all the same
    assert (made.files, made.files_new) == (6, 0)
    assert (await adapter(here).verify("data", silent)).share == 1.0


async def test_an_empty_mount_point_looks_like_no_backup(here: TheGround) -> None:
    empty = here.folder / "empty"
    empty.mkdir()
    here.change(repository=str(empty))
    assert (await adapter(here).look()).copies == ()
    here.change(repository=str(empty / "snapshots"))
    assert (await fault_of(adapter(here).look())).fault is Fault.NO_REPOSITORY
    error = await fault_of(adapter(here).back_up(silent))
    assert error.fault is Fault.NO_REPOSITORY
    assert list(empty.iterdir()) == []


BOTH = (OnThisMachine, TheGround)
SPOILED: list[tuple[Seed, Asked, Fault]] = [
    ("no_repository", "look", Fault.NO_REPOSITORY),
    ("not_mounted", "look", Fault.NOT_MOUNTED),
    ("not_mounted", "back_up", Fault.NOT_MOUNTED),
    ("truncated", "verify", Fault.TRUNCATED),
    ("prune_failed", "prune", Fault.FAILED),
    ("disk_full", "back_up", Fault.DISK_FULL),
]


@pytest.mark.parametrize("seed, asked, fault", SPOILED)
async def test_each_fault_is_named(ground: TheGround, seed: Seed, asked: Asked, fault: Fault) -> None:
    await ground.seeds[seed]()
    assert (await fault_of(ask(adapter(ground), asked))).fault is fault


async def test_a_source_that_has_vanished_is_told_before_anything_is_written(here: TheGround) -> None:
    await here.seeds["source_missing"]()
    assert (await fault_of(adapter(here).back_up(silent))).fault is Fault.SOURCE_MISSING
    assert len(list(here.place.iterdir())) == 1


async def test_a_failed_run_leaves_the_last_snapshot_as_it_is(here: TheGround) -> None:
    await here.seeds["disk_full"]()
    await fault_of(adapter(here).back_up(silent))
    found = await adapter(here).look()
    assert [copy.complete for copy in found.copies if copy.complete] == [True]
    assert (await adapter(here).verify("data", silent)).share == 1.0


async def test_sources_that_cannot_be_read_are_counted(ground: TheGround) -> None:
    await ground.seeds["sources_unread"]()
    made = await adapter(ground).back_up(silent)
    assert (made.unread, made.complete) == (1, True)
    assert (await adapter(ground).look()).copies[-1].unread == 1


async def test_a_scratch_folder_that_is_full_is_told(here: TheGround) -> None:
    scratch = here.folder / "small"
    here.spoiling.small_disk(scratch, 1)
    fill(scratch)
    copy = (await adapter(here).look()).copies[-1]
    entries = [entry for entry in await adapter(here).entries(copy) if entry.size]
    assert (await fault_of(adapter(here).restore(copy, entries, scratch, silent))).fault is Fault.DISK_FULL


async def test_a_key_that_the_server_does_not_take_is_told(over_ssh: TheGround) -> None:
    over_ssh.change(ssh_key=over_ssh.server.other_key)
    error = await fault_of(adapter(over_ssh).look())
    assert (error.fault, error.reason) == (Fault.DENIED, "the server does not accept its ssh key")


async def test_a_server_that_is_not_the_known_one_is_told(over_ssh: TheGround) -> None:
    nobody = over_ssh.folder / "nobody"
    nobody.write_text("")
    over_ssh.change(known_hosts=nobody)
    error = await fault_of(adapter(over_ssh).back_up(silent))
    assert (error.fault, error.reason) == (Fault.DENIED, "the server's key is not the one in known_hosts")


async def test_a_server_that_is_gone_is_unreachable(over_ssh: TheGround) -> None:
    await over_ssh.spoiling.close()
    assert (await fault_of(adapter(over_ssh).look())).fault is Fault.UNREACHABLE


async def test_a_missing_key_is_told_before_anything_runs(over_ssh: TheGround) -> None:
    over_ssh.change(ssh_key=over_ssh.folder / "none")
    assert (await fault_of(adapter(over_ssh).look())).fault is Fault.PASSWORD_UNREADABLE


async def test_one_command_looks_and_ssh_gets_the_jobs_own_key_only(over_ssh: TheGround) -> None:
    with seen_argvs() as seen:
        await adapter(over_ssh).look()
    calls = [argv.split("\0") for argv in seen if argv.startswith("ssh\0") and str(over_ssh.server.port) in argv]
    assert len({tuple(call) for call in calls}) == 1
    for option in ("BatchMode=yes", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes", "ConnectTimeout=10"):
        assert option in calls[0]
    assert str(over_ssh.server.key) in calls[0]


async def test_the_name_of_a_copy_that_leads_elsewhere_is_refused(here: TheGround) -> None:
    stranger = Copy(id="../source", at=0.0)
    assert (await fault_of(adapter(here).entries(stranger))).fault is Fault.NONSENSE


async def _until(true: Any) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - another program writes
            await asyncio.sleep(0.02)


def _running(program: str) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            argv = process.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if argv.split("\0")[0].endswith(program):
            found.append(argv)
    return found
