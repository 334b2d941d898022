"""What is read from /proc, of this process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from assistant.errors import ConfigError
from assistant.soak.processes import folder_bytes, held, listener

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")


def test_handles_and_threads_are_counted_while_they_are_there(tmp_path: Path) -> None:
    before, ended = held(os.getpid()), threading.Event()
    thread = threading.Thread(target=ended.wait)
    with (tmp_path / "file").open("w"), socket.socket():
        thread.start()
        within = held(os.getpid())
    ended.set()
    thread.join()
    after = held(os.getpid())
    assert within.handles == before.handles + 2
    assert within.sockets == before.sockets + 1
    assert within.threads == before.threads + 1
    assert (after.handles, after.threads) == (before.handles, before.threads)


def test_children_are_part_of_it() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        within = held(os.getpid())
    finally:
        child.communicate()
    assert within.children >= 1
    assert within.pss_mb > 0


def test_processor_time_only_grows() -> None:
    before = held(os.getpid()).cpu_s
    sum(at * at for at in range(300_000))
    assert held(os.getpid()).cpu_s > before


def test_a_process_that_has_ended_is_said_to_have() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    with pytest.raises(ProcessLookupError):
        held(child.pid)


def test_whoever_listens_is_found_by_the_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert listener(port) == os.getpid()
    with pytest.raises(ConfigError, match=f"port {port}"):
        listener(port)


def test_a_folder_is_as_large_as_its_files(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").write_bytes(bytes(1) * 100_000)
    assert 100_000 <= folder_bytes(tmp_path) <= 200_000
