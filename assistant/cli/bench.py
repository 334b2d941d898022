"""``jarvis bench``: how good and how quick ears and mouth are on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from assistant.bench.voice_report import Part
from assistant.cli import bench_clips
from assistant.cli.bench_clips import clips as make_clips
from assistant.cli.common import ConfigOption, err, errors_explained, read_house
from assistant.errors import ConfigError

if TYPE_CHECKING:
    from assistant.bench.beside import HomeAssistantAccess
    from assistant.bench.run import Progress

bench_app = typer.Typer(no_args_is_help=True, help="Measure ears and mouth on this machine.")
bench_app.command("clips")(make_clips)
bench_app.command()(bench_clips.clips)

PARTS: tuple[Part, ...] = tuple(part for part in get_args(Part) if part != "home_assistant")
WITHOUT_MODEL: frozenset[Part] = frozenset(part for part in PARTS if part != "model")
NAMED = {
    "turns": "commands in real time",
    "model": "commands for the model",
    "stt": "speech recognition",
    "wake": "wake word",
    "silence": "where nobody speaks",
    "idle": "listening",
    "home_assistant": "Home Assistant",
}


@bench_app.command()
def voice(
    clips: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder with the clips; else those of `bench clips`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object (docs/voice-benchmark.md).")] = False,
    plot: Annotated[Path | None, typer.Option(metavar="DIR", help="Also write one PNG for each table there.")] = None,
    short: Annotated[bool, typer.Option("--short", help="A few clips of each kind, in minutes.")] = False,
    only: Annotated[
        str | None, typer.Option(metavar="PART,…", help=f"Only these: {', '.join(PARTS)}.", show_default=False)
    ] = None,
    model: Annotated[bool, typer.Option("--model", help="Also commands that the chat model decides.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many clips in a part.")] = None,
    home_assistant: Annotated[
        str | None, typer.Option(metavar="URL", help="The same clips through its Assist pipeline, side by side.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its long-lived access token.", show_default=False)
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit code 1 when a measure is missed.")] = False,
    config: ConfigOption = None,
) -> None:
    """Speak the clips to the demo homelab in real time and measure what a person would notice."""
    from assistant.bench.folder import made_corpus
    from assistant.bench.run import Plan, measure

    with errors_explained(as_json=as_json):
        parts = _parts(only, model=model)
        settings = read_house(config).settings
        access = _access(home_assistant, token_file)
        if access is not None:
            parts |= {"turns"}
        plan = Plan(clips or made_corpus(short=short), parts, short, limit, access)
        with _bars() as progress:
            report = asyncio.run(measure(plan, settings, progress))
        if plot is not None:
            from assistant.bench.plots import draw

            for picture in draw(report, plot):
                err.print(f"[dim]wrote {picture}[/]")
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        from assistant.cli.bench_shown import show_voice

        show_voice(report, Console())
    if check and report.missed:
        raise typer.Exit(1)


def _access(url: str | None, token_file: Path | None) -> HomeAssistantAccess | None:
    """Raises ConfigError no_token, token_unreadable."""
    from assistant.bench.beside import HomeAssistantAccess

    if url is None:
        return None
    mend = "Make a long-lived access token in your profile there, put it into a file, and name it with --token-file."
    if token_file is None:
        raise ConfigError("no_token", "Home Assistant wants a token.", mend=mend)
    try:
        token = token_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("token_unreadable", f"{token_file} cannot be read: {error}.", mend=mend) from error
    if not token:
        raise ConfigError("token_unreadable", f"{token_file} is empty.", mend=mend)
    return HomeAssistantAccess(url, token)


def _parts(only: str | None, *, model: bool) -> frozenset[Part]:
    """Raises ConfigError naming what there is."""
    if only is None:
        return frozenset(PARTS) if model else WITHOUT_MODEL
    wanted = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in PARTS]
    if unknown or not wanted:
        what = f"{', '.join(unknown)} is no part" if unknown else "--only names no part"
        raise ConfigError("unknown_part", f"{what} of the benchmark.", mend=f"There are {', '.join(PARTS)}.")
    return frozenset(part for part in PARTS if part in wanted or (model and part == "model"))


@contextmanager
def _bars() -> Iterator[Progress]:
    """A bar for each part, on stderr."""
    columns = (TextColumn("{task.description:24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[Part, TaskID] = {}

        def progress(part: Part, done: int, total: int) -> None:
            if part not in tasks:
                tasks[part] = bars.add_task(NAMED[part], total=total)
            bars.update(tasks[part], completed=done, total=total)

        yield progress
