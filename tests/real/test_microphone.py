"""The microphone on PortAudio and ALSA themselves: a device that reads a file comes and goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.real.home_assistant import ROOT

pytestmark = pytest.mark.real_server

RATE_HZ = 44_100
DEVICES = """
pcm.nothing {{ type null }}
pcm.{name} {{ type file slave.pcm "nothing" file "/dev/null" infile "{sound}" format raw hint.show on }}
"""
"""ALSA's file plugin: it records from a file, as fast as it is read (alsa-lib, PCM plugins)."""


def test_a_device_that_comes_and_goes_is_heard_by_portaudio_itself(tmp_path: Path) -> None:
    sound = tmp_path / "tone.raw"
    (12_000 * np.sin(2 * np.pi * 440 * np.arange(120 * RATE_HZ) / RATE_HZ)).astype("<i2").tofile(sound)
    rc = tmp_path / ".asoundrc"
    rc.write_text(DEVICES.format(name="deskmic", sound=sound))
    child = subprocess.run(
        [sys.executable, "-m", "tests.real.microphone_child", str(rc), "deskmic"],
        cwd=ROOT,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        timeout=60,
        check=False,
        text=True,
    )
    assert child.returncode == 0, child.stderr[-2_000:]
    seen = json.loads(child.stdout)
    assert "deskmic" in seen["listed"]
    assert "deskmic" not in seen["without"]
    assert seen["states"] == ["Lost", "Back"]
    for heard in ("first_hz", "second_hz"):  # much is dropped on the way, since nothing can read as fast as it comes
        assert seen[heard] == pytest.approx(440, abs=30)
