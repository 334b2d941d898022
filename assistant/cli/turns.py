"""``jarvis turns``: the last turns and where their time went."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from assistant.cli.common import ConfigOption, JsonOption, errors_explained, escape, out, read_house
from tools.contract import JsonObject

STAGES = {"heard": "transcript", "decided": "decision", "tools": "tools", "sound": "first_audio", "total": "total"}
"""Heading → the timing of docs/json-output.md."""


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
    out.print(_table(rows))


def _table(rows: list[JsonObject]) -> Table:
    """Fits 80 columns; times in milliseconds."""
    table = Table(box=None, padding=(0, 1, 0, 0), caption="times in ms", caption_justify="left")
    for heading in ("when", "door", "by"):
        table.add_column(heading, no_wrap=True)
    table.add_column("tools")
    for heading in STAGES:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        times = [row["timings_ms"].get(stage) for stage in STAGES.values()]
        lines = [*(tool["name"] for tool in row["tools"]), row["error"], row["transcript"]]
        table.add_row(
            datetime.fromtimestamp(row["at"]).astimezone().strftime("%d %b %H:%M"),
            row["door"],
            row["matched"],
            escape("\n".join(line for line in lines if line)) or "–",
            *("–" if value is None else f"{value:.0f}" for value in times),
        )
    return table
