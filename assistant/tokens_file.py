"""``server.tokens_file``: tokens that somebody wrote down, for those who manage their files by program."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from assistant.errors import ConfigError
from assistant.tokens import Token, hashed

MIN_TOKEN_CHARACTERS = 16

_ROLE = re.compile(r"[a-z][a-z0-9_-]{0,30}")


def read_lines(file: Path, roles: Collection[str] = ()) -> dict[bytes, Token]:
    """``name:token`` (an owner's) or ``name:role:token`` lines by the SHA-256 of each token; blank lines and # comments
    pass. ``roles``: those there are; empty: the three of every house. Raises ConfigError."""
    try:
        mode = file.stat().st_mode
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("tokens_unreadable", f"The tokens file {file} cannot be read: {error}.") from error
    if mode & 0o077:
        detail = f"The tokens file {file} can be read by others."
        raise ConfigError("tokens_open", detail, mend=f"chmod 600 {file}")
    known: dict[bytes, Token] = {}
    for number, line in enumerate(lines, 1):
        entry = line.strip()
        if entry and not entry.startswith("#"):
            secret, token = _entry(entry, f"Line {number} of {file}", roles or ("guest", "member", "owner"))
            known[hashed(secret)] = token
    if not known:
        detail = f"The tokens file {file} has no token in it."
        raise ConfigError("tokens_empty", detail, mend="Add a line `phone:…`, or use `jarvis token create` instead.")
    return known


def _entry(entry: str, where: str, roles: Collection[str]) -> tuple[str, Token]:
    name, colon, rest = (part.strip() for part in entry.partition(":"))
    role, second, token = (part.strip() for part in rest.partition(":"))
    if not second or not _ROLE.fullmatch(role):  # a token that somebody chose may have a colon in it
        role, token = "owner", rest
    if not name or not colon or len(token) < MIN_TOKEN_CHARACTERS:
        detail = f"{where} is not `name:token` or `name:role:token` with {MIN_TOKEN_CHARACTERS} characters or more."
        raise ConfigError("tokens_invalid", detail, mend="Make one: `openssl rand -hex 24`.")
    if role not in roles:
        # what stands there is not said: it may be the first half of a token with a colon in it
        mend = f"Roles are {', '.join(sorted(roles))}; before a token that has a colon in it, name one."
        raise ConfigError("unknown_role", f"{where} has a role that there is not.", mend=mend)
    return token, Token(name, role)
