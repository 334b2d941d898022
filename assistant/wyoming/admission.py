"""Who may connect: the protocol knows no tokens, so the address decides. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from assistant.errors import ConfigError
from assistant.loopback import is_loopback

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Admission:
    """Loopback, and the addresses and networks that the configuration names."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        """Raises ConfigError for what is no address and no network, and for a network that is everybody's."""
        self._networks = tuple(_network(entry) for entry in allowed)

    def admits(self, address: str) -> bool:
        """Whether a client from there is let in; text that is no address is not."""
        try:
            parsed = _plain(ipaddress.ip_address(address.split("%")[0]))
        except ValueError:
            return False
        return parsed.is_loopback or any(
            parsed in network for network in self._networks if network.version == parsed.version
        )

    def check_binding(self, host: str) -> None:
        """Raises ConfigError where other machines reach this address and none of them may come in."""
        if self._networks or is_loopback(host):
            return
        raise ConfigError(
            "wyoming_open_to_everybody",
            f"[wyoming] binds {host}, where other machines reach it, and allow_clients is empty.",
            mend='Name who may connect, e.g. allow_clients = ["192.168.1.20"], or bind 127.0.0.1.',
        )


def _network(entry: str) -> Network:
    mend = 'Write an address or a network, e.g. "192.168.1.20" or "192.168.1.0/24".'
    try:
        network = ipaddress.ip_network(entry.strip(), strict=False)
    except ValueError as error:
        detail = f"allow_clients in [wyoming] has {entry[:60]!r}, which is no address and no network."
        raise ConfigError("wyoming_bad_client", detail, mend=mend) from error
    if network.prefixlen == 0:
        raise ConfigError("wyoming_bad_client", f"allow_clients in [wyoming] has {entry!r}: everybody.", mend=mend)
    return network


def _plain(address: Address) -> Address:
    """A socket for both families shows IPv4 clients as ::ffff:a.b.c.d."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
