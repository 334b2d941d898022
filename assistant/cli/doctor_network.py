"""The doctor: what is listened at, what is asked, and that nothing leaves the house."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from assistant.cli.common import House
from assistant.cli.doctor_check import Check, looks
from assistant.errors import ConfigError, JarvisError
from assistant.loopback import is_loopback

ASK_S = 4.0


@looks("egress guard", "that no connection of this process can leave the house unseen")
def egress_guard(_: House) -> Check:
    from assistant import egress

    refused = egress.refusals()
    quiet = logging.getLogger(egress.__name__)
    level = quiet.level
    quiet.setLevel(logging.CRITICAL)  # this refusal is wanted
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1 of RFC 5737; a datagram socket that connects sends nothing
    except JarvisError:
        return Check("egress guard", "ok", f"on; {sum(refused.values())} refusals in this process")
    except OSError:
        pass
    finally:
        quiet.setLevel(level)
    mend = "This is a bug: please report it. Without the guard nothing keeps a library from going out."
    return Check("egress guard", "broken", "a connection out of the house was not refused", mend)


@looks("hosts outside", "what `privacy.allow_hosts` lets out")
def hosts_outside(house: House) -> Check:
    from assistant.egress import is_private, is_private_name

    named = house.settings.privacy.allow_hosts
    odd = [name for name in named if "*" in name or "/" in name or not name.strip()]
    if odd:
        mend = "Name each host itself, without http:// and without *: patterns let nothing out."
        return Check("hosts outside", "warning", f"these let nothing out: {', '.join(odd)}", mend)
    needless = [name for name in named if is_private(name) or is_private_name(name)]
    if needless:
        mend = "Take them out: the house's own addresses and names need no permission."
        return Check("hosts outside", "warning", f"in the house anyway: {', '.join(needless)}", mend)
    return Check("hosts outside", "ok", f"may be connected to: {', '.join(named)}" if named else "none")


@looks("telemetry", "that every switch against telemetry of a dependency is set")
def telemetry(_: House) -> Check:
    from assistant.telemetry import SWITCHES

    off = [name for name, value in SWITCHES.items() if os.environ.get(name) != value]
    if off:
        mend = "Something in this process turned it on again: look for these variables in the unit and the shell."
        return Check("telemetry", "broken", f"not off: {', '.join(off)}", mend)
    return Check("telemetry", "ok", f"off, by {len(SWITCHES)} switches")


@looks("chat model", "the model server, or the embedded one in its place")
def chat_model(house: House) -> Check:
    from assistant.api_key import read_api_key
    from assistant.chat.discovery import find_chat_server
    from assistant.chat.openai_compatible import OpenAICompatible
    from assistant.errors import ChatError

    async def look() -> Check:
        model = house.settings.model
        try:
            found = await find_chat_server(model)
            if found is None:
                return Check("chat model", "ok", f"embedded {model.embedded}")
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


@looks("speech servers", "ears and mouths on other machines: each is asked to hear and say a little", deadline_s=30.0)
def speech_servers(house: House) -> Check:
    from assistant.app_speech import speech_servers as configured

    async def look() -> Check:
        found = configured(house.settings)
        for name, engine in found:
            try:
                await engine.load()
            except JarvisError as error:
                return Check("speech servers", "broken", f"{name}: {error.detail}", error.mend)
            finally:
                engine.close()
        urls = {"speech recognition": house.settings.transcriber.url, "speech": house.settings.synthesizer.url}
        named = ", ".join(f"{name} answers at {place_of(urls[name] or '')}" for name, _ in found)
        return Check("speech servers", "ok", named or "none configured; ears and mouth are here")

    try:
        return asyncio.run(look())
    except ConfigError as error:
        return Check("speech servers", "broken", error.detail, error.mend)


def place_of(url: str) -> str:
    """Host and port, without a name or password that may stand before them."""
    return urlsplit(url).netloc.rpartition("@")[2]


@looks("server", "that `jarvis serve` runs, or its port is free")
def server(house: House) -> Check:
    running = house.running_server()
    if running:
        return Check("server", "ok", f"running at {running.url} (process {running.pid})")
    return _port("server", house.settings.server.host, house.settings.server.port, "server")


@looks("wyoming", "the door for Home Assistant: its port, and whom it lets in")
def wyoming(house: House) -> Check:
    settings = house.settings.wyoming
    if not settings.enabled:
        return Check("wyoming", "ok", "closed")
    if not is_loopback(settings.host) and not settings.allow_clients:
        mend = "Name the machines in `allow_clients` of [wyoming]: the protocol knows no tokens."
        return Check("wyoming", "warning", f"{settings.host} is bound, and lets nobody but this machine in", mend)
    if house.running_server():
        return Check("wyoming", "ok", f"{settings.host}:{settings.port}, by the running server")
    return _port("wyoming", settings.host, settings.port, "wyoming")


def _port(name: str, host: str, port: int, section: str) -> Check:
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        mend = f"Choose another `port` in [{section}], or end the program that has it (`ss -ltnp`)."
        return Check(name, "warning", f"{host}:{port} cannot be bound: {error.strerror}", mend)
    return Check(name, "ok", f"not running; {host}:{port} is free")


@looks("home assistant", "that it answers, and takes the token")
def home_assistant(house: House) -> Check:
    settings = house.settings.home_assistant
    if settings is None:
        return Check("home assistant", "ok", "none is configured")
    try:
        token = settings.token_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return Check("home assistant", "broken", f"{settings.token_file} cannot be read", "Write a token into it.")
    url = f"{str(settings.url).rstrip('/')}/api/"
    status = _status(url, {"Authorization": f"Bearer {token}"}, verify=settings.verify_tls)
    if status == 401:
        mend = "Make a long-lived token in Home Assistant (profile, security), and put it into `token_file`."
        return Check("home assistant", "broken", "it does not take the token", mend)
    if status != 200:
        mend = "See that it runs, and that `url` of [home_assistant] is where a browser finds it."
        return Check("home assistant", "broken", f"{place_of(url)}: {_told(status)}", mend)
    return Check("home assistant", "ok", f"answers at {place_of(url)}")


@looks("push", "ntfy and Gotify: that their servers answer")
def push(house: House) -> Check:
    asked = {
        name: (f"{str(one.url).rstrip('/')}{path}")
        for name, one, path in (
            ("ntfy", house.settings.ntfy, "/v1/health"),
            ("gotify", house.settings.gotify, "/health"),
        )
        if one is not None
    }
    if not asked:
        return Check("push", "ok", "none is configured: what happens is told at home only")
    lost = [
        f"{name} at {place_of(url)}: {_told(status)}" for name, url in asked.items() if (status := _status(url)) != 200
    ]
    if lost:
        mend = "See that it runs, and that its `url` is right: messages wait until it does."
        return Check("push", "broken", "; ".join(lost), mend)
    return Check("push", "ok", ", ".join(f"{name} answers" for name in asked))


@looks("watchers", "that everything that watches the house answers", deadline_s=30.0)
def watchers(house: House) -> Check:
    wanted = house.settings.watchers
    lost = []
    for name, watcher in wanted.items():
        url = urlsplit(watcher.url)
        if url.scheme == "tcp":
            fine = _connects(url.hostname or "", url.port or 3493)
        else:
            status = _status(watcher.url, verify=watcher.verify_tls)
            fine = isinstance(status, int) and status < 500
        if not fine:
            lost.append(f"{name} at {place_of(watcher.url)}")
    if lost:
        mend = "See that it runs and that its `url` is right: until then Jarvis looks for itself."
        return Check("watchers", "warning", f"no answer: {', '.join(lost)}", mend)
    return Check("watchers", "ok", f"{len(wanted)} of {len(wanted)} answer" if wanted else "none is configured")


def _status(url: str, headers: Mapping[str, str] | None = None, *, verify: bool = True) -> int | str:
    """The HTTP status, or why there is none."""
    import httpx

    try:
        with httpx.Client(verify=verify, timeout=ASK_S, trust_env=False) as client:
            return client.get(url, headers=dict(headers or {})).status_code
    except JarvisError as error:
        return error.detail
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return type(error).__name__


def _told(status: int | str) -> str:
    return f"it answers {status}" if isinstance(status, int) else f"no answer ({status})"


def _connects(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), ASK_S).close()
    except OSError:
        return False
    return True


@looks("outside MCP servers", "each is asked what it offers, and what that costs a model", deadline_s=60.0)
def mcp_servers(house: House) -> Check:
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
