"""``GET /api/me``: who one is here. ``/api/tokens``: the tokens of the house, for its owner.

``docs/access-tokens.md`` is their page.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from assistant.app import App, app_version
from assistant.errors import ConfigError, StateError
from assistant.roles import OWNER
from assistant.server.answers import RequestError
from assistant.server.auth import Authenticator
from assistant.server.bodies import bounded_body
from assistant.server.identity import Identity, identity
from assistant.token_link import check_url, sign_in_link, svg
from assistant.token_making import doubts, new_token, token_json, tokens_in_file
from assistant.tokens import FILE_NAME, Token, TokenStore
from tools.contract import JsonObject, Level

P = ParamSpec("P")
T = TypeVar("T")

MAX_BODY_BYTES = 20_000
_NO_STORE = {"Cache-Control": "no-store"}
_FIRST = "From now on everybody needs a token here, this page too. `jarvis token create` on the server makes more."
_STATUS = {"token_exists": 409, "too_many_tokens": 409, "unknown_token": 404}


class NewToken(BaseModel):
    """``POST /api/tokens``; ``url``: where the device will reach this server, for the link and its QR code."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(max_length=200)
    role: str = Field(default="member", max_length=100)
    only: list[str] = Field(default=[], max_length=200)
    room: str | None = Field(default=None, max_length=200)
    expires: str | None = Field(default=None, max_length=40)
    url: str | None = Field(default=None, max_length=500)


class TokenDoors:
    """The routes over one app."""

    def __init__(self, app: App, authenticator: Authenticator) -> None:
        self._app = app
        self._authenticator = authenticator
        self._store = TokenStore(app.state.path / FILE_NAME)

    @property
    def routes(self) -> list[Route]:
        """To be added to the application's."""
        return [
            Route("/api/me", self.me),
            Route("/api/tokens", self.listed),
            Route("/api/tokens", self.create, methods=["POST"]),
            Route("/api/tokens/{name}", self.revoke, methods=["DELETE"]),
        ]

    async def me(self, _: Request) -> Response:
        """Who one is, and what that is good for at this door at most."""
        who = identity.get()
        rights = self._app.house.access.rights(who.caller())
        shown: JsonObject = {
            "name": who.name,
            "person": who.person,
            "role": who.role,
            "may": rights.may.value,
            "protected": rights.protected,
            "only": [grant for limit in rights.limits for grant in limit],
            "room": who.room,
            "version": app_version(),
            "tokens_required": self._authenticator.required,
            "manages_tokens": self._is_owner(who),
        }
        return JSONResponse(shown, headers=_NO_STORE)

    async def listed(self, _: Request) -> Response:
        """The tokens there are, without what opens."""
        self._owner()
        kept = [token for token in await _said(self._store.tokens) if token.revoked is None]
        in_file = await _said(tokens_in_file, self._app.settings)
        shown = [token_json(token, time.time()) for token in kept]
        shown += [token_json(token, time.time(), in_file=True) for token in in_file]
        return JSONResponse({"tokens": shown}, headers=_NO_STORE)

    async def create(self, request: Request) -> Response:
        """A new token: shown now and never again."""
        by = self._owner().name
        wanted = _read(await bounded_body(request, MAX_BODY_BYTES))
        settings, needed = self._app.settings, self._authenticator.required

        def make() -> tuple[Token, str, str]:
            url = check_url(wanted.url or str(request.base_url))
            made = self._store.create(new_token(settings, by=by, **wanted.model_dump(exclude={"url"})))
            return *made, url

        token, secret, url = await _said(make)
        link = sign_in_link(url, secret)
        shown = {**token_json(token, time.time()), "token": secret, "link": link, "qr_svg": svg(link)}
        told = list(doubts(settings, token)) + ([] if needed else [_FIRST])
        return JSONResponse({**shown, "doubts": told, "first": not needed}, status_code=201, headers=_NO_STORE)

    async def revoke(self, request: Request) -> Response:
        """It opens nothing any more."""
        by = self._owner().name
        revoked = await _said(self._store.revoke, request.path_params["name"], by)
        return JSONResponse({"revoked": revoked.name}, headers=_NO_STORE)

    def _owner(self) -> Identity:
        """Who asks, if the tokens are theirs to manage. Raises RequestError."""
        who = identity.get()
        if not self._is_owner(who):
            message = "Tokens are for the owner, at a door that is good for it, with a token that is not limited."
            raise RequestError(403, "not_the_owner", message, "Or use `jarvis token` on the server itself.")
        return who

    def _is_owner(self, who: Identity) -> bool:
        """Also by the measure of the door: a door that is worth less gives no tokens that are worth more."""
        rights = self._app.house.access.rights(who.caller())
        whole = rights.protected and rights.reaches(Level.DESTRUCTIVE) and not rights.limits
        return whole and who.role == OWNER and who.room is None


def _read(body: bytes) -> NewToken:
    """Raises RequestError."""
    try:
        return NewToken.model_validate(json.loads(body))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:100] or "the body"
        raise RequestError(400, "bad_token", f"{where}: {first['msg']}."[:300]) from error
    except (ValueError, RecursionError) as error:
        raise RequestError(400, "bad_json", "The body is no JSON.") from error


async def _said(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """In a thread; what is wrong as an answer. Raises RequestError."""
    try:
        return await asyncio.to_thread(work, *args, **kwargs)
    except ConfigError as error:
        raise RequestError(_STATUS.get(error.code, 400), error.code, error.detail, error.mend) from error
    except StateError as error:
        raise RequestError(503, error.code, error.detail, error.mend, {"Retry-After": "30"}) from error
