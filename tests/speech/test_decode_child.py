"""What the decoder's child gives up before it reads the first byte: seen from outside, and tried from inside."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.speech.decode_child import CPU_SECONDS, MEMORY_BYTES
from tests.speech.clips import tone, wav

DEADLINE_S = 60.0
pytestmark = pytest.mark.usefixtures("unmeasured")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """A child that has confined itself and waits for its clip."""
    monkeypatch.setenv("RESTIC_PASSWORD", "hunter2")
    child = subprocess.Popen(
        [sys.executable, "-m", "assistant.speech.decode_child", "10"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def limits_of(child: subprocess.Popen[bytes]) -> dict[str, str]:
    """Name of each limit and its hard value, once the child has set the last one."""
    ends = time.monotonic() + DEADLINE_S
    while time.monotonic() < ends:
        lines = Path(f"/proc/{child.pid}/limits").read_text().splitlines()[1:]
        found = {line[:26].strip(): line[47:68].strip() for line in lines}
        if found["Max processes"] == "0" and "NoNewPrivs:\t1" in Path(f"/proc/{child.pid}/status").read_text():
            return found
        time.sleep(0.02)
    raise AssertionError(found)


@linux_only
def test_before_the_first_byte_is_read_every_limit_is_set(waiting: subprocess.Popen[bytes]) -> None:
    found = limits_of(waiting)
    assert found["Max address space"] == str(MEMORY_BYTES)
    assert found["Max cpu time"] == str(CPU_SECONDS)
    assert found["Max open files"] == "3"
    assert found["Max file size"] == found["Max core file size"] == found["Max processes"] == "0"
    assert Path(f"/proc/{waiting.pid}/cwd").readlink() == Path("/")


@linux_only
def test_it_holds_nothing_open_but_its_three_pipes(waiting: subprocess.Popen[bytes]) -> None:
    limits_of(waiting)
    opened = {file.name: str(file.readlink()) for file in Path(f"/proc/{waiting.pid}/fd").iterdir()}
    assert set(opened) == {"0", "1", "2"}
    assert all(target.startswith("pipe:") for target in opened.values())


@linux_only
def test_the_confined_child_still_decodes(waiting: subprocess.Popen[bytes]) -> None:
    limits_of(waiting)
    pcm, complaints = waiting.communicate(wav(tone(1.0)), timeout=DEADLINE_S)
    assert (len(pcm), complaints, waiting.returncode) == (32_000, b"", 0)


TRIES = {
    "open a file": "open('/etc/hostname')",
    "write a file": "open('/tmp/x', 'w')",
    "open a socket": "__import__('socket').socket()",
    "make a pipe": "os.pipe()",
    "write much where it could": "os.write(1, bytes(10_000_000)) and None.gone",
    "take much memory": "bytearray(2_000_000_000)",
}


@pytest.mark.parametrize("what", [one for one in TRIES if sys.platform == "linux" or "memory" not in one])
def test_the_confined_child_cannot(what: str, tmp_path: Path) -> None:
    program = f"""
import os, socket
from assistant.speech.decode_child import confine
confine()
assert not os.environ, os.environ
try:
    {TRIES[what]}
except (OSError, MemoryError) as refused:
    os.write(2, b"refused")
"""
    taken = tmp_path / "taken"  # a file, as a pipe has no size to be limited
    with taken.open("wb") as output:
        done = subprocess.run([sys.executable, "-c", program], stdout=output, stderr=subprocess.PIPE, check=False)
    assert done.stderr == b"refused" or done.returncode < 0, done.stderr
    assert taken.stat().st_size == 0
