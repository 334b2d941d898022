"""Where services answer, and which of their addresses a watcher looks at. Pure."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Mapping
from urllib.parse import urlsplit

from tools.services.port import Vantage
from tools.settings import ServiceSettings

WEB_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_PROXY_PORTS = frozenset(WEB_PORTS.values())

Endpoint = tuple[str, int | None]
"""Host in lower case without a last dot, and port; None where nobody says."""


def endpoint(address: str) -> Endpoint:
    """Of a URL, host:port or a host alone; ("", None) of what is none of these. Never raises."""
    text = address.strip()
    if not text or any(c.isspace() for c in text):
        return "", None
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        host, port = (parts.hostname or "").rstrip(".").casefold(), parts.port
    except ValueError:
        return "", None
    return host, port if port is not None else WEB_PORTS.get(parts.scheme)


def is_loopback(host: str) -> bool:
    """Whether that is the machine that says it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def own_endpoints(service: ServiceSettings) -> list[Endpoint]:
    """Where a service answers: its url and tcp, and its port at its names and addresses."""
    found = [endpoint(str(service.url))] if service.url is not None else []
    if service.tcp is not None:
        found.append(endpoint(service.tcp))
    port = service.port or next((port for _, port in found), None)
    names = [name.casefold().rstrip(".") for name in (service.ip, service.host) if name]
    return found + [(name, port) for name in names if port is not None]


def vantage_of(address: str, service: ServiceSettings) -> Vantage:
    """What is looked at by that address: the service itself, or the way that people take to it.

    Its DNS name is the way; so is another name or address on a port that is not the service's own, or on that of a
    proxy. A name without a dot is that of a container or of a machine in the same network.
    """
    host, port = endpoint(address)
    if not host:
        return "inside"
    if service.dns is not None and host == service.dns.casefold().rstrip("."):
        return "way"
    own = own_endpoints(service)
    hosts = {known for known, _ in own} | {(name or "").casefold() for name in (service.ip, service.host)}
    if host in hosts or is_loopback(host) or ("." not in host and ":" not in host):
        return "inside"
    if port is None or (port in {known for _, known in own} and port not in _PROXY_PORTS):
        return "inside"
    return "way"


class AddressBook:
    """Which service answers at an address. One at which several answer is nobody's."""

    def __init__(self, services: Mapping[str, ServiceSettings]) -> None:
        self._at: dict[Endpoint, set[str]] = defaultdict(set)
        for name, service in services.items():
            for known in own_endpoints(service):
                self._at[known].add(name)
            if service.dns is not None:
                for port in sorted(_PROXY_PORTS):
                    self._at[service.dns.casefold().rstrip("."), port].add(name)

    def service_at(self, address: str, *, same_machine: bool) -> str | None:
        """``same_machine``: the watcher runs where Jarvis does, so that its loopback is ours. A host alone counts only
        where the usual ports of the web are one service's: a machine is not a service."""
        host, port = endpoint(address)
        if not host or (is_loopback(host) and not same_machine):
            return None
        ports = sorted(_PROXY_PORTS) if port is None else [port]
        hosts = ("localhost", "127.0.0.1", "::1") if is_loopback(host) else (host,)
        found = {name for h in hosts for p in ports for name in self._at.get((h, p), ())}
        return found.pop() if len(found) == 1 else None
