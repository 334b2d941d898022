"""The addresses of ``privacy.allow_hosts``, for the kernel's filter, which knows no names.

A name is looked up when the unit is written and, in a system unit, every hour by ``jarvis service refresh``. Between
two of these a host that moves is refused; and so is nothing more than it: other names at the same address can be
reached, which the guard in the process refuses.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from assistant.egress import is_private

RESOLV_CONF = Path("/etc/resolv.conf")


@dataclass(frozen=True, slots=True)
class Allowed:
    """``addresses``: sorted, without doubles; ``names``: of the hosts that were looked up; ``unknown``: of those that
    have no address now."""

    addresses: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def look_up(host: str) -> tuple[str, ...]:
    """Addresses of a host, none where it has none. Blocking."""
    try:
        return tuple(str(answer[4][0]).split("%")[0] for answer in socket.getaddrinfo(host, None))
    except (OSError, UnicodeError):
        return ()


def allowed(hosts: Iterable[str], resolve: Callable[[str], Iterable[str]] = look_up) -> Allowed:
    """What the filter has to let through besides the house; addresses inside it are let through anyway."""
    found: set[str] = set()
    names, unknown = [], []
    for host in sorted({host.strip() for host in hosts if host.strip()}):
        if _is_address(host):
            found.add(host)
            continue
        names.append(host)
        answers = [answer for answer in resolve(host) if _is_address(answer)]
        found.update(answers)
        if not answers:
            unknown.append(host)
    outside = sorted(address for address in found if not is_private(address))
    return Allowed(tuple(outside), tuple(names), tuple(unknown))


def outside_resolvers(resolv_conf: Path = RESOLV_CONF) -> tuple[str, ...]:
    """Name servers that are asked directly and stand outside of the house: the filter cuts them off."""
    try:
        lines = resolv_conf.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    named = [words[1] for words in map(str.split, lines) if len(words) > 1 and words[0] == "nameserver"]
    return tuple(address for address in named if _is_address(address) and not is_private(address))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
