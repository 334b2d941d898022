"""An app without ears and mouth behind the real HTTP application."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from assistant.app import App, open_app
from assistant.config import ServerSettings, Settings
from assistant.server.auth import Authenticator
from assistant.server.http import http_app


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    """One service that is down, no model: sentences answer."""
    settings = Settings.model_validate(
        {
            "services": {"gitea": {"url": "http://127.0.0.1:1/"}},
            "state_dir": tmp_path / "state",
            "engine": "sentences",
            "alerts": {"load_warning": 1000.0},  # however busy the machine of the tests is
            "server": ServerSettings(max_upload_bytes=200_000, max_clip_s=10),
        }
    )
    async with open_app(settings) as opened:
        yield opened


@pytest.fixture
async def client(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """Talks to the application in process, as a program on this machine would."""
    transport = httpx.ASGITransport(app=http_app(app, Authenticator({})), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as opened:
        yield opened


@asynccontextmanager
async def listening(web: Starlette) -> AsyncIterator[str]:
    """The application behind a real socket; its URL."""
    server = uvicorn.Server(uvicorn.Config(web, log_level="error"))
    with socket.create_server(("127.0.0.1", 0)) as bound:
        serving = asyncio.create_task(server.serve([bound]))
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


@pytest.fixture
async def url(app: App) -> AsyncIterator[str]:
    """Of a server on a real socket that wants no token."""
    async with listening(http_app(app, Authenticator({}))) as opened:
        yield opened
