"""Tailscale's word: who is behind its proxy on this machine."""

from __future__ import annotations

from email.header import Header
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from assistant.app import App
from assistant.config import Settings
from assistant.errors import ConfigError
from assistant.server.answers import RequestError
from assistant.server.auth import Authenticator, open_authenticator
from assistant.server.http import http_app
from assistant.server.tailscale import MAX_PERSON_CHARACTERS, Tailscale, is_login, person_of, word_of

USERS = Tailscale({"anna@example.com": "owner", "ben@github": "guest"})


def headers(**named: str) -> Headers:
    return Headers({f"Tailscale-{name.replace('_', '-')}": value for name, value in named.items()})


def test_a_login_has_the_role_that_the_configuration_gives_it() -> None:
    who = USERS.identity(headers(User_Login="Anna@Example.com", User_Name="Anna A."))
    assert who is not None
    assert (who.name, who.role, who.person, who.counted) == ("anna@example.com", "owner", "Anna A.", True)


def test_a_login_without_a_role_is_refused_with_the_setting() -> None:
    with pytest.raises(RequestError) as refused:
        USERS.identity(headers(User_Login="eve@example.com"))
    assert refused.value.answer.status_code == 403
    assert b"[access.tailscale_users]" in bytes(refused.value.answer.body)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"User_Login": ""},
        {"User_Login": "tagged-devices"},
        {"User_Login": "anna@example.com/x"},
        {"User_Login": "x" * 300 + "@example.com"},
        {"User_Login": "anna@example.com", "Funnel_Request": "?1"},
    ],
)
def test_what_is_no_login_is_nobody(said: dict[str, str]) -> None:
    assert USERS.identity(headers(**said)) is None


def test_two_logins_are_nobody() -> None:
    twice = [(b"tailscale-user-login", b"ben@github"), (b"tailscale-user-login", b"anna@example.com")]
    assert USERS.identity(Headers(raw=twice)) is None


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("Anna Arnold", "Anna Arnold"),
        ("=?utf-8?q?J=C3=BCrgen_M=C3=BCller?=", "Jürgen Müller"),
        ("=?utf-8?q?J=C3=BCrgen?= =?utf-8?q?_M=C3=BCller?=", "Jürgen Müller"),
        ("=?utf-8?b?w7w=?=", "ü"),
        ("=?iso-2022-jp?b?GyRC?=", None),
        ("=?utf-8?q?=FF?=", None),
        ("x" * 1001, None),
    ],
)
def test_words_come_encoded_as_rfc_2047_has_it(header: str, text: str | None) -> None:
    assert word_of(header) == text


@given(st.text(max_size=60))
def test_every_name_comes_back_as_it_was_said(name: str) -> None:
    shown = " ".join("".join(c if c.isprintable() else " " for c in name).split())[:MAX_PERSON_CHARACTERS]
    try:
        encoded = Header(name, "utf-8", maxlinelen=10_000).encode()
    except UnicodeError:
        return
    assert person_of(encoded) == (shown or None)


@given(st.text(st.characters(codec="latin-1"), max_size=200))
def test_no_header_makes_it_fail_or_unprintable(header: str) -> None:
    person = person_of(header)
    assert person is None or (person.isprintable() and len(person) <= MAX_PERSON_CHARACTERS)
    assert not is_login(header) or "@" in header


async def test_the_headers_count_from_this_machine_only_and_a_token_goes_before_them() -> None:
    authenticator = Authenticator({}, tailscale=USERS).with_local("the-local-token")
    said = {"Tailscale-User-Login": "ben@github"}
    assert (await authenticator.identify(Headers(said), "127.0.0.1")).name == "ben@github"
    assert (await authenticator.identify(Headers(said), "::1")).name == "ben@github"
    both = Headers({**said, "Authorization": "Bearer the-local-token"})
    assert (await authenticator.identify(both, "127.0.0.1")).name == "local"
    for at, these in (
        ("192.168.1.20", said),
        ("", said),
        ("127.0.0.1", {}),
        ("127.0.0.1", {**said, "Authorization": "Bearer wrong"}),
    ):
        with pytest.raises(RequestError) as refused:
            await authenticator.identify(Headers(these), at)
        assert refused.value.answer.status_code == 401


async def test_without_the_setting_the_headers_say_nothing() -> None:
    guarded = Authenticator({b"\0" * 32: "phone"})
    with pytest.raises(RequestError):
        await guarded.identify(Headers({"Tailscale-User-Login": "anna@example.com"}), "127.0.0.1")


def settings(**access: object) -> Settings:
    return Settings.model_validate({"access": access})


def test_it_is_refused_to_believe_them_where_others_reach_the_port(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        open_authenticator(settings(tailscale=True), "0.0.0.0", tmp_path)
    assert refused.value.code == "tailscale_needs_loopback"
    assert "tailscale serve" in refused.value.mend
    assert open_authenticator(settings(tailscale=True), "127.0.0.1", tmp_path).required


async def test_behind_the_proxy_everybody_is_somebody_of_their_own(app: App) -> None:
    web = http_app(app, Authenticator({}, tailscale=USERS))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web), base_url="http://localhost") as client:
        anna = (await client.get("/api/me", headers={"Tailscale-User-Login": "anna@example.com"})).json()
        ben = (await client.get("/api/me", headers={"Tailscale-User-Login": "ben@github"})).json()
        eve = await client.get("/api/me", headers={"Tailscale-User-Login": "eve@example.com"})
        nobody = await client.get("/api/me")
    assert [(one["name"], one["may"], one["manages_tokens"]) for one in (anna, ben)] == [
        ("anna@example.com", "destructive", True),
        ("ben@github", "read", False),
    ]
    assert (eve.status_code, eve.json()["error"]["code"]) == (403, "unknown_login")
    assert nobody.status_code == 401
