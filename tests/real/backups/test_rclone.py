"""Mirrors by the real rclone: encrypted, in a plain folder and on a real WebDAV server; and every fault."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.real.backups.argvs import seen_argvs
from tests.real.backups.asking import Asked, ask, fault_of, silent
from tests.real.backups.ground import Seed
from tests.real.backups.ground_rclone import PASSWORD, TheGround
from tests.real.backups.spoiling import fill, until_done
from tools.backups.kinds import make
from tools.backups.kinds.rclone import Rclone
from tools.backups.port import Fault, Pruned
from tools.settings import KeepSettings

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


def adapter(ground: TheGround) -> Rclone:
    made = make(ground.settings)
    assert isinstance(made, Rclone)
    return made


async def restored(kind: Rclone, number: int, into: Path) -> dict[str, bytes]:
    """All files of a copy as they come back, by path."""
    copy = (await kind.look()).copies[number]
    await kind.restore(copy, await kind.entries(copy), into, silent)
    return {path.removeprefix(str(into)): content for path, content in contents(into).items()}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_every_run_can_be_restored_as_it_was(ground: TheGround, tmp_path: Path) -> None:
    kind = adapter(ground)
    first = contents(ground.source)
    (ground.source / "notes für später.txt").write_text("forget the milk")
    (ground.source / "2024" / "holiday.jpg").unlink()
    (ground.source / "new\nline").write_bytes(b"12345")
    (ground.source / "left out.tmp").write_bytes(b"x")
    made = await kind.back_up(silent)
    second = contents(ground.source)
    second.pop(str(ground.source / "left out.tmp"))
    assert (made.files, made.files_new, made.files_changed, made.added) == (6, 1, 1, 20)
    found = await kind.look()
    assert found.copies[-1] == made
    assert len(found.copies) == 2
    assert found.free is not None
    assert await restored(kind, 0, tmp_path / "first") == first
    assert await restored(kind, 1, tmp_path / "second") == second
    entry = (await kind.entries(made))[0]
    assert kind.source(entry) == Path(entry.path)
    assert (await kind.verify("data", silent)).share == 1.0


async def test_a_run_that_is_killed_is_no_backup_and_takes_nothing_from_the_last_one(
    ground: TheGround, tmp_path: Path
) -> None:
    first = contents(ground.source)
    (ground.source / "notes für später.txt").write_text("forget the milk")
    (ground.source / "2024" / "holiday.jpg").write_bytes(os.urandom(5_000_000))
    ground.change(options=("--bwlimit=500k", "--transfers=8"))
    run = asyncio.create_task(adapter(ground).back_up(silent))
    before = len(contents(ground.place))
    async with asyncio.timeout(30):
        while len(contents(ground.place)) == before:  # noqa: ASYNC110 - another program writes
            await asyncio.sleep(0.02)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    ground.change(options=())
    kind = adapter(ground)
    assert len((await kind.look()).copies) == 1
    assert await restored(kind, 0, tmp_path / "first") == first
    assert (await kind.verify("data", silent)).share == 1.0
    await kind.back_up(silent)
    assert await restored(kind, 0, tmp_path / "still first") == first
    assert await restored(kind, 1, tmp_path / "second") == contents(ground.source)


async def test_pruning_keeps_the_newest_and_what_the_rest_needs(ground: TheGround, tmp_path: Path) -> None:
    kind = adapter(ground)
    notes = ground.source / "notes für später.txt"
    for text in ("two", "three"):
        notes.write_text(text)
        await kind.back_up(silent)
    ground.change(keep=KeepSettings(last=0, daily=0, weekly=0, monthly=0, days=14))
    assert await adapter(ground).prune(silent) == Pruned(removed=0)
    ground.change(keep=KeepSettings(last=2, daily=0, weekly=0, monthly=0, days=0))
    kind = adapter(ground)
    assert await kind.prune(silent) == Pruned(removed=1)
    assert (await restored(kind, 0, tmp_path / "two"))[str(notes)] == b"two"
    assert (await restored(kind, 1, tmp_path / "three"))[str(notes)] == b"three"


async def test_a_flipped_byte_is_found_when_the_data_is_read(ground: TheGround, tmp_path: Path) -> None:
    kind = adapter(ground)
    await ground.seeds["damaged"]()
    assert (await kind.verify("metadata", silent)).level == "metadata"
    assert (await fault_of(kind.verify("data", silent))).fault is Fault.DAMAGED
    assert (await fault_of(restored(kind, 0, tmp_path / "scratch"))).fault is Fault.DAMAGED


async def test_a_file_that_was_cut_off_is_told_before_it_is_fetched(ground: TheGround, tmp_path: Path) -> None:
    await ground.seeds["truncated"]()
    error = await fault_of(restored(adapter(ground), 0, tmp_path / "scratch"))
    assert (error.fault, error.reason) == (Fault.TRUNCATED, "one file of it is cut off")


async def test_a_damaged_file_in_a_plain_folder_is_found_though_its_size_is_right(
    ground: TheGround, tmp_path: Path
) -> None:
    ground.place = tmp_path / "plain"
    ground.place.mkdir()
    ground.change(repository=str(ground.place), config_file=None, credentials={})
    await ground.back_up()
    await ground.seeds["damaged"]()
    error = await fault_of(adapter(ground).verify("data", silent))
    assert (error.fault, error.reason) == (Fault.DAMAGED, "one file of it is damaged")
    error = await fault_of(restored(adapter(ground), 0, tmp_path / "scratch"))
    assert (error.fault, error.reason) == (Fault.DAMAGED, "one file of it is damaged")


async def test_a_plain_folder_that_is_not_there_is_not_made(ground: TheGround, tmp_path: Path) -> None:
    ground.change(repository=str(tmp_path / "unplugged"), config_file=None, credentials={})
    assert (await fault_of(adapter(ground).back_up(silent))).fault is Fault.NO_REPOSITORY
    assert not (tmp_path / "unplugged").exists()


SPOILED: list[tuple[Seed, Asked, Fault]] = [
    ("wrong_password", "look", Fault.WRONG_PASSWORD),
    ("no_repository", "look", Fault.NO_REPOSITORY),
    ("not_mounted", "look", Fault.NOT_MOUNTED),
    ("truncated", "verify", Fault.TRUNCATED),
    ("source_missing", "back_up", Fault.SOURCE_MISSING),
    ("prune_failed", "prune", Fault.FAILED),
    ("disk_full", "back_up", Fault.DISK_FULL),
]


@pytest.mark.parametrize("seed, asked, fault", SPOILED)
async def test_each_fault_is_named(ground: TheGround, seed: Seed, asked: Asked, fault: Fault) -> None:
    await ground.seeds[seed]()
    assert (await fault_of(ask(adapter(ground), asked))).fault is fault


async def test_sources_that_cannot_be_read_are_counted(ground: TheGround) -> None:
    await ground.seeds["sources_unread"]()
    made = await adapter(ground).back_up(silent)
    assert (made.unread, made.complete, made.files) == (1, True, 5)
    earlier = await restored(adapter(ground), 0, ground.folder / "scratch")
    assert earlier[str(ground.source / "notes für später.txt")] == b"milk, eggs"


async def test_a_scratch_folder_that_is_full_is_told(ground: TheGround) -> None:
    scratch = ground.folder / "small"
    ground.spoiling.small_disk(scratch, 1)
    fill(scratch)
    kind = adapter(ground)
    copy = (await kind.look()).copies[-1]
    assert (await fault_of(kind.restore(copy, await kind.entries(copy), scratch, silent))).fault is Fault.DISK_FULL


async def test_no_secret_stands_in_an_argv_or_in_an_error(ground: TheGround) -> None:
    secrets = (PASSWORD, ground.password.read_text().strip())
    with seen_argvs() as seen:
        await adapter(ground).look()
        await ground.seeds["wrong_password"]()
        error = await fault_of(adapter(ground).look())
    assert any("rclone" in argv for argv in seen)
    for secret in secrets:
        assert not [argv for argv in seen if secret in argv]
        assert secret not in error.reason


async def test_a_credential_that_cannot_be_read_is_told(ground: TheGround) -> None:
    ground.password.unlink()
    assert (await fault_of(adapter(ground).look())).fault is Fault.PASSWORD_UNREADABLE


async def test_a_remote_that_nobody_knows_is_not_configured(ground: TheGround) -> None:
    ground.change(repository="attic:")
    assert (await fault_of(adapter(ground).look())).fault is Fault.NOT_CONFIGURED


async def test_a_server_takes_backups_refuses_the_wrong_password_and_can_be_gone(
    ground: TheGround, tmp_path: Path
) -> None:
    """A real WebDAV server, as a cloud has it: no modification times, and nothing is there before the first run."""
    (tmp_path / "dav").mkdir()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    credentials = ground.folder / "htpasswd"
    credentials.write_text("me:{SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs=\n")  # 123456
    serve = ["rclone", "serve", "webdav", str(tmp_path / "dav"), "--addr", f"127.0.0.1:{port}"]

    def answers() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return False

    await ground.spoiling.hold([*serve, "--htpasswd", str(credentials)], {}, answers)
    ground.configuration.write_text(f"[dav]\ntype = webdav\nurl = http://127.0.0.1:{port}\nvendor = other\nuser = me\n")
    ground.password.write_text(await until_done(["rclone", "obscure", "123456"], {}))
    ground.change(repository="dav:jarvis", credentials={"RCLONE_CONFIG_DAV_PASS": ground.password})
    kind = adapter(ground)
    assert (await fault_of(kind.look())).fault is Fault.NO_REPOSITORY
    made = await kind.back_up(silent)
    assert (made.files, made.complete) == (6, True)
    (ground.source / "notes für später.txt").write_text("forget the milk, and the eggs")
    await kind.back_up(silent)
    assert (await kind.verify("data", silent)).share == 1.0
    assert await restored(kind, 1, tmp_path / "scratch") == contents(ground.source)
    await ground.write_password("another one")
    error = await fault_of(kind.look())
    assert (error.fault, error.reason) == (Fault.WRONG_PASSWORD, "its server does not accept the password")
    await ground.spoiling.close()
    assert (await fault_of(kind.look())).fault is Fault.UNREACHABLE
