"""How fast the machine is just now."""

from __future__ import annotations

import io
from itertools import accumulate

import numpy as np
from rich.console import Console

from assistant.bench.speed import full_window_ms
from assistant.cli.bench_shown import show_voice
from assistant.ports import Samples, Transcript
from tests.fakes_bench import report


class Ears:
    asked = 0

    async def transcribe(self, audio: Samples, *, woken: bool = False) -> Transcript:
        self.asked += 1
        return Transcript("", "en", "scripted")


async def test_the_first_hearing_warms_and_one_that_the_machine_stalled_does_not_count() -> None:
    ears, ticks = Ears(), accumulate([0.0, 1.0, 5.0, 9.0, 5.0, 1.25])
    took = await full_window_ms(ears, np.zeros(16_000, dtype=np.int16), lambda: next(ticks))
    assert (took, ears.asked) == (1250.0, 4)


def test_it_is_shown_beside_the_one_where_the_limits_were_set() -> None:
    console = Console(file=io.StringIO(), width=150)
    show_voice(report(), console)
    assert "Whisper's full window took 1.44 s just before (0.96 s where the limits were set)" in (
        console.file.getvalue()  # type: ignore[attr-defined]
    )
