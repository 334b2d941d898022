"""``jarvis repl``: type with it."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING

from assistant.cli.common import ConfigOption, House, SmallOption, err, errors_explained, escape, out, read_house, run

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from assistant.cli.session import Session
    from assistant.events import TurnEvent

HELP = """\
  /tools   the tools and what they are for
  /trace   the timeline of each turn, on or off
  /voice   spoken replies, on or off
  /help    this
  /quit    end (also Ctrl-D)
Everything else is asked."""


def repl(small: SmallOption = False, config: ConfigOption = None) -> None:
    """Ask question after question in one conversation."""
    with errors_explained():
        house = read_house(config, small=small)
    run(_repl(house))


async def _repl(house: House) -> None:
    from assistant.cli.session import LocalSession, open_session
    from assistant.errors import ChatError
    from assistant.speech.player import loudspeaker_available
    from tools.contract import Door

    async with open_session(house, Door.REPL, mouth=loudspeaker_available()) as session:
        warming = None
        if isinstance(session, LocalSession) and house.settings.engine != "sentences":
            warming = asyncio.create_task(session.app.warm_model())
        try:
            await _Conversation(session).go_on(house.state_dir / "repl-history")
        finally:
            if warming is not None:
                warming.cancel()
                failed = (await asyncio.gather(warming, return_exceptions=True))[0]
                if isinstance(failed, ChatError):
                    err.print(f"[dim]The language model was not there: {escape(failed.detail)}[/]")


class _Conversation:
    """Reads lines, runs commands and turns."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._trace = False
        self._voice = False

    async def go_on(self, history: Path) -> None:
        """Until Ctrl-D, /quit or the end of what is piped in."""
        async with aclosing(_typed(history) if sys.stdin.isatty() else _piped()) as lines:
            async for line in lines:
                if line in ("/quit", "/exit"):
                    return
                if line:
                    await self._take(line)
                await self._announce()

    async def _take(self, line: str) -> None:
        from assistant.errors import JarvisError

        try:
            if line.startswith("/"):
                await self._command(line)
            else:
                await self._turn(line)
        except JarvisError as error:
            err.print(f"[red]{escape(error.detail)}[/] {escape(error.mend)}")

    async def _announce(self) -> None:
        """What became of the jobs that were asked for here, between two lines."""
        from assistant.cli.session import LocalSession
        from tools.contract import Door

        if isinstance(self._session, LocalSession):
            while (one := await self._session.app.announcement(Door.REPL)) is not None:
                out.print(f"[bold]{escape(one.text)}[/]")

    async def _command(self, line: str) -> None:
        if line == "/tools":
            for tool in await self._session.tools():
                out.print(f"  [bold]{tool.name}[/]  {escape(tool.description)}")
        elif line == "/trace":
            self._trace = not self._trace
            out.print(f"Timeline {'on' if self._trace else 'off'}.")
        elif line == "/voice" and not _can_play(self._session):
            out.print("There is no loudspeaker at hand. `jarvis ask … --speak FILE.wav` writes the reply.")
        elif line == "/voice":
            self._voice = not self._voice
            out.print(f"Spoken replies {'on' if self._voice else 'off'}.")
        else:
            out.print(HELP if line == "/help" else f"There is no {escape(line)}.\n{HELP}")

    async def _turn(self, line: str) -> None:
        from assistant.cli.render import Timeline

        timeline = Timeline(out) if self._trace else None
        streamed = False
        async for event in self._session.turn(line, speak=self._voice, play=True):
            if timeline is not None:
                timeline.show(event)
            else:
                streamed = _show(event, streamed=streamed)
        if streamed:
            out.print()


def _can_play(session: Session) -> bool:
    """The running server's replies are played nowhere; ours where there is a loudspeaker."""
    from assistant.cli.session import LocalSession

    return isinstance(session, LocalSession) and session.app.player is not None


async def _typed(history: Path) -> AsyncGenerator[str, None]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory
    from prompt_toolkit.patch_stdout import patch_stdout

    handle = os.open(history, os.O_CREAT | os.O_APPEND, 0o600)
    os.close(handle)
    prompt: PromptSession[str] = PromptSession(history=FileHistory(str(history)))
    out.print("Ask away. /help lists the commands, Ctrl-D ends.")
    while True:
        try:
            with patch_stdout(raw=True):
                line = await prompt.prompt_async("> ")
        except EOFError:
            return
        except KeyboardInterrupt:
            continue
        yield line.strip()


async def _piped() -> AsyncGenerator[str, None]:
    while line := await asyncio.to_thread(sys.stdin.readline):
        yield line.strip()


def _show(event: TurnEvent, *, streamed: bool) -> bool:
    """The answer as it comes; returns whether the cursor stands behind streamed text."""
    from assistant.events import ModelDelta, ReplySentence, ToolCalled, TurnFailed

    if isinstance(event, ModelDelta):
        out.print(escape(event.text), end="", soft_wrap=True)
        return True
    if isinstance(event, ToolCalled):
        from assistant.cli.render import arguments

        out.print(f"[dim]{event.tool}({escape(arguments(event.arguments))})[/]")
    elif isinstance(event, ReplySentence) and not streamed:
        out.print(escape(event.text), style="bold")
    elif isinstance(event, TurnFailed):
        out.print(f"[red]{escape(event.spoken)}[/] [dim]{escape(event.detail)} {escape(event.mend)}[/]")
    return streamed
