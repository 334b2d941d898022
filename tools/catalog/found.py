"""What was found elsewhere becomes services of the catalogue: which are new, which are there, which cannot be. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from tools.catalog.place import page_of
from tools.names import NameIndex, Resolved, plain
from tools.settings import ServiceSettings, ToolSettings

LONGEST = 200
"""Characters kept of each text: labels and subtitles are written by strangers."""

LONGEST_NAME = 60

_REACHED_BY = frozenset({"url", "tcp", "host", "ip", "dns", "port", "engine", "unit", "watched_as"})
"""Without any of these nothing can be said about a service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A service as somebody else describes it. ``where``: in which file, container or line; ``fields``: as a file of
    the catalogue has them; ``notes``: what could not be taken over, for people."""

    name: str
    where: str
    fields: Mapping[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposals:
    """``new`` may be written; ``known``: (found, the service that it is already); ``problems``: (found, why not)."""

    new: Sequence[Found] = field(default_factory=list)
    known: Sequence[tuple[Found, str]] = field(default_factory=list)
    problems: Sequence[tuple[Found, str]] = field(default_factory=list)


def propose(found: Iterable[Found], services: Mapping[str, ServiceSettings]) -> Proposals:
    """Sort what was found against the services that there are: the same name, alias, address or container is the same
    service. So importing twice adds nothing."""
    new: list[Found] = []
    known: list[tuple[Found, str]] = []
    problems: list[tuple[Found, str]] = []
    there = dict(services)
    for one in found:
        try:
            settings = ServiceSettings.model_validate(dict(one.fields))
            same = same_as(one.name, settings, there)
            if same is not None and same not in services and _key(same) == _key(one.name):
                same, one = _told_apart(one, settings, there)
            if same is None:
                ToolSettings(services={one.name: settings})
        except ValidationError as error:
            problem = error.errors()[0]
            key = ".".join(str(part) for part in problem["loc"] if part != "services")
            problems.append((one, f"{key or 'name'}: {problem['msg'].removeprefix('Value error, ')}"))
            continue
        if same is not None:
            known.append((one, same))
        elif not _REACHED_BY & one.fields.keys():
            problems.append((one, "it has no address that can be asked here"))
        else:
            new.append(one)
            there[one.name] = settings
    return Proposals(new=new, known=known, problems=problems)


def same_as(name: str, settings: ServiceSettings, services: Mapping[str, ServiceSettings]) -> str | None:
    """The service that this one is, by its name, an alias, its address or what its engine calls it."""
    index = NameIndex({"service": {known: service.aliases for known, service in services.items()}})
    resolved = index.resolve("service", name)
    if isinstance(resolved, Resolved) and resolved.how != "fuzzy":
        return resolved.name
    own = _marks(name, settings)
    return next((known for known, service in services.items() if own & _marks(known, service)), None)


def _told_apart(
    one: Found, settings: ServiceSettings, there: Mapping[str, ServiceSettings]
) -> tuple[str | None, Found]:
    """Two of one name in the same source, at two addresses: the second is called by its group, too."""
    same = same_as(one.name, settings, there)
    if same is None or _marks(one.name, settings) & _marks(same, there[same]) or not settings.group:
        return same, one
    named = replace(one, name=f"{one.name} {name_from(settings.group)}")
    return same_as(named.name, settings, there), named


def _marks(name: str, settings: ServiceSettings) -> frozenset[str]:
    """What only one service has: the page that it is opened at, its port on a machine, its container."""
    marks = set()
    if settings.url is not None:
        marks.add(page_of(settings.url).casefold())
    if settings.tcp is not None:
        marks.add(settings.tcp.casefold())
    if settings.unit:
        marks.add(f"{settings.engine or ''} {settings.unit}")
    return frozenset(marks)


def _key(name: str) -> str:
    return "".join(plain(name))


# ── words of strangers ────────────────────────────────────────────────────────────────────────────────────────────


def name_from(text: str) -> str:
    """A name that can be said: small letters, one space between words, no brackets and control characters."""
    words = re.sub(r"[^\w.+&' ]|_", " ", clean(text, LONGEST_NAME)).split()
    return " ".join(words).strip(".' ").casefold()


def clean(text: object, longest: int = LONGEST) -> str:
    """One line without control characters, cut to size; nothing for what is no text."""
    if not isinstance(text, str | int | float) or isinstance(text, bool):
        return ""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def without_empty(**fields: Any) -> dict[str, Any]:
    """The fields that say something."""
    return {key: value for key, value in fields.items() if value not in (None, "", (), [], {})}


def is_web(url: str) -> bool:
    """A whole http(s) address."""
    return re.match(r"https?://[^/\s]", url, re.IGNORECASE) is not None
