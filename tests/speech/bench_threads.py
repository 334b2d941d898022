"""``python -m tests.speech.bench_threads``: Whisper's short window on one thread and on more, alone and while
smart-turn judges the same pause, which is when it matters. Medians in milliseconds, in turns, in one process, after a
rest each, as between two sentences. With ``OPENBLAS_NUM_THREADS=2`` before it: what numpy's threads cost."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console
from rich.table import Table

from assistant.blas import VARIABLE
from assistant.models import ModelStore
from assistant.resources import resource
from assistant.speech.decoding import read_clip
from assistant.speech.names_prompt import names_prompt
from assistant.speech.smart_turn import SmartTurn
from assistant.speech.whisper_model import WhisperModel
from assistant.speech.whisper_window import WINDOWS

ROUNDS = 15
REST_S = 0.8
NAMES = ("jellyfin", "gitea", "immich", "nextcloud", "vaultwarden", "home assistant", "photos", "documents")
CLIP = "hey_jarvis_is_the_backup_ok.wav"


def main() -> None:
    """Print the table."""
    store, audio = ModelStore(), asyncio.run(read_clip(resource("audio_fixtures", CLIP), max_clip_s=60))
    turn_model = SmartTurn(store.resolve("smart-turn", ".onnx"))
    counts = sorted({1, max(1, (os.cpu_count() or 1) // 2), os.cpu_count() or 1})
    models = {
        count: WhisperModel(store.folder("whisper-base"), compute_type="int8", language="en", threads=count)
        for count in counts
    }
    took: dict[tuple[int, str], list[float]] = defaultdict(list)
    window_s = WINDOWS["short"].seconds(len(audio) / 16_000)
    with ThreadPoolExecutor(1) as other:
        for _ in range(ROUNDS):
            for count, model in models.items():
                prompt = model.prompt_tokens(names_prompt(NAMES))

                def decode(model: WhisperModel = model, prompt: list[int] = prompt) -> None:
                    model.decode(audio, prompt, window_s)

                def decode_beside(decode: Callable[[], None] = decode) -> None:
                    judging = other.submit(turn_model.probability, audio)
                    decode()
                    judging.result()

                took[count, "alone"].append(_timed(decode))
                took[count, "with smart-turn"].append(_timed(decode_beside))
    title = f"numpy's threads: {os.environ.get(VARIABLE)}; window {window_s:.0f} s"
    table = Table("threads", "alone, ms", "with smart-turn, ms", title=title)
    for count in counts:
        table.add_row(
            str(count), *(f"{statistics.median(took[count, how]):.0f}" for how in ("alone", "with smart-turn"))
        )
    Console().print(table)


def _timed(work: Callable[[], None]) -> float:
    time.sleep(REST_S)
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
