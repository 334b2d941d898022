"""The echo of its own loudspeaker, through PortAudio, ALSA and a sound server that records what is played."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from assistant.models import ModelStore
from tests.real.home_assistant import ROOT

pytestmark = pytest.mark.real_server

RATE_HZ = 48_000
START_S = 20.0


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """A PulseAudio of its own whose loudspeaker is its microphone: the environment for who plays and records there."""
    if shutil.which("pulseaudio") is None:
        pytest.fail(
            "PulseAudio is not installed: run `make test-real`, or `apt-get install pulseaudio`.", pytrace=False
        )
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    (tmp_path / ".asoundrc").write_text("pcm.room { type pulse hint.show on hint.description room }\n")
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(runtime)}
    for name in ("PULSE_SERVER", "PULSE_RUNTIME_PATH", "XDG_CONFIG_HOME"):
        environment.pop(name, None)
    command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--log-target=stderr"]
    modules = ["module-native-protocol-unix", f"module-null-sink sink_name=room rate={RATE_HZ}"]
    server = subprocess.Popen(
        [*command, *(f"--load={module}" for module in modules)], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(runtime / "pulse" / "native", server)
        yield environment
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(socket: Path, server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + START_S
    while not socket.exists():
        assert server.poll() is None, "PulseAudio ended"
        assert time.monotonic() < ends, "PulseAudio did not start"
        time.sleep(0.05)


def test_stop_is_heard_over_a_reply_as_loud_as_the_person(room: Mapping[str, str], model_store: ModelStore) -> None:
    child = subprocess.run(
        [sys.executable, "-m", "tests.real.echo_child", "room", str(model_store.models_dir)],
        cwd=ROOT,
        env=dict(room),
        capture_output=True,
        timeout=180,
        check=False,
        text=True,
    )
    assert child.returncode == 0, child.stderr[-2_000:]
    seen = json.loads(child.stdout)
    print(f"\nthrough PulseAudio: {seen}")  # noqa: T201 - figures of the docs
    assert max(seen["removed_db"]) > 15  # the first replies are learned from, and a stalled machine loses some sound
    assert seen["heard_without"] > seen["heard_with_echo"]
    assert seen["heard_without"] >= seen["said"] // 2
