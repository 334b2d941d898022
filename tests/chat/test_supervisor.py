"""The supervised child, with small children of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from assistant.chat.child_log import TAIL_BYTES, ChildLog
from assistant.chat.supervisor import MAX_QUICK_DEATHS, ChildError, SupervisedChild
from tests.chat.processes import gone, until

GREETS = """
import json, sys
given = json.loads(sys.stdin.readline())
print("hello from the child", file=sys.stderr, flush=True)
print(json.dumps({"given": given}), flush=True)
sys.stdin.read()
"""
DIES = "import sys; print('no memory', file=sys.stderr, flush=True); sys.exit(3)"
REFUSES = 'import sys; sys.stdin.readline(); print(\'{"error": "bad file"}\', flush=True)'
HANGS = "import sys; sys.stdin.read()"
LEAVES_ANOTHER = """
import os, sys
sys.stdin.readline()
if os.fork() == 0:
    os.close(0), os.close(1)
    open(FIFO).read()
    os.write(2, b"one thing more\\n")
    os._exit(0)
print('{}', flush=True)
sys.stdin.read()
"""
DEAF = "import json, sys, time; sys.stdin.readline(); print('{}', flush=True)\nwhile True: time.sleep(60)"

Make = Callable[..., SupervisedChild]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[SupervisedChild] = []

    def one(program: str, **settings: Any) -> SupervisedChild:
        argv = (sys.executable, "-c", program)
        settings = {"backoff_s": 0.0, **settings}
        child = SupervisedChild("unused", {"n": 1}, tmp_path / "log", {"PATH": os.defpath}, argv=argv, **settings)
        made.append(child)
        return child

    yield one
    for child in made:
        await child.stop()


async def test_it_starts_when_needed_and_says_that_it_is_ready(make: Make) -> None:
    child = make(GREETS)
    assert (child.alive, child.pid) == (False, None)
    assert await child.ready() == {"given": {"n": 1}}
    pid = child.pid
    assert await child.ready() == {"given": {"n": 1}}
    assert (child.alive, child.pid) == (True, pid)


async def test_all_who_wait_share_one_start(make: Make) -> None:
    child = make(GREETS)
    first = asyncio.create_task(child.ready())
    second = asyncio.create_task(child.ready())
    await asyncio.sleep(0)
    first.cancel()
    assert await second == {"given": {"n": 1}}
    assert first.cancelled()


async def test_stopping_ends_it_and_it_may_start_again(make: Make) -> None:
    child = make(GREETS)
    await child.ready()
    pid = child.pid
    assert pid is not None
    await child.stop()
    await child.stop()
    assert (child.alive, await gone(pid)) == (False, True)
    await child.ready()
    assert child.pid not in (None, pid)


async def test_stopping_in_the_middle_of_a_start_ends_it(make: Make) -> None:
    child = make(HANGS)
    starting = asyncio.create_task(child.ready())
    assert await until(lambda: child.pid is not None)
    pid = child.pid
    assert pid is not None
    await child.stop()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert await gone(pid)


async def test_a_child_that_does_not_listen_is_killed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.chat.supervisor.STOP_S", 0.05)
    child = make(DEAF)
    await child.ready()
    pid = child.pid
    assert pid is not None
    await child.stop()
    assert await gone(pid)


async def test_a_killed_child_is_noticed_and_started_again(make: Make) -> None:
    child = make(GREETS)
    await child.ready()
    pid = child.pid
    assert pid is not None
    assert await child.died_within(0) is False
    os.kill(pid, signal.SIGKILL)
    assert await child.died_within(10)
    assert "SIGKILL" in child.log_tail()
    assert "hello from the child" in child.log_tail()
    await child.ready()
    assert child.pid not in (None, pid)


async def test_last_words_that_come_after_the_exit_code_are_waited_for(make: Make, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    child = make(LEAVES_ANOTHER.replace("FIFO", repr(str(fifo))))
    await child.ready()
    os.kill(child.pid or 0, signal.SIGKILL)
    assert await until(lambda: not child.alive)
    dead = asyncio.create_task(child.died_within(20))
    await asyncio.sleep(0)
    fifo.write_text("go on", encoding="utf-8")
    assert await dead
    assert "one thing more" in child.log_tail()
    assert "SIGKILL" in child.log_tail()


async def test_a_child_that_keeps_dying_is_left_alone_for_a_while(make: Make) -> None:
    child = make(DIES, rest_s=60)
    for _ in range(MAX_QUICK_DEATHS):
        with pytest.raises(ChildError) as caught:
            await child.ready()
        assert caught.value.code == "child_failed"
        assert "exit code 3" in caught.value.detail
        assert "no memory" in caught.value.detail
    with pytest.raises(ChildError) as caught:
        await child.ready()
    assert caught.value.code == "child_resting"
    assert "no memory" in caught.value.detail


async def test_after_the_rest_it_is_tried_once_more(make: Make) -> None:
    child = make(DIES, rest_s=0)
    for _ in range(MAX_QUICK_DEATHS + 2):
        with pytest.raises(ChildError) as caught:
            await child.ready()
        assert caught.value.code == "child_failed"


async def test_a_death_after_a_long_life_does_not_count(make: Make) -> None:
    child = make(GREETS, quick_s=0, rest_s=60)
    for _ in range(MAX_QUICK_DEATHS + 1):
        await child.ready()
        os.kill(child.pid or 0, signal.SIGKILL)
        assert await child.died_within(10)
    await child.ready()


async def test_what_the_child_cannot_do_is_said(make: Make) -> None:
    with pytest.raises(ChildError, match="bad file"):
        await make(REFUSES).ready()


async def test_a_child_that_never_gets_ready_is_ended(make: Make) -> None:
    child = make(HANGS, ready_timeout_s=0.2)
    with pytest.raises(ChildError, match="not ready"):
        await child.ready()
    assert not child.alive


async def test_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    child = SupervisedChild("unused", {}, tmp_path / "log", {}, argv=("/does/not/exist",))
    with pytest.raises(ChildError, match="cannot be started"):
        await child.ready()


def test_the_log_is_bounded_and_private(tmp_path: Path) -> None:
    log = ChildLog(tmp_path / "state" / "log", limit=1000)
    log.begin()
    for number in range(500):
        log.add(f"line {number}\n".encode())
    log.end()
    files = sorted(path.name for path in (tmp_path / "state").iterdir())
    assert files == ["log", "log.1"]
    assert all((tmp_path / "state" / name).stat().st_size <= 1000 for name in files)
    assert (tmp_path / "state" / "log").stat().st_mode & 0o077 == 0
    assert log.tail().endswith("line 499")
    assert len(log.tail()) <= TAIL_BYTES


def test_a_log_that_cannot_be_written_costs_the_file_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    log = ChildLog(tmp_path / "file" / "log")
    log.begin()
    log.add(b"words\n")
    log.end()
    assert log.tail() == "words"
