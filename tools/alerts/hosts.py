"""Which machine is meant: an address as a watcher writes it → the name that people give it. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.alerts import words
from tools.settings import ToolSettings

HERE = "this machine"

_ADDRESS = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?(?:[^/@]*@)?(?P<host>\[[^\[\]]+\]|[^/:@\[\]?#]+)"
    r"(?::(?P<port>\d{1,5}))?(?:[/?#].*)?",
    re.DOTALL,
)
_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True)
class Host:
    """``known``: the name stands in our own configuration; otherwise it comes from outside."""

    name: str
    known: bool

    @property
    def here(self) -> bool:
        """It is the machine that Jarvis runs on."""
        return self.name == HERE


@dataclass(frozen=True)
class Hosts:
    """What the configuration calls machines and services."""

    own_name: str
    _names: Mapping[str, str] = field(default_factory=dict)
    _services: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_settings(cls, settings: ToolSettings, own_name: str) -> Hosts:
        """``own_name``: host name of this machine."""
        names: dict[str, str] = {}
        services: dict[str, str] = {}
        for name in (*settings.vms, *settings.services):
            names[name.casefold()] = name
        for name, service in settings.services.items():
            if service.host:
                names[service.host.casefold()] = service.host
                if service.ip:
                    names[service.ip] = service.host
            for address in (str(service.url) if service.url else None, service.tcp):
                if address and (place := _place(address)):
                    services.setdefault(place, name)
        return cls(own_name.casefold().partition(".")[0], names, services)

    def of(self, address: str, via: str = "") -> Host:
        """``address``: host, host:port or URL; ``via``: URL of the watcher that says so, whose own loopback it is."""
        host = bare(address)
        if is_loopback(host):
            host = bare(via) if via else host
        if is_loopback(host) or self._is_own(host):
            return Host(HERE, known=True)
        for form in (host, host.partition(".")[0]):
            if form in self._names:
                return Host(self._names[form], known=True)
        return Host(words.name(host if _is_ip(host) else host.partition(".")[0]), known=False)

    def subject(self, address: str, via: str = "") -> Host:
        """The same, and a service of ours by its address where that is what is meant."""
        service = self._services.get(_place(address) or "")
        return Host(service, known=True) if service else self.of(address, via)

    def _is_own(self, host: str) -> bool:
        return bool(self.own_name) and not _is_ip(host) and host.partition(".")[0] == self.own_name


def bare(address: str) -> str:
    """The host of an address, small: "https://NAS.lan:8443/x" → "nas.lan", "[::1]:9100" → "::1"."""
    match = _ADDRESS.fullmatch(address)
    return (match["host"] if match else address).casefold().strip("[]").rstrip(".")


def is_loopback(host: str) -> bool:
    """Whether it is the machine that says so itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _place(address: str) -> str | None:
    """host:port, small; None without a port."""
    match = _ADDRESS.fullmatch(address)
    if match is None:
        return None
    port = match["port"] or _PORTS.get((match["scheme"] or "").casefold())
    return f"{match['host'].casefold().strip('[]')}:{int(port)}" if port else None
