"""Gatus' configuration (``config.yaml``): endpoints with name, group, url and conditions. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from tools.catalog.found import Found, clean, is_web, name_from, without_empty
from tools.catalog.imports.yaml_text import read_yaml, tables

_STATUS = re.compile(r"^\s*\[STATUS\]\s*==\s*(?:(\d{3})|any\(([\d,\s]+)\))\s*$")
_BELOW = re.compile(r"^\s*\[STATUS\]\s*(?:<\s*400|<=\s*399)\s*$")
"""What a service of ours is up by without being told."""

_AUTHORITY = re.compile(r"^(?:[^@/]*@)?(?P<host>\[[0-9a-fA-F:.]+\]|[^\s:/?#\[\]@]+)(?::(?P<port>\d{1,5}))?(?:[/?#]|$)")
_USUAL = {"ssh": 22, "ws": 80, "wss": 443}
"""Ports where the address has none."""

_CONNECTED = re.compile(r"^\s*\[CONNECTED\]\s*==\s*true\s*$")


def from_gatus(text: str, watcher: str | None = None) -> Iterator[Found]:
    """Its endpoints. ``watcher``: what this Gatus is called in our configuration, so that it is asked by its own name.

    Raises ImportFileError.
    """
    raw = read_yaml(text)
    for endpoint in (*tables(raw.get("endpoints")), *tables(raw.get("services"))):  # their name before 3.0
        own, group = clean(endpoint.get("name")), clean(endpoint.get("group"))
        name = name_from(own)
        if not name or endpoint.get("enabled") is False:
            continue
        where = f"{group}: {own}" if group else own
        fields, notes = _address(clean(endpoint.get("url"), 2000))
        client = endpoint.get("client")
        if isinstance(client, dict) and client.get("insecure") is True:
            fields["verify_tls"] = False
        if "url" in fields:
            status, left = _conditions(endpoint.get("conditions"))
            fields |= without_empty(expect_status=status)
            notes += [f"its condition {clean(condition)!r} is not looked at here" for condition in left]
        fields |= without_empty(group=group, watched_as={watcher: gatus_key(group, own)} if watcher else None)
        yield Found(name=name, where=where, fields=fields, notes=tuple(notes))


def gatus_key(group: str, name: str) -> str:
    """Gatus' own name of an endpoint, as its API has it: "media_jellyfin-web"."""
    return f"{_sanitized(group)}_{_sanitized(name)}"


def _sanitized(text: str) -> str:
    """As Gatus does (config/key/key.go)."""
    return re.sub(r"[/_,.#+& ]", "-", text.strip().lower())


def _address(url: str) -> tuple[dict[str, Any], list[str]]:
    if "$" in url:
        return {}, ["its address has a variable in it and was left out"]
    if is_web(url):
        return {"url": url}, []
    scheme, _, rest = url.partition("://")
    if scheme in ("tcp", "tls", "starttls", "ws", "wss", "ssh", "grpc", "grpcs"):
        found = _AUTHORITY.match(rest)
        port = int(found["port"] or _USUAL.get(scheme, 0)) if found else 0
        if found and 0 < port < 65_536:
            return {"tcp": f"{found['host']}:{port}"}, []
    if scheme == "icmp" and rest:
        return {"host": rest.split("/")[0]}, ["it is only pinged there; here it has no port that is asked"]
    return {}, [f"its address {url!r} is none that can be asked here" if url else "it has no address"]


def _conditions(conditions: Any) -> tuple[tuple[int, ...], Sequence[str]]:
    """(status codes that mean up, what else it wants)."""
    status: list[int] = []
    left: list[str] = []
    for condition in conditions if isinstance(conditions, list) else []:
        found = _STATUS.match(str(condition))
        if found:
            status += [int(code) for code in re.findall(r"\d{3}", found[0])]
        elif not _BELOW.match(str(condition)) and not _CONNECTED.match(str(condition)):
            left.append(str(condition))
    return tuple(dict.fromkeys(status)), left
