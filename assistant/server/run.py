"""``jarvis serve`` and ``jarvis mcp``: the doors that stay open."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import socket
import sys
import time
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import mcp_types as types
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server

from assistant.app import App, app_version, open_app
from assistant.config import Settings
from assistant.errors import ConfigError, JarvisError
from assistant.server.auth import check_binding, read_tokens
from assistant.server.http import http_app
from assistant.state import RunningServer

log = logging.getLogger(__name__)

FINISH_TURNS_S = 10.0
BACKLOG = 64
BRIDGE_TIMEOUT_S = 180.0


async def serve(settings: Settings, *, host: str | None = None, port: int | None = None) -> None:
    """Own the state folder and serve until SIGINT or SIGTERM. Raises JarvisError."""
    bind_host = host if host is not None else settings.server.host
    authenticator = read_tokens(settings.server.tokens_file)
    check_binding(bind_host, authenticator)
    listening = _bind(bind_host, settings.server.port if port is None else port)
    local_token = secrets.token_urlsafe(24) if authenticator.required else ""
    try:
        async with open_app(settings, ears=True, mouth=True) as app:
            url = _url(listening)
            web = http_app(app, authenticator.with_local(local_token))
            config = uvicorn.Config(
                web, log_level="warning", access_log=False, lifespan="on", timeout_graceful_shutdown=int(FINISH_TURNS_S)
            )
            server = _Server(config)
            announcement = RunningServer(
                pid=os.getpid(), url=url, token=local_token, version=app_version(), started=time.time()
            )
            app.state.announce(announcement)
            _say(f"Jarvis serves {url}/command and {url}/mcp. Ctrl-C ends.")
            warming = asyncio.create_task(_warm(app))
            try:
                await server.serve_until_told(listening)
            finally:
                app.state.retract()
                warming.cancel()
                await app.finish_turns(FINISH_TURNS_S)
    finally:
        listening.close()


async def mcp_stdio(settings: Settings, running: RunningServer | None) -> None:
    """The tools over stdio, until standard input closes; through the running server when there is one."""
    async with AsyncExitStack() as stack:
        if running is not None:
            server = await _bridge(running, stack)
        else:
            server = (await stack.enter_async_context(open_app(settings))).mcp_server()
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())


class _Server(uvicorn.Server):
    """uvicorn on a socket of ours, ended by signals without raising them again."""

    async def serve_until_told(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._told)
        try:
            await self._serve([listening])
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _told(self) -> None:
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True


async def _warm(app: App) -> None:
    """Behind the open doors: what is not loaded when the first question comes is loaded by it."""
    try:
        await app.load_speech()
        if app.settings.engine != "sentences":
            await app.warm_model()
    except JarvisError as error:
        log.warning("not everything is ready: %s %s", error.detail, error.mend)
    else:
        _say("Ears, mouth and model are ready.")


def _bind(host: str, port: int) -> socket.socket:
    """A listening socket, before anything is loaded: a taken port is said at once. Raises ConfigError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        mend = "Choose another `port` in [server], or end the program that has it."
        raise ConfigError("cannot_bind", f"{host}:{port} cannot be bound: {error.strerror}.", mend=mend) from error
    return listening


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def _say(text: str) -> None:
    """For the person at the terminal; standard output stays empty for pipes."""
    sys.stderr.write(text + "\n")


async def _bridge(running: RunningServer, stack: AsyncExitStack) -> Server[Any]:
    """A stdio server that hands everything on to the running server's /mcp."""
    headers = {"Authorization": f"Bearer {running.token}"} if running.token else {}
    http = httpx2.AsyncClient(headers=headers, trust_env=False, timeout=BRIDGE_TIMEOUT_S)
    await stack.enter_async_context(http)
    client = await stack.enter_async_context(Client(streamable_http_client(f"{running.url}/mcp", http_client=http)))

    async def list_tools(
        _: ServerRequestContext[Any], __: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return await client.list_tools()

    async def call_tool(_: ServerRequestContext[Any], params: types.CallToolRequestParams) -> types.CallToolResult:
        return await client.call_tool(params.name, params.arguments)

    async def list_resources(
        _: ServerRequestContext[Any], __: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        return await client.list_resources()

    async def read_resource(
        _: ServerRequestContext[Any], params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        return await client.read_resource(str(params.uri))

    return Server(
        "jarvis",
        version=app_version(),
        instructions=client.instructions,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_read_resource=read_resource,
    )
