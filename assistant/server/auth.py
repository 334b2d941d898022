"""Who may come in over HTTP: bearer tokens, and the rule that without any only this machine may."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import ConfigError

LOCAL_CLIENT = "local"
"""Name of the commands on this machine, which have the token of ``serve.json``."""


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Names of tokens by the SHA-256 of the token; empty: nobody needs one (loopback only, see ``check_binding``)."""

    names: Mapping[bytes, str]

    @property
    def required(self) -> bool:
        """Whether a token is needed."""
        return bool(self.names)

    def name_of(self, authorization: str | None) -> str | None:
        """Who a request's Authorization header says it is; None: nobody that is known.

        Every known hash is compared, in constant time each, so that timing tells nothing.
        """
        if not self.required:
            return "owner"
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.casefold() != "bearer" or not token:
            return None
        offered = hashlib.sha256(token.strip().encode()).digest()
        found = [name for known, name in self.names.items() if hmac.compare_digest(known, offered)]
        return found[0] if found else None

    def with_local(self, token: str) -> Authenticator:
        """The same, and the local commands' own token where tokens are needed at all."""
        if not self.required:
            return self
        return Authenticator({**self.names, hashlib.sha256(token.encode()).digest(): LOCAL_CLIENT})


def read_tokens(file: Path | None) -> Authenticator:
    """From ``name:token`` lines; blank lines and # comments pass. Raises ConfigError."""
    if file is None:
        return Authenticator({})
    try:
        mode = file.stat().st_mode
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("tokens_unreadable", f"The tokens file {file} cannot be read: {error}.") from error
    if mode & 0o077:
        detail = f"The tokens file {file} can be read by others."
        raise ConfigError("tokens_open", detail, mend=f"chmod 600 {file}")
    names: dict[bytes, str] = {}
    for number, line in enumerate(lines, 1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        name, colon, token = (part.strip() for part in entry.partition(":"))
        if not name or not colon or len(token) < MIN_TOKEN_CHARACTERS:
            detail = f"Line {number} of {file} is not `name:token` with {MIN_TOKEN_CHARACTERS} characters or more."
            raise ConfigError("tokens_invalid", detail, mend="Make one: `openssl rand -hex 24`.")
        names[hashlib.sha256(token.encode()).digest()] = name
    if not names:
        detail = f"The tokens file {file} has no token in it."
        raise ConfigError("tokens_empty", detail, mend="Add a line `phone:…`.")
    return Authenticator(names)


MIN_TOKEN_CHARACTERS = 16


def is_loopback(host: str) -> bool:
    """Whether binding to ``host`` keeps other machines out."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_binding(host: str, authenticator: Authenticator) -> None:
    """Refuse to be reachable from other machines without tokens. Raises ConfigError."""
    if is_loopback(host) or authenticator.required:
        return
    raise ConfigError(
        "open_to_everybody",
        f"Binding {host} would let every machine in the network in, because no tokens are configured.",
        mend="Set `tokens_file` in [server], or bind 127.0.0.1 behind a proxy that asks who it is.",
    )
