"""Containers and their labels: homepage, Traefik, OCI images, compose. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from tools.catalog.found import Found, clean, is_web, name_from, without_empty
from tools.engines.port import Unit

COMPOSE_SERVICE, COMPOSE_PROJECT = "com.docker.compose.service", "com.docker.compose.project"
TITLE, DESCRIPTION = "org.opencontainers.image.title", "org.opencontainers.image.description"

GENERIC = frozenset(
    {"app", "web", "server", "service", "main", "frontend", "backend", "api", "core", "www", "http", "nginx", "proxy"}
)
"""Names that compose files give to the one container that people mean by the project's name."""

_RULE = re.compile(r"^traefik\.http\.routers\.(?P<router>[^.]+)\.rule$", re.IGNORECASE)
_HOST = re.compile(r"\bHost\(\s*[`'\"]([^`'\"]+)[`'\"]")
_PATH = re.compile(r"\bPathPrefix\(\s*[`'\"](/[^`'\"]*)[`'\"]")


def from_units(
    units: Iterable[Unit], host: str, asked_at: str, *, engine: str | None = None, everything: bool = False
) -> Iterator[Found]:
    """The containers that people reach: with an address in their labels, or with a published port. ``everything``: the
    others too. ``host``: the machine, as people call it; ``asked_at``: its address from here; ``engine``: its name in
    the configuration, where it has one."""
    for unit in sorted(units, key=lambda unit: unit.name):
        labels = {key.lower(): value for key, value in unit.labels.items()}
        url, dns, notes = _address(labels)
        named = url is not None or dns is not None or "homepage.name" in labels
        if not (named or unit.ports or everything):
            continue
        name = _name(unit, labels)
        if not name:
            continue
        tcp = None
        if unit.ports and url is None:
            tcp = f"{asked_at}:{unit.ports[0]}"
        if len(unit.ports) > 1:
            others = ", ".join(str(port) for port in unit.ports[1:])
            notes.append(f"it publishes {others} as well")
        yield Found(
            name=name,
            where=f"container {clean(unit.name)}",
            fields=without_empty(
                url=url,
                tcp=tcp,
                dns=dns,
                host=host,
                port=unit.ports[0] if unit.ports else None,
                description=clean(labels.get("homepage.description") or labels.get(DESCRIPTION.lower())),
                group=clean(labels.get("homepage.group") or labels.get(COMPOSE_PROJECT)),
                icon=clean(labels.get("homepage.icon")),
                engine=engine,
                unit=unit.name if unit.name != name else None,
            ),
            notes=tuple(notes),
        )


def _name(unit: Unit, labels: Mapping[str, str]) -> str:
    service = name_from(labels.get(COMPOSE_SERVICE, ""))
    if service in GENERIC:
        service = name_from(labels.get(COMPOSE_PROJECT, "")) or service
    named = name_from(labels.get("homepage.name", ""))
    return named or service or name_from(unit.name) or name_from(labels.get(TITLE, ""))


def _address(labels: Mapping[str, str]) -> tuple[str | None, str | None, list[str]]:
    """(URL, DNS name, what was left out)."""
    href = clean(labels.get("homepage.href"), 2000)
    if href and is_web(href) and "{{" not in href:
        return href, None, []
    notes = [f"its address {href!r} is no whole http(s) address and was left out"] if href else []
    for label, rule in sorted(labels.items()):
        found, host = _RULE.match(label), _HOST.search(rule)
        if not found or not host:
            continue
        path = _PATH.search(rule)
        scheme = "https" if _is_secure(labels, found["router"]) else "http"
        return f"{scheme}://{host[1]}{path[1].rstrip('/') if path else ''}", host[1], notes
    return None, None, notes


def _is_secure(labels: Mapping[str, str], router: str) -> bool:
    own = f"traefik.http.routers.{router}."
    if labels.get(f"{own}tls", "").lower() == "true" or any(label.startswith(f"{own}tls.") for label in labels):
        return True
    return any(word in labels.get(f"{own}entrypoints", "").lower() for word in ("websecure", "https"))
