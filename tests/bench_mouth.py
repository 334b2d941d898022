"""How soon a reply is heard. ``python -m tests.bench_mouth [--runs N] [--json]``, with the model files.

For sentences from one word to a long one, in one process and by turns, so that a noisy machine spoils both alike: the
time to the first chunk when Piper gives whole sentences, when the first stretch is heard alone, and from memory; and
the work behind it, in processor time of all cores, which other programs do not add to. The best of the runs counts, as
noise only ever adds. And, in a process each: the first sentence with and without the warm-up.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from assistant.models import ModelStore
from assistant.ports import SpeechChunk
from assistant.speech.piper_voice import MAX_THREADS, PiperVoice
from assistant.speech.speech_cache import CachedSynthesizer
from assistant.speech.synthesizer import PiperSynthesizer

SENTENCES = (
    "All right.",
    "Yes.",
    "Gitea is up.",
    "I heard nothing.",
    "Everything is up.",
    "The lights are off.",
    "The photos backup is ok.",
    "Shall I really stop Windows?",
    "Jellyfin is up on the media server.",
    "The timer for the pasta rings in ten minutes.",
    "The backup of the photos is running since a minute.",
    "Nextcloud has been down for twelve minutes, Grafana for three.",
    "The kitchen is at twenty one degrees, and the heating is off.",
    "The photos backup is ok, it ran three hours ago and was verified yesterday.",
    "I can't tell you right now, because the tools went away in the middle of it.",
    "Two of nine services are down: Nextcloud since noon, and Paperless since this morning.",
    "The restore test of Gitea was fine: all of the four hundred and twelve files are the same.",
    "The windows machine is running with four cores and eight gigabytes, and has done so for three days.",
    "The backup of the documents is not ok, because it was last verified sixty days ago, and never restored.",
    "Jellyfin has been down for twelve minutes, and Grafana has been flapping since ten in the morning; all other "
    "services are up, and no alert is firing.",
)


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds; ``speech_s`` is how long it is to listen to."""

    text: str
    speech_s: float
    whole_s: float
    first_s: float
    cached_s: float
    whole_work_s: float
    first_work_s: float

    @property
    def ratio(self) -> float:
        return self.first_work_s / self.whole_work_s


async def timed(chunks: AsyncIterator[SpeechChunk]) -> tuple[float, float]:
    """Time to the first chunk, and the length of all."""
    started = time.perf_counter()
    first, seconds = 0.0, 0.0
    async for chunk in chunks:
        first = first or time.perf_counter() - started
        seconds += len(chunk.pcm) / 2 / chunk.sample_rate_hz
    return first, seconds


def first_of(made: Iterable[object]) -> tuple[float, float]:
    """Time, and processor time, to the first of them."""
    started, worked = time.perf_counter(), time.process_time()
    next(iter(made))
    return time.perf_counter() - started, time.process_time() - worked


def as_it_comes(file: Path) -> Callable[[str], Iterable[object]]:
    """Piper's own voice on the uncut model, with threads as ours has them, so that only the cut makes a difference."""
    import onnxruntime
    import piper

    voice = piper.PiperVoice.load(file)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(os.cpu_count() or 1, MAX_THREADS)
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    voice.session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    synthesize: Callable[[str], Iterable[object]] = voice.synthesize
    return synthesize


async def measure(file: Path, runs: int) -> list[Figures]:
    plain, cut = as_it_comes(file), PiperVoice.load(file)
    first_of(plain("All services are up, and the backup is ok."))
    ours = PiperSynthesizer(file)
    await ours.load()
    found = []
    for text in SENTENCES:
        cached = CachedSynthesizer(ours, 100_000_000)
        await timed(cached.synthesize(text))
        whole, first, again, stretch, length = [], [], [], [], 0.0
        for _ in range(runs):
            whole.append(first_of(plain(text)))
            stretch.append(first_of(cut.say(text))[1])
            seconds, length = await timed(ours.synthesize(text))
            first.append(seconds)
            again.append((await timed(cached.synthesize(text)))[0])
        times, work = zip(*whole, strict=True)
        found.append(Figures(text, length, min(times), min(first), min(again), min(work), min(stretch)))
    ours.close()
    return found


FIRST_EVER = """
import asyncio, sys, time
from pathlib import Path
from assistant.speech.piper_voice import PiperVoice
if sys.argv[2] == "cold":
    PiperVoice._warm_up = lambda self: None
voice = PiperVoice.load(Path(sys.argv[1]))
started = time.process_time()
next(voice.say("The photos backup is ok."))
print(time.process_time() - started)
"""


def first_ever(file: Path, runs: int) -> dict[str, float]:
    """The first sentence of a process, by whether the voice was warmed up."""
    found: dict[str, list[float]] = {"cold": [], "warm": []}
    for _ in range(runs):
        for kind, times in found.items():
            made = subprocess.run(
                [sys.executable, "-c", FIRST_EVER, str(file), kind], capture_output=True, text=True, check=True
            )
            times.append(float(made.stdout))
    return {kind: min(times) for kind, times in found.items()}


def table(found: list[Figures]) -> Table:
    shown = Table(
        "characters", "speech", "whole sentence", "first stretch", "from memory", "work", "", "ratio", box=None
    )
    for row in found:
        shown.add_row(
            str(len(row.text)),
            f"{row.speech_s:.1f} s",
            f"{row.whole_s * 1000:.0f} ms",
            f"{row.first_s * 1000:.0f} ms",
            f"{row.cached_s * 1000:.2f} ms",
            f"{row.whole_work_s * 1000:.0f} ms",
            f"{row.first_work_s * 1000:.0f} ms",
            f"{row.ratio:.2f}",
        )
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    file = ModelStore().file("piper-en-us-joe", "en_US-joe-medium.onnx")
    found = asyncio.run(measure(file, wanted.runs))
    ever = first_ever(file, min(wanted.runs, 3))
    ratios = [row.ratio for row in found]
    if wanted.json:
        json.dump({"sentences": [asdict(row) for row in found], "first_ever_s": ever}, sys.stdout, indent=2)
        return
    out = Console()
    out.print(table(found))
    firsts, wholes = ([getattr(row, name) for row in found] for name in ("first_s", "whole_s"))
    out.print(
        f"\nTo the first sound: median {statistics.median(firsts) * 1000:.0f} ms instead of "
        f"{statistics.median(wholes) * 1000:.0f} ms, longest {max(firsts) * 1000:.0f} ms instead of "
        f"{max(wholes) * 1000:.0f} ms; of the work {min(ratios):.2f} to {max(ratios):.2f}, median "
        f"{statistics.median(ratios):.2f}."
    )
    warm, cold = ever["warm"] * 1000, ever["cold"] * 1000
    out.print(f"Work for the first sentence of a process: {warm:.0f} ms warmed up, {cold:.0f} ms not.")


if __name__ == "__main__":
    main()
