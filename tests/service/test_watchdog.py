"""The watchdog, on a real Unix datagram socket: signs of life while all turns, and none when something hangs."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import pytest

from assistant.watchdog import Manager, Watchdog, threaded, watched


class Listener:
    """What the service manager hears."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(20)

    def hear(self) -> str:
        """The next datagram."""
        return self.socket.recv(4096).decode()

    def is_silent(self, seconds: float) -> bool:
        """Whether nothing comes for so long, after what was on its way."""
        self.drain()
        self.socket.settimeout(seconds)
        try:
            self.socket.recv(4096)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(20)
        return False

    def drain(self) -> None:
        self.socket.setblocking(False)
        while True:
            try:
                self.socket.recv(4096)
            except BlockingIOError:
                break
        self.socket.settimeout(20)


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[Listener]:
    listener = Listener(tmp_path / "notify")
    yield listener
    listener.socket.close()


def manager_at(path: Path, watchdog_s: float = 0.03) -> Manager:
    return Manager(str(path / "notify"), watchdog_s)


async def until_said(caplog: pytest.LogCaptureFixture, text: str) -> None:
    async with asyncio.timeout(20):
        while text not in caplog.text:  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.01)


class Part:
    """With one thread of its own."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(1)

    @property
    def threads(self) -> dict[str, Executor]:
        return {"engine": self.pool}


def test_the_manager_is_what_the_environment_says_and_no_child_can_speak_for_us() -> None:
    environment = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid()), "A": "b"}
    assert Manager.from_environment(environment) == Manager("/run/x", 60.0)
    assert environment == {"A": "b"}


@pytest.mark.parametrize(
    "environment",
    [{}, {"WATCHDOG_USEC": "nonsense"}, {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}, {"NOTIFY_SOCKET": ""}],
)
def test_without_a_manager_nothing_is_sent_and_nobody_watches(environment: dict[str, str]) -> None:
    manager = Manager.from_environment(environment)
    assert manager == Manager()
    manager.ready("serves")


def test_what_it_says_arrives_as_lines_and_no_text_can_add_one(heard: Listener, tmp_path: Path) -> None:
    manager = manager_at(tmp_path)
    manager.ready("serves http://127.0.0.1:8765")
    assert heard.hear() == "READY=1\nSTATUS=serves http://127.0.0.1:8765"
    manager.status("all well\nWATCHDOG=trigger")
    assert heard.hear() == "STATUS=all well WATCHDOG=trigger"
    manager.stopping()
    assert heard.hear().startswith("STOPPING=1\n")


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_an_abstract_socket_is_reached() -> None:
    name = f"jarvis-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.bind(f"\0{name}")
        there.settimeout(20)
        Manager(f"@{name}").status("here")
        assert there.recv(100) == b"STATUS=here"


def test_a_manager_that_is_gone_is_no_failure(tmp_path: Path) -> None:
    Manager(str(tmp_path / "nobody")).ready("serves")


async def test_signs_of_life_come_while_the_loop_turns(heard: Listener, tmp_path: Path) -> None:
    part = Part()
    async with watched(manager_at(tmp_path), [part, object()]):
        for _ in range(4):
            assert await asyncio.to_thread(heard.hear) == "WATCHDOG=1"
    assert heard.is_silent(0.1)
    part.pool.shutdown()


async def test_a_thread_that_hangs_ends_them_and_one_that_answers_again_brings_them_back(
    heard: Listener, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    part, hold = Part(), threading.Event()
    part.pool.submit(hold.wait, 60)
    watchdog = asyncio.create_task(Watchdog(manager_at(tmp_path), [part], engine_s=0.1).run())
    assert await asyncio.to_thread(heard.hear) == "WATCHDOG=1"
    await until_said(caplog, "has not answered")
    assert await asyncio.to_thread(heard.is_silent, 0.3)
    hold.set()
    assert await asyncio.to_thread(heard.hear) == "WATCHDOG=1"
    assert caplog.text.count("'engine' has not answered") == 1
    watchdog.cancel()
    await asyncio.wait([watchdog])
    part.pool.shutdown()


async def test_a_pool_that_is_full_for_too_long_is_a_hang_and_one_that_was_closed_is_none(
    heard: Listener, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    part, hold = Part(), threading.Event()
    part.pool.shutdown()
    pool = ThreadPoolExecutor(1)
    asyncio.get_running_loop().set_default_executor(pool)
    watchdog = asyncio.create_task(Watchdog(manager_at(tmp_path), [part], pool_s=0.1).run())
    assert await asyncio.to_thread(heard.hear) == "WATCHDOG=1"
    blocked = asyncio.get_running_loop().run_in_executor(None, hold.wait, 60)
    await until_said(caplog, "'worker pool' has not answered")
    hold.set()
    await blocked
    watchdog.cancel()
    await asyncio.wait([watchdog])


async def test_nobody_is_told_where_nobody_watches(heard: Listener, tmp_path: Path) -> None:
    async with watched(manager_at(tmp_path, watchdog_s=0.0), []):
        await asyncio.sleep(0)
    assert heard.is_silent(0.05)


def test_parts_around_another_are_looked_through() -> None:
    class Around:
        inner = "piper"

    class Speech:
        listener = None
        transcriber = "whisper"
        synthesizer = Around()

    assert threaded(Speech()) == (None, "whisper", "piper")


HUNG = """
import asyncio, time
from assistant.watchdog import Manager, watched
async def main():
    manager = Manager.from_environment()
    async with watched(manager, []):
        manager.ready("up")
        await asyncio.sleep(0.3)
        manager.status("hanging")
        time.sleep(60)
asyncio.run(main())
"""


def test_a_loop_that_hangs_is_silent_and_tells_where_it_stood_when_it_is_killed(
    heard: Listener, tmp_path: Path
) -> None:
    environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "90000"}
    process = subprocess.Popen([sys.executable, "-c", HUNG], env=environment, stderr=subprocess.PIPE, text=True)
    try:
        said = ""
        while not said.startswith("STATUS=hanging"):
            said = heard.hear()
        assert heard.is_silent(0.5)
        process.send_signal(6)
        _, trace = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert "Fatal Python error: Aborted" in trace
    assert "in main" in trace
