"""/mcp through the mount, over a real socket, in every protocol that is still out there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from assistant.app import App
from assistant.server.auth import read_tokens
from assistant.server.http import http_app
from tests.fakes_mcp import Person, Things, outcome_of
from tests.server.conftest import listening
from tools.elicitation import NO_CHANNEL

ACCEPT = {"Accept": "application/json, text/event-stream"}
TOKENS = {"phone": "correct-horse-battery", "tablet": "staple-correct-horse"}


@pytest.mark.parametrize(("mode", "protocol"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
async def test_the_tools_are_listed_and_called(url: str, mode: str, protocol: str, path: str) -> None:
    async with Client(url + path, mode=mode) as client:
        assert client.protocol_version == protocol
        tools = (await client.list_tools()).tools
        assert len(tools) == 16
        assert tools[0].name == "check_services"
        result = await client.call_tool("check_services", {"service": "gitea"})
        assert result.structured_content is not None
        assert result.structured_content["level"] == "read"
        assert result.content[0].text == "Gitea is down: the connection is refused."  # type: ignore[union-attr]
        names = await client.read_resource("jarvis://names")
        assert "gitea" in names.contents[0].text  # type: ignore[union-attr]


def hello(protocol: str) -> dict[str, object]:
    """The handshake that protocols before 2026 begin with."""
    about = {"protocolVersion": protocol, "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}}
    return {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about}


@pytest.mark.parametrize("protocol", ["2025-06-18", "2025-11-25"])
async def test_an_older_client_shakes_hands_in_its_own_protocol(url: str, protocol: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{url}/mcp", json=hello(protocol), headers=ACCEPT)
        assert f'"protocolVersion":"{protocol}"' in answer.text
        session = {**ACCEPT, "Mcp-Session-Id": answer.headers["mcp-session-id"], "MCP-Protocol-Version": protocol}
        ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        assert (await client.post(f"{url}/mcp", json=ready, headers=session)).status_code == 202
        listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
        listed = await client.post(f"{url}/mcp", json=listing, headers=session)
        assert "check_backups" in listed.text
        assert (await client.delete(f"{url}/mcp", headers=session)).status_code == 200


async def test_a_subscriber_that_goes_away_does_not_end_the_turn(url: str, app: App) -> None:
    async with (
        httpx.AsyncClient(trust_env=False) as client,
        client.stream(
            "POST", f"{url}/command", json={"text": "is gitea up?"}, headers={"Accept": "text/event-stream"}
        ) as answer,
    ):
        first = await anext(answer.aiter_lines())
        assert first == "event: transcribed"
    await app.finish_turns(5)
    assert app.traces.turns()[0]["error"] is None


async def test_a_foreign_page_cannot_reach_the_tools(url: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.post(f"{url}/mcp", json={}, headers={"Host": "evil.example"})).status_code == 421
        assert (await client.post(f"{url}/mcp", json={}, headers={"Origin": "http://evil.example"})).status_code == 403


@pytest.fixture
def tokens_file(tmp_path: Path) -> Path:
    file = tmp_path / "tokens"
    file.write_text("".join(f"{name}:{token}\n" for name, token in TOKENS.items()))
    file.chmod(0o600)
    return file


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_caller_of_a_tool_is_named_by_the_token(app: App, tokens_file: Path, mode: str) -> None:
    async with listening(http_app(app, read_tokens(tokens_file))) as url:
        for token in TOKENS.values():
            headers = {"Authorization": f"Bearer {token}"}
            async with (
                httpx2.AsyncClient(headers=headers, trust_env=False) as http,
                Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode) as client,
            ):
                await client.call_tool("check_services", {"service": "gitea"})
    assert [(line["who"], line["door"]) for line in app.house.audit_lines()] == [("tablet", "mcp"), ("phone", "mcp")]


@pytest.fixture
def things(app: App, tmp_path: Path) -> Iterator[Things]:
    inside = Things.into(app.house, tmp_path)
    yield inside
    inside.store.close()


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_persons_yes_and_no_come_through(url: str, things: Things, mode: str) -> None:
    for action, thing in (("accept", "lamp"), ("decline", "kettle")):
        person = Person(action)  # type: ignore[arg-type]
        async with Client(f"{url}/mcp", mode=mode, elicitation_callback=person) as client:
            outcome = outcome_of(await client.call_tool("break", {"thing": thing}))
        assert person.asked == [f"Shall I break {thing}?"]
        assert outcome.ok == (action == "accept")
    assert things.broken == ["lamp"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_without_a_way_to_ask_is_told_so(url: str, things: Things, mode: str) -> None:
    async with Client(f"{url}/mcp", mode=mode) as client:
        outcome = outcome_of(await client.call_tool("break", {"thing": "lamp"}))
    assert (outcome.error, outcome.spoken, outcome.confirmation) == ("needs_confirmation", NO_CHANNEL, None)
    assert things.broken == []


async def test_an_accepted_request_that_is_sent_again_does_nothing(
    app: App, things: Things, tokens_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    bodies: list[str] = []
    phone, tablet = ({**ACCEPT, **MODERN, "Authorization": f"Bearer {token}"} for token in TOKENS.values())
    async with listening(http_app(app, read_tokens(tokens_file))) as url, httpx.AsyncClient(trust_env=False) as client:

        async def call(headers: dict[str, str], **more: object) -> dict[str, Any]:
            answer = await client.post(f"{url}/mcp", json=breaking("lamp", **more), headers=headers)
            bodies.append(answer.text)
            return json.loads(answer.text)  # type: ignore[no-any-return]

        first = (await call(phone))["result"]
        assert first["resultType"] == "input_required"
        yes = {"inputResponses": {"confirmation": {"action": "accept"}}, "requestState": first["requestState"]}
        assert "Invalid or expired" in (await call(tablet, **yes))["error"]["message"]
        outcomes = [(await call(phone, **yes))["result"]["structuredContent"]["error"] for _ in range(3)]
    assert outcomes == [None, "confirmation_void", "confirmation_void"]
    assert things.broken == ["lamp"]
    (nonce,) = things.confirmations.nonces
    assert not [text for text in (*bodies, caplog.text) if nonce in text]


@pytest.mark.parametrize("protocol", ["2025-06-18", "2025-11-25"])
async def test_an_older_client_is_asked_while_its_call_waits(url: str, things: Things, protocol: str) -> None:
    opening = hello(protocol)
    opening["params"]["capabilities"] = {"elicitation": {}}  # type: ignore[index]
    call = {
        "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "break", "arguments": {"thing": "lamp"}},
    }  # fmt: skip
    async with httpx.AsyncClient(trust_env=False) as client:
        opened = await client.post(f"{url}/mcp", json=opening, headers=ACCEPT)
        session = {
            **ACCEPT, "Mcp-Session-Id": opened.headers["mcp-session-id"], "MCP-Protocol-Version": protocol,
        }  # fmt: skip
        ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        await client.post(f"{url}/mcp", json=ready, headers=session)
        async with client.stream("POST", f"{url}/mcp", json=call, headers=session) as stream:
            lines = (line[6:] async for line in stream.aiter_lines() if line.startswith("data: {"))
            question = json.loads(await anext(lines))
            assert question["method"] == "elicitation/create"
            assert question["params"]["message"] == "Shall I break lamp?"
            assert things.broken == []
            yes = {"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": {}}}
            for _ in range(2):  # the second is an answer to nothing
                assert (await client.post(f"{url}/mcp", json=yes, headers=session)).status_code == 202
            outcome = json.loads(await anext(lines))["result"]["structuredContent"]
    assert outcome["ok"]
    assert things.broken == ["lamp"]


MODERN = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "break"}


def breaking(thing: str, **more: object) -> dict[str, object]:
    """A call of 2026-07-28 by a client that can ask its person."""
    about = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "new", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
    }
    params = {"name": "break", "arguments": {"thing": thing}, "_meta": about, **more}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


async def test_a_session_of_one_token_is_not_there_for_another(app: App, tokens_file: Path) -> None:
    phone, tablet = ({**ACCEPT, "Authorization": f"Bearer {token}"} for token in TOKENS.values())
    listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    async with listening(http_app(app, read_tokens(tokens_file))) as url, httpx.AsyncClient(trust_env=False) as client:
        opened = await client.post(f"{url}/mcp", json=hello("2025-11-25"), headers=phone)
        session = {"Mcp-Session-Id": opened.headers["mcp-session-id"], "MCP-Protocol-Version": "2025-11-25"}
        assert (await client.post(f"{url}/mcp", json=listing, headers={**phone, **session})).status_code == 200
        assert (await client.post(f"{url}/mcp", json=listing, headers={**tablet, **session})).status_code == 404
        assert (await client.post(f"{url}/mcp", json=listing, headers={**ACCEPT, **session})).status_code == 401


async def test_a_stream_of_news_is_ended_whole_when_the_server_stops(app: App) -> None:
    web = http_app(app, read_tokens(None))
    async with listening(web) as url, httpx.AsyncClient(trust_env=False) as client:
        opened = await client.post(f"{url}/mcp", json=hello("2025-11-25"), headers=ACCEPT)
        session = {**ACCEPT, "Mcp-Session-Id": opened.headers["mcp-session-id"], "MCP-Protocol-Version": "2025-11-25"}
        async with client.stream("GET", f"{url}/mcp", headers=session) as news:
            assert news.status_code == 200
            web.state.mcp.end_streams()
            assert "data: {" not in (await news.aread()).decode()


async def test_a_body_that_is_too_large_is_refused(url: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            f"{url}/mcp", content=b" " * 5_000_000, headers={**ACCEPT, "Content-Type": "application/json"}
        )
    assert answer.status_code == 413
