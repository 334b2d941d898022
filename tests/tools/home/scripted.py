"""Home Assistant's websocket in a few lines, for what the real one does not do on demand: nonsense, silence, old
versions, users without rights. The real one is in tests/real/home."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tools.home.link import HomeAssistantLink, open_link
from tools.settings_house import HomeAssistantSettings

TOKEN = "open-sesame-4711"
Json = dict[str, Any]


def raw_state(state: str, changed: float = 1000.0, **attributes: Any) -> Json:
    return {"s": state, "a": attributes, "c": "context", "lc": changed}


def raw_entity(id_: str, **more: Any) -> Json:
    entry = {"entity_id": id_, "area_id": None, "device_id": None, "disabled_by": None, "hidden_by": None}
    return {**entry, "entity_category": None, "name": None, "original_name": None, "options": {}, **more}


@dataclass
class ScriptedHome:
    """``refuses``: command → error code; ``silent``: commands that get no answer; ``does``: what an order changes;
    ``greeting``: sent instead of asking for the token; ``status``: of HTTP, instead of a websocket."""

    states: dict[str, Json] = field(default_factory=dict)
    lists: dict[str, Any] = field(default_factory=dict)
    aliases: dict[str, list[str]] = field(default_factory=dict)
    config: Json = field(default_factory=lambda: {"state": "RUNNING", "components": ["conversation"]})
    refuses: dict[str, str] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    does: Callable[[Json], Json | None] = lambda _: None
    token: str = TOKEN
    greeting: str | None = None
    after_auth: str | None = None
    status: int | None = None
    tls: ssl.SSLContext | None = None
    asked: list[Json] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    connections: list[ServerConnection] = field(default_factory=list)
    port: int = 0
    _subscriptions: dict[str, int] = field(default_factory=dict)

    def kinds(self) -> list[str]:
        return [asked["type"] for asked in self.asked]

    async def event(self, event: Any, of: str = "subscribe_entities") -> None:
        """To the last connection."""
        await self.say(json.dumps({"id": self._subscriptions[of], "type": "event", "event": event}))

    async def say(self, frame: str | bytes) -> None:
        await self.connections[-1].send(frame)

    async def becomes(self, id_: str, state: str, **attributes: Any) -> None:
        self.states[id_] = raw_state(state, **attributes)
        await self.event({"c": {id_: {"+": {"s": state, "a": attributes, "lc": 2000.0}}}})

    async def goodbye(self) -> None:
        await self.connections[-1].close()

    def cut(self) -> None:
        """The connection ends in the middle."""
        self.connections[-1].transport.abort()

    async def talk(self, connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await self._talk(connection)

    async def _talk(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        if self.greeting is not None:
            await connection.send(self.greeting)
            await connection.wait_closed()
            return
        await connection.send(json.dumps({"type": "auth_required", "ha_version": "2025.4.4"}))
        token = json.loads(await connection.recv())["access_token"]
        self.tokens.append(token)
        if token != self.token:
            await connection.send(json.dumps({"type": "auth_invalid", "message": "Invalid access token"}))
            return
        await connection.send(json.dumps({"type": "auth_ok", "ha_version": "2025.4.4"}))
        if self.after_auth is not None:
            await connection.send(self.after_auth)
        async for frame in connection:
            await self._answer(connection, json.loads(frame))

    async def _answer(self, connection: ServerConnection, asked: Json) -> None:
        self.asked.append(asked)
        kind, id_ = asked["type"], asked["id"]
        if kind in self.silent:
            return
        if (code := self.refuses.get(kind)) is not None:
            error = {"code": code, "message": f"no\n{kind}"}
            await connection.send(json.dumps({"id": id_, "type": "result", "success": False, "error": error}))
            return
        result: Any = self.lists.get(kind)
        if kind == "get_config":
            result = self.config
        elif kind == "config/entity_registry/get_entries":
            result = {name: {"aliases": self.aliases.get(name, [])} for name in asked["entity_ids"]}
        await connection.send(json.dumps({"id": id_, "type": "result", "success": True, "result": result}))
        if kind == "subscribe_events":
            self._subscriptions[asked["event_type"]] = id_
        elif kind == "subscribe_entities":
            self._subscriptions[kind] = id_
            await self.event({"a": self.states})
        elif kind == "call_service" and (event := self.does(asked)) is not None:
            await self.event(event)

    def page(self, _: ServerConnection, request: Request) -> Response | None:
        if self.status is None or not request.path:
            return None
        return Response(self.status, HTTPStatus(self.status).phrase, _headers(), b"<html>no</html>")


def _headers() -> Headers:
    return Headers([("Content-Type", "text/html"), ("Connection", "close"), ("Content-Length", "15")])


def a_home() -> ScriptedHome:
    """Two rooms, four things; one of them is not exposed."""
    home = ScriptedHome()
    home.states = {
        "light.desk": raw_state("off", friendly_name="Desk lamp", supported_features=4, supported_color_modes=["hs"]),
        "light.bed": raw_state("on", friendly_name="Bed light", brightness=128, entity_picture="/secret"),
        "lock.door": raw_state("locked", friendly_name="Front door"),
        "sensor.warmth": raw_state("21.5", friendly_name="Warmth", device_class="temperature"),
    }
    shown = {"options": {"conversation": {"should_expose": True}}}
    home.lists = {
        "config/entity_registry/list": [
            raw_entity("light.desk", device_id="d1", **shown),
            raw_entity("light.bed", area_id="bedroom", device_id="d1", **shown),
            raw_entity("lock.door", options={"conversation": {"should_expose": False}}),
            raw_entity("light.gone", disabled_by="user", **shown),
        ],
        "config/device_registry/list": [{"id": "d1", "area_id": "office"}],
        "config/area_registry/list": [
            {"area_id": "office", "name": "Office", "aliases": ["study"], "floor_id": "up"},
            {"area_id": "bedroom", "name": "Bedroom", "aliases": [], "floor_id": "up"},
        ],
        "config/floor_registry/list": [{"floor_id": "up", "name": "First floor", "aliases": ["upstairs"]}],
        "homeassistant/expose_entity/list": {
            "exposed_entities": {name: {"conversation": True} for name in ("light.desk", "light.bed", "sensor.warmth")}
        },
    }
    home.aliases = {"light.desk": ["work light"]}
    return home


@asynccontextmanager
async def serving(home: ScriptedHome) -> AsyncIterator[ScriptedHome]:
    """On a port of 127.0.0.1: the same one again after the first time."""
    async with serve(
        home.talk, "127.0.0.1", home.port, process_request=home.page, close_timeout=0.2, ssl=home.tls
    ) as server:
        home.port = next(iter(server.sockets)).getsockname()[1]
        yield home


@asynccontextmanager
async def linked(home: ScriptedHome, folder: Path, **settings: Any) -> AsyncIterator[HomeAssistantLink]:
    """A link to it that has been asked to be ready; its names are kept in that folder."""
    token = folder / "token"
    if not token.exists():
        token.write_text(TOKEN + "\n", encoding="utf-8")
    scheme = "http" if home.tls is None else "https"
    given = {"url": f"{scheme}://127.0.0.1:{home.port}", "token_file": token, "timeout_s": 2.0, **settings}
    link = open_link(HomeAssistantSettings.model_validate(given), folder / "names.json")
    try:
        await link.ready(5)
        yield link
    finally:
        await link.close()


async def until(true: Callable[[], bool], timeout_s: float = 5.0) -> None:
    """Look at it in every turn of the loop."""
    async with asyncio.timeout(timeout_s):
        while not true():  # noqa: ASYNC110 - what is looked at belongs to the code under test
            await asyncio.sleep(0.005)
