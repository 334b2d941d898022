"""Whom a chat page speaks for: Open WebUI's signed header."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from assistant.app import App
from assistant.config import Settings
from assistant.errors import ConfigError
from assistant.roles import powers
from assistant.server.answers import RequestError
from assistant.server.auth import Authenticator, open_authenticator
from assistant.server.chat_page_users import CLOCK_SKEW_S, ChatPageUsers, read_secret
from assistant.server.http import http_app
from assistant.server.identity import Identity
from assistant.tokens import hashed
from tools.settings_access import RoleSettings

SECRET = "a-secret-of-more-than-sixty-four-characters-so-that-HS512-signs-too!"
HEADER = "X-OpenWebUI-User-Jwt"
ROLES = {"anna@example.com": "owner", "role:admin": "member", "child@example.com": "child"}
PAGE = Identity("open webui", "member", ("vm:windows",), "study", counted=True)


def users(**changes: Any) -> ChatPageUsers:
    known = powers({"child": RoleSettings(only=("area:nursery",))})
    return ChatPageUsers(**{"secret": SECRET, "header": HEADER, "roles": ROLES, "known": known, **changes})


def signed(secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    """As Open WebUI 0.12 signs it."""
    now = int(time.time())
    told = {"sub": "671fa9fb", "email": "ben@example.com", "name": "Ben", "role": "user", "iss": "open-webui"}
    told |= {"iat": now, "exp": now + 300} | claims
    return jwt.encode({key: value for key, value in told.items() if value is not None}, secret, algorithm=algorithm)


def user(token: str, page: Identity = PAGE, **changes: Any) -> Identity:
    return users(**changes).user(Headers({HEADER: token}), page)


def refusal(token: str, page: Identity = PAGE, **changes: Any) -> tuple[int, str]:
    with pytest.raises(RequestError) as refused:
        user(token, page, **changes)
    answer = refused.value.answer
    return answer.status_code, json.loads(bytes(answer.body))["error"]["code"]


def test_the_user_has_a_name_of_their_own_and_what_the_page_is_limited_to() -> None:
    who = user(signed(email="Ben@Example.com"))
    assert (who.name, who.role, who.person) == ("ben@example.com", "guest", "Ben")
    assert (who.only, who.room, who.counted) == (PAGE.only, PAGE.room, True)


@pytest.mark.parametrize(
    ("claims", "page", "role"),
    [
        ({"email": "anna@example.com"}, "owner", "owner"),
        ({"email": "anna@example.com"}, "member", "member"),  # never more than the token's
        ({"email": "anna@example.com"}, "guest", "guest"),
        ({"role": "admin"}, "owner", "member"),
        ({"role": "admin", "email": "child@example.com"}, "owner", "child"),  # the address goes before the role
        ({"role": "user"}, "owner", "guest"),  # who is not named only looks
        ({"role": None}, "owner", "guest"),
        ({"role": ["admin"]}, "owner", "guest"),
    ],
)
def test_the_role_is_the_least_of_the_users_and_the_tokens(claims: dict[str, Any], page: str, role: str) -> None:
    assert user(signed(**claims), Identity("page", page)).role == role


def test_without_a_table_the_page_decides_who_comes_in_and_its_token_as_what() -> None:
    assert user(signed(), roles={}).role == "member"


def test_roles_that_are_not_part_of_each_other_are_refused_rather_than_guessed() -> None:
    page = Identity("page", "nurse")
    known = powers({"nurse": RoleSettings(only=("area:bath",)), "child": RoleSettings(only=("area:nursery",))})
    assert refusal(signed(email="child@example.com"), page, known=known) == (403, "roles_do_not_fit")


def unsigned() -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = jwt.decode(signed(), options={"verify_signature": False})
    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}."


def with_rsa() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return signed(secret=pem.decode(), algorithm="RS256")


@pytest.mark.parametrize(
    "made",
    [
        lambda: "",
        lambda: "a.b.c",
        lambda: "x" * 5000,
        unsigned,
        with_rsa,
        lambda: signed(algorithm="HS512"),
        lambda: signed(secret="another-secret-of-more-than-thirty-two-characters"),
        lambda: signed(exp=int(time.time() - CLOCK_SKEW_S - 5)),
        lambda: signed(exp=None),
        lambda: signed(iat=None),
        lambda: signed(iat=int(time.time() + CLOCK_SKEW_S + 60)),
        lambda: signed(iss=None),
        lambda: signed(iss="somebody"),
        lambda: signed(email=None),
        lambda: signed(email=""),
        lambda: signed(email="local"),
        lambda: signed(email="phone/http@x"),
        lambda: signed(email=["anna@example.com"]),
        lambda: signed()[:-2],
    ],
)
def test_whatever_is_not_whole_signed_and_in_time_is_refused(made: Callable[[], str]) -> None:
    assert refusal(made()) == (401, "user_jwt_invalid")  # made now: the suite was collected minutes ago


def test_clocks_may_be_a_little_apart() -> None:
    assert user(signed(exp=int(time.time() - CLOCK_SKEW_S / 2))).name == "ben@example.com"


def test_two_signed_headers_are_no_user() -> None:
    raw = [(HEADER.lower().encode(), signed().encode()), (HEADER.lower().encode(), signed(role="admin").encode())]
    with pytest.raises(RequestError):
        users().user(Headers(raw=raw), PAGE)


def test_what_is_not_signed_says_nothing() -> None:
    plain = {"X-OpenWebUI-User-Email": "anna@example.com", "X-OpenWebUI-User-Role": "admin"}
    assert users().user(Headers(plain), PAGE) == PAGE


@given(st.text(st.characters(codec="latin-1"), max_size=200))
def test_no_header_of_chance_is_somebody(header: str) -> None:
    with pytest.raises(RequestError):
        user(header)


async def test_the_signed_header_alone_opens_nothing(app: App) -> None:
    page = Identity("open webui", "member", counted=True)
    web = http_app(app, Authenticator({hashed("the-token-of-the-page"): page}, pages=users()))
    bearer = {"Authorization": "Bearer the-token-of-the-page"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web), base_url="http://localhost") as client:
        assert (await client.get("/api/me", headers={HEADER: signed()})).status_code == 401
        assert (await client.get("/api/me", headers=bearer)).json()["name"] == "open webui"
        both = await client.get("/api/me", headers={**bearer, HEADER: signed(role="admin")})
        assert (both.json()["name"], both.json()["role"]) == ("ben@example.com", "member")
        await client.post("/command", json={"text": "is gitea up?"}, headers={**bearer, HEADER: signed(role="admin")})
    assert app.house.audit_lines()[0]["who"] == "ben@example.com"


def secret_file(tmp_path: Path, text: str = SECRET, mode: int = 0o600) -> Path:
    file = tmp_path / "secret"
    file.write_text(text)
    file.chmod(mode)
    return file


@pytest.mark.parametrize(
    ("text", "mode", "code"),
    [
        (SECRET, 0o644, "user_jwt_secret_open"),
        ("short", 0o600, "user_jwt_secret_short"),
        ("", 0o600, "user_jwt_secret_short"),
    ],
)
def test_a_bad_secret_file_is_refused_with_the_mend(tmp_path: Path, text: str, mode: int, code: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_secret(secret_file(tmp_path, text, mode))
    assert refused.value.code == code
    assert refused.value.mend
    with pytest.raises(ConfigError, match="cannot be read"):
        read_secret(tmp_path / "none")


def test_it_is_set_up_from_the_configuration(tmp_path: Path) -> None:
    access = {
        "user_jwt_secret_file": secret_file(tmp_path, f"{SECRET}\n"),
        "user_jwt_roles": {"Ben@Example.com": "member"},
    }
    authenticator = open_authenticator(Settings.model_validate({"access": access}), "127.0.0.1", tmp_path)
    assert authenticator.pages is not None
    assert authenticator.pages.user(Headers({HEADER: signed()}), Identity()).role == "member"
