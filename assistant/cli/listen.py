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

if TYPE_CHECKING:
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

    async with furnished(house) as settings, open_app(settings, ears=True, mouth=True) as app:
        await listen_to(app)


async def listen_to(app: App) -> None:
    """Turn after turn on the same microphone. Raises AudioError when there is none, or it goes away."""
    import asyncio

    from assistant.cli.render import Timeline
    from assistant.errors import AudioError, ChatError, Stage
    from assistant.events import TurnFailed, TurnFinished
    from tools.contract import Caller, Door

    with app.microphone() as microphone:
        out.print("[dim]  loading …[/]")
        await app.load_speech()
        warming = asyncio.create_task(app.warm_model())
        warming.add_done_callback(_said_if_failed(ChatError))
        out.print("Say [bold]“Hey Jarvis, …”[/]. Ctrl-C ends.")
        wake = True
        try:
            while True:
                turn = app.start_turn(microphone, caller=Caller(door=Door.MICROPHONE), wake=wake, speak=True, play=True)
                timeline = Timeline(out)
                wake = True
                async for event in turn.events():
                    timeline.show(event)
                    if isinstance(event, TurnFinished):
                        wake = not event.reply.endswith("?")  # the answer to a question needs no wake word
                    if isinstance(event, TurnFailed) and event.stage is Stage.AUDIO:
                        raise AudioError(event.code, event.detail, mend=event.mend)
                out.print()
        finally:
            warming.cancel()


def _said_if_failed(kind: type[Exception]):  # type: ignore[no-untyped-def]
    import asyncio

    def look(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and isinstance(task.exception(), kind):
            err.print(f"[yellow]No language model: {task.exception()}[/]")

    return look
