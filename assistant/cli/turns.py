"""``jarvis turns``: the last turns and where their time went; ``--slow``: the slowest, and which stage made them so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from assistant.cli.common import ConfigOption, JsonOption, errors_explained, escape, out, read_house
from assistant.observing.slow import Blame, blamed, taken_ms
from tools.contract import JsonObject

STAGES = {"heard": "transcript", "decided": "decision", "tools": "tools", "sound": "first_audio", "total": "total"}
"""Heading → the timing of docs/json-output.md."""

COMPARED_WITH = 1_000
"""The newest turns, whose medians are what is usual."""


def turns(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many.")] = 20,
    slow: Annotated[
        bool, typer.Option("--slow", help="The slowest ones instead of the newest, and what made them slow.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """The newest turns. What was said is only there with `privacy.keep_transcripts`."""
    from assistant.traces import KEPT_TURNS, TraceStore

    with errors_explained(as_json=as_json):
        house = read_house(config)
        path = house.state_dir / "traces.db"
        rows: list[JsonObject] = []
        among: list[JsonObject] = []
        if path.exists():
            store = TraceStore(path, keep_words=house.settings.privacy.keep_transcripts)
            try:
                rows = store.turns(KEPT_TURNS if slow else limit)
            finally:
                store.close()
    if slow:
        among = rows[:COMPARED_WITH]
        rows = sorted(rows, key=lambda row: taken_ms(row) or 0.0, reverse=True)[:limit]
    blames = blamed(rows, among) if slow else []
    if as_json:
        told = [one.as_json() if one is not None else None for one in blames]
        shown = [{**row, "slow": why} for row, why in zip(rows, told, strict=True)] if slow else rows
        out.print_json(json.dumps(shown))
        return
    if not rows:
        out.print("There are no turns yet.")
        return
    out.print(_slow_table(rows, blames) if slow else _table(rows))


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
        table.add_row(*_head(row), *("–" if value is None else f"{value:.0f}" for value in times))
    return table


def _slow_table(rows: list[JsonObject], blames: Sequence[Blame | None]) -> Table:
    """Likewise; each with the stage that took most beyond what is usual for it."""
    table = Table(
        box=None, padding=(0, 1, 0, 0), caption="usually: the median of the newest turns, for the total at that door"
    )
    table.caption_justify = "left"
    for heading in ("when", "door", "by"):
        table.add_column(heading, no_wrap=True)
    table.add_column("tools")
    table.add_column("total", justify="right", no_wrap=True)
    table.add_column("usually", justify="right", no_wrap=True)
    table.add_column("slow because of")
    for row, blame in zip(rows, blames, strict=True):
        taken = taken_ms(row)
        total = "–" if taken is None else f"{taken:.0f}"
        why = ("–", "nothing is known of its time") if blame is None else (f"{blame.total_median_ms:.0f}", blame.words)
        table.add_row(*_head(row), total, *why)
    return table


def _head(row: JsonObject) -> tuple[str, str, str, str]:
    lines = [*(tool["name"] for tool in row["tools"]), row["error"], row["transcript"]]
    return (
        datetime.fromtimestamp(row["at"]).astimezone().strftime("%d %b %H:%M"),
        row["door"],
        row["matched"],
        escape("\n".join(line for line in lines if line)) or "–",
    )
