"""The MCP server over the tools: what it lists, whom it believes, how much it costs a small model."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp_types import CallToolResult, TextContent

from tools.contract import CALLER_META, NAMES_URI, Caller, CallOutcome, Door, Speech
from tools.server import ToolHouse, mcp_server
from tools.settings import ToolSettings

SETTINGS = ToolSettings.model_validate(
    {
        "services": {
            "gitea": {"url": "http://127.0.0.1:1/", "aliases": ["git", "the git server"]},
            "jellyfin": {"url": "http://127.0.0.1:1/"},
        },
        "backups": {"photos": {"kind": "borg", "aliases": ["pictures"]}},
    }
)
MAX_LIST_CHARACTERS = 700
"""Both tools in OpenAI form. The budget for all sixteen is 1,200 tokens; three characters of JSON make about one."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ToolHouse]:
    with ToolHouse(SETTINGS, tmp_path / "state") as opened:
        yield opened


def text_of(result: CallToolResult) -> str:
    [content] = result.content
    assert isinstance(content, TextContent)
    return content.text


async def test_the_tools_are_listed_in_a_fixed_order_and_small(house: ToolHouse) -> None:
    async with Client(mcp_server(house, trust_caller=True)) as client:
        tools = (await client.list_tools()).tools
    assert [tool.name for tool in tools] == ["check_services", "check_backups"]
    functions = [
        {"type": "function", "function": {"name": t.name, "description": t.description, "parameters": t.input_schema}}
        for t in tools
    ]
    size = len(json.dumps(functions))
    print(f"the tool list: {size} characters of JSON")  # noqa: T201 - the figure is part of what the test says
    assert size <= MAX_LIST_CHARACTERS
    assert "title" not in json.dumps(functions)
    assert all(len(tool.description or "") <= 160 for tool in tools)
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)


async def test_an_answer_is_the_sentence_and_the_whole_outcome(house: ToolHouse) -> None:
    async with Client(mcp_server(house, trust_caller=True)) as client:
        result = await client.call_tool("check_services", {"service": "the git server"})
    outcome = CallOutcome.model_validate(result.structured_content)
    assert not result.is_error
    assert text_of(result) == outcome.spoken == "Gitea is down: the connection is refused."
    assert outcome.arguments == {"service": "gitea"}
    assert outcome.result is not None
    assert outcome.result.data["services"][0]["state"] == "down"


@pytest.mark.parametrize(
    ("tool", "arguments", "error", "in_text"),
    [
        ("check_services", {"service": "the toaster"}, "unknown_name", "nearest"),
        ("check_services", {"servce": "gitea"}, "invalid_arguments", "Known arguments: service"),
        ("check_backups", {"job": 7}, "invalid_arguments", "valid string"),
        ("open_garage", {}, "unknown_tool", "check_services and check_backups"),
    ],
)
async def test_a_refusal_is_a_readable_result(
    house: ToolHouse, tool: str, arguments: dict[str, Any], error: str, in_text: str
) -> None:
    async with Client(mcp_server(house, trust_caller=True)) as client:
        result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert result.structured_content is not None
    assert result.structured_content["error"] == error
    assert in_text in text_of(result)


async def test_an_unknown_name_comes_with_the_nearest_ones(house: ToolHouse) -> None:
    async with Client(mcp_server(house, trust_caller=True)) as client:
        result = await client.call_tool("check_services", {"service": "jellybean stand"})
    assert result.structured_content is not None
    assert "jellyfin" in result.structured_content["candidates"]
    assert "jellyfin" in text_of(result)


async def test_in_process_the_assistant_says_who_asks(house: ToolHouse) -> None:
    caller = Caller(
        name="anna", role="member", door=Door.MICROPHONE, room="kitchen", speech=Speech.QUESTION, turn_id="t1"
    )
    async with Client(mcp_server(house, trust_caller=True)) as client:
        meta: Any = {CALLER_META: caller.model_dump(mode="json")}
        await client.call_tool("check_backups", {}, meta=meta)
        await client.call_tool("check_backups", {})
    nobody, anna = house.audit_lines(2)
    assert (anna["who"], anna["door"], anna["room"], anna["turn_id"]) == ("anna", "microphone", "kitchen", "t1")
    assert (nobody["who"], nobody["role"]) == ("nobody", "guest")


async def test_a_caller_that_cannot_be_read_is_refused(house: ToolHouse) -> None:
    async with Client(mcp_server(house, trust_caller=True)) as client:
        meta: Any = {CALLER_META: {"role": ["owner"]}}
        with pytest.raises(MCPError, match="caller"):
            await client.call_tool("check_backups", {}, meta=meta)


async def test_an_outside_client_is_who_the_server_says_whatever_it_claims(house: ToolHouse) -> None:
    async with Client(mcp_server(house, trust_caller=False, who=lambda: "phone")) as client:
        meta: Any = {CALLER_META: Caller(name="owner", role="owner").model_dump(mode="json")}
        await client.call_tool("check_backups", {}, meta=meta)
    [line] = house.audit_lines(1)
    assert (line["who"], line["role"], line["door"]) == ("phone", "member", "mcp")


async def test_the_live_names_are_a_resource_and_nothing_else_is(house: ToolHouse) -> None:
    async with Client(mcp_server(house, trust_caller=True)) as client:
        [listed] = (await client.list_resources()).resources
        assert str(listed.uri) == NAMES_URI
        [content] = (await client.read_resource(NAMES_URI)).contents
        names = json.loads(content.text)  # type: ignore[union-attr]
        assert names["service"]["gitea"] == ["git", "the git server"]
        assert names["job"] == {"photos": ["pictures"]}
        with pytest.raises(MCPError, match="no resource"):
            await client.read_resource("jarvis://secrets")


async def test_over_stdio_it_serves_the_same_tools_and_believes_nobody(tmp_path: Path) -> None:
    settings, state = tmp_path / "settings.json", tmp_path / "state"
    settings.write_text(SETTINGS.model_dump_json())
    arguments = ["-m", "tools", "--settings", str(settings), "--state", str(state)]
    async with Client(StdioServerParameters(command=sys.executable, args=arguments)) as client:
        meta: Any = {CALLER_META: Caller(name="owner", role="owner").model_dump(mode="json")}
        result = await client.call_tool("check_services", {"service": "git"}, meta=meta)
        assert text_of(result) == "Gitea is down: the connection is refused."
    with ToolHouse(SETTINGS, state) as house:
        [line] = house.audit_lines(1)
    assert (line["who"], line["role"]) == ("mcp client", "member")
