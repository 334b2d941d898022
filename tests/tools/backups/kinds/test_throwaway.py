"""Servers for one proof: ready when they answer, ended however their block is left, and no folder left of the dead."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from tools.backups.kinds.throwaway import PASSWORDS, SOCKETS, data_folder, last_line, server, temporary
from tools.backups.port import BackupError, Fault


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of temporary files, of this test's own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def dead() -> int:
    """The number of a process that has ended."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    return ended.pid


def writes(pid: Path) -> list[str]:
    return ["sh", "-c", f'echo $$ > "{pid}.new"; mv "{pid}.new" "{pid}"; exec sleep 60']


async def never() -> bool:
    return False


async def test_folders_of_dead_processes_are_removed_and_those_of_the_living_are_not(place: Path) -> None:
    over = dead()
    for name in (
        f"jarvis-of-{PASSWORDS}-{over}-a",
        f"jarvis-of-{SOCKETS}-{over}-a",
        f"jarvis-of-{SOCKETS}-{os.getpid()}-a",
    ):
        (place / name).mkdir()
        (place / name / "secret").write_text("x")
    (place / f"jarvis-of-{SOCKETS}-{over}-link").symlink_to(place)
    async with temporary(PASSWORDS) as folder:
        assert folder.stat().st_mode & 0o077 == 0
        found = listing(place)
    kept = [f"jarvis-of-{SOCKETS}-{os.getpid()}-a", f"jarvis-of-{SOCKETS}-{over}-link"]
    assert found == sorted([*kept, folder.name])
    assert listing(place) == sorted(kept)


async def test_a_data_folder_is_empty_reachable_by_its_descriptor_and_gone_afterwards(place: Path) -> None:
    (place / "data").mkdir()
    (place / "data" / "left over").write_text("x")
    async with data_folder(place, "data", None) as (folder, descriptor):
        (folder / "file").write_text("x")
        assert os.stat("file", dir_fd=descriptor).st_size == 1
    assert listing(place) == []


async def test_a_server_that_ends_before_it_answers_says_why() -> None:
    with pytest.raises(BackupError) as raised:
        async with server(
            ["sh", "-c", "echo first >&2; echo 'no luck today.' >&2; exit 1"],
            name="Database",
            answers=never,
            ended_by=signal.SIGTERM,
        ):
            pytest.fail("it never answered")
    assert raised.value.reason == "a throwaway Database does not start: no luck today"


async def test_a_server_without_room_says_nothing_against_a_backup() -> None:
    with pytest.raises(BackupError) as raised:
        async with server(
            ["sh", "-c", "echo 'FATAL: No space left on device' >&2; exit 1"],
            name="Database",
            answers=never,
            ended_by=signal.SIGTERM,
        ):
            pytest.fail("it never answered")
    assert raised.value.fault is Fault.DISK_FULL


async def test_a_server_that_is_not_installed_is_a_fault() -> None:
    with pytest.raises(BackupError) as raised:
        async with server(["no-such-server"], name="Database", answers=never, ended_by=signal.SIGTERM):
            pytest.fail("it never answered")
    assert raised.value.fault is Fault.NOT_INSTALLED


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_server_ends_with_its_block_and_when_it_is_cancelled(cancelled: bool, place: Path) -> None:
    pid = place / "pid"

    async def answers() -> bool:
        return await asyncio.to_thread(pid.exists)

    async def use() -> None:
        async with server(writes(pid), name="Database", answers=answers, ended_by=signal.SIGKILL) as running:
            assert running.running
            if cancelled:
                task.cancel()
                await asyncio.Event().wait()

    task = asyncio.create_task(use())
    await asyncio.wait([task])
    assert task.cancelled() is cancelled
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_the_last_that_was_said_is_short_and_one_line() -> None:
    assert last_line("one\ntwo.\n\n") == "two"
    assert last_line("") == "it says nothing"
    assert len(last_line("x" * 1000)) == 200
