"""``/api/me`` and ``/api/tokens``: who one is here, and the owner's tokens."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.app import App
from assistant.server.auth import Authenticator
from assistant.server.http import http_app
from assistant.server.identity import Identity
from assistant.tokens import Token, TokenStore, hashed
from tests.server.conftest import listening
from tools.contract import Caller, Door
from tools.settings_access import AccessSettings

OWNER = {"Authorization": "Bearer the-owners-token"}
NOT_OWNERS = {
    "member": Identity("tom", "member"),
    "limited": Identity("anna", "owner", ("vm:windows",)),
    "in-a-room": Identity("tablet", "owner", room="kitchen"),
    "named-a-guest": Identity("ben", "owner"),
}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def web(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """A house with an owner's token and some that are less."""
    app.settings = app.settings.model_copy(update={"guests": ("ben",)})
    app.house.access = type(app.house.access).of(app.settings, app.house.names)
    names = {hashed(token): who for token, who in NOT_OWNERS.items()}
    authenticator = Authenticator({hashed("the-owners-token"): Identity("me", "owner"), **names})
    transport = httpx.ASGITransport(app=http_app(app, authenticator))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as client:
        yield client


@pytest.fixture
def store(app: App) -> TokenStore:
    return TokenStore(app.state.path / "tokens.db")


async def test_a_token_is_made_shown_once_used_and_revoked(web: httpx.AsyncClient, store: TokenStore) -> None:
    wanted = {"name": "kitchen tablet", "role": "guest", "only": ["area:kitchen"], "room": "kitchen", "expires": "90d"}
    made = await web.post("/api/tokens", json={**wanted, "url": "http://nuc.lan:8765"}, headers=OWNER)
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    token = made.json()["token"]
    assert made.json()["link"] == f"http://nuc.lan:8765/#token={token}"
    assert made.json()["qr_svg"].startswith("<svg ")
    me = (await web.get("/api/me", headers=bearer(token))).json()
    assert (me["name"], me["role"], me["may"], me["only"], me["room"]) == (
        "kitchen tablet", "guest", "read", ["area:kitchen"], "kitchen",
    )  # fmt: skip
    listed = await web.get("/api/tokens", headers=OWNER)
    assert [(one["name"], one["state"], one["made_by"]) for one in listed.json()["tokens"]] == [
        ("kitchen tablet", "valid", "me")
    ]
    assert token not in listed.text
    gone = await web.delete("/api/tokens/kitchen%20tablet", headers=OWNER)
    assert gone.json() == {"revoked": "kitchen tablet"}
    refused = await web.get("/api/me", headers=bearer(token))
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "token_revoked")
    assert (await web.get("/api/tokens", headers=OWNER)).json() == {"tokens": []}
    assert len(store.tokens()) == 1


async def test_tokens_are_nobodys_but_the_whole_owners(web: httpx.AsyncClient, store: TokenStore) -> None:
    store.create(Token("phone", "member"))
    for token in NOT_OWNERS:
        for request in (
            web.build_request("GET", "/api/tokens"),
            web.build_request("POST", "/api/tokens", json={"name": "x"}),
            web.build_request("DELETE", "/api/tokens/phone"),
        ):
            request.headers.update(bearer(token))
            answer = await web.send(request)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_the_owner"), token
        assert (await web.get("/api/me", headers=bearer(token))).json()["manages_tokens"] is False
    assert [one.state(0.0) for one in store.tokens()] == ["valid"]


async def test_a_door_that_is_worth_less_gives_no_tokens(app: App, web: httpx.AsyncClient) -> None:
    access = AccessSettings(doors={Door.HTTP: "member"})
    app.house.access = type(app.house.access).of(app.settings.model_copy(update={"access": access}))
    for said in ({}, {"X-Jarvis-Door": "page"}, {"X-Jarvis-Door": "cli"}):
        answer = await web.post("/api/tokens", json={"name": "x", "role": "owner"}, headers={**OWNER, **said})
        assert answer.status_code == 403, said


REFUSED = [
    (b"{", 400, "bad_json"),
    (b"[" * 15_000, 400, "bad_json"),
    (b"[]", 400, "bad_token"),
    (b"{}", 400, "bad_token"),
    (b'{"name": "phone", "roles": "owner"}', 400, "bad_token"),
    (b'{"name": "phone", "only": "vm:windows"}', 400, "bad_token"),
    (b'{"name": "phone", "only": ["windows"]}', 400, "bad_grant"),
    (b'{"name": "phone", "role": "boss"}', 400, "unknown_role"),
    (b'{"name": "a/b"}', 400, "bad_token_name"),
    (b'{"name": "phone", "expires": "soon"}', 400, "bad_expiry"),
    (b'{"name": "phone", "url": "javascript:alert(1)"}', 400, "bad_url"),
    (b'{"name": "taken"}', 409, "token_exists"),
    (b'{"name": "\\ud800"}', 400, "bad_token"),
    (b'{"name": "' + b"x" * 30_000 + b'"}', 413, "too_large"),
]


async def test_what_cannot_be_made_is_refused_and_nothing_is(web: httpx.AsyncClient, store: TokenStore) -> None:
    store.create(Token("taken", "member"))
    for body, status, code in REFUSED:
        answer = await web.post("/api/tokens", content=body, headers=OWNER)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), body[:60]
    assert len(store.tokens()) == 1


async def test_a_token_that_is_not_there_cannot_be_revoked(web: httpx.AsyncClient) -> None:
    for name in ("phone", "%00", "..", "a%2Fb"):
        assert (await web.delete(f"/api/tokens/{name}", headers=OWNER)).status_code in (404, 405)


async def test_a_damaged_file_is_said(web: httpx.AsyncClient, store: TokenStore) -> None:
    store.path.write_bytes(b"no database" * 500)
    for answer in (
        await web.get("/api/tokens", headers=OWNER),
        await web.post("/api/tokens", json={"name": "x"}, headers=OWNER),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "tokens_unusable")


async def test_a_stream_ends_with_its_token_and_no_other(
    app: App, store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.server.message_doors.LOOK_EVERY_S", 0.02)
    web = http_app(app, Authenticator({}))
    (_, phone), (_, tablet) = (store.create(Token(name, "member")) for name in ("phone", "tablet"))
    events = {"Accept": "text/event-stream", "Last-Event-ID": "0"}
    async with (
        listening(web) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client,
        client.stream("GET", "/announcements", headers={**bearer(phone), **events}) as lost,
        client.stream("GET", "/announcements", headers={**bearer(tablet), **events}) as kept,
    ):
        assert (lost.status_code, kept.status_code) == (200, 200)
        store.revoke("phone", "a test")
        app.house.messages.add("The door is open.", Caller(name="house", door=Door.SCHEDULE))
        assert [line async for line in lost.aiter_lines() if line.startswith("data:")] == []  # and it ends
        async for line in kept.aiter_lines():
            if line.startswith("data:"):
                assert "The door is open." in line
                break
        web.state.messages.end_streams()


async def test_the_first_token_closes_an_open_server_at_once(client: httpx.AsyncClient) -> None:
    before = (await client.get("/api/me", headers={"X-Jarvis-Door": "page"})).json()
    assert (before["name"], before["tokens_required"], before["manages_tokens"]) == ("owner", False, True)
    first = (await client.post("/api/tokens", json={"name": "browser", "role": "owner"})).json()
    assert first["first"] is True
    assert any("this page too" in doubt for doubt in first["doubts"])
    assert (await client.get("/api/me")).status_code == 401
    after = (await client.get("/api/me", headers=bearer(first["token"]))).json()
    assert (after["name"], after["tokens_required"], after["manages_tokens"]) == ("browser", True, True)
    second = await client.post("/api/tokens", json={"name": "phone"}, headers=bearer(first["token"]))
    assert second.json()["first"] is False


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["name", "role", "only", "room", "expires", "url"]), inner)
        ),
        max_leaves=6,
    )
)
async def test_no_body_is_a_bug(web: httpx.AsyncClient, body: object) -> None:
    answer = await web.post("/api/tokens", content=json.dumps(body), headers=OWNER)
    assert answer.status_code in (201, 400, 409)
