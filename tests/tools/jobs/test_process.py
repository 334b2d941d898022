"""Which process it was, after that one is gone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tools.jobs import process
from tools.jobs.process import MARK, end_marked, identity, is_running

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]


def sleeper(mark: str = "", above: str = "") -> subprocess.Popen[bytes]:
    """A process that is up; ``above``: code that it runs first."""
    command = [sys.executable, "-c", above] if above else SLEEPER
    child = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, MARK: mark}, start_new_session=True)
    assert child.stdout is not None
    child.stdout.readline()
    return child


def end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    assert child.stdout is not None
    child.stdout.close()


def test_we_are_running() -> None:
    assert is_running(identity())
    assert identity() == identity(os.getpid())


def test_a_process_that_was_killed_is_not_running_even_before_it_was_waited_for() -> None:
    child = sleeper()
    known = identity(child.pid)
    assert is_running(known)

    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie now
    assert not is_running(known)
    end(child)
    assert not is_running(known)


def test_another_process_with_the_same_id_is_not_it() -> None:
    pid, began, boot = (identity() or "").split()

    assert not is_running(f"{pid} {int(began) + 1} {boot}")
    assert not is_running(f"{pid} {began} 00000000-0000-0000-0000-000000000000")


@example("²")  # a digit to Python, and no number
@given(known=st.one_of(st.none(), st.text(max_size=20), st.integers().map(str)))
def test_what_is_no_identity_is_not_running(known: str | None) -> None:
    assert not is_running(known)


def test_where_there_is_no_proc_ps_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_PROC", Path("/nonexistent"))
    child = sleeper()
    known = identity(child.pid)
    assert is_running(known)
    end(child)

    assert not is_running(known)
    assert is_running(identity())


def test_what_a_killed_worker_left_running_is_ended_grandchildren_too() -> None:
    above = f"import subprocess; p = subprocess.Popen({SLEEPER!r}); p.wait()"
    ours, other = sleeper("a-job", above), sleeper("another-job")
    try:
        assert end_marked("a-job") == 2
        assert ours.wait() != 0
        assert other.poll() is None
        assert end_marked("a-job") == 0
    finally:
        end(ours)
        end(other)
