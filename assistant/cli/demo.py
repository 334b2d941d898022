"""``jarvis demo``: the main job from end to end, on a homelab of real parts."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.common import ConfigOption, House, SmallOption, errors_explained, out, read_house, run

if TYPE_CHECKING:
    from assistant.app import App

CLIP = "hey_jarvis_is_the_backup_ok.wav"
PICTURE_COLUMNS = 90


def demo(
    play: Annotated[bool, typer.Option("--play/--no-play", help="On the loudspeaker, where there is one.")] = True,
    reset: Annotated[bool, typer.Option("--reset", help="Build the demo homelab anew.")] = False,
    small: SmallOption = False,
    svg: Annotated[
        Path | None, typer.Option("--export-svg", metavar="FILE", help="Write what is shown as a picture.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Build the demo homelab and ask it aloud: "Hey Jarvis, is the backup ok?"."""
    with errors_explained():
        house = read_house(config, small=small)
        if reset:
            _remove(house)
    if svg:
        out.record, out.width = True, PICTURE_COLUMNS
    run(_demo(house, play=play))
    if svg:
        with errors_explained():
            _write_picture(svg)


def _remove(house: House) -> None:
    """The demo's folder, unless a running server lives in it. Raises StateError."""
    from assistant.demo.homelab import demo_state
    from assistant.errors import StateError
    from assistant.state import StateFolder

    server = StateFolder(demo_state(house.demo_dir)).running_server()
    if server is not None:
        raise StateError("locked", f"`jarvis serve` (process {server.pid}) uses the demo.", mend="End it first.")
    if house.demo_dir.exists():
        shutil.rmtree(house.demo_dir)


def _write_picture(path: Path) -> None:
    """What was printed as SVG, without Rich's link to a web font: a picture loads nothing. Raises StateError."""
    from rich._export_format import CONSOLE_SVG_FORMAT

    from assistant.errors import StateError

    linkless = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    try:
        path.write_text(out.export_svg(title="jarvis demo", code_format=linkless), encoding="utf-8")
    except OSError as error:
        raise StateError("unwritable", f"{path} cannot be written: {error.strerror}.") from error


async def _demo(house: House, *, play: bool) -> int:
    from assistant.app import open_app
    from assistant.demo.homelab import demo_homelab

    out.print("[bold]The demo homelab[/]: 13 small HTTP services on this machine, seven backup jobs.")
    async with (
        demo_homelab(house.demo_dir, house.settings, _step) as furnished,
        open_app(furnished, ears=True, mouth=True) as app,
    ):
        _step("loading wake word, Whisper and Piper")
        await app.load_speech()
        failed = await _one_turn(app, house.demo_dir / "reply.wav", play=play)
        _what_next()
        if not failed and _offer_to_listen():
            from assistant.cli.listen import listen_to

            await listen_to(app)
    return 1 if failed else 0


async def _one_turn(app: App, reply: Path, *, play: bool) -> bool:
    from assistant.cli.render import Timeline
    from assistant.events import AudioReady, TurnEvent
    from assistant.outcome import TurnOutcome
    from assistant.ports import SpeechChunk
    from assistant.resources import resource
    from assistant.speech.wav import write_wav
    from tools.contract import Caller, Door

    out.print(f"\nA recording says: [bold]“Hey Jarvis, is the backup ok?”[/]  (audio_fixtures/{CLIP})\n")
    source = await app.clip_file(resource("audio_fixtures", CLIP), realtime=True)
    turn = app.start_turn(source, caller=Caller(door=Door.MICROPHONE), wake=True, speak=True, play=play)
    timeline, events = Timeline(out), list[TurnEvent]()
    async for event in turn.events():
        timeline.show(event)
        events.append(event)
    outcome = TurnOutcome.from_events(events)
    write_wav(reply, [SpeechChunk(e.pcm, e.sample_rate_hz) for e in events if isinstance(e, AudioReady)])
    timings = outcome.timings_ms
    out.print(f"\nThe spoken reply: {_short(reply)}", soft_wrap=True)
    if timings.first_audio is not None:
        out.print(f"From the last word to the first sound of the reply: {timings.first_audio / 1000:.1f} s.")
    if app.player is None and play:
        out.print("[dim]There is no loudspeaker here, so it was not played.[/]")
    return outcome.error is not None


def _what_next() -> None:
    out.print("\n[bold]Try next[/]")
    for command, what in (
        ('jarvis ask "what\'s down?"', "one question"),
        ("jarvis repl", "type with it"),
        ("jarvis listen", "talk with it, with a microphone"),
        ("jarvis serve", "for phones and chat pages"),
        ("jarvis doctor", "what is missing on this machine"),
        ("jarvis config example > jarvis.toml", "your own services and backups"),
    ):
        out.print(f"  .venv/bin/{command:<38} {what}", soft_wrap=True)


def _step(text: str) -> None:
    out.print(f"[dim]  {text} …[/]")


def _offer_to_listen() -> bool:
    from assistant.speech.microphone import devices

    if not (sys.stdin.isatty() and devices("input")):
        return False
    return typer.confirm("\nThere is a microphone. Listen to it now?", default=False)


def _short(path: Path) -> str:
    """With ~ for the home folder, as a shell takes it."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
