"""``jarvis soak``: thousands of turns through all doors, and what they leave behind."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table

from assistant.cli.common import INTERRUPTED, ConfigOption, err, errors_explained, escape, read_house
from assistant.errors import ConfigError, StateError

if TYPE_CHECKING:
    from assistant.config import Settings
    from assistant.soak.mix import Door
    from assistant.soak.report import SoakReport
    from assistant.soak.run import Plan, Progress

ENDING = (signal.SIGINT, signal.SIGTERM)
"""Both end it as Ctrl-C does: with the verdict so far, and without a server left behind."""

SHOWN_FAILURES = 20
COLUMNS = 60
"""Of a curve at the terminal."""

STYLES = {"met": "green", "missed": "bold red", "not judged": "dim"}
_EIGHTHS = "▁▂▃▄▅▆▇█"


def soak(
    turns: Annotated[int, typer.Option("--turns", "-n", min=1, help="How many.")] = 10_000,
    plot: Annotated[Path | None, typer.Option(metavar="DIR", help="Also write one PNG for each figure there.")] = None,
    report_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write everything there as JSON (docs/soak.md).")
    ] = None,
    doors: Annotated[str | None, typer.Option(metavar="DOOR,…", help="Only these.", show_default=False)] = None,
    audio_every: Annotated[int, typer.Option(min=0, max=100, help="One turn in so many is spoken; 0: none.")] = 50,
    clients: Annotated[int, typer.Option(min=1, max=6, help="Clients at once.")] = 3,
    seed: Annotated[int, typer.Option(help="Of the order of the turns, and of what is asked.")] = 1,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="A server that runs on this machine; only what changes nothing.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The token that it wants.", show_default=False)
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Have thousands of turns with a server of its own, and look for what fails, leaks or becomes slower."""
    from assistant.soak.run import Plan

    with errors_explained():
        settings = read_house(config).settings
        plan = Plan(turns, seed, _doors(doors), audio_every, clients, url, _token(token_file))
        report, interrupted = asyncio.run(_soak(plan, settings, _keeper(report_file)))
        if plot is not None:
            from assistant.soak.plots import draw

            for picture in draw(report, plot):
                err.print(f"[dim]wrote {escape(str(picture))}[/]")
    show_soak(report, Console())
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    if not report.passed:
        raise typer.Exit(1)


async def _soak(plan: Plan, settings: Settings, keep: Callable[[SoakReport], None]) -> tuple[SoakReport, bool]:
    """The report, and whether a signal ended it early."""
    from assistant.soak.run import soak as run_soak

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in ENDING:
        loop.add_signal_handler(number, stop.set)
    try:
        with _bar(plan.turns) as progress:
            report = await run_soak(plan, settings, progress, stop, _say, keep)
    finally:
        for number in ENDING:
            loop.remove_signal_handler(number)
    keep(report)
    return report, stop.is_set()


def _keeper(path: Path | None) -> Callable[[SoakReport], None]:
    """Writes the report to that file, after each round anew: what was found stands there whatever happens then."""

    def keep(report: SoakReport) -> None:
        if path is None:
            return
        try:
            path.write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise StateError("unwritable", f"{path} cannot be written: {error.strerror}.") from error

    return keep


def _say(text: str) -> None:
    err.print(f"[dim]  {escape(text)} …[/]")


@contextmanager
def _bar(turns: int) -> Iterator[Progress]:
    """A bar with the time that is left, on stderr."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("turns", total=turns)

        def progress(had: int, failed: int) -> None:
            bars.update(task, completed=had, description=f"turns, {failed} failed" if failed else "turns")

        yield progress


def _doors(names: str | None) -> tuple[Door, ...]:
    """Raises ConfigError unknown_door."""
    from assistant.soak.mix import DOORS

    if names is None:
        return DOORS
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in DOORS]
    if unknown or not wanted:
        what = f"{', '.join(unknown)} is no door" if unknown else "--doors names no door"
        raise ConfigError("unknown_door", f"{what} of the soak.", mend=f"There are {', '.join(DOORS)}.")
    return tuple(door for door in DOORS if door in wanted)


def _token(path: Path | None) -> str | None:
    """Raises ConfigError token_unreadable."""
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        mend = "Make one with `jarvis token create`, and put it into a file."
        raise ConfigError("token_unreadable", f"{path} cannot be read: {error}.", mend=mend) from error


def show_soak(report: SoakReport, console: Console) -> None:
    """Doors, curves, failures, and the verdict last."""
    console.print(
        f"{report.turns:,} of {report.wanted:,} turns in {report.seconds / 60:.1f} min, {report.acts} acts; "
        f"warm-up {report.warm_up:,} turns; seed {report.seed}; {report.cores} processors",
        style="dim",
        soft_wrap=True,
    )
    _show_doors(report, console)
    _show_curves(report, console)
    for failure in report.failures[:SHOWN_FAILURES]:
        console.print(f"turn {failure.turn}, {escape(failure.kind)}: {escape(failure.detail)}", soft_wrap=True)
    if report.failed > SHOWN_FAILURES:
        console.print(f"… and {report.failed - SHOWN_FAILURES} more failures", style="dim")
    _show_measures(report, console)


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for at, column in enumerate(columns):
        table.add_column(column, justify="right" if at else "left")
    return table


def _show_doors(report: SoakReport, console: Console) -> None:
    if not report.doors:
        return
    table = _table("door", "turns", "failed", "median ms", "p95 first tenth", "last tenth", "last/first")
    for row in report.doors:
        times = (row.p50_ms, row.first_p95_ms, row.last_p95_ms)
        table.add_row(
            row.door, f"{row.turns:,}", str(row.failures), *(f"{one:.0f}" for one in times), f"{row.ratio:.2f}"
        )
    console.print(table)


def _show_curves(report: SoakReport, console: Console) -> None:
    """Each figure as one line of blocks, from 0 to its most, over the turns."""
    from assistant.soak.plots import CURVES

    if len(report.rounds) < 2:
        return
    for curve in CURVES:
        label, value = curve.lines[0]
        values = [value(one) for one in report.rounds]
        what = f"{curve.name}: {label}" if len(curve.lines) > 1 else curve.name
        console.print(
            f"{what:30} {blocks(values, COLUMNS)} {values[0]:.4g} → {values[-1]:.4g} {curve.unit}", soft_wrap=True
        )


def blocks(values: Sequence[float], columns: int) -> str:
    """A curve in one line; each column is the mean of the values that fall on it."""
    count = min(columns, len(values))
    edges = [round(at * len(values) / count) for at in range(count + 1)]
    means = [sum(values[start:end]) / (end - start) for start, end in pairwise(edges)]
    step = max(means) / len(_EIGHTHS) or 1.0
    return "".join(_EIGHTHS[min(max(int(one / step), 0), len(_EIGHTHS) - 1)] for one in means)


def _show_measures(report: SoakReport, console: Console) -> None:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for column in ("measure", "came", "wanted", ""):
        table.add_column(column)
    for measure in report.measures:
        verdict = f"[{STYLES[measure.verdict]}]{measure.verdict}[/]"
        why = f"{verdict}: {escape(measure.why)}" if measure.why else verdict
        table.add_row(measure.name, measure.value, measure.limit, why)
    console.print(table)
