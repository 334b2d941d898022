"""A real wyoming-satellite with files for a microphone and a loudspeaker."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.real.daemons import daemon
from tests.real.home_assistant import REAL

PYTHON = REAL / "satellite" / "bin" / "python"
MICROPHONE = Path(__file__).with_name("microphone_program.py")
RATE_HZ = 22_050
"""Of what it writes: wyoming-satellite's default."""

COMMANDS = ("detection", "stt-start", "stt-stop", "transcript", "synthesize", "tts-start", "tts-stop", "error")
"""What it can run a command for, which is how lights are switched."""


@dataclass(frozen=True)
class Device:
    """Files: what it is to hear, what it has played, and what its lights were told."""

    name: str
    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    def hear(self, clip: Path) -> None:
        """Somebody says this in its room, now."""
        waiting = self.folder / "waiting.part"
        shutil.copy(clip, waiting)
        waiting.rename(self.folder / "microphone" / f"{time.monotonic_ns()}.wav")

    @property
    def played(self) -> bytes:
        """16 bit, mono, RATE_HZ."""
        file = self.folder / "played"
        return file.read_bytes() if file.exists() else b""

    @property
    def played_bytes(self) -> int:
        """How much of it there is."""
        file = self.folder / "played"
        return file.stat().st_size if file.exists() else 0

    @property
    def lights(self) -> list[str]:
        """Names of the commands that were run, in order."""
        file = self.folder / "lights"
        return file.read_text().split() if file.exists() else []


@contextmanager
def device(folder: Path, name: str, port: int, *options: object, lights: bool = True) -> Iterator[Device]:
    """It listens on that port of 127.0.0.1; ``options`` are more of its own."""
    if not PYTHON.exists():
        pytest.fail("wyoming-satellite is not installed: run `deploy/real.sh`, or `make test-real`.", pytrace=False)
    (folder / "microphone").mkdir(parents=True, exist_ok=True)
    with daemon(command(folder, name, port, options, lights=lights), folder / "log", port) as process:
        yield Device(name, port, folder, process)


def command(folder: Path, name: str, port: int, options: Sequence[object], *, lights: bool) -> list[object]:
    """The program with its options; 1.0.0's own start-up script calls what it has not."""
    microphone = shlex.join([sys.executable, "-I", "-S", str(MICROPHONE), str(folder / "microphone")])
    tells = [
        word
        for event in (COMMANDS if lights else ())
        for word in (f"--{event}-command", _shell(f"echo {event} >>{shlex.quote(str(folder / 'lights'))}"))
    ]
    loudspeaker = _shell(f"cat >>{shlex.quote(str(folder / 'played'))}")
    named = ["--name", name, "--uri", f"tcp://127.0.0.1:{port}", "--no-zeroconf"]
    return [
        PYTHON,
        "-m",
        "wyoming_satellite",
        *named,
        "--mic-command",
        microphone,
        "--snd-command",
        loudspeaker,
        *tells,
        *options,
    ]


def _shell(script: str) -> str:
    return shlex.join(["sh", "-c", script])


def until(true: Callable[[], object], what: str, within_s: float = 30.0) -> None:
    """Wait for it; the test fails where it does not come."""
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not happen within {within_s:g} s", pytrace=False)
        time.sleep(0.05)
