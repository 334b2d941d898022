"""How a token comes to be, from the command line and from the page alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from assistant.config import Settings
from assistant.errors import ConfigError
from assistant.roles import check_role, powers
from assistant.token_terms import check_grants, check_name, check_room, expiry, name_key
from assistant.tokens import Token
from assistant.tokens_file import read_lines
from tools.contract import JsonObject
from tools.names import NameIndex

SHOWN = 16
"""Names in a doubt: as many as there are tools."""


def new_token(
    settings: Settings,
    *,
    name: str,
    role: str,
    by: str,
    only: Iterable[str] = (),
    room: str | None = None,
    expires: str | None = None,
) -> Token:
    """What is asked for, if there may be such a token; nothing is kept yet. Raises ConfigError."""
    token = Token(
        name=check_name(name),
        role=check_role(role, powers(settings.roles)),
        only=check_grants(only),
        room=check_room(room),
        made_by=by,
        expires=expiry(expires, datetime.now().astimezone()).timestamp() if expires else None,
    )
    if name_key(token.name) in {name_key(known.name) for known in tokens_in_file(settings)}:
        detail = f"The name {token.name!r} stands in {settings.server.tokens_file} already."
        raise ConfigError("token_exists", detail, mend="Choose another.")
    return token


def tokens_in_file(settings: Settings) -> list[Token]:
    """Those of ``server.tokens_file``. Raises ConfigError."""
    file = settings.server.tokens_file
    return list(read_lines(file, powers(settings.roles)).values()) if file is not None else []


def token_json(token: Token, now: float, *, in_file: bool = False) -> JsonObject:
    """What ``jarvis token list --json`` and ``GET /api/tokens`` show of one; times in seconds since 1970."""
    return {
        "name": token.name,
        "role": token.role,
        "only": list(token.only),
        "room": token.room,
        "state": token.state(now),
        "created": None if in_file else token.created,
        "made_by": token.made_by or None,
        "expires": token.expires,
        "last_used": token.last_used,
        "in_file": in_file,
    }


def doubts(settings: Settings, token: Token) -> Iterator[str]:
    """What of its limits and its room nothing in the configuration goes by: perhaps a slip of the keyboard."""
    names = NameIndex.from_settings(settings)
    told = _told_elsewhere(settings)
    for grant in token.only:
        kind, _, name = grant.partition(":")
        if name == "*" or kind in told:
            continue
        known = _listed(settings, names, kind)
        if name not in known and names.exact(_INDEXED.get(kind, ""), name) is None:
            yield f"Nothing in the configuration is called {grant}{_there(known)}."
    areas = names.names("area")
    if token.room and areas and "area" not in told and names.exact("area", token.room) is None:
        yield f"No room in the configuration is called {token.room!r}{_there(areas)}."


_INDEXED = {"service": "service", "backup": "job", "vm": "vm", "area": "area", "device": "device"}
"""Kind of a limit → kind of name."""


def _told_elsewhere(settings: Settings) -> set[str]:
    """Kinds of which the configuration has not all the names."""
    told = {"vm"} if settings.hypervisors else set()
    told |= {"area", "device"} if settings.home_assistant is not None else set()
    return told | ({"tool"} if settings.mcp_servers else set())


def _listed(settings: Settings, names: NameIndex, kind: str) -> tuple[str, ...]:
    if kind == "tool":
        from assistant.sentences.vocabulary import TOOLS

        return (*TOOLS, "metrics")  # GET /metrics, which is no tool
    return tuple(settings.mcp_servers) if kind == "server" else names.names(_INDEXED[kind])


def _there(known: Sequence[str]) -> str:
    return f"; there is {', '.join(sorted(known)[:SHOWN])}" if known else ""
