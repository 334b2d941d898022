"""``jarvis listen``: the microphone door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.cli.common import (
    ConfigOption,
    House,
    SmallOption,
    err,
    errors_explained,
    furnished,
    out,
    read_house,
    run,
)
from assistant.events import TurnFailed, TurnFinished

if TYPE_CHECKING:
    from collections.abc import Callable

    from assistant.app import App


def listen(small: SmallOption = False, config: ConfigOption = None) -> None:
    """Wait for "Hey Jarvis" at the microphone and answer, until Ctrl-C."""
    with errors_explained():
        house = read_house(config, small=small)
        _check_microphone()
    run(_listen(house))


def _check_microphone() -> None:
    """Before anything is loaded. Raises AudioError."""
    from assistant.errors import AudioError
    from assistant.speech.microphone import devices, load_sounddevice

    load_sounddevice()
    if not devices("input"):
        mend = "Plug one in (`jarvis doctor` lists what is there), or type: `jarvis repl`."
        raise AudioError("no_microphone", "There is no microphone on this machine.", mend=mend)


async def _listen(house: House) -> None:
    from assistant.app import open_app
    from assistant.watchdog import Manager, threaded, watched

    manager = Manager.from_environment()
    async with furnished(house) as settings, open_app(settings, ears=True, mouth=True) as app:
        manager.ready("loading ears, mouth and model")
        async with watched(manager, threaded(app)):
            await listen_to(app, on_ready=lambda: manager.status("listens at the microphone"))


async def listen_to(app: App, on_ready: Callable[[], None] = lambda: None) -> None:
    """Turn after turn on the same microphone; ``on_ready``: it can be spoken to. Raises AudioError: there is none."""
    import asyncio

    from rich.markup import escape

    from assistant.announcing import announce
    from assistant.cli.listen_line import ListenLine
    from assistant.cli.render import Timeline
    from assistant.errors import ChatError
    from assistant.observing.service import recording_notice
    from tools.contract import Door

    line = ListenLine(out, list(app.settings.wake.words))
    with app.microphone(line.microphone_is) as microphone:
        out.print("[dim]  loading …[/]")
        await app.load_speech()
        on_ready()
        warming = asyncio.gather(app.warm_model(), app.warm_speech())
        warming.add_done_callback(_said_if_failed(ChatError))
        out.print(f"Say [bold]“{line.wake_phrase}, …”[/]. Ctrl-C ends.")
        if notice := recording_notice(app.settings):
            out.print(f"[bold yellow]{escape(notice)}[/]")
        timeline = Timeline(out)
        in_turn = False

        async def tell(text: str) -> None:
            out.print(f"[bold]{escape(text)}[/]")
            await app.say(text)

        async def ring() -> None:
            if app.cues is not None:
                await app.cues.play("ringing")

        telling = asyncio.create_task(
            announce(
                lambda: app.announcement(Door.MICROPHONE),
                tell,
                ring=ring,
                quiet=lambda: not in_turn,
                failed=lambda error: err.print(f"[yellow]{escape(error.detail)}[/]"),
            )
        )
        try:
            with line.shown(microphone):
                async for event in app.talk(microphone, line.listening).events():
                    line.show(event)
                    timeline.show(event)
                    in_turn = not isinstance(event, TurnFinished | TurnFailed)
                    if not in_turn:
                        out.print()
        finally:
            telling.cancel()
            warming.cancel()
            await asyncio.wait([telling])


def _said_if_failed(kind: type[Exception]):  # type: ignore[no-untyped-def]
    import asyncio

    def look(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and isinstance(task.exception(), kind):
            err.print(f"[yellow]No language model: {task.exception()}[/]")

    return look
