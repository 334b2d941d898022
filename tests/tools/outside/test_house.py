"""The tools of an outside server in the whole house: for the assistant, for outside clients, for schedules."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from assistant.toolbox import McpToolbox
from tests.fakes_mcp import Person, outcome_of
from tests.fakes_tools import ThingTool
from tests.tools.outside.rig import CALLER, START_S
from tools.contract import Caller, Door, Level, PlannedCall
from tools.server import ToolHouse, mcp_server
from tools.settings import ToolSettings

SCRIPT = Path(__file__).with_name("notes_server.py")
OUTSIDE = {
    "levels": {"search": "read", "add_page": "destructive"},
    "rename": {"search": "find_note"},
    "describe": {"search": "Search the notes."},
    "timeout_s": START_S,
}


@asynccontextmanager
async def by_stdio(pages: Path) -> AsyncIterator[dict[str, Any]]:
    yield {"command": [sys.executable, str(SCRIPT), str(pages)]}


@asynccontextmanager
async def by_http(pages: Path) -> AsyncIterator[dict[str, Any]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), str(pages), str(port), stderr=asyncio.subprocess.PIPE
    )
    try:
        assert child.stderr is not None
        async with asyncio.timeout(START_S):
            while b"running on" not in (line := await child.stderr.readline()):
                assert line, "the notes server ended"
        yield {"url": f"http://127.0.0.1:{port}/mcp"}
    finally:
        child.terminate()
        await child.communicate()


@pytest.fixture(params=[by_stdio, by_http], ids=["stdio", "http"])
async def house(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ToolHouse]:
    monkeypatch.setattr("tools.outside.servers.CONNECT_TIMEOUT_S", START_S)
    pages = tmp_path / "pages"
    pages.write_text("buy milk\nthe boiler man is called Ben\n")
    async with request.param(pages) as reached:
        settings = ToolSettings.model_validate({"mcp_servers": {"notes": {**reached, **OUTSIDE}}})
        with ToolHouse(settings, tmp_path / "state") as opened:
            async with opened.outside:
                yield opened


async def test_two_tools_of_an_outside_server_work_for_everybody_and_under_our_rules(
    house: ToolHouse, tmp_path: Path
) -> None:
    pages = tmp_path / "pages"
    async with McpToolbox(mcp_server(house, trust_caller=True)) as box:
        listed = {tool.name: tool for tool in await box.tools()}
        assert list(listed)[16:] == ["notes_add_page", "find_note"]
        assert listed["find_note"].description == "Search the notes."
        assert (listed["find_note"].read_only, listed["notes_add_page"].read_only) == (True, False)
        (health,) = (await box.outside()).servers
        assert health.ok
        assert [(tool.name, tool.level) for tool in health.tools] == [
            ("notes_add_page", "destructive"),
            ("find_note", "read"),
        ]

        found = await box.call("find_note", {"words": "boiler"}, CALLER)
        assert found.spoken == "the boiler man is called Ben"
        assert found.result is not None
        assert found.result.tainted

        asked = await box.call("notes_add_page", {"text": "sell milk"}, CALLER)
        assert asked.spoken == "Shall I let notes do “add page” with text “sell milk”?"
        assert "sell" not in pages.read_text()
        assert asked.confirmation is not None
        yes = CALLER.model_copy(update={"confirmation": asked.confirmation.nonce})
        assert (await box.call("notes_add_page", {"text": "sell milk"}, yes)).spoken == "added sell milk"
        again = await box.call("notes_add_page", {"text": "sell milk"}, yes)
        assert again.error == "confirmation_void"
        assert pages.read_text().count("sell milk") == 1

    ben = Person("accept")
    async with Client(mcp_server(house, trust_caller=False), elicitation_callback=ben) as client:
        answer = outcome_of(await client.call_tool("notes_add_page", {"text": "by ben"}))
        assert answer.spoken == "added by ben"
        assert ben.asked == ["Shall I let notes do “add page” with text “by ben”?"]
    async with Client(mcp_server(house, trust_caller=False)) as client:
        answer = outcome_of(await client.call_tool("notes_add_page", {"text": "by nobody"}))
        assert answer.error == "needs_confirmation"
    assert "by nobody" not in pages.read_text()

    agreed = house.path.plan("notes_add_page", {"text": "each sunday"})
    assert isinstance(agreed, PlannedCall)
    assert agreed.level is Level.DESTRUCTIVE
    done = await house.path.call_scheduled(agreed, Caller(name="anna", door=Door.SCHEDULE))
    assert done.spoken == "added each sunday"
    lines = [(line["tool"], line["decision"]) for line in house.audit_lines() if line["tool"].startswith("notes")]
    assert ("notes_add_page", "scheduled") in lines
    assert ("notes_add_page", "confirmed") in lines


async def test_tools_that_come_and_go_are_seen_at_the_next_turn(tmp_path: Path) -> None:
    with ToolHouse(ToolSettings(), tmp_path / "state") as own:
        async with McpToolbox(mcp_server(own, trust_caller=True)) as box:
            before = [tool.name for tool in await box.tools()]
            own.path.add_outside([ThingTool()])
            assert [tool.name for tool in await box.tools()] == [*before, "look"]
            own.path.add_outside([])
            assert [tool.name for tool in await box.tools()] == before
            assert (await box.call("look", {}, CALLER)).error == "unknown_tool"
