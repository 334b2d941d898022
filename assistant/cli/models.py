"""``jarvis models``: list, pull and verify the model files."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars
from rich.table import Table

from assistant import config_file
from assistant.errors import JarvisError, ModelFilesError
from assistant.models import ModelEntry, ModelStore, Progress, State

models_app = typer.Typer(no_args_is_help=True, help="The model files: list, pull, verify.")

_STYLES = {State.PRESENT: "green", State.MISSING: "yellow", State.DAMAGED: "red"}
_INTERRUPTED = 130
_PLAIN_EVERY_S = 10.0


@models_app.command("list")
def list_models(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The table of models/README.md.")] = False,
) -> None:
    """What there is, what it is for, its licence, and whether it is here."""
    with _exit_codes():
        store = _configured_store()
        if as_json:
            typer.echo(json.dumps([_as_json(store, entry) for entry in store.entries], indent=2, ensure_ascii=False))
        elif markdown:
            typer.echo(markdown_table(store))
        else:
            _print_table(store)


@models_app.command()
def pull(
    names: Annotated[list[str] | None, typer.Argument(help="Models; without any, the default ones.")] = None,
    small: Annotated[bool, typer.Option("--small", help="The smaller language model (0.5B).")] = False,
    every: Annotated[bool, typer.Option("--all", help="Every model but those that are pulled by name only.")] = False,
    from_dir: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", exists=True, file_okay=False, help="Look in this folder first."),
    ] = None,
) -> None:
    """Download what is missing, check every byte, and go on where an earlier pull stopped.

    Models that are named are read and checked even when they are there already.
    """
    with _exit_codes():
        store = _configured_store()
        wanted = list(names or ())
        if every:
            wanted = list(store.manifest.together())
        elif not wanted:
            wanted = list(store.manifest.defaults(small=small))
        elif small:
            raise ModelFilesError("bad_arguments", "Give either names or --small.")
        with _shown() as progress:
            try:
                store.pull(wanted, progress, from_dir=from_dir, recheck=bool(names))
            except KeyboardInterrupt:
                progress.note("Stopped. What is there is kept; the same command goes on from here.")
                raise typer.Exit(_INTERRUPTED) from None
        typer.echo(f"In {store.models_dir}: {', '.join(wanted)}.", err=True)


@models_app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Models; without any, all that are here.")] = None,
) -> None:
    """Read every byte and compare it with the manifest; ends with code 4 when something is missing or damaged."""
    with _exit_codes():
        store = _configured_store()
        wanted = names or [entry.name for entry in store.entries if store.state(entry.name) is not State.MISSING]
        if not wanted:
            raise ModelFilesError(
                "model_missing", f"There are no models in {store.models_dir}.", mend="`jarvis models pull` gets them."
            )
        bad = None
        with _shown() as progress:
            for name in wanted:
                try:
                    store.verify(name, progress)
                except ModelFilesError as error:
                    bad = error
                    progress.note(f"{name}: {error}")
                else:
                    progress.note(f"{name}: every file is what the manifest says")
        if bad is not None:
            raise typer.Exit(bad.exit_code)


def markdown_table(store: ModelStore) -> str:
    """The table of ``models/README.md``; a test checks that they are the same."""
    lines = ["| name | what it does | what it is | size | licence | pulled |", "|---|---|---|---|---|---|"]
    for entry in store.entries:
        when = "by default" if entry.default else "by name" + (" or `--small`" if entry.small_instead_of else "")
        cells = (f"`{entry.name}`", entry.description, entry.origin, megabytes(entry.size), entry.licence, when)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def megabytes(size: int) -> str:
    """``1117.3 MB``, as a person reads a size; 10⁶ bytes."""
    return f"{size / 1e6:.1f} MB"


def _configured_store() -> ModelStore:
    """The cache that ``models_dir`` names, else JARVIS_MODELS, else the platform's. Raises ConfigError."""
    return ModelStore(config_file.load().settings.models_dir)


def _as_json(store: ModelStore, entry: ModelEntry) -> dict[str, object]:
    return {
        "name": entry.name,
        "description": entry.description,
        "origin": entry.origin,
        "licence": entry.licence,
        "licence_note": entry.licence_note,
        "default": entry.default,
        "size_bytes": entry.size,
        "state": store.state(entry.name).value,
        "folder": str(store.models_dir / entry.name),
        "files": [{"name": file.name, "size_bytes": file.size, "sha256": file.sha256} for file in entry.files],
    }


def _print_table(store: ModelStore) -> None:
    table = Table(title=f"Models in {store.models_dir}", title_justify="left")
    for heading in ("name", "what it does", "size", "licence", ""):
        wraps = heading == "what it does"
        table.add_column(heading, justify="right" if heading == "size" else "left", no_wrap=not wraps)
    for entry in store.entries:
        state = store.state(entry.name)
        optional = not entry.default and state is State.MISSING
        shown = "[dim]optional[/]" if optional else f"[{_STYLES[state]}]{state.value}[/]"
        table.add_row(entry.name, entry.description, megabytes(entry.size), entry.licence, shown)
    Console().print(table)
    for entry in store.entries:
        if entry.licence_note:
            Console().print(f"{entry.name}: {entry.licence_note}", style="dim")


@contextmanager
def _exit_codes() -> Iterator[None]:
    """An error of ours becomes its text on stderr and its documented exit code."""
    try:
        yield
    except JarvisError as error:
        typer.echo(error.detail, err=True)
        if error.mend:
            typer.echo(error.mend, err=True)
        raise typer.Exit(error.exit_code) from error


@contextmanager
def _shown() -> Iterator[Progress]:
    """Bars on a terminal, plain lines elsewhere; both on stderr."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _PlainLines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bars(*columns, TimeRemainingColumn(compact=True), console=console) as bars:
        yield _RichBars(bars)


class _RichBars:
    """A bar for each file: bytes, speed, time left."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task = bars.add_task("", visible=False)

    def begin(self, what: str, total: int) -> None:
        self._task = self._bars.add_task(what, total=total)

    def at(self, done: int) -> None:
        self._bars.update(self._task, completed=done)

    def end(self) -> None:
        self._bars.stop_task(self._task)

    def note(self, line: str) -> None:
        self._bars.console.print(line, style="dim", highlight=False, markup=False)


class _PlainLines:
    """A line when a file begins, and one every ten seconds."""

    def __init__(self) -> None:
        self._what = ""
        self._total = 0
        self._next = 0.0

    def begin(self, what: str, total: int) -> None:
        self._what, self._total, self._next = what, total, time.monotonic() + _PLAIN_EVERY_S
        typer.echo(f"{what} ({megabytes(total)})", err=True)

    def at(self, done: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _PLAIN_EVERY_S
            typer.echo(f"{self._what}: {100 * done // self._total} %", err=True)

    def end(self) -> None:
        pass

    def note(self, line: str) -> None:
        typer.echo(line, err=True)
