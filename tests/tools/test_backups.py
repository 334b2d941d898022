"""``check_backups`` on a real restic repository, and on a restic that misbehaves."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import time
from pathlib import Path
from typing import get_args

import pytest

from tests.tools.real_restic import FakeRestic, Jobs, Repository, restic_time
from tools.contract import Severity
from tools.settings import BackupKind

DAY = 86400.0


async def test_a_fresh_backup_that_was_restored_is_ok(jobs: Jobs, repository: Repository) -> None:
    jobs.add("photos", repository)
    assert (await jobs.restore("photos"))["ok"]
    result = await jobs.check("photos")
    proof = r"restored and (compared|verified) just now"  # files that are as young as the backup are not compared
    assert re.fullmatch(rf"The photos backup is ok: backed up just now, {proof}\.", result.spoken)
    assert result.findings == ()
    (record,) = result.data["jobs"]
    assert (record["verdict"], record["cause"], record["kind"]) == ("ok", "proven", "restic")
    assert record["source"] == [str(repository.source)]
    assert record["destination"] == str(repository.place)
    assert 0 <= record["age_h"] < 0.1
    assert record["verify"] == {
        "level": "restored",
        "at": record["verify"]["at"],
        "age_h": 0.0,
        "sample_n": 2,
        "coverage_pct": 100.0,
        "mismatches": 0,
        "first_error": None,
    }


async def test_a_fresh_backup_that_was_never_restored_is_not_proven(jobs: Jobs, repository: Repository) -> None:
    jobs.add("gitea", repository)
    result = await jobs.check()
    assert result.spoken == "The gitea backup is not proven: backed up just now, but never restored. Test restoring it."
    (finding,) = result.findings
    assert (finding.severity, finding.subject, finding.message) == (
        Severity.NOTICE,
        "gitea",
        "gitea was never restored",
    )


async def test_an_old_backup_is_stale(jobs: Jobs, repository: Repository) -> None:
    repository.restic("forget", "--prune", "latest")
    repository.back_up("--time", restic_time(time.time() - 3 * DAY))
    jobs.add("config", repository)
    result = await jobs.check("config")
    assert result.spoken == "The config backup is too old: last backed up three days ago. Run it now."
    assert result.findings[0].severity is Severity.WARNING
    assert result.data["jobs"][0]["age_h"] == pytest.approx(72, abs=0.1)


async def test_only_the_newest_of_the_chosen_snapshots_counts(jobs: Jobs, repository: Repository) -> None:
    repository.back_up("--tag", "nightly", "--time", restic_time(time.time() - 2 * DAY))
    repository.back_up("--host", "laptop", "--time", restic_time(time.time() - 4 * DAY))
    jobs.add("all", repository)
    jobs.add("nightly", repository, tags=["nightly"])
    jobs.add("laptop", repository, host="laptop")
    jobs.add("elsewhere", repository, paths=["/somewhere/else"])
    jobs.add("here", repository, paths=[str(repository.source)])
    ages = {record["job"]: record["age_h"] for record in (await jobs.check()).data["jobs"]}
    assert ages["all"] == ages["here"] == pytest.approx(0, abs=0.1)
    assert ages["nightly"] == pytest.approx(48, abs=0.1)
    assert ages["laptop"] == pytest.approx(96, abs=0.1)
    assert ages["elsewhere"] is None


async def test_a_repository_without_a_backup_has_failed(jobs: Jobs, repository: Repository) -> None:
    repository.restic("forget", "latest")
    jobs.add("photos", repository)
    result = await jobs.check("photos")
    assert result.spoken == "The photos job has no backup at all. Run it now."
    assert result.findings[0].severity is Severity.CRITICAL


async def test_a_wrong_password_has_failed_with_that_reason(jobs: Jobs, repository: Repository, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("battery staple")
    jobs.add("photos", repository, password_file=wrong)
    result = await jobs.check("photos")
    assert result.spoken == (
        "The photos backup can't be read: the password is wrong. Put the right password into its password file."
    )
    assert result.findings[0].severity is Severity.CRITICAL
    assert "battery" not in result.model_dump_json()


@pytest.mark.parametrize("content", [None, ""])
async def test_a_password_file_that_is_not_there_or_empty_is_unknown(
    jobs: Jobs, repository: Repository, tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "file").write_text(content)
    jobs.add("photos", repository, password_file=tmp_path / "file")
    record = await jobs.record_of("photos")
    assert (record["verdict"], record["detail"]) == ("unknown", "its password file cannot be read")


async def test_a_missing_repository_has_failed_with_that_reason(jobs: Jobs, repository: Repository) -> None:
    shutil.rmtree(repository.place)
    jobs.add("photos", repository)
    assert (await jobs.check("photos")).spoken == (
        "The photos backup can't be read: there is no repository at its place. See whether its disk is there, or make "
        "the repository anew."
    )


async def test_a_repository_on_a_machine_that_is_away_is_unknown_and_not_failed(jobs: Jobs, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("x")
    jobs.add("photos", repository="rest:http://127.0.0.1:1/index/packs/", password_file=tmp_path / "password")
    record = await jobs.record_of("photos")
    assert (record["verdict"], record["detail"]) == ("unknown", "its repository can't be reached")


async def test_a_job_without_a_repository_is_unknown(jobs: Jobs) -> None:
    jobs.add("photos")
    record = await jobs.record_of("photos")
    assert (record["verdict"], record["detail"]) == ("unknown", "no repository is configured")


@pytest.mark.parametrize("kind", get_args(BackupKind))
async def test_a_job_of_any_kind_that_is_not_set_up_is_unknown_and_says_so(jobs: Jobs, kind: BackupKind) -> None:
    jobs.add("documents", kind=kind)
    result = await jobs.check("documents")
    assert re.match(r"The documents (backup|dump) can't be judged: .+\. (Look at|Install) .+\.$", result.spoken)
    assert result.findings[0].severity is Severity.UNKNOWN


async def test_one_broken_job_does_not_hide_the_others(jobs: Jobs, repository: Repository) -> None:
    jobs.add("photos", repository)
    await jobs.restore("photos")
    jobs.add("gitea", repository)
    jobs.add("documents", kind="borg")
    jobs.add("old", repository="/does/not/exist", password_file=repository.password)
    result = await jobs.check()
    assert [record["job"] for record in result.data["jobs"]] == ["old", "documents", "gitea", "photos"]
    assert result.spoken == (
        "One of four backups is proven. The old backup can't be read: there is no repository at its place, the "
        "documents backup can't be judged: no repository is configured and gitea was never restored."
    )
    assert [finding.subject for finding in result.findings] == ["old", "documents", "gitea"]


async def test_a_lost_directory_of_the_backup_is_found_by_a_restore_test(jobs: Jobs, repository: Repository) -> None:
    jobs.add("photos", repository)
    assert (await jobs.restore("photos"))["ok"]
    for index in (repository.place / "index").iterdir():
        index.unlink()
    assert (await jobs.record_of("photos"))["verdict"] == "ok"
    record = await jobs.restore("photos")
    assert (record["ok"], record["first_error"]) == (False, "the repository is damaged")
    assert (await jobs.check("photos")).spoken == (
        "The photos backup can't be restored: the repository is damaged; tested just now, backed up just now. "
        "Run it now, then test restoring it again."
    )


async def test_a_damaged_pack_is_found_by_a_restore_test(jobs: Jobs, repository: Repository) -> None:
    jobs.add("photos", repository)
    pack = repository.packs()[0]
    pack.chmod(0o600)
    content = bytearray(pack.read_bytes())
    content[1000:1010] = bytes(10)
    pack.write_bytes(content)
    record = await jobs.restore("photos")
    assert (record["ok"], record["first_error"], record["level"]) == (False, "the repository is damaged", "none")
    judged = await jobs.record_of("photos")
    assert (judged["verdict"], judged["cause"]) == ("failed", "restore_test_failed")
    assert judged["verify"]["first_error"] == "the repository is damaged"


async def test_a_deleted_pack_is_found_by_a_restore_test(jobs: Jobs, repository: Repository) -> None:
    """Slow: restic tries a missing file for most of a minute before it believes it."""
    jobs.add("photos", repository)
    repository.packs()[0].unlink()
    assert (await jobs.restore("photos"))["first_error"] == "the repository is damaged"
    assert (await jobs.record_of("photos"))["verdict"] == "failed"


async def test_restic_that_is_not_installed_is_unknown(
    jobs: Jobs, nowhere: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    jobs.add("photos", nowhere)
    assert (await jobs.check("photos")).spoken == (
        "The photos backup can't be judged: restic is not installed. Install the program."
    )


async def test_restic_that_cannot_be_started_is_unknown(
    jobs: Jobs, nowhere: Repository, fake_restic: FakeRestic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(fake_restic.folder))
    (fake_restic.folder / "restic").write_bytes(b"\x7fELF nonsense")
    (fake_restic.folder / "restic").chmod(0o755)
    jobs.add("photos", nowhere)
    record = await jobs.record_of("photos")
    assert (record["verdict"], record["detail"]) == ("unknown", "restic cannot be started: Exec format error")


@pytest.mark.parametrize(
    "script, reason",
    [
        ("sleep 60", "restic was not done within 0.5 seconds"),
        ("sleep 60 & wait", "restic was not done within 0.5 seconds"),
        ("sleep 60 & exit 0", "restic was not done within 0.5 seconds"),
        ("echo this is no json", "restic answered with something that is no list of snapshots"),
        ("echo '[1, 2]'", "restic answered with something that is no list of snapshots"),
        ("echo '{\"id\": 1}'", "restic answered with something that is no list of snapshots"),
        ('echo \'[{"id": "a", "time": "yesterday"}]\'', "restic answered with something that is no list of snapshots"),
        ('echo \'[{"id": "a", "time": "0001-01-01T00:00:00Z"}]\'', ""),
        ("head -c 200000 /dev/zero | tr '\\0' '['", "restic answered with something that is no list of snapshots"),
        ("head -c 50000000 /dev/zero", "it printed more than can be read"),
        ("head -c 50000000 /dev/zero >&2; exit 7", "restic failed with exit code 7"),
        (
            "echo unable to create lock: repository is already locked >&2; exit 1",
            "the repository is locked by another program",
        ),
        ("echo stat /x/config: permission denied. Is there a repository? >&2; exit 1", "permission is denied"),
        ("echo a strange index or pack >&2; exit 7", "restic failed with exit code 7"),
        ("exit 11", "the repository is locked by another program"),
        ("kill -9 $$", "restic failed with exit code -9"),
    ],
)
async def test_restic_that_misbehaves_is_unknown_with_the_reason(
    jobs: Jobs, nowhere: Repository, fake_restic: FakeRestic, script: str, reason: str
) -> None:
    fake_restic.does(script)
    jobs.add("photos", nowhere, timeout_s=0.5 if "sleep" in script else 20.0)
    started = time.monotonic()
    record = await jobs.record_of("photos")
    assert time.monotonic() - started < 15
    if reason:
        assert (record["verdict"], record["detail"]) == ("unknown", reason)
    else:
        assert record["verdict"] == "stale"


@pytest.mark.parametrize("code, reason", [(10, "there is no repository at its place"), (12, "the password is wrong")])
async def test_the_exit_codes_of_newer_versions_are_understood(
    jobs: Jobs, nowhere: Repository, fake_restic: FakeRestic, code: int, reason: str
) -> None:
    fake_restic.does(f"exit {code}")
    jobs.add("photos", nowhere)
    record = await jobs.record_of("photos")
    assert (record["verdict"], record["detail"]) == ("failed", reason)


async def test_the_summary_of_newer_versions_and_their_nanoseconds_are_read(
    jobs: Jobs, nowhere: Repository, fake_restic: FakeRestic
) -> None:
    fake_restic.does(
        'echo \'[{"id": "a", "time": "2026-05-13T10:00:00.123456789+02:00", "paths": ["/p"], "hostname": "h", '
        '"summary": {"data_added": 12, "files_new": 3, "files_changed": 1}}]\''
    )
    jobs.add("photos", nowhere)
    record = await jobs.record_of("photos")
    assert record["last_success"] == "2026-05-13T08:00:00+00:00"
    assert (record["bytes_added"], record["files_new"], record["files_changed"]) == (12, 3, 1)


async def test_an_empty_list_is_a_job_without_backups(jobs: Jobs, nowhere: Repository, fake_restic: FakeRestic) -> None:
    fake_restic.does("echo null")
    jobs.add("photos", nowhere)
    assert (await jobs.record_of("photos"))["cause"] == "never_run"


async def test_the_password_is_in_no_argument_and_foreign_settings_are_not_inherited(
    jobs: Jobs, nowhere: Repository, fake_restic: FakeRestic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RESTIC_REPOSITORY", "/somewhere/else")
    monkeypatch.setenv("RESTIC_PASSWORD", "of somebody else")
    seen = tmp_path / "seen"
    fake_restic.does(f'echo "$@" > {seen}; env >> {seen}; echo "[]"')
    jobs.add("photos", nowhere, tags=["a", "b"], host="h", paths=["/p"])
    await jobs.check("photos")
    text = seen.read_text()
    assert text.startswith("--no-lock --json snapshots --path /p --tag a,b --host h\n")
    assert f"\nRESTIC_REPOSITORY={nowhere.place}\n" in text
    assert "correct horse" not in text
    assert "somebody else" not in text
    assert "/somewhere/else" not in text
    assert f"RESTIC_PASSWORD_FILE={nowhere.password}" in text


async def test_nothing_of_restic_is_left_running_when_the_caller_goes_away(
    jobs: Jobs, nowhere: Repository, fake_restic: FakeRestic, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    fake_restic.does(
        f"exec 3> {fifo}; head -c 1000000 /dev/zero; echo begun >&3; sleep 600 & wait"
    )  # a million: it is read
    jobs.add("photos", nowhere, timeout_s=600)
    task = asyncio.create_task(jobs.check("photos"))
    with await asyncio.to_thread(fifo.open) as held:
        assert await asyncio.to_thread(held.readline) == "begun\n"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(held.read) == ""  # the end: nobody holds it any more


@pytest.mark.parametrize("password", ["hunter2", "hun@ter2", "hun:ter2"])
async def test_a_password_in_the_repositorys_url_is_neither_in_argv_nor_in_the_result(
    jobs: Jobs, fake_restic: FakeRestic, tmp_path: Path, password: str
) -> None:
    seen = tmp_path / "seen"
    fake_restic.does(f'echo "$@" > {seen}; echo "[]"')
    jobs.add("photos", repository=f"rest:https://me:{password}@nas.lan:8000/photos")
    result = await jobs.check("photos")
    assert "ter2" not in seen.read_text()
    assert "ter2" not in result.model_dump_json()
    assert result.data["jobs"][0]["destination"] == "rest:https://me:…@nas.lan:8000/photos"


@pytest.mark.parametrize("place", ["/srv/a:b@c", "sftp:me@nas.lan:/srv/restic", "rest:http://nas.lan:8000/a@b"])
async def test_a_place_without_a_password_is_shown_as_it_is(jobs: Jobs, fake_restic: FakeRestic, place: str) -> None:
    fake_restic.does('echo "[]"')
    jobs.add("photos", repository=place)
    assert (await jobs.record_of("photos"))["destination"] == place


async def test_asked_again_within_a_minute_it_answers_from_what_is_remembered(
    jobs: Jobs, repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    jobs.add("photos", repository)
    first = await jobs.check("photos")
    shutil.rmtree(repository.place)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert (await jobs.check("photos")).spoken == first.spoken
