"""What can stand on a token: its name, what it is limited to, its end. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import TypeAdapter, ValidationError

from assistant.errors import ConfigError
from tools.names import plain
from tools.settings_access import Grant

MAX_NAME_CHARACTERS = 40
MAX_ROOM_CHARACTERS = 60
MAX_GRANTS = 100
LONGEST_DAYS = 3660

RESERVED = ("local", "owner", "anybody", "mcp client")
"""Names that callers without a token of the house's have."""

_NO_NAME = frozenset(":/@#")
"""These part a name from what stands behind it, or make it look like somebody's login."""

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1), "y": timedelta(days=365)}
_TERM = re.compile(r"([1-9][0-9]{0,4})\s?([hdwy])")

_GRANTS: TypeAdapter[str] = TypeAdapter(Grant)


def name_key(name: str) -> str:
    """Two names with the same key are one to whoever says them: "Anna's phone" and "anna phone"."""
    return "".join(plain(name))


def check_name(name: str) -> str:
    """Padding off. Raises ConfigError."""
    name = name.strip()
    mend = f"Up to {MAX_NAME_CHARACTERS} characters with a letter or digit in them, without : / @ #."
    if len(name) > MAX_NAME_CHARACTERS or not name.isprintable() or not name_key(name) or _NO_NAME & set(name):
        raise ConfigError("bad_token_name", "That is no name for a token.", mend=mend)
    if name_key(name) in {name_key(reserved) for reserved in RESERVED}:
        raise ConfigError("bad_token_name", f"The name {name!r} is taken by Jarvis itself.", mend="Choose another.")
    return name


def check_room(room: str | None) -> str | None:
    """Padding off; None for nothing. Raises ConfigError."""
    room = (room or "").strip()
    if len(room) > MAX_ROOM_CHARACTERS or not room.isprintable() or (room and not name_key(room)):
        raise ConfigError("bad_room", "That is no name of a room.", mend="As [areas] or Home Assistant has it.")
    return room or None


def check_grants(only: Iterable[str]) -> tuple[str, ...]:
    """In the order they came, each once. Raises ConfigError."""
    grants = tuple(dict.fromkeys(only))
    if len(grants) > MAX_GRANTS:
        raise ConfigError("bad_grant", f"A token is limited to at most {MAX_GRANTS} things.")
    for grant in grants:
        try:
            _GRANTS.validate_python(grant)
        except ValidationError as error:
            mend = "One of tool: service: backup: vm: area: device: server: and a name or *, e.g. vm:windows."
            raise ConfigError("bad_grant", f"{grant[:60]!r} is nothing to be limited to.", mend=mend) from error
        if not grant.isprintable():
            raise ConfigError("bad_grant", "What a token is limited to has characters that nobody can type.")
    return grants


def expiry(text: str, now: datetime) -> datetime:
    """``90d`` (h, d, w, y) from ``now``, or the end of the day ``2027-01-31`` where ``now`` is. Raises ConfigError."""
    mend = "Such as 12h, 90d, 4w, 1y, or a day to come: 2027-01-31."
    match = _TERM.fullmatch(text.strip())
    try:
        if match:
            ends = now + int(match[1]) * _UNITS[match[2]]
        else:
            day = datetime.strptime(text.strip(), "%Y-%m-%d")
            ends = (day + timedelta(days=1)).replace(tzinfo=now.tzinfo)
    except (ValueError, OverflowError) as error:
        raise ConfigError("bad_expiry", f"{text[:30]!r} is no time for a token to end.", mend=mend) from error
    if ends <= now:
        raise ConfigError("bad_expiry", f"{text[:30]!r} is past already.", mend=mend)
    if ends > now + timedelta(days=LONGEST_DAYS):
        raise ConfigError("bad_expiry", f"{text[:30]!r} is more than ten years away.", mend="Leave --expires out.")
    return ends
