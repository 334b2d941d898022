"""``python -m tests.speech.bench_features``: what listening for the wake word costs, as a share of one core.

Processor time of this process over a quiet room that is fed as fast as it goes, so that it says the same on a busy
machine: the whole network at each chunk, the network as a stream, and the detector with all that is around it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.table import Table

from assistant.app_speech import wake_word_maker
from assistant.bench.idle import quiet_room
from assistant.config import Settings
from assistant.models import ModelStore
from assistant.speech.chunking import whole_chunks
from assistant.speech.wake_embedding import FRAMES_PER_CHUNK, MEL_BANDS, StreamedEmbedding, WholeEmbedding
from assistant.speech.wake_features import EMBEDDING
from assistant.speech.wake_scores import CHUNK_S

ROUNDS, SECONDS = 7, 20.0


def main() -> None:
    """Print the table: medians of rounds in turns."""
    settings, models = Settings(), ModelStore()
    file = models.folder("hey-jarvis") / EMBEDDING
    frames = np.random.default_rng(4).normal(0, 2, (FRAMES_PER_CHUNK, MEL_BANDS)).astype(np.float32)
    whole, streamed = WholeEmbedding(file), StreamedEmbedding(file)
    detector = wake_word_maker(settings.wake, models, stop=True)()
    room = quiet_room(SECONDS)
    chunks = whole_chunks(room)
    shares: dict[str, list[float]] = {"network, whole": [], "network, streamed": [], "detector": []}
    for _ in range(ROUNDS):
        shares["network, whole"].append(_share(lambda: [whole.feed(frames) for _ in chunks], len(chunks)))
        shares["network, streamed"].append(_share(lambda: [streamed.feed(frames) for _ in chunks], len(chunks)))
        shares["detector"].append(_share(lambda: [detector.process(chunk) for chunk in chunks], len(chunks)))
    table = Table("what", "% of a core", "of the whole network")
    first = statistics.median(shares["network, whole"])
    for what, found in shares.items():
        table.add_row(what, f"{statistics.median(found):.2f}", f"{statistics.median(found) / first:.2f}")
    Console().print(table)


def _share(work: Callable[[], object], chunks: int) -> float:
    began = time.process_time()
    work()
    return 100 * (time.process_time() - began) / (chunks * CHUNK_S)


if __name__ == "__main__":
    main()
