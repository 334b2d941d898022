"""Who may come in: tokens, loopback, Host and Origin."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from assistant.app import App
from assistant.errors import ConfigError
from assistant.loopback import is_loopback
from assistant.server.answers import RequestError
from assistant.server.auth import Authenticator, check_binding, read_tokens
from assistant.server.http import http_app
from assistant.tokens import hashed
from tools.contract import Door

TOKEN = "correct-horse-battery"


def tokens_file(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    file = tmp_path / "tokens"
    file.write_text(text)
    file.chmod(mode)
    return file


async def name_of(authenticator: Authenticator, header: str) -> str | None:
    raw = header.encode("utf-8", "surrogatepass")
    try:
        return (await authenticator.identify(Headers(raw=[(b"authorization", raw)]), "127.0.0.1")).name
    except RequestError as refused:
        return None if refused.answer.status_code == 401 else f"status {refused.answer.status_code}"


async def test_tokens_are_read_with_comments_and_kept_as_hashes(tmp_path: Path) -> None:
    authenticator = read_tokens(tokens_file(tmp_path, f"# phones\n\nphone: {TOKEN}\n"))
    assert await name_of(authenticator, f"Bearer {TOKEN}") == "phone"
    assert TOKEN.encode() not in b"".join(authenticator.names)


@pytest.mark.parametrize(
    ("text", "mode", "code"),
    [
        (f"phone:{TOKEN}", 0o644, "tokens_open"),
        ("phone", 0o600, "tokens_invalid"),
        ("phone:short", 0o600, "tokens_invalid"),
        ("# nothing\n", 0o600, "tokens_empty"),
    ],
)
def test_a_bad_tokens_file_is_refused_with_the_mend(tmp_path: Path, text: str, mode: int, code: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_tokens(tokens_file(tmp_path, text, mode))
    assert refused.value.code == code
    assert refused.value.mend
    assert TOKEN not in str(refused.value)


def test_a_missing_tokens_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_tokens(tmp_path / "none")


@given(st.text(max_size=40))
def test_no_other_header_opens_the_door(header: str) -> None:
    authenticator = Authenticator({}).with_local("x")
    assert not authenticator.required
    guarded = Authenticator({b"\0" * 32: "phone"})
    assert asyncio.run(name_of(guarded, header)) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "nas.lan"])
def test_other_addresses_are_not_bound_without_tokens(host: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check_binding(host, Authenticator({}))
    assert refused.value.code == "open_to_everybody"
    assert "tokens_file" in refused.value.mend
    check_binding(host, Authenticator({b"\0" * 32: "phone"}))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_loopback_needs_no_tokens(host: str) -> None:
    assert is_loopback(host)
    check_binding(host, Authenticator({}))


@pytest.mark.parametrize(
    ("path", "status"), [("/command", 401), ("/mcp", 401), ("/turns/x/events", 401), ("/health", 200)]
)
async def test_with_tokens_every_door_but_health_wants_one(app: App, tmp_path: Path, path: str, status: int) -> None:
    web = http_app(app, read_tokens(tokens_file(tmp_path, f"phone:{TOKEN}")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web), base_url="http://localhost") as client:
        without = await client.get(path)
        assert without.status_code == status
        wrong = await client.get(path, headers={"Authorization": "Bearer wrong"})
        assert wrong.status_code == status
        if status == 401:
            assert without.headers["www-authenticate"] == "Bearer"


async def test_the_caller_is_named_by_the_token_and_conversations_are_apart(app: App, tmp_path: Path) -> None:
    text = f"phone:{TOKEN}\ntablet:{TOKEN}-too\n"
    web = http_app(app, read_tokens(tokens_file(tmp_path, text)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web), base_url="http://localhost") as client:
        for token in (TOKEN, f"{TOKEN}-too"):
            headers = {"Authorization": f"Bearer {token}"}
            answer = await client.post("/command", json={"text": "is gitea up?"}, headers=headers)
            assert answer.status_code == 200
    audited = [line["who"] for line in app.house.audit_lines()]
    assert audited == ["tablet", "phone"]
    assert {"phone/http", "tablet/http"} <= set(app._conversations)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost:99"}, 200),
        ({"Host": "127.0.0.1"}, 200),
        ({"Host": "[::1]:8765"}, 200),
        ({"Host": "evil.example"}, 421),
        ({"Host": "localhost.evil.example"}, 421),
        ({"Host": ""}, 421),
        ({"Host": "localhost/command?"}, 421),
        ({"Host": "someone@localhost"}, 421),
        ({"Host": "localhost:80:80"}, 421),
        ({"Host": "localhost%00"}, 421),
        ({"Host": "[::1"}, 421),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Origin": "http://[::1"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
async def test_foreign_hosts_and_origins_are_refused(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    assert (await client.get("/health", headers=headers)).status_code == status


@pytest.mark.parametrize("host", ["nas.lan", "NAS.lan:8765", "192.168.1.5:8765", "[fd00::5]"])
async def test_configured_names_and_the_bound_address_are_answered(app: App, host: str) -> None:
    server = app.settings.server.model_copy(update={"allowed_hosts": ("Nas.lan", "[fd00::5]")})
    app.settings = app.settings.model_copy(update={"server": server})
    web = http_app(app, Authenticator({}), bound_host="192.168.1.5")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web), base_url="http://localhost") as client:
        assert (await client.get("/health", headers={"Host": host})).status_code == 200
        assert (await client.get("/health", headers={"Host": "192.168.1.6"})).status_code == 421


async def test_an_unknown_name_is_said_with_the_setting_that_allows_it(client: httpx.AsyncClient) -> None:
    error = (await client.get("/health", headers={"Host": "nas.lan:8765"})).json()["error"]
    assert "'nas.lan:8765'" in error["message"]
    assert "allowed_hosts" in error["mend"]


@pytest.mark.parametrize(
    "path", ["//health", "/health/", "/health/../ready", "/ready?/health", "/HEALTH", "/%2e/health"]
)
async def test_only_the_health_page_itself_is_open(app: App, tmp_path: Path, path: str) -> None:
    web = http_app(app, read_tokens(tokens_file(tmp_path, f"phone:{TOKEN}")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web), base_url="http://localhost") as client:
        assert (await client.get(f"http://localhost{path}")).status_code == 401


async def test_a_turn_is_there_only_for_the_token_that_started_it(app: App, tmp_path: Path) -> None:
    web = http_app(app, read_tokens(tokens_file(tmp_path, f"phone:{TOKEN}\ntablet:{TOKEN}-too\n")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web), base_url="http://localhost") as client:
        phone, tablet = ({"Authorization": f"Bearer {token}"} for token in (TOKEN, f"{TOKEN}-too"))
        turn = (await client.post("/command", json={"text": "is gitea up?"}, headers=phone)).json()["turn_id"]
        assert (await client.get(f"/turns/{turn}/events", headers=phone)).status_code == 200
        other = await client.get(f"/turns/{turn}/events", headers=tablet)
        assert (other.status_code, other.json()["error"]["code"]) == (404, "unknown_turn")


async def test_the_local_token_is_wanted_only_where_tokens_are() -> None:
    guarded = Authenticator({b"\0" * 32: "phone"}).with_local("a-local-token-of-this-start")
    assert await name_of(guarded, "Bearer a-local-token-of-this-start") == "local"
    assert await name_of(guarded, "bearer  a-local-token-of-this-start") == "local"
    assert await name_of(guarded, "Basic a-local-token-of-this-start") is None
    assert await name_of(Authenticator({}), "") == "owner"


@pytest.mark.parametrize(
    ("token", "said", "door"),
    [
        ("local", "", Door.CLI),
        ("local", "repl", Door.REPL),
        ("local", "microphone", Door.CLI),
        ("local", "page", Door.PAGE),
        ("phone", "", Door.HTTP),
        ("phone", "PAGE", Door.PAGE),
        ("phone", "cli", Door.HTTP),
        ("phone", "repl", Door.HTTP),
        ("phone", "schedule", Door.HTTP),
    ],
)
async def test_the_door_is_the_commands_own_the_page_or_http_and_not_what_anybody_says(
    token: str, said: str, door: Door
) -> None:
    authenticator = Authenticator({hashed("phone"): "local"}).with_local("local")
    headers = Headers({"Authorization": f"Bearer {token}", "X-Jarvis-Door": said})
    who = await authenticator.identify(headers, "127.0.0.1")
    assert (who.door, who.caller().door, who.caller(Door.MCP).door) == (door, door, Door.MCP)
    assert who.role == "owner"


async def test_where_no_token_is_needed_the_commands_are_the_owner_at_their_own_door() -> None:
    authenticator = Authenticator({}).with_local("local")
    for header, door in (("Bearer local", Door.CLI), ("Bearer other", Door.HTTP), ("", Door.HTTP)):
        who = await authenticator.identify(Headers({"Authorization": header}), "127.0.0.1")
        assert (who.name, who.role, who.door, who.counted) == ("owner", "owner", door, False)


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
async def test_who_comes_through_a_proxy_is_not_this_machine(header: str) -> None:
    authenticator = Authenticator({})
    assert (await authenticator.identify(Headers({}), "127.0.0.1")).role == "owner"
    with pytest.raises(RequestError) as refused:
        await authenticator.identify(Headers({header: "192.168.1.20"}), "127.0.0.1")
    assert refused.value.answer.status_code == 401
