"""Whom a chat page speaks for: the signed header of Open WebUI, on top of the page's own bearer token.

Open WebUI 0.12 signs it with ``FORWARD_USER_INFO_HEADER_JWT_SECRET`` (HS256): ``sub``, ``email``, ``name``, ``role``,
``iss`` "open-webui", ``iat`` and ``exp``, 300 s later. Its unsigned ``X-OpenWebUI-User-*`` headers say nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jwt
from starlette.datastructures import Headers

from assistant.errors import ConfigError
from assistant.roles import GUEST, Power, lesser
from assistant.server.answers import RequestError
from assistant.server.identity import Identity
from assistant.server.tailscale import is_login, person_of

ISSUER = "open-webui"
CLOCK_SKEW_S = 30.0
MIN_SECRET_CHARACTERS = 32
"""What HS256 wants (RFC 7518, section 3.2)."""

MAX_HEADER_CHARACTERS = 4_000


@dataclass(frozen=True, slots=True)
class ChatPageUsers:
    """``roles``: by e-mail address in lower case, or ``role:admin``; ``known``: the roles there are."""

    secret: str = field(repr=False)
    header: str
    roles: Mapping[str, str]
    known: Mapping[str, Power]

    def user(self, headers: Headers, page: Identity) -> Identity:
        """The page's user; the page itself where it names none. Raises RequestError.

        The role is the least of the user's and the page's; what the page is limited to, its users are.
        """
        signed = headers.getlist(self.header)
        if not signed:
            return page
        claims = self._claims(signed[0] if len(signed) == 1 else "")
        email, role = claims["email"], claims.get("role")
        email = email.strip().casefold() if isinstance(email, str) else ""
        if not is_login(email):
            raise _refused("its `email` is no e-mail address")
        given = self.roles.get(email) or self.roles.get(f"role:{role}") or (GUEST if self.roles else page.role)
        least = lesser(page.role, given, self.known)
        if least is None:
            message = f"The role {given!r} of this page's user and {page.role!r} of its token do not fit together."
            mend = "In [access.user_jwt_roles], name roles that are part of the token's."
            raise RequestError(403, "roles_do_not_fit", message, mend)
        name = claims.get("name")
        return replace(page, name=email, role=least, person=person_of(name) if isinstance(name, str) else None)

    def _claims(self, signed: str) -> Mapping[str, Any]:
        try:
            if len(signed) > MAX_HEADER_CHARACTERS:
                raise jwt.InvalidTokenError("it is too long")
            return jwt.decode(
                signed,
                self.secret,
                algorithms=["HS256"],
                issuer=ISSUER,
                leeway=CLOCK_SKEW_S,
                options={"require": ["exp", "iat", "iss", "email"], "verify_aud": False},
            )
        except jwt.ExpiredSignatureError as error:
            raise _refused("it has expired; are the clocks of both machines right?") from error
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise _refused("it is not signed with the secret of `access.user_jwt_secret_file`, or not whole") from error


def read_secret(file: Path) -> str:
    """The secret that both sides have. Raises ConfigError."""
    try:
        mode = file.stat().st_mode
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("user_jwt_secret_unreadable", f"The file {file} cannot be read: {error}.") from error
    if mode & 0o077:
        raise ConfigError("user_jwt_secret_open", f"The file {file} can be read by others.", mend=f"chmod 600 {file}")
    if len(secret) < MIN_SECRET_CHARACTERS:
        detail = f"The secret in {file} has fewer than {MIN_SECRET_CHARACTERS} characters."
        raise ConfigError("user_jwt_secret_short", detail, mend="Make one: `openssl rand -hex 32`.")
    return secret


def _refused(why: str) -> RequestError:
    return RequestError(
        401, "user_jwt_invalid", f"What the chat page says of its user is not believed: {why}.",
        headers={"WWW-Authenticate": "Bearer"},
    )  # fmt: skip
