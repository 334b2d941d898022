"""The egress guard: no connection of this process leaves the private network unless the configuration names the host.

A Python audit hook (PEP 578) sees every connect, datagram and name look-up of the interpreter before it happens and
raises EgressError; a socket that could send past it (raw, packets of the link) is refused when it is made. It does not
see native code (llama.cpp, onnxruntime), which opens no connection out, nor other programs (restic, ssh), which go
where the configuration sends them: for both the service unit adds the kernel's own filter. ``docs/privacy.md`` is its
page.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from assistant.errors import EgressError
from assistant.telemetry import OFFLINE, SWITCHES

log = logging.getLogger(__name__)

PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8",      # loopback
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  # RFC 1918
        "169.254.0.0/16",   # link-local
        "100.64.0.0/10",    # RFC 6598, tailnets
        "224.0.0.251/32",   # mDNS, and no other multicast
        "0.0.0.0/32",       # binding
        "::1/128", "fc00::/7", "fe80::/10", "ff02::fb/128", "::/128",
    )
)  # fmt: skip
"""Addresses inside the house. Sources: RFC 1122, 1918, 3927, 4193, 4291, 6598, 6762."""

PRIVATE_SUFFIXES = (".local", ".lan", ".home.arpa", ".internal", ".localhost", ".ts.net")
FAMILIES = frozenset(
    int(getattr(socket, name)) for name in ("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK") if hasattr(socket, name)
)
"""Whose addresses are looked at, or never leave this machine. Others (AF_PACKET, AF_VSOCK, Bluetooth) are refused."""

NETLINK = int(getattr(socket, "AF_NETLINK", -2))
"""Asks the kernel of this machine; its sockets are raw."""

RESOLUTION_S = 300.0
"""How long an address that an allowed name resolved to stays allowed."""

TELEMETRY_OFF: Mapping[str, str] = {**SWITCHES, **OFFLINE}
"""Set when the guard is installed: every dependency that knows a switch has it off, and is told to stay offline."""


def is_private(address: str) -> bool:
    """Whether an IP address lies inside the house; text that is no address does not. Pure."""
    try:
        parsed: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in PRIVATE if network.version == parsed.version)


def is_private_name(host: str) -> bool:
    """Whether a name is one of the house: one label, or a suffix that no public name has. Pure."""
    name = host.casefold().rstrip(".")
    return bool(name) and ("." not in name or name.endswith(PRIVATE_SUFFIXES)) and ":" not in name


@dataclass
class Guard:
    """What is allowed besides the private network. Its decisions are what the audit hook raises."""

    allow_hosts: frozenset[str] = frozenset()
    refused: Counter[str] = field(default_factory=Counter)
    _resolved: dict[str, float] = field(default_factory=dict)
    _resolving: threading.local = field(default_factory=threading.local)

    def check_name(self, host: object) -> None:
        """Before a look-up. Raises EgressError."""
        name = _text(host)
        if name is None or getattr(self._resolving, "now", False):
            return
        if self._is_named(name):
            self._remember(name)
            return
        if name == "" or is_private(name) or is_private_name(name):
            return
        if _is_address(name) and self._was_resolved(name):
            return
        self._refuse(name)

    def check_address(self, address: object) -> None:
        """Before a connect or a datagram; Unix sockets pass. Raises EgressError."""
        if not isinstance(address, tuple) or not address:
            return
        host = _text(address[0])
        if host is None or is_private(host) or self._is_named(host) or self._was_resolved(host):
            return
        if _is_address(host):
            self._refuse(host)
        self.check_name(host)
        self._check_answers(host)

    def check_socket(self, family: object, kind: object) -> None:
        """Before a socket is made: raw ones and other families send where no address is seen. −1: it exists already,
        and its family is not told. Raises EgressError."""
        flags = getattr(socket, "SOCK_NONBLOCK", 0) | getattr(socket, "SOCK_CLOEXEC", 0)
        raw = isinstance(kind, int) and kind != -1 and kind & ~flags == socket.SOCK_RAW
        if isinstance(family, int) and family != -1 and (family not in FAMILIES or (raw and family != NETLINK)):
            self._refuse("a raw socket" if family in FAMILIES else f"a socket of family {family}")

    def _check_answers(self, name: str) -> None:
        """A socket given a name looks it up itself, unseen: a name of the house may have an address outside, and
        "134744072" is one. Raises EgressError."""
        if any(not is_private(answer) and not self._was_resolved(answer) for answer in self._answers(name)):
            self._refuse(name)

    def _is_named(self, host: str) -> bool:
        return _canonical(host) in self.allow_hosts

    def _was_resolved(self, address: str) -> bool:
        if self._resolved.get(address, 0.0) > time.monotonic():
            return True
        for name in self.allow_hosts:  # a pooled connection may come long after its look-up
            self._remember(name)
        return self._resolved.get(address, 0.0) > time.monotonic()

    def _remember(self, name: str) -> None:
        """Resolve an allowed name ourselves, because the hook sees questions and not answers."""
        for answer in self._answers(name):
            self._resolved[answer] = time.monotonic() + RESOLUTION_S

    def _answers(self, name: str) -> tuple[str, ...]:
        """Addresses of a name, none when it has none; the hook lets this look-up pass."""
        self._resolving.now = True
        try:
            return tuple(str(answer[4][0]) for answer in socket.getaddrinfo(name, None))
        except (OSError, UnicodeError):
            return ()
        finally:
            self._resolving.now = False

    def _refuse(self, host: str) -> None:
        self.refused[host] += 1
        if self.refused[host] == 1:
            log.warning("refused to leave the private network: %s", host)
        raise EgressError(
            "egress_refused",
            f"{host} is outside the private network.",
            mend="If it is meant, add it to `allow_hosts` in [privacy] of jarvis.toml.",
        )


_guard: Guard | None = None
_hooked = False


def install(allow_hosts: Iterable[str] = ()) -> Guard:
    """Guard this process from now on and switch telemetry off; a later call replaces what is allowed.

    An audit hook cannot be taken out again, and there is no way around it from inside.
    """
    global _guard, _hooked
    _guard = Guard(frozenset(_canonical(host) for host in allow_hosts))
    os.environ.update(TELEMETRY_OFF)
    if not _hooked:
        _hooked = True
        sys.addaudithook(_hook)
    return _guard


def refusals() -> Mapping[str, int]:
    """Refused hosts and how often each, since the guard was installed."""
    return dict(_guard.refused) if _guard else {}


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if not event.startswith("socket.") or _guard is None:
        return
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        _guard.check_address(arguments[1])
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        _guard.check_name(arguments[0])
    elif event == "socket.getnameinfo":
        _guard.check_address(arguments[0])
    elif event == "socket.__new__":
        _guard.check_socket(arguments[1], arguments[2])


def _text(host: object) -> str | None:
    """As text: asyncio asks with the IDNA bytes of a name."""
    if isinstance(host, (bytes, bytearray)):
        return host.decode("ascii", errors="backslashreplace")
    return host if isinstance(host, str) else None


def _canonical(host: str) -> str:
    """Names compare in lower-case IDNA form without the dot of the root; what has none compares as it is."""
    name = host.strip().rstrip(".").casefold()
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return False
    return True
