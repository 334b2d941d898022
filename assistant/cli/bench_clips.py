"""``jarvis bench clips``: make the clips that the voice benchmark speaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from assistant.cli.common import ConfigOption, JsonOption, err, errors_explained, read_house
from assistant.models import ModelStore

if TYPE_CHECKING:
    from assistant.bench.clips import Clip


def clips(
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write them there; else into the cache, once.", show_default=False),
    ] = None,
    engines: Annotated[
        str | None, typer.Option(metavar="NAME,…", help="Only these synthesizers.", show_default=False)
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many of each kind.")] = None,
    short: Annotated[bool, typer.Option("--short", help="The small corpus of the test suite.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop when a synthesizer or a recording is missing.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Make the clips: sentences by synthesizers, recorded people, and sounds that are no speech.

    What is missing on this machine is named with the package to install, and left out.
    """
    from assistant.bench import clips as manifest
    from assistant.bench import corpus, voices
    from assistant.bench.recipe import recipe

    with errors_explained(as_json=as_json):
        store = ModelStore(read_house(config).settings.models_dir)
        known = voices.engines(store.folder)
        named = [name.strip() for name in (engines or "").split(",") if name.strip()]
        wanted = recipe(short=short, engines=voices.among(named, known), limit=limit)
        with _shown() as progress:
            folder = corpus.ensure(wanted, known, store.folder, progress=progress, out=out, strict=strict)
        made = manifest.load(folder)
    counts = _counts(made)
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "clips": len(made), "counts": counts}, indent=2))
        return
    _print(counts)
    typer.echo(f"{len(made)} clips in {folder}")


def _counts(made: tuple[Clip, ...]) -> dict[str, dict[str, int]]:
    """Kind → engine → clips; speech in noise is a kind of its own here."""
    counts: dict[str, dict[str, int]] = {}
    for clip in made:
        kind = f"{clip.kind} in noise" if clip.noise and clip.said else clip.kind
        engines = counts.setdefault(kind, {})
        engines[clip.engine] = engines.get(clip.engine, 0) + 1
    return counts


def _print(counts: dict[str, dict[str, int]]) -> None:
    engines = list(dict.fromkeys(engine for row in counts.values() for engine in row))
    table = Table("", *engines, "all", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for kind, row in counts.items():
        cells = [str(row[engine]) if engine in row else "" for engine in engines]
        table.add_row(kind, *cells, str(sum(row.values())))
    Console().print(table)


@contextmanager
def _shown() -> Iterator[_Bar]:
    """A bar on stderr; notes above it."""
    columns = (TextColumn("clips"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Bar(bars)


class _Bar:
    """Implements the corpus's Progress."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._task = bars.add_task("clips", visible=False)

    def begin(self, total: int) -> None:
        self._bars.update(self._task, total=total, visible=True)

    def made(self, done: int) -> None:
        self._bars.update(self._task, completed=done)

    def note(self, line: str) -> None:
        err.print(f"[dim]{line}[/]")
