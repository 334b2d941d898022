"""Where a service is: the machine, the port, the address that people open; and how that is said. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import HttpUrl

from tools.settings import ServiceSettings
from tools.wording import sentence

PROBES = frozenset(
    {"health", "healthz", "healthcheck", "ready", "readyz", "live", "livez", "ping", "status", "up", "api", "metrics",
     "alive", "identity", "version"}
)  # fmt: skip
"""First words of a path behind which a program looks, and no person."""

LONGEST_RESTORE = 240
"""Characters of a restore note that are said; the whole of it stands in the data."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Place:
    """``host``: the machine, as people call it; ``ask``: (host or address, port) that a connection goes to, None where
    the catalogue does not say; ``address``: what a person opens, without a password."""

    host: str | None
    port: int | None
    address: str | None
    ask: tuple[str, int] | None


def place_of(service: ServiceSettings) -> Place:
    """What the catalogue says about where it is."""
    tcp_host, tcp_port = _split(service.tcp)
    url_host, url_port = (_bare(service.url.host), service.url.port) if service.url is not None else (None, None)
    host = service.host or tcp_host or url_host or service.ip
    own_port = service.port or tcp_port
    target = service.ip or service.host or tcp_host or url_host
    ask = (target, own_port) if target and own_port else None
    if ask is None and url_host and url_port:
        ask = (url_host, url_port)
    proxied = url_host != host and url_port in (80, 443)  # the port of whatever stands before it, maybe elsewhere
    return Place(host=host, port=own_port or (None if proxied else url_port), address=address_of(service), ask=ask)


def address_of(service: ServiceSettings) -> str | None:
    """The URL that a person opens: by its DNS name, without a password, a query, or the path of a probe."""
    url = service.url
    if service.dns and (url is None or _bare(url.host) != service.dns):
        return f"{url.scheme if url is not None else 'http'}://{service.dns}"
    return page_of(url) if url is not None else None


def page_of(url: HttpUrl) -> str:
    """A URL without user, password, query, fragment, and without the path that only probes ask for."""
    port = "" if url.port in (None, {"http": 80, "https": 443}.get(url.scheme)) else f":{url.port}"
    path = (url.path or "").rstrip("/")
    first = path.lstrip("/").split("/", 1)[0].casefold()
    return f"{url.scheme}://{url.host}{port}{'' if first in PROBES or first.startswith('-') else path}"


def said(name: str, service: ServiceSettings) -> str:
    """Where it runs, who looks after it, how it is restored: a sentence each, as far as the catalogue says."""
    place = place_of(service)
    sentences = [_where(name, place)]
    if service.owner:
        sentences.append(sentence(f"{service.owner} looks after it"))
    if service.restore:
        sentences.append(f"To restore it: {sentence(_short(service.restore))}")
    return " ".join(sentences)


def _where(name: str, place: Place) -> str:
    if place.host is None and place.address is None:
        return sentence(f"the catalogue doesn't say where {name} runs")
    if place.host is None:
        return sentence(f"{name} is at {place.address}")
    text = f"{name} runs on {place.host}"
    if place.port is not None:
        text += f", port {place.port}"
    if place.address is not None and _host_in(place.address) not in {place.host, *LOOPBACK}:
        text += f", at {place.address}"
    return sentence(text)


def _host_in(address: str) -> str:
    found = re.match(r"\w+://(\[[^\]]*\]|[^/:]*)", address)
    return found[1].strip("[]") if found else ""


def _short(text: str) -> str:
    """Whole sentences, as far as one listens."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(plain) <= LONGEST_RESTORE:
        return plain
    end = max(plain.rfind(stop, 0, LONGEST_RESTORE) for stop in (". ", "; ", ", ", " "))
    return plain[: end if end > 0 else LONGEST_RESTORE].rstrip(",; ")


def _split(tcp: str | None) -> tuple[str | None, int | None]:
    if tcp is None:
        return None, None
    host, _, port = tcp.rpartition(":")
    return _bare(host), int(port)


def _bare(host: str | None) -> str | None:
    return host.strip("[]") if host else None
