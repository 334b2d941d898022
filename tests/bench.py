"""``make bench``: where the time of a turn goes on this machine. ``python -m tests.bench [--runs N] [--json]``.

Everything is measured in one process on the demo homelab, so that ratios hold on a noisy machine; medians are shown.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from assistant.app import App, open_app
from assistant.config import ModelSettings, Settings
from assistant.demo.homelab import demo_homelab
from assistant.ports import Engine
from assistant.resources import resource
from tools.contract import Caller

CLIP = "hey_jarvis_is_the_backup_ok.wav"
QUESTION = "is the backup ok?"
err = Console(stderr=True)


@asynccontextmanager
async def prepared() -> AsyncIterator[App]:
    """The demo homelab in a folder of its own, with ears and mouth; the embedded model, whatever else runs here."""
    base = Settings(model=ModelSettings(discover=False))
    with tempfile.TemporaryDirectory(prefix="jarvis-bench-") as folder:
        async with demo_homelab(Path(folder), base) as settings, open_app(settings, ears=True, mouth=True) as app:
            yield app


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    await work()
    return (time.perf_counter() - started) * 1000


async def turns(app: App, spoken: bool, engine: Engine, runs: int) -> dict[str, list[float]]:
    """Stage → milliseconds of each run."""
    found: dict[str, list[float]] = defaultdict(list)
    for run in track(range(runs), f"{'voice' if spoken else 'text'}, {engine}", console=err):
        source = await app.clip_file(resource("audio_fixtures", CLIP)) if spoken else QUESTION
        turn = app.start_turn(
            source, caller=Caller(), wake=spoken, speak=True, engine=engine, conversation_id=f"{engine}-{spoken}-{run}"
        )
        outcome = await turn.outcome()
        if outcome.error is not None:
            raise SystemExit(f"a turn failed: {outcome.error.detail}")
        for stage, value in outcome.timings_ms.model_dump().items():
            if value is not None and stage != "wake":
                found[stage].append(value)
    return found


async def measure(runs: int) -> dict[str, dict[str, float]]:
    """Row → stage → median milliseconds."""
    rows: dict[str, dict[str, float]] = {}
    async with prepared() as app:
        rows["loading ears and mouth"] = {"total": await timed(app.load_speech)}
        for engine in ("sentences", "model"):
            if engine == "model":
                rows["model: start and first reading of the prompt"] = {"total": await timed(app.warm_model)}
            for spoken in (False, True):
                stages = await turns(app, spoken, engine, runs)
                name = f"{'voice' if spoken else 'text'}, {'sentence match' if engine == 'sentences' else 'model'}"
                rows[name] = {stage: round(statistics.median(values), 1) for stage, values in stages.items()}
    return rows


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="turns of each kind (default 5)")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    rows = asyncio.run(measure(options.runs))
    if options.json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        return 0
    stages = ("endpoint", "transcript", "decision", "tools", "first_audio", "total")
    table = Table("median of ms", *stages, box=None)
    for name, values in rows.items():
        table.add_row(name, *(f"{values[stage]:.0f}" if stage in values else "–" for stage in stages))
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
