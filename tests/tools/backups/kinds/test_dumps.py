"""Folders of dated dumps: what counts, what is whole, what is left of runs that broke off."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.kinds.dump_files import MANIFEST, PART, STILL_WRITTEN_S, WORK, safe_name, work_folder
from tools.backups.kinds.dumps import DumpFolder
from tools.backups.kinds.target import targets
from tools.backups.port import BackupError, Fault
from tools.settings import BackupSettings, KeepSettings

NONE = KeepSettings(last=1, daily=0, weekly=0, monthly=0, days=0)


def folder_of(place: Path, keep: KeepSettings = NONE) -> DumpFolder:
    settings = BackupSettings(kind="postgres-dump", repository=str(place), keep=keep)
    return DumpFolder(settings, targets(settings)[0], name="cloud", suffixes=(".dump", ".sql"), ends=_ends)


def _ends(dump: Path) -> bool | None:
    return dump.read_bytes().endswith(b"end") if dump.suffix == ".sql" else None


async def made(folder: DumpFolder, content: bytes = b"whole") -> str:
    part = await folder.begin(".dump")
    part.write_bytes(content)
    return (await folder.finish(part, {"at": time.time()})).id


def listing(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def manifests(place: Path) -> list[Path]:
    return list(place.glob(f"*{MANIFEST}"))


def age(path: Path, seconds: float = 2 * STILL_WRITTEN_S) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


async def test_a_finished_dump_is_there_with_its_manifest_and_nothing_else(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    name = await made(folder)
    (copy,) = (await folder.look()).copies
    assert (copy.id, copy.size, copy.complete, copy.here) == (name, 5, True, True)
    assert listing(tmp_path) == [name, name + MANIFEST]
    assert {path.stat().st_mode & 0o077 for path in manifests(tmp_path)} == {0}


async def test_two_dumps_of_one_second_have_two_names(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    assert len({await made(folder) for _ in range(3)}) == 3


async def test_only_dumps_of_that_name_count(tmp_path: Path) -> None:
    for name in (
        "cloud.dump",
        "cloud_2026.sql",
        "cloud-1.dump",
        "cloud2.dump",
        "other.dump",
        "cloud.txt",
        f"cloud.dump{PART}",
    ):
        (tmp_path / name).write_bytes(b"end")
    (tmp_path / "cloud-folder.dump").mkdir()
    (tmp_path / "cloud-link.dump").symlink_to("other.dump")
    found = {copy.id for copy in (await folder_of(tmp_path).look()).copies}
    assert found == {"cloud.dump", "cloud_2026.sql", "cloud-1.dump"}


async def test_the_newest_has_to_be_as_long_as_its_manifest_says(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    name = await made(folder)
    (tmp_path / name).write_bytes(b"who")
    with pytest.raises(BackupError) as raised:
        await folder.look()
    assert raised.value.fault is Fault.TRUNCATED
    await made(folder)
    assert [copy.complete for copy in (await folder.look()).copies] == [False, True]


async def test_a_dump_of_somebody_else_without_its_end_may_still_be_written(tmp_path: Path) -> None:
    (tmp_path / "cloud.sql").write_bytes(b"begun")
    assert len((await folder_of(tmp_path).look()).copies) == 1
    age(tmp_path / "cloud.sql")
    with pytest.raises(BackupError) as raised:
        await folder_of(tmp_path).look()
    assert raised.value.fault is Fault.TRUNCATED


async def test_what_a_killed_run_left_is_told_and_removed_by_the_next(tmp_path: Path) -> None:
    left, young = tmp_path / f"cloud-old.dump{PART}", tmp_path / f"cloud-young.dump{PART}"
    work = tmp_path / f"cloud-old.dump{PART}{WORK}"
    for path in (left, young):
        path.write_bytes(b"half")
    work.mkdir()
    (work / "inner").write_bytes(b"half")
    for path in (left, work):
        age(path)
    (warning,) = (await folder_of(tmp_path).look()).warnings
    assert "broke off" in warning
    await made(folder_of(tmp_path))
    assert not left.exists()
    assert not work.exists()
    assert young.exists()


async def test_pruning_leaves_what_others_made_and_the_newest(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (tmp_path / "cloud-foreign.dump").write_bytes(b"x")
    age(tmp_path / "cloud-foreign.dump", 10**8)
    names = [await made(folder) for _ in range(3)]
    pruned = await folder.prune()
    assert (pruned.removed, pruned.freed) == (2, 10)
    assert [copy.id for copy in (await folder.look()).copies] == ["cloud-foreign.dump", names[-1]]
    assert len(manifests(tmp_path)) == 1


async def test_a_folder_that_is_not_there_is_no_repository(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "none")
    for act in (folder.look(), folder.begin(".dump"), folder.prune()):
        with pytest.raises(BackupError) as raised:
            await act
        assert raised.value.fault is Fault.NO_REPOSITORY


@pytest.mark.parametrize(
    "manifest", ["", "[]", '"x"', "{", '{"at": "yesterday", "size": "x", "paths": 5}', "[" * 100_000]
)
async def test_a_manifest_that_is_none_is_as_good_as_none(manifest: str, tmp_path: Path) -> None:
    (tmp_path / "cloud.dump").write_bytes(b"whole")
    (tmp_path / f"cloud.dump{MANIFEST}").write_text(manifest)
    (copy,) = (await folder_of(tmp_path).look()).copies
    assert copy.complete


async def test_a_dump_that_could_not_be_kept_leaves_no_manifest(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    part = await folder.begin(".dump")
    with pytest.raises(BackupError):
        await folder.finish(part, {"at": 1.0})
    assert listing(tmp_path) == []


def test_a_work_folder_is_gone_whatever_happens(tmp_path: Path) -> None:
    def break_off() -> None:
        with work_folder(tmp_path / f"x{PART}") as work:
            (work / "inner").write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert listing(tmp_path) == []


@given(st.text(min_size=1))
def test_a_safe_name_is_one_part_of_a_path(name: str) -> None:
    found = safe_name(name)
    assert found
    assert Path(found).name == found
    assert not found.startswith((".", "-"))
