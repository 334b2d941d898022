"""A server of the conformance suite's own tools behind OUR door; run, it says its URL and serves until it is ended.

The suite asks a server for tools of certain names ("test_simple_text"), which a house has none of. Here they stand
behind ``McpDoor`` and ``sealed``, and those are what the scenarios test: streams, questions in both generations of the
protocol, state that was tampered with, headers, and the door's own protection against foreign names.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import mcp_types as types
import uvicorn
from mcp.server import Server, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types.jsonrpc import MISSING_REQUIRED_CLIENT_CAPABILITY
from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.routing import Route

from assistant.server.guards import server_names
from assistant.server.mcp_door import McpDoor
from tests.real.mcp.fixture_questions import ARGUMENTS, LEGACY, ROUNDS, SCHEMA_2020_12
from tools.elicitation import sealed

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100c9fe92ef"
    "0000000049454e44ae426082"
)
SILENCE = b"RIFF\x26\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data\2\0\0\0\0\0"
IMAGE = types.ImageContent(type="image", data=base64.b64encode(PIXEL).decode(), mime_type="image/png")
AUDIO = types.AudioContent(type="audio", data=base64.b64encode(SILENCE).decode(), mime_type="audio/wav")


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)


def _resource(uri: str, mime_type: str, text: str) -> types.EmbeddedResource:
    return types.EmbeddedResource(
        type="resource", resource=types.TextResourceContents(uri=uri, mime_type=mime_type, text=text)
    )


FIXED: dict[str, list[types.ContentBlock]] = {
    "test_simple_text": [_text("This is a simple text response for testing.")],
    "test_image_content": [IMAGE],
    "test_audio_content": [AUDIO],
    "test_embedded_resource": [
        _resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")
    ],
    "test_multiple_content_types": [
        _text("Multiple content types test:"),
        IMAGE,
        _resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
    ],
    "test_custom_header": [_text("The header fits.")],
    "json_schema_2020_12_tool": [_text("The schema is the point.")],
}
OTHERS = ("test_error_handling", "test_tool_with_progress", "test_missing_capability")

_INPUTS: TypeAdapter[types.InputRequests] = TypeAdapter(types.InputRequests)


def schema_of(name: str) -> Mapping[str, Any]:
    """A tool's parameters."""
    if name == "json_schema_2020_12_tool":
        return SCHEMA_2020_12
    properties = ARGUMENTS.get(name, {})
    return {"type": "object", "properties": properties, "required": [*properties]}


async def list_tools(_: ServerRequestContext[Any], __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
    """All of them, in one order."""
    names = (*FIXED, *OTHERS, *ROUNDS, *LEGACY)
    return types.ListToolsResult(
        tools=[types.Tool(name=name, description=f"{name}.", input_schema=dict(schema_of(name))) for name in names]
    )


async def call_tool(
    ctx: ServerRequestContext[Any], params: types.CallToolRequestParams
) -> types.CallToolResult | types.InputRequiredResult:
    """What the suite describes for that name."""
    name = params.name
    if name in FIXED:
        return types.CallToolResult(content=FIXED[name])
    if name in ROUNDS:
        return _ask_again(ctx, params)
    if name in LEGACY:
        return await _ask_meanwhile(ctx, params)
    if name == "test_tool_with_progress":
        for done in (0, 50, 100):
            await ctx.session.report_progress(done, 100)
            await asyncio.sleep(0.05)  # the suite wants to see them apart
        return types.CallToolResult(content=[_text("Done.")])
    if name == "test_missing_capability":
        wanted: dict[str, Any] = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, "Sampling is needed.", wanted)
    error = "This tool intentionally returns an error for testing"
    return types.CallToolResult(content=[_text(error)], is_error=True)


def _ask_again(
    ctx: ServerRequestContext[Any], params: types.CallToolRequestParams
) -> types.CallToolResult | types.InputRequiredResult:
    """The next round's questions until all are answered; what was said stands in the sealed state."""
    number = int(params.request_state) if params.request_state is not None else 0
    rounds, given = ROUNDS[params.name], params.input_responses or {}
    if given and all(key in given for key in rounds[number]):
        number += 1
    if number == len(rounds):
        said = {key: answer.model_dump(mode="json", exclude_none=True) for key, answer in given.items()}
        return types.CallToolResult(content=[_text(f"state-ok {json.dumps(said)}")])
    declared = ctx.session.client_capabilities or types.ClientCapabilities()
    able = {"elicitation/create": declared.elicitation, "sampling/createMessage": declared.sampling}
    checked = params.name == "test_input_required_result_capabilities"
    asked = {key: ask for key, ask in rounds[number].items() if not checked or able[ask["method"]] is not None}
    return types.InputRequiredResult(input_requests=_INPUTS.validate_python(asked), request_state=str(number))


async def _ask_meanwhile(ctx: ServerRequestContext[Any], params: types.CallToolRequestParams) -> types.CallToolResult:
    question, arguments = dict(LEGACY[params.name]), params.arguments or {}
    if "message" in arguments:
        question["params"] = {**question["params"], "message": arguments["message"]}
    if "prompt" in arguments:
        content = {"type": "text", "text": arguments["prompt"]}
        question["params"] = {**question["params"], "messages": [{"role": "user", "content": content}]}
    if question["method"] == "elicitation/create":
        asked = types.ElicitRequest.model_validate(question)
        answer = await ctx.session.elicit_form(asked.params.message, _schema(asked), related_request_id=ctx.request_id)
        said = f"action={answer.action}, content={json.dumps(answer.content)}"
        return types.CallToolResult(content=[_text(f"User response: {said}")])
    request = types.CreateMessageRequest.model_validate(question)
    sampled = await ctx.session.send_request(request, types.CreateMessageResult)
    return types.CallToolResult(content=[_text(f"LLM response: {sampled.model_dump_json()}")])


def _schema(asked: types.ElicitRequest) -> types.ElicitRequestedSchema:
    assert isinstance(asked.params, types.ElicitRequestFormParams)
    return asked.params.requested_schema


def application() -> Starlette:
    """The door with these tools behind it, as ``jarvis serve`` opens its own."""
    server: Server[Any] = Server(
        "fixtures", version="1", on_list_tools=list_tools, on_call_tool=call_tool, get_tool_input_schema=schema_of
    )
    server.middleware.append(sealed("fixtures", lambda: "suite"))
    door = McpDoor(server, server_names([]))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with door.open():
            yield

    return Starlette(routes=[Route("/mcp", endpoint=door)], lifespan=lifespan)


def main() -> None:
    """On a free port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        print(f"http://127.0.0.1:{bound.getsockname()[1]}/mcp", flush=True)  # noqa: T201 - for whoever started it
        asyncio.run(uvicorn.Server(uvicorn.Config(application(), log_level="error")).serve([bound]))


if __name__ == "__main__":
    main()
