"""``jarvis doctor``: what is missing on this machine, and the mend."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import re
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import typer
from rich.table import Table

from assistant.cli.common import ConfigOption, House, JsonOption, escape, out, read_house
from assistant.config import Settings
from assistant.errors import ConfigError, JarvisError

Status = Literal["ok", "warning", "broken"]
MIN_FREE_BYTES = 2_000_000_000
EARLIEST_CLOCK = 1_767_225_600.0
"""2026-01-01: a clock before that is not set, and every age of a backup would be wrong."""

_STYLES = {"ok": "green", "warning": "yellow", "broken": "bold red"}


@dataclass(frozen=True, slots=True)
class Check:
    """One finding of the doctor."""

    name: str
    status: Status
    detail: str
    mend: str = ""


def doctor(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Check this machine. Exit code 1 when something that is needed is broken."""
    try:
        house = read_house(config)
        checks = list(examine(house))
    except ConfigError as error:  # the doctor goes on: what else is missing is worth knowing, too
        house = House(Settings(), demo=True)
        broken = Check("configuration", "broken", error.detail, error.mend)
        checks = [broken if check.name == broken.name else check for check in examine(house)]
    if as_json:
        out.print_json(json.dumps([asdict(check) for check in checks]))
    else:
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for check in checks:
            mend = f"\n→ {escape(check.mend)}" if check.mend and check.status != "ok" else ""
            table.add_row(f"[{_STYLES[check.status]}]{check.status}[/]", check.name, escape(check.detail) + mend)
        out.print(table)
    if any(check.status == "broken" for check in checks):
        raise typer.Exit(1)


def examine(house: House) -> Iterator[Check]:
    """Every check, in the order in which a person would mend things."""
    for check in _CHECKS:
        yield check(house)


def _python(_: House) -> Check:
    fine = sys.version_info >= (3, 11)
    return Check("python", "ok" if fine else "broken", platform.python_version(), "Install Python 3.11 or newer.")


def _packages(_: House) -> Check:
    """By name and version, as the installation itself says; nothing is imported."""
    wanted = [requirement for requirement in requires("jarvis-homeserver") or () if "extra ==" not in requirement]
    missing = [requirement for requirement in wanted if not _installed(requirement)]
    if missing:
        return Check("packages", "broken", f"missing: {', '.join(missing)}", "make setup")
    return Check("packages", "ok", "all that are required are installed")


def _installed(requirement: str) -> bool:
    name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def _clock(_: House) -> Check:
    fine = time.time() > EARLIEST_CLOCK
    return Check("clock", "ok" if fine else "broken", time.strftime("%Y-%m-%d %H:%M"), "Set the clock (NTP).")


def _configuration(house: House) -> Check:
    if house.demo:
        mend = "`jarvis config example > jarvis.toml`, then name your services and backups."
        return Check("configuration", "warning", "nothing is configured; the demo homelab stands in", mend)
    settings = house.settings
    return Check("configuration", "ok", f"{len(settings.services)} services, {len(settings.backups)} backups")


def _state_folder(house: House) -> Check:
    from assistant.errors import StateError
    from assistant.state import StateFolder

    try:
        StateFolder.prepared(house.state_dir)
    except StateError as error:
        return Check("state folder", "broken", error.detail, error.mend)
    if house.state_dir.stat().st_mode & 0o077:
        return Check("state folder", "warning", f"{house.state_dir} is open to others", f"chmod 700 {house.state_dir}")
    return Check("state folder", "ok", str(house.state_dir))


def _disk(house: House) -> Check:
    free = shutil.disk_usage(_existing(house.state_dir)).free
    fine = free > MIN_FREE_BYTES
    return Check("disk", "ok" if fine else "warning", f"{free / 1e9:.1f} GB free", "Free some space.")


def _models(house: House) -> Check:
    from assistant.models import ModelStore

    store = ModelStore(house.settings.models_dir)
    missing = store.missing(store.manifest.defaults())
    if missing:
        return Check("models", "broken", f"missing: {', '.join(missing)}", "jarvis models pull")
    return Check("models", "ok", str(store.models_dir))


def _restic(house: House) -> Check:
    wanted = house.demo or any(job.kind == "restic" for job in house.settings.backups.values())
    found = shutil.which("restic")
    if found:
        return Check("restic", "ok", found)
    mend = "apt-get install restic (Debian), brew install restic (macOS)"
    return Check("restic", "broken" if wanted else "ok", "not installed", mend)


def _password_files(house: House) -> Check:
    unreadable = [
        name
        for name, job in house.settings.backups.items()
        if job.password_file is not None and not os.access(job.password_file, os.R_OK)
    ]
    if unreadable:
        mend = "Make them readable for the user that runs Jarvis, and for nobody else."
        return Check("backup passwords", "broken", f"unreadable: {', '.join(unreadable)}", mend)
    return Check("backup passwords", "ok", "every password file can be read")


def _portaudio(_: House) -> Check:
    from assistant.errors import AudioError
    from assistant.speech.microphone import load_sounddevice

    try:
        load_sounddevice()
    except AudioError as error:
        return Check("sound library", "warning", error.detail, error.mend)
    return Check("sound library", "ok", "PortAudio is there")


def _device(direction: Literal["input", "output"], name: str) -> Callable[[House], Check]:
    def look(_: House) -> Check:
        from assistant.speech.microphone import devices

        found = devices(direction)
        return Check(
            name, "ok" if found else "warning", ", ".join(found) or "none", "Plug one in, if you want to talk."
        )

    return look


def _chat_model(house: House) -> Check:
    from assistant.api_key import read_api_key
    from assistant.chat.discovery import find_chat_server
    from assistant.chat.openai_compatible import OpenAICompatible
    from assistant.errors import ChatError

    async def look() -> Check:
        found = await find_chat_server(house.settings.model)
        if found is None:
            return Check("chat model", "ok", f"embedded {house.settings.model.embedded}")
        model = house.settings.model
        try:
            key = read_api_key(model.api_key_file) if model.api_key_file else None
            server = OpenAICompatible(found.base_url, model.name, api_key=key, first_delta_timeout_s=5.0)
            try:
                await server.check()
            finally:
                await server.close()
        except (ChatError, ConfigError) as error:
            return Check("chat model", "broken", error.detail, error.mend)
        return Check("chat model", "ok", f"{server.name} at {found.base_url} ({found.name})")

    return asyncio.run(look())


def _speech_servers(house: House) -> Check:
    """Ears and mouths on other machines: each is asked what it is, or to hear and say a little."""
    from assistant.app_speech import speech_servers
    from assistant.errors import JarvisError

    async def look() -> Check:
        found = speech_servers(house.settings)
        for name, engine in found:
            try:
                await engine.load()
            except JarvisError as error:
                return Check("speech servers", "broken", f"{name}: {error.detail}", error.mend)
            finally:
                engine.close()
        urls = {"speech recognition": house.settings.transcriber.url, "speech": house.settings.synthesizer.url}
        named = ", ".join(f"{name} answers at {_place(urls[name] or '')}" for name, _ in found)
        return Check("speech servers", "ok", named or "none configured; ears and mouth are here")

    try:
        return asyncio.run(look())
    except ConfigError as error:
        return Check("speech servers", "broken", error.detail, error.mend)


def _place(url: str) -> str:
    """Host and port, without a name or password that may stand before them."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _server(house: House) -> Check:
    running = house.running_server()
    if running:
        return Check("server", "ok", f"running at {running.url} (process {running.pid})")
    host, port = house.settings.server.host, house.settings.server.port
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            mend = "Choose another `port` in [server]."
            return Check("server", "warning", f"{host}:{port} cannot be bound: {error.strerror}", mend)
    return Check("server", "ok", f"not running; {host}:{port} is free")


def _mcp_servers(house: House) -> Check:
    absent = [
        name
        for name, server in house.settings.mcp_servers.items()
        if server.command and shutil.which(server.command[0]) is None
    ]
    if absent:
        return Check("outside MCP servers", "broken", f"program not found: {', '.join(absent)}", "Mend `command`.")
    if not house.settings.mcp_servers:
        return Check("outside MCP servers", "ok", "none configured")
    return asyncio.run(_ask_outside(house))


async def _ask_outside(house: House) -> Check:
    """What they offer, asked for real: by the running server, or by one of our own for the moment."""
    from assistant.cli.session import open_session
    from assistant.outside_servers import WORTH_A_WARNING
    from tools.contract import Door

    try:
        async with open_session(house, Door.CLI) as session:
            outside = await session.outside()
    except JarvisError as error:
        return Check("outside MCP servers", "warning", error.detail, error.mend)
    sick = [f"{server.name}: {server.detail or 'no answer yet'}" for server in outside.servers if not server.ok]
    if sick:
        return Check("outside MCP servers", "broken", "; ".join(sick), "Mend it, or take it out of [mcp_servers].")
    tools = sum(len(server.tools) for server in outside.servers)
    offer = f"{len(outside.servers)} of {len(outside.servers)} answer, with {tools} tool{'' if tools == 1 else 's'}"
    said = f"{offer}, about {outside.tokens} of {outside.budget} tokens"
    left_out = [reason for server in outside.servers for reason in server.left_out]
    if left_out:
        return Check("outside MCP servers", "warning", f"{said}; left out: {'; '.join(left_out)}", "See docs/mcp.md.")
    if outside.tokens > WORTH_A_WARNING:
        mend = "Name fewer in `tools`, or shorten them with `describe`."
        return Check("outside MCP servers", "warning", f"{said}; small models choose badly among so much", mend)
    return Check("outside MCP servers", "ok", said)


def _satellites(house: House) -> Check:
    """As the running server has them; without one nothing is connected to."""
    from assistant.cli.satellites import ask

    wanted = house.settings.satellites
    if not wanted and not house.settings.find_satellites:
        return Check("satellites", "ok", "none are configured")
    try:
        there = ask(house)
    except JarvisError as error:
        return Check("satellites", "warning", error.detail, error.mend)
    gone = [f"{one['name']}: {one['problem'] or one['state']}" for one in there if one["state"] != "connected"]
    misfits = [f"{one['name']}: {one['problem']}" for one in there if one["state"] == "connected" and one["problem"]]
    said = f"{len(there) - len(gone)} of {len(there)} connected"
    if gone or misfits:
        return Check("satellites", "warning", f"{said}; {'; '.join(gone + misfits)}", "See docs/satellites.md.")
    return Check("satellites", "ok", said)


def _egress(_: House) -> Check:
    from assistant import egress

    refused = egress.refusals()
    return Check("egress guard", "ok", f"on; {sum(refused.values())} refusals in this process")


def _memory(_: House) -> Check:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    fine = pages > 3_500_000_000
    return Check("memory", "ok" if fine else "warning", f"{pages / 1e9:.1f} GB", "Use --small, or a model server.")


def _existing(path: Path) -> Path:
    return next(candidate for candidate in (path, *path.parents) if candidate.exists())


_CHECKS: tuple[Callable[[House], Check], ...] = (
    _python,
    _packages,
    _clock,
    _configuration,
    _state_folder,
    _disk,
    _memory,
    _models,
    _restic,
    _password_files,
    _portaudio,
    _device("input", "microphone"),
    _device("output", "loudspeaker"),
    _chat_model,
    _speech_servers,
    _server,
    _mcp_servers,
    _satellites,
    _egress,
)
