"""``jarvis eval``: is the right thing planned for what people say?"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Hashable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from assistant.cli.common import INTERRUPTED, ConfigOption, SmallOption, errors_explained, escape, read_house
from assistant.cli.evaluate_home import show_trial, try_home
from assistant.cli.evaluate_shown import show_comparison, show_report
from assistant.config import ModelSettings, Settings
from assistant.errors import ConfigError, TranscriptionError
from assistant.evaluation import Judged, Rehearsal
from assistant.evaluation_compare import compare as compare_reports
from assistant.evaluation_compare import read_report
from assistant.evaluation_figures import Report
from assistant.evaluation_report import as_html
from assistant.evaluation_sets import Line, homelab_settings, read_sets
from assistant.ports import Utterance
from assistant.resources import resource
from assistant.same_calls import Meaning, Order
from assistant.text.transcript import clean_transcript
from tools.contract import Candidates, JsonObject, PlannedCall

if TYPE_CHECKING:
    from assistant.app import App

REPEATED_TEMPERATURE = 0.4
"""At temperature 0 all seeds answer alike; repeats are to show what wavers."""


class EngineChoice(StrEnum):
    """Who may decide."""

    SENTENCES = "sentences"
    MODEL = "model"
    BOTH = "both"
    BARE = "bare"


@dataclass(slots=True)
class _Run:
    """What was asked for, and what has been judged so far: an interruption keeps it."""

    lines: list[Line]
    engine: EngineChoice
    seeds: tuple[int, ...]
    temperature: float
    model: str = ""
    judged: list[Judged] = field(default_factory=list)

    def report(self) -> Report:
        return Report(
            judged=tuple(self.judged),
            sets=tuple(dict.fromkeys(line.set_name for line in self.lines)),
            engine=self.engine.value,
            model=self.model,
            seeds=self.seeds,
            temperature=self.temperature,
            planned_turns=self.turns,
        )

    @property
    def turns(self) -> int:
        return len(self.seeds) * sum(len(line.each()) for line in self.lines)


def evaluate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Sets of lines, as tests/eval/README.md says.")],
    engine: Annotated[
        EngineChoice, typer.Option(help="Who decides; bare: the model with all tools and no help, to compare with.")
    ] = EngineChoice.BOTH,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object (docs/evaluation.md).")] = False,
    html: Annotated[Path | None, typer.Option(help="Also write a page with the confusion picture.")] = None,
    compare: Annotated[bool, typer.Option("--compare", help="FILE… are two reports of --json: what changed.")] = False,
    homelab: Annotated[Path | None, typer.Option(help="Names to resolve against; else the demo homelab's.")] = None,
    repeat: Annotated[int, typer.Option(min=1, max=1000, help="Ask everything so often, with a seed each.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first repeat.")] = 1,
    temperature: Annotated[
        float | None, typer.Option(min=0.0, max=2.0, help=f"0 for one run, {REPEATED_TEMPERATURE} for repeats.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Model at the configured server, or an embedded one.")] = None,
    home: Annotated[
        str | None, typer.Option(metavar="URL", help="FILE… are said to this running Home Assistant, for real.")
    ] = None,
    token_file: Annotated[Path | None, typer.Option(help="File with a token for --home.")] = None,
    small: SmallOption = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 when anything is wrong.")] = False,
    config: ConfigOption = None,
) -> None:
    """Ask every line of the sets of tools that record instead of act, and show what is right and what is not."""
    with errors_explained(as_json=as_json):
        if compare:
            _compare(files, as_json=as_json)
            return
        if home is not None:
            trial = try_home(home, token_file, files, read_house(config, small=small).settings, engine.value)
            if as_json:
                typer.echo(trial.as_json_text())
            else:
                show_trial(trial, Console())
            if strict and trial.wrong:
                raise typer.Exit(1)
            return
        _check_writable(html)
        if temperature is None:
            temperature = 0.0 if repeat == 1 else REPEATED_TEMPERATURE
        lines = read_sets(files)
        run = _Run(lines, engine, tuple(range(seed, seed + repeat)), temperature)
        names = homelab_settings(homelab or resource("assistant", "demo", "homelab.yaml"))
        chosen = _named(read_house(config, small=small).settings.model, model)
        stopped = _ask_all(run, Settings(**dict(names), model=chosen))
        report = run.report()
        if html is not None:
            html.write_text(as_html(report), encoding="utf-8")
    if as_json:
        typer.echo(report.as_json_text())
    else:
        show_report(report, Console())
    if stopped:
        raise typer.Exit(INTERRUPTED)
    if strict and report.wrong:
        raise typer.Exit(1)


def _ask_all(run: _Run, settings: Settings) -> bool:
    """Whether it was stopped by Ctrl-C; what had been judged until then stays in ``run``."""
    try:
        with _bar(run) as advance:
            asyncio.run(_ask(run, settings, advance))
    except KeyboardInterrupt:
        return True
    return False


async def _ask(run: _Run, settings: Settings, bar: _Bar) -> None:
    """In a state folder of its own, so that a rehearsal neither finds nor leaves anything."""
    from assistant.app import open_app  # the whole assistant: only when it is run, --help is to be quick

    clips = any(turn.wav for line in run.lines for _, turn in line.each())
    with tempfile.TemporaryDirectory(prefix="jarvis-eval-") as folder:
        own = settings.model_copy(update={"state_dir": Path(folder)})
        async with open_app(own, ears=clips, record=True, progress=bar.say) as app:
            if clips:
                bar.say("loading the ears")
                await app.load_speech()
            if run.engine is not EngineChoice.SENTENCES:
                bar.say("warming the model")
                await app.warm_model()
                run.model = app.model.name
            rehearsal = Rehearsal(
                app.replier, run.engine.value, _meaning(app), app.replier.tokens, lambda path: _hear(app, path)
            )
            for number, seed in enumerate(run.seeds, 1):
                app.replier.sampling = replace(app.replier.sampling, seed=seed, temperature=run.temperature)
                async with aclosing(rehearsal.ask(run.lines, number)) as judging:
                    async for turn in judging:
                        run.judged.append(turn)
                        bar.advance(turn)


def _meaning(app: App) -> Meaning:
    """What names and places mean in the rehearsed house."""
    house = app.house

    def canonical(tool: str, arguments: JsonObject) -> JsonObject | None:
        planned = house.path.plan(tool, arguments)
        return planned.arguments if isinstance(planned, PlannedCall) else None

    def devices(arguments: JsonObject) -> frozenset[Hashable]:
        found = house.home.find(str(arguments.get("target", "")), arguments.get("area"), one=False)
        return frozenset() if isinstance(found, Candidates) else frozenset(found.devices)

    def order(words: str) -> Order | None:
        call = house.read_order(words)
        arguments = canonical(*call) if call is not None else None
        return (call[0], arguments) if call is not None and arguments is not None else None

    return Meaning(canonical, devices, order)


async def _hear(app: App, clip: Path) -> str:
    """What is said in a clip. Raises AudioError, EndpointingError, TranscriptionError."""
    if app.listener is None or app.transcriber is None:
        raise TranscriptionError("no_ears", "The ears are not open.")
    async with aclosing(app.listener.hear(await app.clip_file(clip), wake=False)) as hearing:
        async for heard in hearing:
            if isinstance(heard, Utterance):
                return clean_transcript((await app.transcriber.transcribe(heard.audio)).text)
    return ""


def _named(model: ModelSettings, name: str | None) -> ModelSettings:
    """With another model: at the configured server, or embedded."""
    return model.model_copy(update={"name" if model.base_url else "embedded": name}) if name else model


def _check_writable(html: Path | None) -> None:
    """Before the work, not after it. Raises ConfigError."""
    if html is None:
        return
    try:
        html.open("a", encoding="utf-8").close()
    except OSError as error:
        raise ConfigError("html_unwritable", f"{html} cannot be written: {error}.") from error


def _compare(files: list[Path], *, as_json: bool) -> None:
    if len(files) != 2:
        raise ConfigError("compare_two", f"--compare takes two reports; here are {len(files)}.")
    comparison = compare_reports(read_report(files[0]), read_report(files[1]))
    if as_json:
        typer.echo(json.dumps(comparison.as_json(), ensure_ascii=False, indent=2))
    else:
        show_comparison(comparison, Console())


class _Bar:
    """Progress on stderr."""

    def __init__(self, bars: Bars, total: int) -> None:
        self._bars = bars
        self._task = bars.add_task("asking", total=total)

    def say(self, what: str) -> None:
        self._bars.update(self._task, description=what)

    def advance(self, turn: Judged) -> None:
        self._bars.update(self._task, advance=1, description=escape(f"{turn.id} {turn.text[:40]}"))


@contextmanager
def _bar(run: _Run) -> Iterator[_Bar]:
    columns = (TextColumn("{task.description:44}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Bar(bars, run.turns)
