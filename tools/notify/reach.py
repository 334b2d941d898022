"""Servers of messages are asked inside the private network only, at the very address that was looked at."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path

import httpx
from pydantic import HttpUrl

from tools.notify.port import PushError
from tools.program import read_secret

TIMEOUT_S = 8.0
"""One push, all of it."""

_HOUSE = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "::1/128",
        "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
"""Loopback, link-local, private networks, tailnets. Sources: RFC 1122, 1918, 3927, 4193, 4291, 6598."""

_NEVER = frozenset({400, 413})
"""What a server answers to a message that it will not take tomorrow either."""

_SHOWN_BYTES = 65536
"""Of an answer to a push: its id stands at the beginning."""


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a server is: ``url`` with its address in place of its name, which ``host`` keeps for TLS and Host."""

    url: httpx.URL
    host: str
    host_header: str

    def at(self, path: str) -> httpx.URL:
        """A path below the server's URL."""
        return self.url.copy_with(path=self.url.path.rstrip("/") + path)


async def reach(name: str, url: HttpUrl) -> Reached:
    """Look the server up. ``name``: how it is called in an error. Raises PushError where one of its addresses is
    outside."""
    host, port = url.host or "", url.port
    address = await _address(name, host, port or 443)
    header = host if port in (None, 80, 443) else f"{host}:{port}"
    return Reached(httpx.URL(str(url)).copy_with(host=address), host, header)


async def post(name: str, url: HttpUrl, path: str, body: object, headers: dict[str, str]) -> bytes:
    """Post JSON, follow nothing; the beginning of the answer. Raises PushError."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            there = await reach(name, url)
            async with (
                httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=TIMEOUT_S) as client,
                client.stream(
                    "POST",
                    there.at(path),
                    json=body,
                    headers={"Host": there.host_header, **headers},
                    extensions={"sni_hostname": there.host},
                ) as answer,
            ):
                check_status(name, answer.status_code)
                return await _beginning(answer)
    except TimeoutError as error:
        raise PushError(f"{name} does not answer") from error
    except httpx.HTTPError as error:
        raise PushError(f"{name} cannot be reached") from error


async def _beginning(answer: httpx.Response) -> bytes:
    found = bytearray()
    async for chunk in answer.aiter_bytes():
        found += chunk
        if len(found) >= _SHOWN_BYTES:
            break
    return bytes(found)


def check_status(name: str, status: int) -> None:
    """Raises PushError unless it is a good one."""
    if status in (401, 403):
        raise PushError(f"{name} does not accept the access token")
    if not 200 <= status < 300:
        raise PushError(f"{name} answered with status {status}", again=status not in _NEVER)


async def token(name: str, file: Path) -> str:
    """What stands in that file. Raises PushError."""
    try:
        return await asyncio.to_thread(read_secret, file)
    except (OSError, ValueError) as error:
        raise PushError(f"the file with {name}'s access token cannot be read") from error


async def _address(name: str, host: str, port: int) -> str:
    """The first address of the server. Raises PushError when one of them is outside of the house."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise PushError(f"the name of the {name} server is not known") from error
    addresses = [str(one[4][0]) for one in found]
    if not addresses or not all(_is_in_the_house(address) for address in addresses):
        raise PushError(f"the {name} server is outside the private network")
    return addresses[0]


def _is_in_the_house(address: str) -> bool:
    parsed: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in _HOUSE if network.version == parsed.version)
