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
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, closing, contextmanager

import uvicorn
from mcp.server.stdio import stdio_server
from starlette.types import ASGIApp

from assistant.app import App, app_version, open_app
from assistant.binding import bind
from assistant.config import Settings
from assistant.errors import JarvisError
from assistant.observing.service import heartbeats, recording_notice
from assistant.server.auth import open_authenticator
from assistant.server.bridge import bridge
from assistant.server.http import http_app
from assistant.state import RunningServer, default_state_dir
from assistant.watchdog import Manager, threaded, watched
from assistant.wyoming.door import bound_door, open_door

log = logging.getLogger(__name__)

FINISH_TURNS_S = 10.0
SEND_REST_S = 3
"""For the answers to turns that have just ended, and calls of tools from outside."""

MAX_CONNECTIONS = 256


async def serve(settings: Settings, *, host: str | None = None, port: int | None = None) -> None:
    """Own the state folder and serve until SIGINT or SIGTERM. Raises JarvisError."""
    manager = Manager.from_environment()
    bind_host = host if host is not None else settings.server.host
    state_dir = settings.state_dir or default_state_dir()
    authenticator = await asyncio.to_thread(open_authenticator, settings, bind_host, state_dir)
    local_token = secrets.token_urlsafe(24)  # also where no token is needed yet: one can be made at any time
    bound = bind(bind_host, settings.server.port if port is None else port, "server")
    with closing(bound) as listening, bound_door(settings) as wyoming:
        async with open_app(settings, ears=True, mouth=True) as app, heartbeats(app):
            url = _url(listening)
            web = http_app(app, authenticator.with_local(local_token), bound_host=bind_host)

            def started() -> None:
                me = RunningServer(
                    pid=os.getpid(), url=url, token=local_token, version=app_version(), started=time.time()
                )
                app.state.announce(me)
                manager.ready(f"serves {url}; loading ears, mouth and model")
                _say(f"Jarvis serves {url}/command and {url}/mcp, and a page at {url}/. Ctrl-C ends.")
                if notice := recording_notice(settings):
                    _say(notice)

            async def finish() -> None:
                manager.stopping()
                app.state.retract()
                await app.finish_turns(FINISH_TURNS_S)
                web.state.mcp.end_streams()
                web.state.messages.end_streams()

            warming = asyncio.create_task(_warm(app, lambda how: manager.status(f"serves {url}; {how}")))
            try:
                async with watched(manager, threaded(app)), open_door(app, wyoming, _say), app.open_satellites():
                    await _Server(web, started, finish).serve([listening])
            finally:
                app.state.retract()
                warming.cancel()
                await asyncio.wait([warming])


async def mcp_stdio(settings: Settings, running: RunningServer | None) -> None:
    """The tools over stdio, until standard input closes; through the running server when there is one."""
    async with AsyncExitStack() as stack:
        if running is not None:
            server = await bridge(running, app_version())
        else:
            server = (await stack.enter_async_context(open_app(settings))).mcp_server()
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())


class _Server(uvicorn.Server):
    """uvicorn on a socket of ours. A signal lets what is under way finish; a second one does not."""

    def __init__(self, web: ASGIApp, started: Callable[[], None], finish: Callable[[], Awaitable[None]]) -> None:
        super().__init__(
            uvicorn.Config(
                web,
                log_level="warning",
                log_config=None,
                access_log=False,
                lifespan="on",
                server_header=False,
                limit_concurrency=MAX_CONNECTIONS,
                timeout_graceful_shutdown=SEND_REST_S,
            )
        )
        self._on_started = started
        self._finish = finish
        self._told_again = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, but it does not raise the signals again: the app has things to close after it."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._told)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """It is said to be there only when it answers, and when a signal already ends it well."""
        await super().startup(sockets)
        if not self.should_exit:
            self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """No new connections; turns end or are interrupted, their answers go out, then the rest is cut off."""
        for server in self.servers:
            server.close()
        finishing = asyncio.ensure_future(self._finish())
        told_again = asyncio.create_task(self._told_again.wait())
        await asyncio.wait({finishing, told_again}, return_when=asyncio.FIRST_COMPLETED)
        for task in (finishing, told_again):
            task.cancel()
        await asyncio.wait({finishing, told_again})
        await super().shutdown(sockets)

    def _told(self) -> None:
        if self.should_exit:
            self.force_exit = True
            self._told_again.set()
        self.should_exit = True


async def _warm(app: App, tell: Callable[[str], None]) -> None:
    """Behind the open doors: what is not loaded when the first question comes is loaded by it."""
    try:
        await app.load_speech()
        if app.settings.engine != "sentences":
            await app.warm_model()
    except JarvisError as error:
        log.warning("not everything is ready: %s %s", error.detail, error.mend)
        tell(f"not everything is ready ({error.code})")
    else:
        tell("ears, mouth and model are ready")
        _say("Ears, mouth and model are ready.")
        await app.warm_speech()


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def _say(text: str) -> None:
    """For the person at the terminal; standard output stays empty for pipes."""
    sys.stderr.write(text + "\n")
