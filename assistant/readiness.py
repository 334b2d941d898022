"""Whether turns can be served, and what of the house answers just now, part by part (``GET /ready``).

Nothing is loaded, transcribed or asked of a model for it: engines elsewhere are only connected to.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Mapping
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from assistant.app import App
from assistant.errors import JarvisError, ModelFilesError

WITHIN_S = 0.8
"""How long each part may take; all are looked at at once, so that the answer is there within a second."""

LITTLE_BYTES = 1_000_000_000
TOO_LITTLE_BYTES = 50_000_000
"""Free space of the state folder that is worth a warning; that SQLite, logs and replies need."""

_PORTS = {"http": 80, "https": 443}

State = Literal["ok", "degraded", "down", "off"]


class Part(BaseModel):
    """One part. ``off``: it is not set up, or was not opened; ``degraded``: something else answers in its place, or it
    will soon not do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: State
    place: str = Field(default="", description="host:port where it is on another machine; empty: here")
    reason: str = Field(default="", description="why it is not ok, for people")


class Readiness(BaseModel):
    """``down``: turns cannot be served (HTTP 503); ``degraded``: they can, and something is missing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Literal["ready", "degraded", "down"]
    version: str
    parts: dict[str, Part]
    sick: list[str] = Field(default_factory=list, description="outside MCP servers that do not answer")


async def readiness(app: App, version: str) -> Readiness:
    """As it is now, within a second. Raises nothing but for cancellation."""
    satellites = app.satellites.states if app.satellites is not None else ()
    looks: dict[str, Awaitable[Part]] = {
        "tools": _tools(app),
        "database": _database(app),
        "disk": asyncio.to_thread(_disk, app),
        "ears": _engine(app.transcriber is not None, _place(app.settings.transcriber)),
        "mouth": _engine(app.synthesizer is not None, _place(app.settings.synthesizer)),
        "model": _model(app),
        "home_assistant": _home_assistant(app),
        "satellites": _satellites([(one.name, one.state, one.problem) for one in satellites]),
    }
    found = await asyncio.gather(*(_in_time(look) for look in looks.values()), _sick(app))
    parts: dict[str, Part] = dict(zip(looks, found[:-1], strict=True))  # type: ignore[arg-type]
    sick = found[-1] if isinstance(found[-1], list) else []
    return Readiness(status=_status(parts, sick), version=version, parts=parts, sick=sick)


def _status(parts: Mapping[str, Part], sick: list[str]) -> Literal["ready", "degraded", "down"]:
    """Without its tools Jarvis has nothing to say; without anything else it still answers what it can."""
    if parts["tools"].state == "down":
        return "down"
    return "degraded" if sick or any(part.state in ("degraded", "down") for part in parts.values()) else "ready"


async def _in_time(look: Awaitable[Part]) -> Part:
    try:
        async with asyncio.timeout(WITHIN_S):
            return await look
    except TimeoutError:
        return Part(state="down", reason=f"It did not answer within {WITHIN_S:g} s.")
    except JarvisError as error:
        return Part(state="down", reason=f"{error.detail} {error.mend}".strip())
    except OSError as error:
        return Part(state="down", reason=error.strerror or type(error).__name__)


async def _tools(app: App) -> Part:
    return Part(state="ok" if await app.toolbox.tools() else "down")


async def _database(app: App) -> Part:
    await app.newest_message()
    return Part(state="ok")


def _disk(app: App) -> Part:
    free = shutil.disk_usage(app.state.path).free
    if free < TOO_LITTLE_BYTES:
        return Part(state="down", reason=f"{free / 1e6:.0f} MB are free for the state folder: free some space.")
    if free < LITTLE_BYTES:
        return Part(state="degraded", reason=f"Only {free / 1e6:.0f} MB are free for the state folder.")
    return Part(state="ok")


def _place(engine: object) -> str | None:
    """The URL of an engine elsewhere; None: it is here."""
    return getattr(engine, "url", None) if getattr(engine, "engine", "") in ("openai", "wyoming") else None


async def _engine(opened: bool, url: str | None) -> Part:
    if not opened:
        return Part(state="off")
    return Part(state="ok") if url is None else await _reached(url)


async def _model(app: App) -> Part:
    if app.settings.engine == "sentences":
        return Part(state="off")
    url, trouble = app.settings.model.base_url, app.model.trouble
    if url is None:
        return Part(state="degraded", reason=trouble) if trouble else Part(state="ok")
    there = await _reached(url)
    if there.state == "ok" and not trouble:
        return there
    reason = there.reason or trouble
    here = app.settings.model.embedded
    try:
        app.models.resolve(here, ".gguf")
    except ModelFilesError:
        return Part(state="down", place=there.place, reason=f"{reason} There is no other model here.")
    return Part(state="degraded", place=there.place, reason=f"{reason} {here} answers here in its place.")


async def _home_assistant(app: App) -> Part:
    link = app.house.home_link
    if link is None:
        return Part(state="off")
    return Part(state="down", reason=link.trouble) if link.trouble else Part(state="ok")


async def _satellites(states: list[tuple[str, str, str]]) -> Part:
    if not states:
        return Part(state="off")
    away = [f"{name}: {problem or state}" for name, state, problem in states if state != "connected"]
    if not away:
        return Part(state="ok")
    return Part(state="down" if len(away) == len(states) else "degraded", reason="; ".join(away))


async def _reached(url: str) -> Part:
    """Whether somebody takes a connection there."""
    at = urlsplit(url)
    host, port = at.hostname or "", at.port or _PORTS.get(at.scheme, 0)
    place = f"{host}:{port}"
    try:
        async with asyncio.timeout(WITHIN_S - 0.1):
            _, writer = await asyncio.open_connection(host, port)
    except JarvisError as error:
        return Part(state="down", place=place, reason=f"{error.detail} {error.mend}".strip())
    except TimeoutError:
        return Part(state="down", place=place, reason=f"{place} does not answer.")
    except OSError as error:
        why = "refuses connections" if isinstance(error, ConnectionRefusedError) else "cannot be reached"
        return Part(state="down", place=place, reason=f"{place} {why}.")
    writer.close()
    return Part(state="ok", place=place)


async def _sick(app: App) -> list[str]:
    try:
        async with asyncio.timeout(WITHIN_S):
            return [server.name for server in (await app.toolbox.outside()).servers if not server.ok]
    except (TimeoutError, JarvisError):
        return []
