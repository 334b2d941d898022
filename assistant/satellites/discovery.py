"""Satellites that announce themselves in the network (zeroconf, ``_wyoming._tcp.local.``), where that is wanted.

The announcement only says that something speaks Wyoming there; each is asked (``describe``) whether it is a satellite.
Questions go out by multicast on the private network, and to what answers there: the egress guard sees every connection.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from wyoming.info import Describe

from assistant.egress import is_private
from assistant.errors import JarvisError
from assistant.satellites.about import About, read_about
from assistant.satellites.link import satellite_link

log = logging.getLogger(__name__)

RESOLVE_MS = 3_000
ASK_S = 10.0
TRIES = 3
BETWEEN_TRIES_S = 5.0
"""A satellite that was just switched on announces itself before it answers."""

MOST_WAITING = 64


@dataclass(frozen=True, slots=True)
class Announcement:
    """A satellite that is there, or (``gone``) takes its leave. ``urls``: tcp://address:port, IPv4 first."""

    name: str
    urls: tuple[str, ...]
    gone: bool = False


async def found_satellites() -> AsyncIterator[Announcement]:
    """As they come and go, for ever; nothing where this machine has no network."""
    from zeroconf import Error, IPVersion, ServiceStateChange
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

    from assistant.wyoming.announcing import ANY, SERVICE, reachable_at

    heard: asyncio.Queue[tuple[str, bool]] = asyncio.Queue(MOST_WAITING)
    known: dict[str, Announcement] = {}

    def changed(*, name: str, state_change: Any, **_: Any) -> None:
        """In the event loop."""
        try:
            heard.put_nowait((name, state_change is ServiceStateChange.Removed))
        except asyncio.QueueFull:
            log.warning("more announces itself than can be asked: %r is passed over", name[:80])

    address = reachable_at(ANY[0])
    if not address:
        log.warning("satellites are not looked for: this machine has no IPv4 network")
        return
    try:
        zeroconf = AsyncZeroconf(interfaces=[address], ip_version=IPVersion.V4Only)
    except (Error, OSError, ValueError) as error:
        log.warning("satellites are not looked for at %s: %s %s", address, type(error).__name__, error)
        return
    browser = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE, handlers=[changed])
    try:
        while True:
            name, gone = await heard.get()
            if gone:
                if (was := known.pop(name, None)) is not None:
                    yield Announcement(was.name, was.urls, gone=True)
                continue
            service = AsyncServiceInfo(SERVICE, name)
            if not await service.async_request(zeroconf.zeroconf, RESOLVE_MS):
                continue
            urls = urls_of(service.parsed_scoped_addresses(), service.port)
            if urls and (about := await _ask(urls[0])) is not None:
                known[name] = Announcement(setting_name(about.name or name.removesuffix("." + SERVICE)), urls)
                yield known[name]
    finally:
        await browser.async_cancel()
        await zeroconf.async_close()


def urls_of(addresses: list[str], port: int | None) -> tuple[str, ...]:
    """Those of the private network, IPv4 first."""
    if port is None or not 0 < port < 65_536:
        return ()
    private = sorted((address for address in addresses if is_private(address)), key=lambda address: ":" in address)
    return tuple(f"tcp://[{address}]:{port}" if ":" in address else f"tcp://{address}:{port}" for address in private)


def setting_name(said: str) -> str:
    """The name that it calls itself as one that could stand in [satellites.NAME]."""
    return re.sub(r"[^a-z0-9]+", "-", said.casefold()).strip("-")[:40] or "satellite"


async def _ask(url: str) -> About | None:
    """None: it is no satellite, or does not answer."""
    for _ in range(TRIES):
        try:
            async with asyncio.timeout(ASK_S), satellite_link("that announces itself", url) as link:
                await link.send(Describe().event())
                while (event := await link.receive()).type != "info":
                    pass
        except (JarvisError, TimeoutError) as error:
            log.info("what announces itself at %s does not answer: %s", url, error)
        else:
            about = read_about(event.data)
            return about if about.satellite else None
        await asyncio.sleep(BETWEEN_TRIES_S)
    return None
