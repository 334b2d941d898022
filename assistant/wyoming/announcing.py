"""Zeroconf: Home Assistant finds the door by itself. Multicast on the private network, nothing else."""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from zeroconf import Error, IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

log = logging.getLogger(__name__)

SERVICE = "_wyoming._tcp.local."
MULTICAST, PORT = "224.0.0.251", 5353
"""RFC 6762, section 3."""

ANY = ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound


def reachable_at(host: str) -> str:
    """The IPv4 address to announce for what is bound: that one, or the one from which this machine would speak to its
    network, which leaves out the bridges of containers. Empty: there is none."""
    if host in ANY:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((MULTICAST, PORT))  # a datagram socket only looks for the way
                return str(probe.getsockname()[0])
            except OSError:
                return ""
    try:
        return host if ipaddress.ip_address(host).version == 4 else ""
    except ValueError:
        return ""


@asynccontextmanager
async def announced(name: str, address: str, port: int) -> AsyncIterator[str]:
    """Announce it at this IPv4 address, on its interface only, for as long as the context lasts; the full name, which
    has a number when another has it. Empty where announcing failed: that is said in the log and no reason to end."""
    async with AsyncExitStack() as stack:
        try:
            if not address:
                raise ValueError("no IPv4 address that other machines reach")
            full_name = await _announce(stack, name, address, port)
        except (Error, OSError, ValueError) as error:
            log.warning("Wyoming is not announced: %s %s", type(error).__name__, error)
            full_name = ""
        yield full_name


async def _announce(stack: AsyncExitStack, name: str, address: str, port: int) -> str:
    """Raises zeroconf's Error, OSError, ValueError."""
    service = AsyncServiceInfo(
        SERVICE, f"{name}.{SERVICE}", port=port, addresses=[socket.inet_aton(address)], server=f"{name}.local."
    )
    zeroconf = AsyncZeroconf(interfaces=[address], ip_version=IPVersion.V4Only)
    stack.push_async_callback(zeroconf.async_close)  # says goodbye, too
    await (await zeroconf.async_register_service(service, allow_name_change=True))
    return service.name
