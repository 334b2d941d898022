"""What listening costs when nobody speaks, measured in a process of its own: ``python -m assistant.bench.idle``.

The child reads the settings as JSON on stdin, opens ears and mouth, has one whole turn so that nothing is still to be
loaded, listens in real time to a quiet room, and writes its figures as JSON to stdout.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from contextlib import aclosing
from pathlib import Path

import numpy as np

from assistant.bench.feeding import FedClip
from assistant.bench.load import load_average
from assistant.bench.voice_report import Idle, Load
from assistant.config import Settings
from assistant.errors import AudioError
from assistant.ports import SAMPLE_RATE_HZ, Samples
from tools.contract import Caller, Door

CLIP = "hey_jarvis_is_the_backup_ok.wav"
ROOM_RMS = 25.0
"""−62 dB of full scale: a quiet room at a usual microphone gain."""

LOADING_S = 120.0
"""Longest time to load and to have the turn before, on any machine."""


async def measure(settings: Settings, seconds: float) -> Idle:
    """Run the child. ``settings``: with a state folder that nobody uses. Raises AudioError idle_failed."""
    before = load_average()
    command = (sys.executable, "-m", "assistant.bench.idle", str(seconds))
    child = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        async with asyncio.timeout(seconds + LOADING_S):
            answer, complaint = await child.communicate(settings.model_dump_json().encode())
    except TimeoutError as error:
        raise AudioError("idle_failed", f"The listening process gave no figures in {LOADING_S:.0f} s.") from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        lines = complaint.decode(errors="replace").strip().splitlines()
        raise AudioError("idle_failed", f"The listening process failed: {lines[-1] if lines else 'it said nothing'}.")
    return Idle(**json.loads(answer), load=Load(before=before, after=load_average()))


def quiet_room(seconds: float) -> Samples:
    """Brownish noise from a fixed seed, int16."""
    white = np.random.default_rng(4).standard_normal(int(seconds * SAMPLE_RATE_HZ))
    spectrum = np.fft.rfft(white)
    spectrum /= np.maximum(np.arange(len(spectrum)) / seconds, 50.0)
    noise = np.fft.irfft(spectrum, len(white))
    return np.asarray(np.round(noise * ROOM_RMS / np.sqrt(np.mean(noise**2))), dtype=np.int16)


async def _listen(settings: Settings, seconds: float) -> dict[str, float | None]:
    from assistant.app import open_app
    from assistant.resources import resource

    async with open_app(settings, ears=True, mouth=True) as app:
        await app.load_speech()
        clip = await app.clip_file(resource("audio_fixtures", CLIP))
        caller = Caller(door=Door.MICROPHONE)
        await app.start_turn(clip, caller=caller, wake=True, speak=True, engine="sentences").outcome()
        room = await asyncio.to_thread(quiet_room, seconds)
        began, worked = time.perf_counter(), time.process_time()
        turn = app.start_turn(FedClip(room), caller=caller, conversation_id="idle", wake=True, engine="sentences")
        async with aclosing(turn.events()) as events:
            async for _ in events:
                pass
        lasted = time.perf_counter() - began
        share = (time.process_time() - worked) / lasted
        return {"seconds": round(lasted, 1), "cpu_percent": round(100 * share, 2), **memory()}


def memory() -> dict[str, float | None]:
    """Of this process, in MB: from /proc where there is one, else the most that was ever resident."""
    status, rollup = _proc("status"), _proc("smaps_rollup")
    peak = status.get("VmHWM") or _peak_mb()
    return {"rss_mb": status.get("VmRSS", peak), "pss_mb": rollup.get("Pss"), "peak_mb": peak}


def _proc(name: str) -> dict[str, float]:
    """The lines in kB (1,024 bytes) of a file of /proc/self, in MB."""
    try:
        lines = Path("/proc/self", name).read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return {}
    fields = (line.split() for line in lines)
    return {
        words[0].rstrip(":"): round(int(words[1]) * 1024 / 1e6, 1)
        for words in fields
        if len(words) == 3 and words[2] == "kB"
    }


def _peak_mb() -> float:
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak * (1 if sys.platform == "darwin" else 1024) / 1e6, 1)


def main() -> None:
    """The child."""
    from assistant import egress

    settings = Settings.model_validate_json(sys.stdin.read())
    egress.install(settings.privacy.allow_hosts)
    figures = asyncio.run(_listen(settings, float(sys.argv[1])))
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    main()
