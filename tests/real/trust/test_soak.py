"""The soak against a real ``jarvis serve``, and what it finds in a server that is not well."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assistant.soak.report import SoakReport
from tests.serving import serving

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(600)]

TURNS = 100


def soak(report: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "assistant", "soak", "--json", str(report), *options]


def test_a_hundred_turns_through_every_door_end_as_they_have_to(tmp_path: Path) -> None:
    file = tmp_path / "soak.json"
    command = soak(file, "--turns", str(TURNS), "--audio-every", "50", "--plot", str(tmp_path / "plots"))
    ended = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    report = SoakReport.model_validate_json(file.read_text(encoding="utf-8"))
    assert report.failures == (), ended.stdout
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (report.turns, report.failed) == (TURNS, 0)
    assert report.acts > 0
    assert {"memory.png", "soak.png"} <= {path.name for path in (tmp_path / "plots").iterdir()}
    assert "failures" in ended.stdout


def test_ctrl_c_ends_it_with_the_verdict_so_far_and_no_server_left(tmp_path: Path) -> None:
    file = tmp_path / "soak.json"
    child = subprocess.Popen(
        soak(file, "--turns", "5000", "--doors", "page"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not file.exists() and child.poll() is None:  # the first round was had
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(timeout=0.2)
    os.killpg(child.pid, signal.SIGINT)
    said, _ = child.communicate(timeout=120)
    assert child.returncode == 130, said
    report = SoakReport.model_validate_json(file.read_text(encoding="utf-8"))
    assert 0 < report.turns < 5000
    assert f"{report.turns:,} of 5,000 turns" in said


def test_a_server_that_runs_already_is_asked_only_what_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "soak.json"
    with serving(tmp_path, 'engine = "sentences"\n') as served:
        command = soak(file, "--turns", "40", "--url", served.url, "--doors", "command,mcp,page")
        ended = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        still_there = served.process.poll() is None
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = json.loads(file.read_text(encoding="utf-8"))
    assert (report["turns"], report["failed"], report["acts"]) == (40, 0, 0)
    assert still_there
