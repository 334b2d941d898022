"""How much of the loudspeaker is taken out of the microphone: ``python -m tests.speech.bench_echo``.

Speech from the repository's clips through a room that is made up, as the microphone hears it and as it is left, in dB;
and what it costs. Nothing is needed but the repository. A minute.
"""

from __future__ import annotations

import time

import numpy as np
from rich.console import Console
from rich.table import Table

from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ
from assistant.speech.echo import EchoRemover
from assistant.speech.echo_canceller import EchoCanceller
from tests.speech.desk import Desk
from tests.speech.test_echo_canceller import decibels, echo_of, reply

S = SAMPLE_RATE_HZ
PARTS_S = ((0.0, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, 9.0))


def removed(desk: Desk, quiet_s: float, *, follow: bool = True) -> list[float]:
    """dB in PARTS_S of a reply that begins after ``quiet_s`` of silence."""
    remover = EchoRemover(lambda: desk.loudspeaker)
    left = []
    for position in range(0, len(desk.microphone), CHUNK_SAMPLES):
        chunk, began_s = desk.at(position)
        if not follow:
            remover._apart.clear()  # drift is never reckoned
        left.append(remover.clean(chunk, began_s, desk.recorded))
    cleaned, begin_s = np.concatenate(left), desk.opened_s + desk.latency_s + quiet_s
    parts = [slice(int((begin_s + begin) * S), int((begin_s + end) * S)) for begin, end in PARTS_S]
    return [decibels(desk.microphone[part]) - decibels(cleaned[part]) for part in parts]


def cost_ms() -> list[float]:
    """Of one chunk, each of a reply's."""
    played = reply()[: len(reply()) // CHUNK_SAMPLES * CHUNK_SAMPLES]
    heard, canceller, took = echo_of(played), EchoCanceller(), []
    for at in range(0, len(played), CHUNK_SAMPLES):
        began = time.perf_counter()
        canceller.process(heard[at : at + CHUNK_SAMPLES], played[at : at + CHUNK_SAMPLES])
        took.append((time.perf_counter() - began) * 1_000)
    return took


def main() -> None:
    """See the module."""
    speech, still = reply(), np.zeros(180 * S, dtype=np.int16)
    long = np.concatenate([speech, still, speech])
    again = len(speech) / S + 180
    table = Table("dB taken out, in seconds of the reply", *(f"{begin:g} to {end:g}" for begin, end in PARTS_S))
    rows = {
        "the first reply": removed(Desk(speech), 0.0),
        "the next one": removed(Desk(long), again),
        "crystals 20 ppm apart, followed": removed(Desk(long, drift=20e-6), again),
        "20 ppm, not followed": removed(Desk(long, drift=20e-6), again, follow=False),
        "100 ppm, followed": removed(Desk(long, drift=100e-6), again),
        "100 ppm, not followed": removed(Desk(long, drift=100e-6), again, follow=False),
    }
    for name, row in rows.items():
        table.add_row(name, *(f"{value:.0f}" for value in row))
    console = Console()
    console.print(table)
    took = cost_ms()
    console.print(f"A chunk of 80 ms costs {np.median(took):.1f} ms, 95 % at most {np.percentile(took, 95):.1f} ms.")


if __name__ == "__main__":
    main()
