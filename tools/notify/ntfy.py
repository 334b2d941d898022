"""Push messages by ntfy: a JSON object is posted to the server in the house; the phone's app shows it.

The server has to be inside the private network, by every address that its name has: what is connected to is the
address that was looked at. The token stands in a file. What could not be delivered stays in the database and is tried
again (``tools/notify/messages.py``).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from pathlib import Path

import httpx

from tools.notify.messages import Message, Messages
from tools.program import read_secret
from tools.settings import NtfySettings

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
"""What it answers to a message that it will not take tomorrow either."""


class NtfyError(Exception):
    """It was not delivered; the text is a clause for people, without a secret. ``again``: whether it may be later."""

    def __init__(self, reason: str, *, again: bool = True) -> None:
        super().__init__(reason)
        self.again = again


async def push(settings: NtfySettings, message: Message) -> None:
    """Deliver one message. Raises NtfyError."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await _post(settings, message)
    except TimeoutError as error:
        raise NtfyError("ntfy does not answer") from error


async def push_due(settings: NtfySettings, messages: Messages) -> int:
    """Try everything that is due, oldest first; how many were delivered. Raises StoreError.

    After a failure that is the server's the others wait for their own turn: it would fail for them as well.
    """
    delivered = 0
    for message in await asyncio.to_thread(messages.due):
        if not await asyncio.to_thread(messages.take, message):
            continue
        try:
            await push(settings, message)
        except NtfyError as error:
            await asyncio.to_thread(messages.not_pushed, message.id, str(error), again=error.again)
            if error.again:
                break
        else:
            delivered += 1
            await asyncio.to_thread(messages.pushed, message.id)
    return delivered


async def _post(settings: NtfySettings, message: Message) -> None:
    host, port = settings.url.host or "", settings.url.port
    address = await _address(host, port or 443)
    headers = {"Host": host if port in (None, 80, 443) else f"{host}:{port}"}
    if settings.token_file is not None:
        headers["Authorization"] = f"Bearer {await _token(settings.token_file)}"
    url = httpx.URL(str(settings.url)).copy_with(host=address)
    body = {
        "topic": settings.topic,
        "title": message.title,
        "message": message.text,
        "priority": message.priority,
        "tags": list(message.tags),
    }
    try:
        async with httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=TIMEOUT_S) as client:
            answer = await client.post(url, json=body, headers=headers, extensions={"sni_hostname": host})
    except httpx.HTTPError as error:
        raise NtfyError("ntfy cannot be reached") from error
    if answer.status_code in (401, 403):
        raise NtfyError("ntfy does not accept the access token")
    if not answer.is_success:
        raise NtfyError(f"ntfy answered with status {answer.status_code}", again=answer.status_code not in _NEVER)


async def _token(file: Path) -> str:
    try:
        return await asyncio.to_thread(read_secret, file)
    except (OSError, ValueError) as error:
        raise NtfyError("the file with ntfy's access token cannot be read") from error


async def _address(host: str, port: int) -> str:
    """The first address of the server. Raises NtfyError when one of them is outside of the house."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NtfyError("the name of the ntfy server is not known") from error
    addresses = [str(one[4][0]) for one in found]
    if not addresses or not all(_is_in_the_house(address) for address in addresses):
        raise NtfyError("the ntfy server is outside the private network")
    return addresses[0]


def _is_in_the_house(address: str) -> bool:
    parsed: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in _HOUSE if network.version == parsed.version)
