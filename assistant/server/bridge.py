"""A stdio MCP server that hands everything on to the ``/mcp`` of the running ``jarvis serve``.

So is the question to the client's person, and the answer: a client that can be asked is declared as one, and no other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx2
import mcp_types as types
from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp.client.session import ElicitationFnT
from mcp.client.streamable_http import streamable_http_client
from mcp.server import Server, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from assistant.errors import StateError
from assistant.state import RunningServer

T = TypeVar("T")
TIMEOUT_S = 180.0

ANSWER_TIMEOUT_S = 330.0
"""For a person's answer to a question; the running server closes it before, and says so."""


async def bridge(running: RunningServer, version: str) -> Server[Any]:
    """The server to run over stdio. Raises StateError when the running one does not answer.

    Each request has a connection of its own, so that a ``jarvis serve`` that was started anew is found again.
    """

    async def list_tools(
        _: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return await _handed_on(running, lambda client: client.list_tools(cursor=_cursor(params)))

    async def call_tool(
        ctx: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        try:
            return await _ask(running, lambda client: _called(client, ctx, params), _asking(ctx))
        except StateError as gone:  # for the model and its person to read
            return types.CallToolResult(content=[types.TextContent(type="text", text=str(gone))], is_error=True)

    async def list_resources(
        _: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        return await _handed_on(running, lambda client: client.list_resources(cursor=_cursor(params)))

    async def read_resource(
        _: ServerRequestContext[Any], params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        return await _handed_on(running, lambda client: client.read_resource(str(params.uri)))

    return Server(
        "jarvis",
        version=version,
        instructions=await _ask(running, _instructions),
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_read_resource=read_resource,
    )


async def _called(
    client: Client, ctx: ServerRequestContext[Any], params: types.CallToolRequestParams
) -> types.CallToolResult | types.InputRequiredResult:
    """One round where the client comes again with its person's answer; else all of them, asking in between."""
    if not _comes_again(ctx):
        return await client.call_tool(params.name, params.arguments)
    return await client.session.call_tool(
        params.name,
        params.arguments,
        input_responses=params.input_responses,
        request_state=params.request_state,  # sealed by the running server: it is nobody's to read on the way
        allow_input_required=True,
    )


def _asking(ctx: ServerRequestContext[Any]) -> ElicitationFnT | None:
    """How the running server's question reaches the person at the stdio client; None when it cannot."""
    declared = ctx.session.client_capabilities
    elicitation = declared.elicitation if declared else None
    if elicitation is None or (elicitation.form is None and elicitation.url is not None):
        return None
    if not _comes_again(ctx) and not ctx.session.can_send_request:
        return None

    async def ask(context: ClientRequestContext, params: types.ElicitRequestParams) -> types.ElicitResult:
        try:
            return await ctx.session.send_request(
                types.ElicitRequest(params=params),
                types.ElicitResult,
                request_read_timeout_seconds=ANSWER_TIMEOUT_S,
                metadata=ServerMessageMetadata(related_request_id=ctx.request_id),
            )
        except (MCPError, ValidationError):  # no answer is no yes
            return types.ElicitResult(action="cancel")

    return ask


def _comes_again(ctx: ServerRequestContext[Any]) -> bool:
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS


async def _instructions(client: Client) -> str | None:
    return client.instructions


def _cursor(params: types.PaginatedRequestParams | None) -> str | None:
    return params.cursor if params else None


async def _handed_on(running: RunningServer, request: Callable[[Client], Awaitable[T]]) -> T:
    """What the server answers or refuses; that it is gone is an error of the protocol, too. Raises MCPError."""
    try:
        return await _ask(running, request)
    except StateError as gone:
        raise MCPError(types.INTERNAL_ERROR, str(gone)) from gone


async def _ask(
    running: RunningServer, request: Callable[[Client], Awaitable[T]], asking: ElicitationFnT | None = None
) -> T:
    """One request to the running server, whose questions go to ``asking``.

    Raises MCPError for what it refuses, StateError when it does not answer.
    """
    headers = {"Authorization": f"Bearer {running.token}"} if running.token else {}
    answers: list[T] = []
    refusal: MCPError | None = None
    try:
        async with (
            httpx2.AsyncClient(headers=headers, trust_env=False, timeout=TIMEOUT_S) as http,
            Client(
                streamable_http_client(f"{running.url}/mcp", http_client=http), elicitation_callback=asking
            ) as client,
        ):
            try:
                answers.append(await request(client))
            except MCPError as error:
                refusal = error
    except* (httpx2.HTTPError, MCPError):  # in a group, as the client's tasks end; what came before still counts
        pass
    if answers:
        return answers[0]
    if refusal is not None:
        raise refusal
    raise StateError(
        "server_gone",
        f"The jarvis serve at {running.url} does not answer.",
        mend="Start it, then this MCP server again.",
    )
