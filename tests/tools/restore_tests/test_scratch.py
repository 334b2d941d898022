"""Scratch folders: apart from every source, and gone afterwards, also after a crash."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.restore_tests.scratch import ScratchError, clean_left_overs, in_loop, scratch_folder

NOBODY = 2**22 + 1
"""A process id above Linux's and macOS's largest."""


def left_behind(state: Path) -> list[Path]:
    return list((state / "scratch").iterdir())


@pytest.mark.parametrize("source", ["state/scratch", "state/scratch/restore-1", "state", ".", "link"])
def test_scratch_and_source_never_overlap_links_followed(tmp_path: Path, source: str) -> None:
    (tmp_path / "state" / "scratch").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "state")
    with (
        pytest.raises(ScratchError, match="overlap"),
        scratch_folder(tmp_path / "state", [str(tmp_path / "elsewhere"), str(tmp_path / source)]),
    ):
        pass
    assert left_behind(tmp_path / "state") == []


def test_a_scratch_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "scratch").symlink_to(tmp_path / "precious")
    with pytest.raises(ScratchError, match="is a link"), scratch_folder(tmp_path / "state", []):
        pass
    assert list((tmp_path / "precious").iterdir()) == []


def test_the_state_folder_itself_may_be_reached_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "state").symlink_to(tmp_path / "real")
    with scratch_folder(tmp_path / "state", ["/nowhere"]) as scratch:
        assert scratch.is_dir()
        assert scratch.stat().st_mode & 0o777 == 0o700


def test_what_was_restored_is_removed_even_when_it_is_locked_and_the_test_breaks(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)

    def restore_and_break(scratch: Path) -> None:
        locked = scratch / "a" / "b"
        locked.mkdir(parents=True)
        (locked / "file").write_text("x")
        (scratch / "a" / "link").symlink_to(outside)
        locked.chmod(0o000)
        locked.parent.chmod(0o500)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), scratch_folder(tmp_path, ["/nowhere"]) as scratch:
        restore_and_break(scratch)
    assert left_behind(tmp_path) == []
    assert outside.stat().st_mode & 0o777 == 0o755


def test_what_a_crash_left_is_cleaned_and_what_a_living_process_uses_is_not(tmp_path: Path) -> None:
    for name in (f"restore-{NOBODY}-a", f"restore-{os.getppid()}-b", f"restore-{os.getpid()}-c", "restore-old", "else"):
        (tmp_path / "scratch" / name).mkdir(parents=True)
    (tmp_path / "scratch" / f"restore-{NOBODY}-link").symlink_to(tmp_path)
    assert clean_left_overs(tmp_path) == 3
    assert {path.name for path in left_behind(tmp_path)} == {
        f"restore-{os.getppid()}-b",
        "else",
        f"restore-{NOBODY}-link",
    }


def test_cleaning_where_nothing_is_or_a_link_is_does_nothing(tmp_path: Path) -> None:
    assert clean_left_overs(tmp_path) == 0
    (tmp_path / "precious" / f"restore-{NOBODY}-a").mkdir(parents=True)
    (tmp_path / "scratch").symlink_to(tmp_path / "precious")
    assert clean_left_overs(tmp_path) == 0
    assert (tmp_path / "precious" / f"restore-{NOBODY}-a").is_dir()


def test_what_a_part_of_the_source_that_no_backup_takes_holds_does_not_overlap(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    with scratch_folder(tmp_path / "state", [str(tmp_path)], ["*.tmp", str(tmp_path / "state")]) as scratch:
        assert scratch.is_dir()
    for elsewhere in ("/somewhere/else", str(tmp_path / "sta"), str(tmp_path.parent)):
        with (
            pytest.raises(ScratchError, match="overlap"),
            scratch_folder(tmp_path / "state", [str(tmp_path)], [elsewhere]),
        ):
            pass


def test_what_cannot_be_removed_is_left_and_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in "ab":
        (tmp_path / "scratch" / f"restore-{NOBODY}-0-{name}").mkdir(parents=True)
    rmtree = shutil.rmtree

    def stubborn(path: Path) -> None:
        if path.name.endswith("a"):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        rmtree(path)

    monkeypatch.setattr("tools.restore_tests.scratch.shutil.rmtree", stubborn)
    assert clean_left_overs(tmp_path) == 1
    assert [path.name for path in left_behind(tmp_path)] == [f"restore-{NOBODY}-0-a"]
    assert "busy" in caplog.text


def test_what_this_process_uses_is_left_alone(tmp_path: Path) -> None:
    with scratch_folder(tmp_path, []) as scratch:
        if Path("/proc/self/stat").exists():  # else nobody can tell it from one of before a restart
            assert clean_left_overs(tmp_path) == 0
            assert scratch.is_dir()


def test_the_scratch_of_a_killed_process_is_cleaned_and_that_of_a_living_one_is_not(tmp_path: Path) -> None:
    program = (
        "import sys, time, pathlib; from tools.restore_tests.scratch import scratch_folder\n"
        "with scratch_folder(pathlib.Path(sys.argv[1]), []) as folder:\n"
        "    (folder / 'restored').write_text('x'); print(folder, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        folder = Path(child.stdout.readline().strip())
        assert clean_left_overs(tmp_path) == 0
        assert (folder / "restored").exists()
        child.kill()
        child.wait(timeout=30)
    assert clean_left_overs(tmp_path) == 1
    assert left_behind(tmp_path) == []


def test_a_process_that_was_given_the_id_of_the_crashed_one_is_told_from_it(tmp_path: Path) -> None:
    (tmp_path / "scratch" / f"restore-{os.getppid()}-1-old").mkdir(parents=True)
    known = Path("/proc/self/stat").exists()
    assert clean_left_overs(tmp_path) == (1 if known else 0)


async def test_a_folder_is_removed_to_its_end_however_often_its_user_is_cancelled(tmp_path: Path) -> None:
    ready = asyncio.Event()

    async def use() -> None:
        async with in_loop(scratch_folder(tmp_path, [])) as scratch:
            for number in range(200):
                (scratch / str(number)).mkdir()
            ready.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(use())
    await ready.wait()
    while not task.done():
        task.cancel()
        await asyncio.sleep(0)
    assert task.cancelled()
    assert left_behind(tmp_path) == []
