"""``python -m tools.restore_tests``: what it prints, and what its exit code says."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tools.backups.kinds import ADAPTERS
from tools.backups.records import BackupRecords
from tools.contract import JsonObject
from tools.restore_tests.__main__ import main
from tools.restore_tests.testing import TestReport
from tools.restore_tests.trust import canary_job
from tools.settings import ToolSettings
from tools.store import Store


@dataclass
class CommandLine:
    folder: Path
    capsys: pytest.CaptureFixture[str]
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    stderr: str = ""

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def add(self, name: str, **content: bytes) -> Path:
        """A job with one copy of these files."""
        source, place = self.folder / name / "source", self.folder / name / "place"
        source.mkdir(parents=True)
        copy = place / "1000.0" / str(source).lstrip("/")
        copy.mkdir(parents=True)
        for file, data in content.items():
            (copy / file).write_bytes(data)
        self.jobs[name] = {"kind": "command", "repository": str(place), "paths": [str(source)]}
        return place

    def run(self, *arguments: str) -> tuple[int, list[JsonObject]]:
        settings = self.folder / "settings.json"
        settings.write_text(ToolSettings.model_validate({"backups": self.jobs, **self.more}).model_dump_json())
        code = main(["--settings", str(settings), "--state", str(self.state), *arguments])
        said = self.capsys.readouterr()
        self.stderr = said.err
        return code, [json.loads(line) for line in said.out.splitlines()]


@pytest.fixture
def line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    for kind in ("command", "rsync-snapshots"):
        monkeypatch.setitem(ADAPTERS, kind, "tests.tools.restore_tests.fake_copies:FakeCopies")
    (tmp_path / "state").mkdir()
    return CommandLine(tmp_path, capsys)


def test_a_restored_backup_is_printed_entered_and_passes(line: CommandLine) -> None:
    line.add("photos", a=b"milk")
    code, (record,) = line.run("photos", "--seed", "42")
    assert (code, line.stderr) == (0, "")
    assert (record["ok"], record["seed"], record["sample_n"]) == (True, 42, 1)
    with Store(line.state / "jarvis.db") as store:
        assert BackupRecords(store).last_restore_test("photos") == record


def test_a_backup_that_cannot_be_restored_fails(line: CommandLine) -> None:
    (line.add("photos", a=b"milk") / "1000.0").rename(line.folder / "gone")
    code, (record,) = line.run("photos")
    assert (code, record["first_error"]) == (1, "there is no backup")


def test_a_test_that_could_not_be_made_is_neither(line: CommandLine) -> None:
    line.add("photos", a=b"milk").rename(line.folder / "gone")
    code, (record,) = line.run("photos")
    assert (code, record["ran"], record["fault"]) == (2, False, "unreachable")


def test_all_jobs_are_tested_and_the_worst_counts(line: CommandLine) -> None:
    line.add("photos", a=b"milk")
    line.add("music", a=b"la").rename(line.folder / "gone")
    assert line.run("--all")[0] == 2
    (line.add("films", a=b"film") / "1000.0").rename(line.folder / "gone too")
    code, records = line.run("--all")
    assert (code, [record["job"] for record in records]) == (1, ["photos", "music", "films"])


def test_each_test_draws_a_seed_of_its_own(line: CommandLine) -> None:
    line.add("photos", a=b"milk")
    seeds = {line.run("photos")[1][0]["seed"] for _ in range(3)}
    assert len(seeds) == 3


def test_another_destination_is_restored_from(line: CommandLine) -> None:
    line.add("photos", a=b"milk")
    cloud = line.add("cloud", a=b"milk", b=b"eggs")
    line.jobs["photos"]["also"] = [{"name": "cloud", "repository": str(cloud), "offsite": True}]
    code, (record,) = line.run("photos", "--destination", "cloud", "--whole")
    assert (code, record["destination"], record["offsite"], record["sample_n"]) == (0, "cloud", True, 2)


def test_before_all_jobs_the_tester_is_tested_once_a_week_and_always_when_asked(line: CommandLine) -> None:
    line.add("photos", a=b"milk")
    for arguments, count in (("photos",), 0), (("--all",), 1), (("--all",), 1), (("photos", "--canary"), 2):
        line.run(*arguments)
        with Store(line.state / "jarvis.db") as store:
            tests = BackupRecords(store).restore_tests(canary_job("rsync-snapshots"))
        assert [test["ok"] for test in tests] == [True] * count


def test_with_a_broken_tester_no_test_passes(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    async def blind(*_: object, **__: object) -> TestReport:
        return TestReport(True, True, "", {})

    monkeypatch.setattr("tools.restore_tests.canary.test_restore", blind)
    line.add("photos", a=b"milk")
    code, _ = line.run("--all")
    assert code == 2
    assert "The restore tester is broken." in line.stderr


def test_scratch_may_lie_elsewhere_and_what_a_crash_left_there_goes(line: CommandLine) -> None:
    elsewhere = line.folder / "elsewhere"
    left = elsewhere / "scratch" / f"restore-{2**22 + 1}-0-x"
    left.mkdir(parents=True)
    line.more["restore_scratch"] = str(elsewhere)
    line.add("photos", a=b"milk")
    assert line.run("photos")[0] == 0
    assert list((elsewhere / "scratch").iterdir()) == []
    assert not (line.state / "scratch").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("films",), "'films' is no backup job; there is photos."),
        ((), "Name a job, or say --all."),
        (("photos", "--all"), "Name a job, or say --all."),
        (("photos", "--destination", "moon"), "'photos' has no destination 'moon'."),
    ],
)
def test_what_is_not_there_is_refused(line: CommandLine, arguments: tuple[str, ...], said: str) -> None:
    line.add("photos", a=b"milk")
    assert line.run(*arguments) == (3, [])
    assert line.stderr == said + "\n"


def test_settings_and_options_that_cannot_be_read_end_with_three(tmp_path: Path) -> None:
    settings = tmp_path / "broken.json"
    settings.write_text('{"backups": {"photos": {"kind": "tape"}}}')
    for arguments, said in (("x",), "backups.photos.kind"), (("--sed", "x"), "unrecognized arguments"):
        command = [sys.executable, "-m", "tools.restore_tests", "--settings", str(settings), "--state", str(tmp_path)]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 3
        assert said in done.stderr
        assert "Traceback" not in done.stderr
