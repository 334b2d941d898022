"""The toolbox against a real server in process."""

from __future__ import annotations

import pytest

from assistant.errors import ToolboxError
from assistant.outside_servers import OutsideTool
from assistant.ports import Names
from assistant.toolbox import McpToolbox
from tests.toolbox.own_server import SCHEMA, OwnServer
from tools.contract import Caller, Door, Speech

CALLER = Caller(name="anna", door=Door.REPL, speech=Speech.QUESTION, turn_id="t1")


async def test_our_tools_come_in_the_servers_order() -> None:
    async with McpToolbox(OwnServer().build()) as box:
        tools = await box.tools()
    assert [tool.name for tool in tools] == ["check_services", "check_backups"]
    assert tools[0].read_only
    assert tools[0].input_schema == SCHEMA


async def test_a_call_carries_the_caller_and_brings_back_the_outcome() -> None:
    own = OwnServer()
    async with McpToolbox(own.build()) as box:
        outcome = await box.call("check_services", {"service": "git"}, CALLER)
    assert outcome.ok
    assert outcome.spoken == "Gitea is up."
    assert outcome.result is not None
    assert outcome.result.data == {"state": "up"}
    assert [Caller.model_validate(caller) for caller in own.callers] == [CALLER]


async def test_the_names_are_read_from_the_resource() -> None:
    async with McpToolbox(OwnServer().build()) as box:
        assert await box.names() == Names({"service": {"gitea": ("git",)}, "job": {"photos": ()}})


@pytest.mark.parametrize("names", [[], "x", {"service": 3}, {"service": {"a": 1}}])
async def test_names_in_another_form_are_an_error_with_a_code(names: object) -> None:
    async with McpToolbox(OwnServer(names=names).build()) as box:
        with pytest.raises(ToolboxError) as caught:
            await box.names()
    assert caught.value.code == "nonsense"


async def test_an_answer_that_is_no_outcome_is_an_error() -> None:
    async with McpToolbox(OwnServer(structured={"all": "fine"}).build()) as box:
        with pytest.raises(ToolboxError) as caught:
            await box.call("check_services", {}, CALLER)
    assert caught.value.code == "nonsense"


OUTSIDE = {
    "budget": 600,
    "servers": [
        {"name": "weather", "ok": False, "detail": "gone", "tools": [], "left_out": ["x: too long"]},
        {"name": "notes", "ok": True, "detail": "", "left_out": [],
         "tools": [{"name": "notes_find", "level": "read", "tokens": 55}]},
    ],
}  # fmt: skip


async def test_how_outside_servers_are_is_read_from_the_resource() -> None:
    async with McpToolbox(OwnServer(outside=OUTSIDE).build()) as box:
        health = await box.outside()
    assert [(server.name, server.ok, server.detail) for server in health.servers] == [
        ("weather", False, "gone"),
        ("notes", True, ""),
    ]
    assert health.servers[0].left_out == ("x: too long",)
    assert health.servers[1].tools == (OutsideTool("notes_find", "read", 55),)
    assert (health.tokens, health.budget) == (55, 600)


@pytest.mark.parametrize("outside", [[], "x", {"budget": 1}, {"budget": 1, "servers": [{}]}])
async def test_outside_servers_in_another_form_are_an_error_with_a_code(outside: object) -> None:
    async with McpToolbox(OwnServer(outside=outside).build()) as box:
        with pytest.raises(ToolboxError) as caught:
            await box.outside()
    assert caught.value.code == "nonsense"
