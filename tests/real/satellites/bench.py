"""Eight satellites at once: `python -m tests.real.satellites.bench` says how long each waits for its answer.

Real wyoming-satellite processes, each with a wav for a microphone and a file for a loudspeaker, at one `jarvis serve`
with the demo homelab. Three rounds: one alone, all at the same moment, and one second apart. What is measured is the
time from the last sound of the question to the first sound of the answer in the satellite's loudspeaker.

The service time is what one turn keeps ears and mouth busy: Whisper's run and the synthesis of the whole answer, of a
turn that is alone. No speech is remembered between turns (cache_mb = 0), each room has a conversation of its own, and
rooms do not compete (together_ms = 0).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
import urllib.request
import wave
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx
import numpy as np

from assistant.resources import resource
from tests.real.daemons import free_port
from tests.real.satellites.device import Device, device, until
from tests.serving import Served, serving

CLIP = "hey_jarvis_is_the_backup_ok.wav"
ANSWER_WITHIN_S = 60.0
LISTENING_S = 5.0
QUIET_S = 2.0
"""Nothing more is played for so long: the answer is over."""


@dataclass(frozen=True)
class Measured:
    """Seconds. ``waits``: from the end of the question to the answer, by satellite in the order of the questions."""

    alone_s: float
    service_s: float
    together_s: tuple[float, ...]
    apart_s: tuple[float, ...]
    load: float
    listening_percent: float
    """Of one core, for each satellite, while nobody speaks."""

    @property
    def bound_s(self) -> float:
        """For the last of those that ask at the same moment."""
        return self.alone_s + (len(self.together_s) - 1) * self.service_s

    @property
    def together_holds(self) -> bool:
        return max(self.together_s) <= self.bound_s

    @property
    def apart_p95_s(self) -> float:
        return float(np.quantile(self.apart_s, 0.95))

    @property
    def apart_holds(self) -> bool:
        return self.apart_p95_s <= 2 * self.alone_s

    def table(self) -> str:
        def row(waits: Sequence[float]) -> str:
            return " ".join(f"{wait:5.2f}" for wait in waits)

        def verdict(holds: bool) -> str:
            return "holds" if holds else "DOES NOT HOLD"

        return "\n".join(
            [
                f"satellites: {len(self.together_s)} (wyoming-satellite processes), cores: {os.cpu_count()}, "
                f"load before: {self.load:.1f}",
                f"listening                   {self.listening_percent:5.1f} % of a core for each satellite",
                f"one alone (median)          {self.alone_s:5.2f} s",
                f"service time (median)       {self.service_s:5.2f} s",
                f"all at the same moment, s   {row(self.together_s)}",
                f"  the last {max(self.together_s):.2f} s, bound alone + {len(self.together_s) - 1} x service "
                f"{self.bound_s:.2f} s: {verdict(self.together_holds)}",
                f"one second apart, s         {row(self.apart_s)}",
                f"  p95 {self.apart_p95_s:.2f} s, bound 2 x alone "
                f"{2 * self.alone_s:.2f} s: {verdict(self.apart_holds)}",
            ]
        )


@contextmanager
def rooms(folder: Path, count: int) -> Iterator[tuple[Served, list[Device]]]:
    """That many satellites, connected to a server that is ready."""
    with ExitStack() as stack:
        devices = [
            stack.enter_context(device(folder / f"room{number}", f"Room {number}", free_port(), lights=False))
            for number in range(count)
        ]
        sections = "".join(
            f'[satellites.room{number}]\nurl = "tcp://127.0.0.1:{one.port}"\nroom = "Room {number}"\n'
            for number, one in enumerate(devices)
        )
        head = "[wake]\ntogether_ms = 0\n[speech]\nearcons = false\n[synthesizer]\ncache_mb = 0\n"
        server = stack.enter_context(serving(folder, head + sections))
        until(lambda: sum(one["state"] == "connected" for one in states(server)) == count, "connecting", 60)
        asyncio.run(service_s(server))  # ears, mouth and names are loaded
        yield server, devices


def states(server: Served) -> list[dict[str, str]]:
    with urllib.request.urlopen(f"{server.url}/api/satellites", timeout=10) as answer:
        there: list[dict[str, str]] = json.load(answer)["satellites"]
    return there


async def service_s(server: Served) -> float:
    """Of one turn that is alone, by the HTTP door, whose events have times."""
    async with httpx.AsyncClient(trust_env=False, timeout=ANSWER_WITHIN_S) as client:
        answer = await client.post(
            f"{server.url}/command?audio=1",
            files={"audio": (CLIP, (resource("audio_fixtures") / CLIP).read_bytes())},
            headers={"Accept": "text/event-stream"},
        )
    events = [json.loads(line[5:]) for line in answer.text.splitlines() if line.startswith("data:")]
    heard = next(event["took_ms"] for event in events if event.get("kind") == "transcribed")
    said = [event["at_ms"] for event in events if event.get("kind") in ("reply_sentence", "audio_ready")]
    return float(heard + max(said) - min(said)) / 1000


def speech_end_s() -> float:
    """Where the last sound of the clip is."""
    with wave.open(str(resource("audio_fixtures") / CLIP), "rb") as clip:
        sound = np.frombuffer(clip.readframes(clip.getnframes()), dtype="<i2").astype(np.float32)
        rate = clip.getframerate()
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    return float(loud[-1]) / rate


def ask(devices: Sequence[Device], apart_s: float) -> tuple[float, ...]:
    """Each is asked; how long each waits. Returns when all have said their answers to the end."""
    clip, before = resource("audio_fixtures") / CLIP, [len(one.played) for one in devices]
    began, first = [0.0] * len(devices), [0.0] * len(devices)
    start, asked = time.monotonic(), 0
    while not all(first):
        now = time.monotonic()
        while asked < len(devices) and now >= start + asked * apart_s:
            devices[asked].hear(clip)
            began[asked] = time.monotonic()
            asked += 1
        for number, one in enumerate(devices):
            if not first[number] and one.played_bytes > before[number]:
                first[number] = time.monotonic()
        if now > start + len(devices) * apart_s + ANSWER_WITHIN_S:
            silent = [one.name for one, at in zip(devices, first, strict=True) if not at]
            raise AssertionError(f"no answer within {ANSWER_WITHIN_S:g} s: {', '.join(silent)}")
        time.sleep(0.01)
    _until_quiet(devices)
    return tuple(at - asked_at - speech_end_s() for at, asked_at in zip(first, began, strict=True))


def cpu_s(server: Served, seconds: float) -> float:
    """What the server uses of the processor in that time. Linux."""

    def used() -> int:
        fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])  # utime and stime, proc(5)

    before = used()
    time.sleep(seconds)
    return (used() - before) / os.sysconf("SC_CLK_TCK")


def _until_quiet(devices: Sequence[Device]) -> None:
    sizes, since = [one.played_bytes for one in devices], time.monotonic()
    while time.monotonic() < since + QUIET_S:
        time.sleep(0.05)
        if (now := [one.played_bytes for one in devices]) != sizes:
            sizes, since = now, time.monotonic()


def measure(folder: Path, count: int, alone: int) -> Measured:
    """``alone``: how often one is asked alone, of which the median counts."""
    load = os.getloadavg()[0]
    with rooms(folder, count) as (server, devices):
        ask(devices, 0.3)  # every detector has heard something
        listening = 100 * cpu_s(server, LISTENING_S) / LISTENING_S / count
        single = [ask(devices[:1], 0)[0] for _ in range(alone)]
        service = [asyncio.run(service_s(server)) for _ in range(alone)]
        return Measured(median(single), median(service), ask(devices, 0), ask(devices, 1), load, listening)


def main() -> None:
    options = argparse.ArgumentParser(description="How long each of several satellites waits for its answer.")
    options.add_argument("--satellites", type=int, default=8)
    options.add_argument("--alone", type=int, default=5, help="Turns alone, of which the median counts.")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(Path(folder), chosen.satellites, chosen.alone)
    sys.stdout.write(measured.table() + "\n")
    sys.exit(0 if measured.together_holds and measured.apart_holds else 1)


if __name__ == "__main__":
    main()
