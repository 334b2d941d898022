"""A Jarvis with the Wyoming door on the demo homelab, two machines of libvirt's test driver beside it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from assistant.app import App, open_app
from assistant.config import Settings
from assistant.demo.homelab import demo_homelab
from assistant.outcome import TurnOutcome
from assistant.wyoming.door import bound_door, open_door
from tests.real.home_assistant import VOICE, free_port
from tools.contract import Caller

MACHINES = """
<node>
  <domain type='test'><name>windows</name><memory>8192</memory><os><type>hvm</type></os></domain>
  <domain type='test'><name>endeavour</name><memory>8192</memory><os><type>hvm</type></os></domain>
</node>
"""
"""They live as long as one question to them: a machine that was shut down is there again."""

START_S = 240.0


@dataclass
class Jarvis:
    """Runs in a thread with a loop of its own; ``port``: of the Wyoming door."""

    app: App
    port: int
    loop: asyncio.AbstractEventLoop

    def typed(self, text: str) -> TurnOutcome:
        """What it answers to the owner at the keyboard."""

        async def ask() -> TurnOutcome:
            return await self.app.start_turn(text, caller=Caller(), conversation_id=f"typed {text}").outcome()

        return asyncio.run_coroutine_threadsafe(ask(), self.loop).result(START_S)


@contextmanager
def jarvis(folder: Path, models: Path) -> Iterator[Jarvis]:
    """From when its ears and mouth are loaded."""
    (folder / "machines.xml").write_text(MACHINES, encoding="utf-8")
    settings = Settings.model_validate(
        {
            "models_dir": models,
            "engine": "sentences",
            "synthesizer": {"voice": str(models / "piper-en-us-joe" / f"{VOICE}.onnx")},
            "model": {"discover": False},
            "hypervisors": {"lab": {"url": f"test://{folder / 'machines.xml'}"}},
            "wyoming": {"enabled": True, "port": free_port()},
        }
    )
    loop = asyncio.new_event_loop()
    ready: asyncio.Future[App] = loop.create_future()
    ending = asyncio.Event()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            try:
                furnished = await stack.enter_async_context(demo_homelab(folder, settings))
                app = await stack.enter_async_context(open_app(furnished, ears=True, mouth=True))
                await app.load_speech()
                door = stack.enter_context(bound_door(furnished))
                await stack.enter_async_context(open_door(app, door))
            except BaseException as error:
                ready.set_exception(error)
                raise
            ready.set_result(app)
            await ending.wait()

    async def when_ready() -> App:
        return await asyncio.shield(ready)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="jarvis")
    thread.start()
    try:
        app = asyncio.run_coroutine_threadsafe(when_ready(), loop).result(START_S)
        yield Jarvis(app, settings.wyoming.port, loop)
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join(START_S)
        loop.close()
