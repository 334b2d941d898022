"""Who Tailscale Serve says it is: headers of a proxy on this machine.

Serve takes these headers off what comes in and writes its own, ``Tailscale-User-Login`` and ``Tailscale-User-Name``,
in RFC 2047's words where a name is not ASCII; requests by Funnel and from tagged machines have none. They are worth as
much as the way they come: whoever reaches the port without Serve can write them, so the port must be loopback's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header

from starlette.datastructures import Headers

from assistant.server.answers import RequestError
from assistant.server.identity import Identity

LOGIN, NAME, FUNNEL = "tailscale-user-login", "tailscale-user-name", "tailscale-funnel-request"

MAX_HEADER_CHARACTERS = 1_000
MAX_LOGIN_CHARACTERS = 254
MAX_PERSON_CHARACTERS = 80
_NO_LOGIN = frozenset("/: ")
"""``:`` and ``/`` part names from what stands behind them; a login has none of them."""


@dataclass(frozen=True, slots=True)
class Tailscale:
    """``users``: roles by login, in lower case."""

    users: Mapping[str, str]

    def identity(self, headers: Headers) -> Identity | None:
        """None where the headers say nobody. Raises RequestError for somebody who has no role."""
        logins = headers.getlist(LOGIN)
        login = (word_of(logins[0]) or "").casefold() if len(logins) == 1 else ""
        if not is_login(login) or FUNNEL in headers:
            return None
        role = self.users.get(login)
        if role is None:
            mend = f'In [access.tailscale_users]: "{login}" = "member".'
            raise RequestError(
                403, "unknown_login", f"Tailscale says that you are {login}, who has no role here.", mend
            )
        return Identity(login, role, person=person_of(headers.get(NAME, "")), counted=True)


def is_login(text: str) -> bool:
    """Whether it can be somebody's login or e-mail address, as Tailscale and chat pages have them."""
    return 0 < len(text) <= MAX_LOGIN_CHARACTERS and "@" in text and text.isprintable() and not _NO_LOGIN & set(text)


def person_of(header: str) -> str | None:
    """What to call somebody: one line that can be shown; None where there is nothing."""
    words = " ".join("".join(c if c.isprintable() else " " for c in word_of(header) or "").split())
    return words[:MAX_PERSON_CHARACTERS] or None


def word_of(header: str) -> str | None:
    """A header's text, RFC 2047's encoded words decoded; None where it is too long or no UTF-8."""
    if len(header) > MAX_HEADER_CHARACTERS:
        return None
    try:
        parts = decode_header(header)
        return "".join(part if isinstance(part, str) else part.decode(_charset(named)) for part, named in parts)
    except (HeaderParseError, ValueError):  # UnicodeError is one
        return None


def _charset(named: str | None) -> str:
    """Raises ValueError for one that nobody here writes."""
    if named is not None and named.casefold() not in ("utf-8", "us-ascii"):
        raise ValueError(named)
    return "utf-8" if named is not None else "latin-1"
