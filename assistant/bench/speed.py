"""How fast the machine is just now, in a figure that the measures' own machine has, too.

A virtual machine's cores differ by half from hour to hour with what its neighbours do, and no load average shows it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from assistant.ports import Samples, Transcriber

REFERENCE_MS = 960.0
"""Whisper base, int8, the full 30 s window, on the two cores on which the limits of the voice benchmark were set."""

TIMES = 3


async def full_window_ms(whisper: Transcriber, audio: Samples, clock: Callable[[], float] = time.perf_counter) -> float:
    """Median time of a few transcriptions, in ms. ``whisper``: with the full window, without names. Raises
    TranscriptionError."""
    await whisper.transcribe(audio)
    took: list[float] = []
    for _ in range(TIMES):
        began = clock()
        await whisper.transcribe(audio)
        took.append(clock() - began)
    return round(statistics.median(took) * 1000.0, 1)
