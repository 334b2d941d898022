"""``jarvis backups`` history, calendar, scorecard and notes: what is read and written down."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.backups_common import JobArgument, OnlyJobArgument, desk_errors, job_named, written
from assistant.cli.common import (
    ConfigOption,
    House,
    JsonOption,
    err,
    errors_explained,
    escape,
    furnished,
    out,
    read_house,
    run,
)
from assistant.errors import ConfigError, StateError

if TYPE_CHECKING:
    from tools.backups.desk import History
    from tools.backups.scorecard import Score

PlotOption = Annotated[Path | None, typer.Option("--plot", metavar="FILE.png", help="Write a picture, too.")]


def history(
    job: JobArgument, plot: PlotOption = None, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """Every backup of a job that was seen, with sizes, and its restore tests."""
    with errors_explained(as_json=as_json):
        house = read_house(config)
    run(_history(house, job, plot, as_json=as_json), as_json=as_json)


async def _history(house: House, said: str, plot: Path | None, *, as_json: bool) -> None:
    from assistant.cli.backups_plot import draw_history
    from assistant.cli.backups_shown import show_history
    from tools.backups.desk import histories

    async with furnished(house) as settings:
        name = job_named(settings, said)
        with desk_errors():
            found = histories(settings.backups, house.state_dir, name)
    if as_json:
        out.print_json(json.dumps({"job": name, "destinations": [asdict(one) for one in found]}))
    else:
        for one in found:
            show_history(one)
    if plot is not None:
        draw_history(found, plot, time.time())
        err.print(f"[dim]wrote {escape(str(plot))}[/]", soft_wrap=True)


def scorecard(
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write it as a page, too.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """3-2-1-1-0 for each class of data, and which copies survive which failure (docs/scorecard.md)."""
    with errors_explained(as_json=as_json):
        house = read_house(config)
    run(_scorecard(house, html, as_json=as_json), as_json=as_json)


async def _scorecard(house: House, html: Path | None, *, as_json: bool) -> None:
    from assistant.cli.backups_shown import show_scores
    from assistant.cli.session import open_session
    from tools.backups.desk import histories, scores
    from tools.backups.scorecard import as_json as class_as_json
    from tools.contract import Door

    async with open_session(house, Door.CLI) as session:  # its check looks wherever nobody has looked for a while
        outcome = await session.call("check_backups", {})
    if not outcome.ok or outcome.result is None:
        raise StateError("not_judged", outcome.spoken or "The backups could not be judged.")
    async with furnished(house) as settings:
        with desk_errors():
            cards = scores(settings.backups, house.state_dir)
            seen = histories(settings.backups, house.state_dir) if html is not None else ()
    if as_json:
        out.print_json(json.dumps({"spoken": outcome.spoken, "classes": [class_as_json(card) for card in cards]}))
    elif cards:
        show_scores(cards)
    else:
        out.print(escape(outcome.spoken))
    if html is not None:
        _write_page(html, cards, seen, outcome.result.data.get("jobs") or [], outcome.spoken)


def _write_page(
    path: Path, cards: Sequence[Score], seen: Sequence[History], records: Sequence[dict[str, Any]], spoken: str
) -> None:
    from assistant.cli.backups_html import page

    written(path, page(cards, seen, records, spoken, time.time()))
    err.print(f"[dim]wrote {escape(str(path))}[/]", soft_wrap=True)


def notes(
    job: OnlyJobArgument = None,
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="DIR", help="Write them there: a stick, a disk; no place of a backup."),
    ] = None,
    plain: Annotated[bool, typer.Option("--print", help="As Markdown, for a printer: `… | lp`.")] = False,
    config: ConfigOption = None,
) -> None:
    """How to get everything back, for each job, with the commands."""
    with errors_explained():
        house = read_house(config)
    run(_notes(house, job, export, plain=plain))


async def _notes(house: House, said: str | None, export: Path | None, *, plain: bool) -> None:
    from tools.backups.recovery import ExportError, export_notes, markdown

    async with furnished(house) as settings:
        names = list(settings.backups) if said is None else [job_named(settings, said)]
        pages = {name: markdown(name, settings.backups[name]) for name in names}
        if not pages:
            raise ConfigError("no_jobs", "No backups are configured.", mend="`jarvis backups init` looks for some.")
        if export is not None:
            try:
                made = export_notes(pages, settings.backups, export)
            except ExportError as error:
                raise StateError("not_exported", str(error)) from error
            for path in made:
                out.print(escape(str(path)), soft_wrap=True)
            return
    if plain:
        typer.echo("\n".join(pages.values()))
        return
    from rich.markdown import Markdown

    for text in pages.values():
        out.print(Markdown(text))


def calendar(plot: PlotOption = None, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """When which restore is to be tried, and what is overdue."""
    with errors_explained(as_json=as_json):
        house = read_house(config)
    run(_calendar(house, plot, as_json=as_json), as_json=as_json)


async def _calendar(house: House, plot: Path | None, *, as_json: bool) -> None:
    from assistant.cli.backups_plot import draw_calendar
    from assistant.cli.backups_shown import show_calendar
    from tools.backups import desk

    async with furnished(house) as settings:
        with desk_errors():
            due, year = desk.calendar(settings, house.state_dir)
    if as_json:
        out.print_json(json.dumps({"due": [asdict(one) for one in due], "year": [asdict(one) for one in year]}))
    else:
        show_calendar(due)
    if plot is not None:
        draw_calendar(year, plot)
        err.print(f"[dim]wrote {escape(str(plot))}[/]", soft_wrap=True)
