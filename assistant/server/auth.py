"""Who may come in over HTTP: bearer tokens, Tailscale's word, and the rule that without any only this machine may."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from starlette.datastructures import Headers

from assistant.config import Settings
from assistant.errors import ConfigError, StateError
from assistant.loopback import is_loopback
from assistant.roles import powers
from assistant.server.answers import RequestError
from assistant.server.chat_page_users import ChatPageUsers, read_secret
from assistant.server.identity import OWNER, Identity, through_a_proxy
from assistant.server.tailscale import Tailscale
from assistant.server.token_book import TokenBook
from assistant.token_terms import name_key
from assistant.tokens import FILE_NAME, Token, hashed
from assistant.tokens_file import read_lines
from tools.contract import Door

LOCAL_CLIENT = "local"
"""Name of the commands on this machine, which have the token of ``serve.json``."""

DOOR_HEADER = "x-jarvis-door"
"""``page`` from our own page, which is worth no more than HTTP is; the local commands say ``cli`` or ``repl``."""


@dataclass(frozen=True, slots=True)
class Authenticator:
    """``names``: of the tokens file, by the SHA-256 of each token; ``book``: of the state folder.

    Where there is neither, nobody on this machine needs a token (see ``check_binding``), but who comes through a proxy;
    ``exposed``: one is needed even when the last of them is gone.
    """

    names: Mapping[bytes, str | Identity]
    book: TokenBook | None = None
    local: bytes | None = field(default=None, repr=False)
    tailscale: Tailscale | None = None
    pages: ChatPageUsers | None = None
    exposed: bool = False

    @property
    def required(self) -> bool:
        """Whether a token is needed, as far as was looked: ``identify`` looks."""
        kept = self.book is not None and self.book.needed
        return bool(self.names) or kept or self.exposed or self.tailscale is not None

    async def identify(self, headers: Headers, peer: str) -> Identity:
        """Who a request's headers say it is. ``peer``: the address it comes from. Raises RequestError."""
        token = _bearer(headers)
        who = await self._by_token(token, headers) if token is not None else await self._without(headers, peer)
        if who is None:
            if self.required or through_a_proxy(headers):  # whoever comes through a proxy is not this machine
                raise _no_token(given=token is not None)
            who = OWNER
        if headers.get(DOOR_HEADER, "").casefold() == Door.PAGE.value:
            who = replace(who, door=Door.PAGE)
        return who if self.pages is None else self.pages.user(headers, who)

    async def ended(self, headers: Headers) -> bool:
        """Whether the token that a request came with was revoked or has expired since."""
        token = _bearer(headers)
        if token is None or self.book is None:
            return False
        with suppress(StateError):  # what cannot be looked up ends nothing that was let in
            kept = (await self.book.tokens()).get(hashed(token))
            return kept is not None and kept.state(self.book.now()) != "valid"
        return False

    def with_local(self, token: str) -> Authenticator:
        """The same, and the local commands' own token."""
        return replace(self, local=hashed(token))

    def at_home(self, state_dir: Path) -> Authenticator:
        """The same, with the tokens of that state folder where it has none yet."""
        return self if self.book is not None else replace(self, book=TokenBook(state_dir / FILE_NAME))

    async def close(self) -> None:
        """What is still to be written down of the tokens is. Idempotent."""
        if self.book is not None:
            await self.book.close()

    async def _without(self, headers: Headers, peer: str) -> Identity | None:
        """Who comes without a token. What is wrong with the tokens is not theirs to hear, and lets nobody in."""
        if self.book is not None:
            with suppress(StateError):
                await self.book.tokens()
        return self.tailscale.identity(headers) if self.tailscale is not None and is_loopback(peer) else None

    async def _by_token(self, token: str, headers: Headers) -> Identity | None:
        """Every known hash is compared, in constant time each, so that timing tells nothing. Raises RequestError."""
        offered = hashed(token)
        if self.local is not None and hmac.compare_digest(self.local, offered):
            return Identity(LOCAL_CLIENT if self.required else OWNER.name, door=_own_door(headers))
        for known, named in self.names.items():
            if hmac.compare_digest(known, offered):
                return named if isinstance(named, Identity) else Identity(named, counted=True)
        if self.book is None:
            return None
        try:
            kept = await self.book.tokens()
        except StateError as error:
            later = {"Retry-After": "30"}
            raise RequestError(503, error.code, "The tokens cannot be looked up.", error.mend, later) from error
        for sha256, found in kept.items():
            if hmac.compare_digest(sha256, offered):
                return _kept(self.book, sha256, found)
        return None


_ENDED = {"expired": "has expired", "revoked": "was revoked"}
_WANTED_ANOTHER = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


def _kept(book: TokenBook, sha256: bytes, token: Token) -> Identity:
    """Raises RequestError for one that opens nothing any more, which nobody but its holder is told."""
    state = token.state(book.now())
    if state != "valid":
        mend = "Ask whoever looks after this server for a new one: `jarvis token create`."
        raise RequestError(401, f"token_{state}", f"This token {_ENDED[state]}.", mend, _WANTED_ANOTHER)
    book.used(sha256)
    return Identity(token.name, token.role, token.only, token.room, counted=True)


def open_authenticator(settings: Settings, host: str, state_dir: Path) -> Authenticator:
    """All that the configuration and the state folder say about who may come in at that address.

    Raises ConfigError (files, a binding that lets everybody in), StateError (the tokens cannot be read).
    """
    access, known = settings.access, powers(settings.roles)
    if access.tailscale and not is_loopback(host):
        detail = f"With `access.tailscale` {host} cannot be bound: whoever reaches it could say to be anybody."
        raise ConfigError(
            "tailscale_needs_loopback", detail, mend="Bind 127.0.0.1, and let `tailscale serve` reach it."
        )
    book = TokenBook(state_dir / FILE_NAME)
    in_file = read_tokens(settings.server.tokens_file, known)
    _check_names(in_file, book.read().values(), settings.server.tokens_file)
    secret = access.user_jwt_secret_file
    authenticator = replace(
        in_file,
        book=book,
        tailscale=Tailscale(_folded(access.tailscale_users)) if access.tailscale else None,
        pages=None
        if secret is None
        else ChatPageUsers(read_secret(secret), access.user_jwt_header, _folded(access.user_jwt_roles), known),
        exposed=not is_loopback(host),
    )
    check_binding(host, authenticator)
    return authenticator


def read_tokens(file: Path | None, roles: Collection[str] = ()) -> Authenticator:
    """Of the tokens file alone. Raises ConfigError."""
    lines = read_lines(file, roles) if file is not None else {}
    return Authenticator({sha256: Identity(token.name, token.role, counted=True) for sha256, token in lines.items()})


def check_binding(host: str, authenticator: Authenticator) -> None:
    """Refuse to be reachable from other machines without tokens. Raises ConfigError."""
    kept = authenticator.book is not None and authenticator.book.needed
    if is_loopback(host) or authenticator.names or kept:
        return
    raise ConfigError(
        "open_to_everybody",
        f"Binding {host} would let every machine in the network in, because no tokens are configured.",
        mend="Make one with `jarvis token create` (or set `tokens_file` in [server]), or bind 127.0.0.1 behind a proxy "
        "that asks who it is.",
    )


def _check_names(in_file: Authenticator, kept: Iterable[Token], file: Path | None) -> None:
    keys = {name_key(token.name): token.name for token in kept if token.revoked is None}
    for named in in_file.names.values():
        name = named.name if isinstance(named, Identity) else named
        if (same := keys.get(name_key(name))) is not None:
            mend = f"`jarvis token revoke {same!r}`, or take the line out of {file}."
            detail = f"The name {name!r} stands in {file} and among the tokens of the state folder."
            raise ConfigError("token_exists", detail, mend=mend)


def _bearer(headers: Headers) -> str | None:
    """The token of ``Authorization: Bearer``; None for another scheme or none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.casefold() == "bearer" and token.strip() else None


def _own_door(headers: Headers) -> Door:
    return Door.REPL if headers.get(DOOR_HEADER, "").casefold() == Door.REPL.value else Door.CLI


def _folded(roles: Mapping[str, str]) -> dict[str, str]:
    return {name.casefold(): role for name, role in roles.items()}


def _no_token(*, given: bool) -> RequestError:
    wanted = _WANTED_ANOTHER if given else {"WWW-Authenticate": "Bearer"}
    return RequestError(401, "no_token", "A valid bearer token is needed.", "Authorization: Bearer …", wanted)
