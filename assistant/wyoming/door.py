"""The door as ``jarvis serve`` has it: bound before anything is loaded, open while the app is."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from assistant.app import App, app_version
from assistant.binding import bind
from assistant.config import Settings
from assistant.errors import ConfigError
from assistant.loopback import is_loopback
from assistant.text.wake_phrase import spoken_wake_word
from assistant.wyoming.admission import Admission
from assistant.wyoming.asking import Asking
from assistant.wyoming.server import wyoming_server
from assistant.wyoming.services import Services


@dataclass(frozen=True, slots=True)
class Bound:
    """A door that listens and is not yet open."""

    listening: socket.socket
    admission: Admission

    @property
    def port(self) -> int:
        """The one it got."""
        return int(self.listening.getsockname()[1])


@contextmanager
def bound_door(settings: Settings) -> Iterator[Bound | None]:
    """Check the configuration and bind; None where the door is not wanted. Raises ConfigError."""
    wanted = settings.wyoming
    if not wanted.enabled:
        yield None
        return
    admission = Admission(wanted.allow_clients)
    admission.check_binding(wanted.host)
    if wanted.role not in settings.role_names:
        mend = f"Name one of {', '.join(settings.role_names)}, or describe it in [roles.{wanted.role}]."
        raise ConfigError("wyoming_unknown_role", f"[wyoming] has the role {wanted.role!r}.", mend=mend)
    listening = bind(wanted.host, wanted.port, "wyoming")
    try:
        yield Bound(listening, admission)
    finally:
        listening.close()


@asynccontextmanager
async def open_door(app: App, bound: Bound | None, say: Callable[[str], None] = lambda _: None) -> AsyncIterator[None]:
    """Let clients in until the context ends. ``say``: told where the door is."""
    if bound is None:
        yield
        return
    wanted = app.settings.wyoming
    async with wyoming_server(services_of(app), bound.admission, bound.listening):
        announcing = None
        if wanted.zeroconf and not is_loopback(wanted.host):
            announcing = asyncio.create_task(_announce(wanted.host, bound.port))
        say(f"Wyoming clients may come to {wanted.host}:{bound.port}.")
        try:
            yield
        finally:
            if announcing is not None:
                announcing.cancel()
                await asyncio.wait([announcing])


async def _announce(host: str, port: int) -> None:
    """Until it is cancelled; nobody waits for the second that it takes to begin."""
    from assistant.wyoming.announcing import announced, reachable_at  # only where it is wanted

    async with announced(_instance(), reachable_at(host), port):
        await asyncio.Event().wait()


def services_of(app: App) -> Services:
    """What there is of ears, mouth and brain."""
    settings = app.settings
    voice, voice_language = app.voice if app.synthesizer is not None else ("", settings.transcriber.language)
    return Services(
        ask=Asking(
            lambda text, caller, conversation: app.start_turn(text, caller=caller, conversation_id=conversation)
        ),
        read=app.replier.read,
        transcriber=app.transcriber,
        speech=app.speech if app.synthesizer is not None else None,
        detector=app.wake_detector if app.listener is not None else None,
        wake_words={name: spoken_wake_word(name) for name in settings.wake.words},
        language=settings.transcriber.language,
        voice=voice,
        voice_language=voice_language,
        version=app_version(),
        role=settings.wyoming.role,
        max_utterance_s=settings.server.max_clip_s,
    )


def _instance() -> str:
    """What it is announced as: this machine's name is part of it, because there may be two in a house."""
    host = re.sub(r"[^a-z0-9-]+", "-", socket.gethostname().partition(".")[0].casefold()).strip("-")
    return f"jarvis-{host or 'home'}"[:60]
