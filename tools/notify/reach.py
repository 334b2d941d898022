"""Servers of messages are asked inside the private network only, at the very address that was looked at."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

    def headers(self, more: Mapping[str, str]) -> dict[str, str]:
        """Of a request: its own, and what keeps an answer as large as it looks."""
        return {"Host": self.host_header, "Accept-Encoding": "identity", **more}

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


@asynccontextmanager
async def asking(
    there: Reached, method: str, url: httpx.URL, headers: Mapping[str, str], silence_s: float = TIMEOUT_S, **body: Any
) -> AsyncIterator[httpx.Response]:
    """The answer, while it comes; nothing is followed. Raises httpx.HTTPError."""
    limits = httpx.Timeout(TIMEOUT_S, read=silence_s)
    async with (
        httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=limits) as client,
        client.stream(
            method, url, headers=there.headers(headers), extensions={"sni_hostname": there.host}, **body
        ) as answer,
    ):
        yield answer


async def post(name: str, url: HttpUrl, path: str, body: object, headers: Mapping[str, str]) -> bytes:
    """Post JSON; the beginning of the answer. Raises PushError."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            there = await reach(name, url)
            async with asking(there, "POST", there.at(path), headers, json=body) as answer:
                check_status(name, answer.status_code)
                return await beginning(answer, _SHOWN_BYTES)
    except TimeoutError as error:
        raise PushError(f"{name} does not answer") from error
    except httpx.HTTPError as error:
        raise PushError(f"{name} cannot be reached") from error


async def beginning(answer: httpx.Response, most_bytes: int) -> bytes:
    """As it comes over the line: what is compressed all the same is not unpacked, and then makes no sense."""
    found = bytearray()
    async for chunk in answer.aiter_raw():
        found += chunk
        if len(found) >= most_bytes:
            break
    return bytes(found[:most_bytes])


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
        if getattr(error, "code", None) == "egress_refused":  # the process's own guard
            raise PushError(f"the {name} server is outside the private network") from error
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
