"""Who may come in: tokens, loopback, Host and Origin."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.app import App
from assistant.errors import ConfigError
from assistant.server.auth import Authenticator, check_binding, is_loopback, read_tokens
from assistant.server.http import http_app

TOKEN = "correct-horse-battery"


def tokens_file(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    file = tmp_path / "tokens"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_tokens_are_read_with_comments_and_kept_as_hashes(tmp_path: Path) -> None:
    authenticator = read_tokens(tokens_file(tmp_path, f"# phones\n\nphone: {TOKEN}\n"))
    assert authenticator.name_of(f"Bearer {TOKEN}") == "phone"
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
    assert guarded.name_of(header) is None


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
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
async def test_foreign_hosts_and_origins_are_refused(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    assert (await client.get("/health", headers=headers)).status_code == status
