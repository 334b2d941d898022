"""An outside MCP server at a URL: a real one on the loopback interface."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from mcp.server import MCPServer
from mcp_types import ToolAnnotations
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.tools.outside.rig import opened
from tools.outside import connection
from tools.outside import server as server_module
from tools.settings import McpServerSettings


class Guarded:
    """Asks for the bearer token, as a server at a URL should, and keeps what it was sent."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app = app
        self.token = token
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and dict(scope["headers"]).get(b"authorization") != f"Bearer {self.token}".encode():
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return

        async def listening() -> dict[str, object]:
            message = await receive()
            self.bodies.append(bytes(message.get("body", b"")))
            return dict(message)

        await self.app(scope, listening, send)


async def flooding(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers any request with a JSON body without end."""
    if scope["type"] == "lifespan":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    for _ in range(1_000):
        await send({"type": "http.response.body", "body": b" " * 65536, "more_body": True})
    await send({"type": "http.response.body", "body": b"{}"})


class Announcing(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@asynccontextmanager
async def served(app: ASGIApp, bound: socket.socket | None = None) -> AsyncIterator[str]:
    """The app on a free loopback port, or on that of a bound socket; yields the URL of its /mcp."""
    listener = bound or socket.socket()
    if bound is None:
        listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", lifespan="auto", timeout_graceful_shutdown=1)
    server = Announcing(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await asyncio.wait_for(server.up.wait(), 20)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
    finally:
        server.should_exit = True
        await task
        listener.close()


def weather_app() -> ASGIApp:
    server = MCPServer("weather")

    @server.tool(annotations=ToolAnnotations(read_only_hint=True))
    def forecast(place: str) -> str:
        """The weather of tomorrow."""
        return f"Sunny in {place}."

    return server.streamable_http_app()


def token_file(folder: Path, token: str) -> Path:
    path = folder / "token"
    path.write_text(f"{token}\n")
    return path


def at(url: str, token_file: Path | None = None) -> dict[str, McpServerSettings]:
    return {"weather": McpServerSettings(url=url, token_file=token_file, believe_hints=True)}


async def test_a_server_at_a_url_is_asked_with_its_token_and_told_nothing_of_the_caller(tmp_path: Path) -> None:
    guard = Guarded(weather_app(), "open-sesame")
    async with served(guard) as url, opened(at(url, token_file(tmp_path, "open-sesame"))) as rig:
        assert rig.names == ["weather_forecast"]
        outcome = await rig.call("weather_forecast", {"place": "Kiel"})
    assert outcome.spoken == "Sunny in Kiel."
    sent = b"".join(guard.bodies)
    assert b'"place":"Kiel"' in sent.replace(b": ", b":")
    assert b"jarvis/caller" not in sent
    assert b"anna" not in sent


async def test_a_wrong_token_is_reported_and_nothing_else_breaks(tmp_path: Path) -> None:
    async with (
        served(Guarded(weather_app(), "open-sesame")) as url,
        opened(at(url, token_file(tmp_path, "wrong"))) as rig,
    ):
        assert not rig.told["ok"]
        assert (await rig.call("look")).ok


async def test_a_response_without_end_is_cut_off() -> None:
    async with served(flooding) as url, opened(at(url)) as rig:
        assert not rig.told["ok"]
        assert (await rig.call("look")).ok


async def test_a_port_where_nobody_listens_is_reported() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        async with opened(at(f"http://127.0.0.1:{free.getsockname()[1]}/mcp")) as rig:
            assert not rig.told["ok"]


async def test_a_server_that_comes_up_later_is_found_behind_a_turns_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "RETRY_AFTER_S", 0.0)
    monkeypatch.setattr(connection, "RETRY_AFTER_S", 0.0)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        async with opened(at(f"http://127.0.0.1:{listener.getsockname()[1]}/mcp")) as rig:
            assert not rig.told["ok"]
            async with served(weather_app(), listener):
                async with asyncio.timeout(20):  # it rests for as long as the first failure took
                    while rig.names != ["weather_forecast"]:
                        rig.servers.try_again()
                        await asyncio.gather(*rig.servers._retries)
                        await asyncio.sleep(0.05)
                assert rig.told["ok"]


@pytest.mark.parametrize("path", ["missing", "folder"])
async def test_a_token_file_that_cannot_be_read_is_reported(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    async with opened(at("http://127.0.0.1:9/mcp", tmp_path / path)) as rig:
        assert path in rig.told["detail"]
