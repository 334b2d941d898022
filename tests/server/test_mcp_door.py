"""/mcp through the mount, over a real socket, in every protocol that is still out there."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn
from mcp import Client

from assistant.app import App
from assistant.server.auth import Authenticator
from assistant.server.http import http_app


@pytest.fixture
async def url(app: App) -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(http_app(app, Authenticator({})), log_level="error"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve([listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await serving


@pytest.mark.parametrize(("mode", "protocol"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
async def test_the_tools_are_listed_and_called(url: str, mode: str, protocol: str, path: str) -> None:
    async with Client(url + path, mode=mode) as client:
        assert client.protocol_version == protocol
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools] == ["check_services", "check_backups"]
        result = await client.call_tool("check_services", {"service": "gitea"})
        assert result.structured_content is not None
        assert result.structured_content["level"] == "read"
        assert result.content[0].text == "Gitea is down: the connection is refused."  # type: ignore[union-attr]
        names = await client.read_resource("jarvis://names")
        assert "gitea" in names.contents[0].text  # type: ignore[union-attr]


@pytest.mark.parametrize("protocol", ["2025-06-18", "2025-11-25"])
async def test_an_older_client_shakes_hands_in_its_own_protocol(url: str, protocol: str) -> None:
    accept = {"Accept": "application/json, text/event-stream"}
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": protocol, "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}},
    }
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{url}/mcp", json=hello, headers=accept)
        assert f'"protocolVersion":"{protocol}"' in answer.text
        session = {**accept, "Mcp-Session-Id": answer.headers["mcp-session-id"], "MCP-Protocol-Version": protocol}
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
