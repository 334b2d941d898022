"""``jarvis ask``: one question, typed or recorded."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.common import (
    ConfigOption,
    House,
    JsonOption,
    SmallOption,
    err,
    errors_explained,
    escape,
    out,
    read_house,
    run,
)
from assistant.errors import AudioError
from assistant.ports import Engine

AUDIO_SUFFIXES = frozenset(
    {".wav", ".mp3", ".m4a", ".ogg", ".oga", ".opus", ".webm", ".flac", ".amr", ".3gp", ".aac", ".aiff", ".mp4"}
)


def ask(
    utterance: Annotated[str, typer.Argument(metavar="TEXT|FILE", help="What to ask, or a recording of it.")],
    as_json: JsonOption = False,
    speak: Annotated[
        Path | None, typer.Option("--speak", metavar="OUT.wav", help="Write the spoken reply.", show_default=False)
    ] = None,
    engine: Annotated[Engine | None, typer.Option(help="Who decides.", show_default=False)] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Show the turn's timeline.")] = False,
    small: SmallOption = False,
    config: ConfigOption = None,
) -> None:
    """Ask one question; the answer is printed. Where it wants a yes and there is a terminal, you are asked for it.

    Exit code 1 when the turn failed.
    """
    with errors_explained(as_json=as_json):
        house = read_house(config, small=small)
        question = utterance_of(utterance)
    run(_ask(house, question, as_json=as_json, speak=speak, engine=engine, trace=trace), as_json=as_json)


def utterance_of(argument: str) -> str | Path:
    """A recording when it is a file or looks like one. Raises AudioError for one that is not there."""
    path = Path(argument)
    if path.suffix.casefold() in AUDIO_SUFFIXES and len(argument.split()) < 4:
        if not path.is_file():
            raise AudioError("clip_unreadable", f"There is no recording {path}.", mend="Check the path.")
        return path
    return argument


async def _ask(
    house: House, question: str | Path, *, as_json: bool, speak: Path | None, engine: Engine | None, trace: bool
) -> int:
    from assistant.cli.render import Timeline
    from assistant.cli.session import open_session
    from assistant.events import AudioReady, TurnEvent
    from assistant.outcome import TurnOutcome
    from assistant.ports import SpeechChunk
    from assistant.speech.wav import write_wav
    from tools.contract import Door

    events: list[TurnEvent] = []
    timeline = Timeline(err if as_json else out) if trace else None
    async with open_session(house, Door.CLI, ears=isinstance(question, Path), mouth=speak is not None) as session:
        while True:
            async for event in session.turn(question, engine=engine, speak=speak is not None):
                events.append(event)
                if timeline:
                    timeline.show(event)
            outcome = TurnOutcome.from_events(events)
            if as_json or outcome.confirmation is None or not sys.stdin.isatty():
                break
            question = await asyncio.to_thread(out.input, f"[bold]{escape(outcome.reply)}[/] ")
            events.clear()
    if speak is not None:
        chunks = [SpeechChunk(e.pcm, e.sample_rate_hz) for e in events if isinstance(e, AudioReady)]
        try:
            write_wav(speak, chunks)
        except OSError as error:
            raise AudioError("not_written", f"{speak} cannot be written: {error.strerror}.") from error
    if as_json:
        out.print_json(outcome.model_dump_json())
    else:
        out.print(escape(outcome.reply), style="bold")
        if outcome.error:
            err.print(f"[red]{escape(outcome.error.detail)}[/] {escape(outcome.error.mend)}")
    return 1 if outcome.error else 0
