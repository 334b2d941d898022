"""``jarvis turns``: the last turns and where their time went."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from assistant.cli.common import ConfigOption, JsonOption, errors_explained, escape, out, read_house

STAGES = ("transcript", "decision", "tools", "first_audio", "total")


def turns(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many.")] = 20,
    slow: Annotated[bool, typer.Option("--slow", help="The slowest ones instead of the newest.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """The newest turns. What was said is only there with `privacy.keep_transcripts`."""
    from assistant.traces import TraceStore

    with errors_explained(as_json=as_json):
        house = read_house(config)
        path = house.state_dir / "traces.db"
        rows = []
        if path.exists():
            store = TraceStore(path, keep_words=house.settings.privacy.keep_transcripts)
            rows = store.turns(limit, slowest_first=slow)
            store.close()
    if as_json:
        out.print_json(json.dumps(rows))
        return
    if not rows:
        out.print("There are no turns yet.")
        return
    table = Table("when", "door", "by", "tools", *(f"{stage} ms" for stage in STAGES), "", box=None)
    for row in rows:
        times = [row["timings_ms"].get(stage) for stage in STAGES]
        table.add_row(
            datetime.fromtimestamp(row["at"]).astimezone().strftime("%d %b %H:%M:%S"),
            row["door"],
            row["matched"],
            ", ".join(tool["name"] for tool in row["tools"]) or "–",
            *("–" if value is None else f"{value:.0f}" for value in times),
            escape(row["error"] or row["transcript"] or ""),
        )
    out.print(table)
