"""The state folder: private, owned by one process, and where the running server is written down."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assistant.errors import StateError
from assistant.state import RunningServer, StateFolder, default_state_dir

SERVER = RunningServer(pid=os.getpid(), url="http://127.0.0.1:8765", token="t", version="1", started=1.0)


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    return StateFolder.prepared(tmp_path / "state")


@contextmanager
def another_process_owns(folder: StateFolder) -> Iterator[subprocess.Popen[str]]:
    program = """
        import sys
        from pathlib import Path
        from assistant.state import StateFolder
        with StateFolder(Path(sys.argv[1])).owned():
            print("owned", flush=True)
            sys.stdin.read()
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), str(folder.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "owned\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_is_made_for_its_owner_only(folder: StateFolder) -> None:
    assert mode(folder.path) == 0o700
    assert list(folder.path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said_with_its_mend(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateError) as caught:
        StateFolder.prepared(tmp_path / "file" / "state")
    assert caught.value.code == "unwritable"
    assert "JARVIS_STATE" in caught.value.mend


def test_jarvis_state_names_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JARVIS_STATE", str(tmp_path))
    assert default_state_dir() == tmp_path


def test_one_owner_at_a_time_and_the_second_is_told_who_it_is(folder: StateFolder) -> None:
    with another_process_owns(folder) as process, pytest.raises(StateError) as caught, folder.owned(wait_s=0):
        pytest.fail("two owners")
    assert caught.value.code == "locked"
    assert str(process.pid) in caught.value.detail


def test_an_owner_that_is_killed_lets_go(folder: StateFolder) -> None:
    with another_process_owns(folder) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        with folder.owned(wait_s=0):
            assert (folder.path / "lock").read_text() == str(os.getpid())


def test_ownership_ends_with_its_block_and_can_be_had_again(folder: StateFolder) -> None:
    for _ in range(2):
        with folder.owned(wait_s=0):
            assert mode(folder.path / "lock") == 0o600


def test_the_same_process_cannot_own_it_twice(folder: StateFolder) -> None:
    with folder.owned(wait_s=0), pytest.raises(StateError, match="in use"), folder.owned(wait_s=0):
        pytest.fail("two owners")


def test_a_lock_that_cannot_be_opened_is_a_state_error(folder: StateFolder) -> None:
    (folder.path / "lock").mkdir()
    with pytest.raises(StateError) as caught, folder.owned(wait_s=0):
        pytest.fail("owned")
    assert caught.value.code == "unwritable"


def test_the_running_server_is_found_while_it_owns_the_folder(folder: StateFolder) -> None:
    assert folder.running_server() is None
    with folder.owned(wait_s=0):
        folder.announce(SERVER)
        assert folder.running_server() == SERVER
        assert mode(folder.server_file) == 0o600
        folder.retract()
        folder.retract()
        assert folder.running_server() is None


def test_what_a_dead_server_left_behind_is_no_server_even_when_its_number_lives_on(folder: StateFolder) -> None:
    with folder.owned(wait_s=0):
        folder.announce(SERVER)
    assert folder.running_server() is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}', "\x00"])
def test_a_damaged_file_is_no_server(folder: StateFolder, text: str) -> None:
    folder.server_file.write_text(text)
    with folder.owned(wait_s=0):
        assert folder.running_server() is None
