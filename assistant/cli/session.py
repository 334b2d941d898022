"""Where a command's turns run: in the ``jarvis serve`` of this house when there is one, else here."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Protocol

import httpx
import httpx2
import mcp_types as types
from mcp import Client, MCPError
from mcp.client.session import ClientRequestContext, ElicitationFnT
from mcp.client.streamable_http import streamable_http_client
from pydantic import ValidationError

from assistant.app import App, open_app
from assistant.cli.common import House, err, furnished
from assistant.errors import AudioError, StateError, ToolboxError
from assistant.events import TurnEvent, TurnFailed, TurnFinished, from_json
from assistant.outside_servers import OutsideHealth, outside_health
from assistant.ports import Engine, ToolDescription
from assistant.state import RunningServer
from tools.contract import OUTSIDE_URI, Caller, CallOutcome, Door, JsonObject, Speech
from tools.digest.facts import Digest

REMOTE_TIMEOUT_S = 180.0


class Session(Protocol):
    """Turns and tools, wherever they run."""

    def turn(
        self, utterance: str | Path, *, engine: Engine | None = None, speak: bool = False, play: bool = False
    ) -> AsyncGenerator[TurnEvent, None]:
        """Run one turn. Raises AudioError, StateError."""
        ...

    async def tools(self) -> tuple[ToolDescription, ...]:
        """Raises ToolboxError."""
        ...

    async def outside(self) -> OutsideHealth:
        """How the outside MCP servers are. Raises ToolboxError."""
        ...

    async def call(self, name: str, arguments: JsonObject, *, ordered: bool = False) -> CallOutcome:
        """Call a tool without a turn. ``ordered``: the person typed a command that says just that, which is an order
        and needs no second one. Raises ToolboxError."""
        ...

    async def digest(self, *, plain: bool = False) -> Digest:
        """The summary of the house; ``plain``: no model is asked. Raises StateError."""
        ...


class LocalSession:
    """In this process."""

    def __init__(self, app: App, door: Door) -> None:
        self.app = app
        self._caller = Caller(door=door)

    async def turn(
        self, utterance: str | Path, *, engine: Engine | None = None, speak: bool = False, play: bool = False
    ) -> AsyncGenerator[TurnEvent, None]:
        source = await self.app.clip_file(utterance) if isinstance(utterance, Path) else utterance
        running = self.app.start_turn(source, caller=self._caller, engine=engine, speak=speak, play=play)
        try:
            async for event in running.events():
                yield event
        finally:
            await running.interrupt("the command was ended")

    async def tools(self) -> tuple[ToolDescription, ...]:
        return await self.app.toolbox.tools()

    async def outside(self) -> OutsideHealth:
        return await self.app.toolbox.outside()

    async def call(self, name: str, arguments: JsonObject, *, ordered: bool = False) -> CallOutcome:
        caller = self._caller.model_copy(update={"speech": Speech.ORDER}) if ordered else self._caller
        return await self.app.toolbox.call(name, arguments, caller)

    async def digest(self, *, plain: bool = False) -> Digest:
        return await self.app.digest(plain=plain)


class RemoteSession:
    """In the running server, over its own doors."""

    def __init__(self, server: RunningServer, door: Door = Door.CLI) -> None:
        self._server = server
        self._conversation_id = secrets.token_hex(8)  # as in a process of its own: nobody else's history
        self._headers = {"X-Jarvis-Door": door.value}  # believed from the token of this machine
        if server.token:
            self._headers["Authorization"] = f"Bearer {server.token}"

    async def turn(
        self, utterance: str | Path, *, engine: Engine | None = None, speak: bool = False, play: bool = False
    ) -> AsyncGenerator[TurnEvent, None]:
        fields = {"conversation_id": self._conversation_id, **({"engine": engine} if engine else {})}
        if isinstance(utterance, Path):
            request = {"files": {"audio": (utterance.name, _read(utterance))}, "data": fields}
        else:
            request = {"json": {"text": utterance, **fields}}
        headers = {**self._headers, "Accept": "text/event-stream"}
        url = f"{self._server.url}/command" + ("?audio=1" if speak else "")
        try:
            async with (
                httpx.AsyncClient(trust_env=False, timeout=REMOTE_TIMEOUT_S) as client,
                client.stream("POST", url, headers=headers, **request) as answer,  # type: ignore[arg-type]
            ):
                if answer.status_code != 200:
                    raise _refusal(await answer.aread(), answer.status_code)
                async for event in _events(answer.aiter_lines()):
                    yield event
        except httpx.HTTPError as error:
            detail = f"The running server at {self._server.url} broke off: {type(error).__name__}."
            raise StateError("server_gone", detail, mend="See its log, or end it and ask again.") from error

    async def tools(self) -> tuple[ToolDescription, ...]:
        async with self._client() as client:
            listed = await client.list_tools()
        return tuple(
            ToolDescription(
                tool.name,
                tool.description or "",
                tool.input_schema,
                bool(tool.annotations and tool.annotations.read_only_hint),
            )
            for tool in listed.tools
        )

    async def outside(self) -> OutsideHealth:
        async with self._client() as client:
            resource = await client.read_resource(OUTSIDE_URI)
        texts = [part.text for part in resource.contents if isinstance(part, types.TextResourceContents)]
        return outside_health(texts[0] if texts else "")

    async def call(self, name: str, arguments: JsonObject, *, ordered: bool = False) -> CallOutcome:
        async with self._client(_yes if ordered else None) as client:
            result = await client.call_tool(name, arguments)
        try:
            return CallOutcome.model_validate(result.structured_content)
        except ValidationError as error:
            raise ToolboxError("nonsense", "The running server answered without an outcome.") from error

    async def digest(self, *, plain: bool = False) -> Digest:
        url = f"{self._server.url}/digest" + ("?plain=1" if plain else "")
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=REMOTE_TIMEOUT_S) as client:
                answer = await client.get(url, headers=self._headers)
            if answer.status_code != 200:
                raise _refusal(answer.content, answer.status_code)
            return Digest.model_validate_json(answer.content)
        except (httpx.HTTPError, ValidationError) as error:
            detail = f"The running server at {self._server.url} gives no digest: {type(error).__name__}."
            raise StateError("server_gone", detail, mend="See its log, or end it and ask again.") from error

    @asynccontextmanager
    async def _client(self, asked: ElicitationFnT | None = None) -> AsyncIterator[Client]:
        async with AsyncExitStack() as stack:
            http = httpx2.AsyncClient(headers=self._headers, trust_env=False, timeout=REMOTE_TIMEOUT_S)
            await stack.enter_async_context(http)
            transport = streamable_http_client(f"{self._server.url}/mcp", http_client=http)
            try:
                yield await stack.enter_async_context(Client(transport, elicitation_callback=asked))
            except (MCPError, httpx2.HTTPError) as error:
                detail = f"The running server at {self._server.url} does not answer."
                raise ToolboxError("unreachable", detail) from error


@asynccontextmanager
async def open_session(house: House, door: Door, *, ears: bool = False, mouth: bool = False) -> AsyncIterator[Session]:
    """Remote when this house's server runs, else local with what is asked for. Raises JarvisError."""
    server = house.running_server()
    if server is not None:
        err.print(f"[dim]Asking the running server at {server.url}.[/]")
        yield RemoteSession(server, door)
        return
    async with furnished(house) as settings, open_app(settings, ears=ears, mouth=mouth) as app:
        yield LocalSession(app, door)


async def _yes(context: ClientRequestContext, params: types.ElicitRequestParams) -> types.ElicitResult:
    """What the command says is what the server asks back."""
    return types.ElicitResult(action="accept", content={})


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[TurnEvent]:
    """The turn events of a server-sent event stream, up to the last one of the turn."""
    async for line in lines:
        if not line.startswith("data:"):
            continue
        try:
            event = from_json(line.removeprefix("data:").strip())
        except ValidationError:
            continue  # the stream also carries the outcome, which is no turn event
        yield event
        if isinstance(event, TurnFinished | TurnFailed):
            return


def _refusal(body: bytes, status: int) -> AudioError | StateError:
    try:
        error = json.loads(body)["error"]
        code, message, mend = str(error["code"]), str(error["message"]), str(error.get("mend") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return StateError("server_refused", f"The running server answers with HTTP status {status}.")
    kind = AudioError if status in (400, 413, 415) else StateError
    return kind(code, message, mend=mend)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AudioError("clip_unreadable", f"{path} cannot be read: {error.strerror}.") from error
