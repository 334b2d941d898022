"""``jarvis eval``: is the right thing planned for what people say?"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from assistant.cli.common import ConfigOption, SmallOption, errors_explained, read_house
from assistant.config import ModelSettings, Settings
from assistant.conversation import Conversation
from assistant.evaluation import CountingModel, Judged, Report, homelab_settings, to_json_text
from assistant.evaluation import evaluate as ask_all
from assistant.judging import Line, Verdict, read_lines
from assistant.ports import Engine
from assistant.reply import Reply, system_prompt
from assistant.resources import resource
from assistant.sentences import HassilMatcher


class EngineChoice(StrEnum):
    """Who may decide."""

    SENTENCES = "sentences"
    MODEL = "model"
    BOTH = "both"


def evaluate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Sets of lines, as tests/eval/README.md says.")],
    engine: Annotated[EngineChoice, typer.Option(help="Who decides.")] = EngineChoice.BOTH,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    homelab: Annotated[Path | None, typer.Option(help="Names to resolve against; else the demo homelab's.")] = None,
    tools: Annotated[str | None, typer.Option(help="Only these tools, by comma; else all there are.")] = None,
    small: SmallOption = False,
    model: Annotated[str | None, typer.Option(help="Model at the configured server, or an embedded one.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also lines whose tools do not exist yet.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 when anything is wrong.")] = False,
    config: ConfigOption = None,
) -> None:
    """Ask every line of the sets of tools that record instead of act, and show what is right and what is not."""
    with errors_explained(as_json=as_json):
        lines = [line for file in files for line in read_lines(file)]
        names = homelab_settings(homelab or resource("assistant", "demo", "homelab.yaml"))
        chosen = _named(read_house(config, small=small).settings.model, model)
        settings = Settings(**dict(names), model=chosen, engine=engine.value)
        with _shown(lines, quiet=as_json) as bar:
            report = asyncio.run(_run(lines, settings, tools, engine.value, every, bar))
    if as_json:
        typer.echo(to_json_text(report))
    else:
        _print(report)
    if strict and any(turn.verdict is not Verdict.RIGHT for turn in report.asked):
        raise typer.Exit(1)


async def _run(
    lines: list[Line], settings: Settings, tools: str | None, engine: Engine, every: bool, bar: _Bar
) -> Report:
    """In a state folder of its own, so that a rehearsal neither finds nor leaves anything."""
    from assistant.app import open_app  # the whole assistant: only when it is run, --help is to be quick

    with tempfile.TemporaryDirectory(prefix="jarvis-eval-") as folder:
        own = settings.model_copy(update={"state_dir": Path(folder)})
        async with open_app(own, record=True) as app:
            offered = {tool.name for tool in await app.toolbox.tools()}
            wanted = offered & set(tools.split(",")) if tools else offered
            counting = CountingModel(app.model)
            replier = Reply(HassilMatcher(await app.toolbox.names()), counting, app.toolbox)
            if engine != "sentences":
                prefix = Conversation().messages_for_model(system_prompt(), "hello")
                await app.model.warm(prefix, await app.toolbox.tools())
            turns = await ask_all(lines, replier, wanted, engine, every=every, on_turn=bar.advance)
            return Report(turns, counting.tokens_in, counting.tokens_out)


def _named(model: ModelSettings, name: str | None) -> ModelSettings:
    """With another model: at the configured server, or embedded."""
    return model.model_copy(update={"name" if model.base_url else "embedded": name}) if name else model


class _Bar:
    """Progress, or nothing."""

    def __init__(self, bars: Bars | None, total: int) -> None:
        self._bars = bars
        self._task = bars.add_task("asking", total=total) if bars else None

    def advance(self, turn: Judged) -> None:
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, advance=1, description=f"{turn.id} {turn.text[:40]}")


@contextmanager
def _shown(lines: list[Line], *, quiet: bool) -> Iterator[_Bar]:
    total = sum(len(line.turns) or 1 for line in lines)
    if quiet:
        yield _Bar(None, total)
        return
    columns = (TextColumn("{task.description:44}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Bar(bars, total)


def _print(report: Report) -> None:
    console = Console()
    table = Table(title="What was planned, by tag")
    table.add_column("tag")
    for verdict in Verdict:
        table.add_column(str(verdict), justify="right")
    for tag, counts in report.by_tag().items():
        table.add_row(tag, *(str(counts[verdict] or "") for verdict in Verdict), style="bold" if tag == "all" else None)
    console.print(table)
    asked = report.asked
    if asked:
        matched = sum(turn.by_sentence for turn in asked)
        times = " · ".join(
            f"p{share:.0%}".rstrip("%") + f" {report.decision_ms(share) or 0.0:.1f} ms" for share in (0.5, 0.95)
        )
        console.print(
            f"{len(asked)} turns · {matched / len(asked):.0%} by sentence match · to the decision {times}"
            f" · tokens {report.tokens_in} in, {report.tokens_out} out"
        )
    for turn in asked:
        if turn.verdict is not Verdict.RIGHT:
            calls = ", ".join(f"{call.tool}{call.arguments}" for call in turn.planned) or turn.note or "nothing"
            console.print(f"[red]{turn.verdict}[/] {turn.id} “{turn.text}” → {calls}", highlight=False)
    waiting = [turn.id for turn in report.turns if turn.verdict is Verdict.NOT_YET]
    if waiting:
        console.print(f"[dim]not yet (their tools do not exist): {', '.join(waiting)}[/]", highlight=False)
