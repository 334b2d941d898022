"""Restore tests: what they compare, where they restore to, and what they leave behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.real_restic import FakeRestic, Jobs, Repository, restic_time
from tools.restore_tests.restic import compare
from tools.restore_tests.scratch import ScratchError, clean_left_overs, scratch_folder

NOBODY = 2**22 + 1
"""A process id above Linux's and macOS's largest."""


def left_behind(state: Path) -> list[Path]:
    return list((state / "scratch").iterdir())


async def test_a_passed_test_is_entered_with_what_was_compared_and_leaves_nothing(
    jobs: Jobs, repository: Repository
) -> None:
    jobs.add("photos", repository)
    started = time.time()
    record = await jobs.restore("photos")
    assert {key: record[key] for key in ("ok", "level", "sample_n", "coverage_pct", "mismatches", "first_error")} == {
        "ok": True,
        "level": "restored",
        "sample_n": 2,
        "coverage_pct": 100.0,
        "mismatches": 0,
        "first_error": None,
    }
    assert started <= record["at"] <= time.time()
    assert jobs.store.last_restore_test("photos") == record
    assert left_behind(jobs.state) == []


async def test_a_file_changed_since_the_backup_is_not_compared(jobs: Jobs, repository: Repository) -> None:
    (repository.source / "notes.txt").write_text("milk, eggs, bread")
    jobs.add("photos", repository)
    record = await jobs.restore("photos")
    assert (record["ok"], record["sample_n"], record["coverage_pct"]) == (True, 2, 50.0)


async def test_a_file_deleted_since_the_backup_is_not_compared(jobs: Jobs, repository: Repository) -> None:
    (repository.source / "notes.txt").unlink()
    jobs.add("photos", repository)
    record = await jobs.restore("photos")
    assert (record["ok"], record["coverage_pct"]) == (True, 50.0)


async def test_a_new_file_with_an_old_date_is_not_compared(jobs: Jobs, repository: Repository) -> None:
    (repository.source / "notes.txt").write_text("copied over with the date of its original")
    os.utime(repository.source / "notes.txt", (1, 1))
    jobs.add("photos", repository)
    assert (await jobs.restore("photos"))["ok"]


async def test_a_file_that_came_back_different_fails_the_test(jobs: Jobs, repository: Repository) -> None:
    repository.back_up("--time", restic_time(time.time() + 200))  # so that the change below looks like an older one
    (repository.source / "notes.txt").write_text("rotten")
    jobs.add("photos", repository)
    record = await jobs.restore("photos")
    assert (record["ok"], record["mismatches"]) == (False, 1)
    assert record["first_error"] == f"{repository.source / 'notes.txt'} came back different"
    assert (await jobs.record_of("photos"))["verdict"] == "failed"


async def test_the_files_of_another_machine_are_verified_and_not_compared(jobs: Jobs, repository: Repository) -> None:
    repository.back_up("--host", "laptop", "--time", restic_time(time.time() + 200))
    (repository.source / "notes.txt").write_text("this machine's own notes")
    jobs.add("laptop", repository, host="laptop")
    record = await jobs.restore("laptop")
    assert (record["ok"], record["level"], record["coverage_pct"]) == (True, "restored", 0.0)
    assert (await jobs.check("laptop")).spoken == (
        "The laptop backup is ok: backed up just now, restored and verified just now."
    )


async def test_a_job_without_a_backup_fails_the_test(jobs: Jobs, repository: Repository) -> None:
    jobs.add("photos", repository, tags=["never"])
    record = await jobs.restore("photos")
    assert (record["ok"], record["first_error"]) == (False, "there is no snapshot to restore")


async def test_a_restore_of_nothing_fails_the_test(jobs: Jobs, nowhere: Repository, fake_restic: FakeRestic) -> None:
    stamp = "2026-05-13T10:00:00Z"
    fake_restic.does(f'case "$*" in *snapshots*) echo \'[{{"id": "a", "time": "{stamp}", "paths": ["/p"]}}]\';; esac')
    jobs.add("photos", nowhere)
    record = await jobs.restore("photos")
    assert (record["ok"], record["first_error"], record["level"]) == (False, "nothing was restored", "none")


async def test_a_source_that_holds_the_scratch_folder_is_refused(jobs: Jobs, repository: Repository) -> None:
    jobs.state = repository.source / "state"
    jobs.state.mkdir()
    jobs.add("photos", repository)
    record = await jobs.restore("photos")
    assert not record["ok"]
    assert "overlap" in record["first_error"]
    assert left_behind(jobs.state) == []


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


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trees")


FILES = st.dictionaries(st.sampled_from(["a", "b", "c", "d/e", "d/f"]), st.binary(max_size=20), max_size=5)


@given(source=FILES, restored=FILES, changed=st.booleans())
def test_each_restored_file_is_compared_with_the_unchanged_source_of_the_same_path(
    trees: Path, source: dict[str, bytes], restored: dict[str, bytes], changed: bool
) -> None:
    number = len(list(trees.iterdir()))
    here, scratch = trees / f"{number}-here", trees / f"{number}-scratch"
    for root, files in ((here, source), (scratch / here.relative_to("/"), restored)):
        root.mkdir(parents=True)
        for name, content in files.items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_bytes(content)
    result = compare(scratch, 0.0 if changed else time.time() + 60)
    both = set() if changed else set(source) & set(restored)
    assert result.restored == len(restored)
    assert result.compared == len(both)
    assert result.mismatches == [
        f"{here / name} came back different" for name in sorted(both) if source[name] != restored[name]
    ]


def command_line(jobs: Jobs, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = jobs.state / "settings.json"
    settings.write_text(jobs.tool_settings().model_dump_json())
    command = [sys.executable, "-m", "tools.restore_tests", "--settings", str(settings), "--state", str(jobs.state)]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=120, check=False)


def test_the_command_line_proves_a_job(jobs: Jobs, repository: Repository) -> None:
    jobs.add("photos", repository)
    done = command_line(jobs, "photos")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == jobs.store.last_restore_test("photos")


def test_the_command_line_tells_a_failed_test_by_its_exit_code(jobs: Jobs, nowhere: Repository) -> None:
    jobs.add("photos", nowhere)
    done = command_line(jobs, "photos")
    assert done.returncode == 1
    assert json.loads(done.stdout)["first_error"] == "there is no repository at its place"


@pytest.mark.parametrize("job", ["music", "documents"])
def test_the_command_line_refuses_what_is_no_restic_job(jobs: Jobs, nowhere: Repository, job: str) -> None:
    jobs.add("photos", nowhere)
    jobs.add("documents", kind="borg")
    done = command_line(jobs, job)
    assert (done.returncode, done.stdout) == (3, "")
    assert f"{job!r} is no restic job" in done.stderr
    assert "photos" in done.stderr


def test_the_command_line_says_what_is_wrong_with_its_settings(jobs: Jobs) -> None:
    settings = jobs.state / "broken.json"
    settings.write_text('{"backups": {"photos": {"kind": "tape"}}}')
    command = [
        sys.executable,
        "-m",
        "tools.restore_tests",
        "--settings",
        str(settings),
        "--state",
        str(jobs.state),
        "x",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3
    assert "backups.photos.kind" in done.stderr
    assert "Traceback" not in done.stderr
