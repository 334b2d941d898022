"""The MCP server over the tools: in process, where the caller is believed, and over stdio, where it is not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.exceptions import MCPError
from mcp_types import RequestParamsMeta

from tests.fakes_mcp import Person, outcome_of
from tools.contract import CALLER_META, NAMES_URI, OUTSIDE_URI, Caller, CallOutcome, Door, JsonObject
from tools.recording import PLANNED, RecordingHouse
from tools.server import ToolHouse, mcp_server
from tools.settings import ToolSettings
from tools.store import Store

SETTINGS = ToolSettings.model_validate(
    {
        "services": {
            "gitea": {"url": "http://127.0.0.1:1/", "aliases": ["git"]},
            "jellyfin": {"url": "http://127.0.0.1:1/"},
        },
        "backups": {"photos": {"kind": "borg", "aliases": ["pictures"]}},
        "vms": {"endeavour": {"aliases": ["arch box"]}},
        "areas": {"office": {"lights": ["desk lamp"]}},
    }
)
ANNA = Caller(name="anna", door=Door.MICROPHONE, room="kitchen", turn_id="t1")
SIXTEEN = [
    "check_services",
    "check_alerts",
    "service_logs",
    "service_power",
    "check_backups",
    "run_backup",
    "test_restore",
    "check_vms",
    "vm_power",
    "home_state",
    "home_control",
    "notify",
    "schedule",
    "list_tasks",
    "cancel_task",
    "find_service",
]
READING = {
    "check_services", "check_alerts", "service_logs", "check_backups", "check_vms", "home_state", "list_tasks",
    "find_service",
}  # fmt: skip
DESTROYING = {"service_power", "vm_power", "home_control", "schedule"}
"""At their highest level."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ToolHouse]:
    with ToolHouse(SETTINGS, tmp_path) as opened:
        yield opened


def audit(state: Path) -> list[JsonObject]:
    with Store(state / "jarvis.db") as store:
        return store.audit_lines()


def meta(caller: Caller) -> RequestParamsMeta:
    return claiming(caller.model_dump(mode="json"))


def claiming(caller: JsonObject) -> RequestParamsMeta:
    return cast(RequestParamsMeta, {CALLER_META: caller})


async def test_the_sixteen_tools_are_listed_small_and_without_titles(house: ToolHouse) -> None:
    async with Client(mcp_server(house, trust_caller=True)) as client:
        listed = (await client.list_tools()).tools
    assert [tool.name for tool in listed] == SIXTEEN
    assert all(len(tool.description or "") <= 160 for tool in listed)
    for tool in listed:
        assert '"title"' not in json.dumps(tool.input_schema)
        assert len(tool.input_schema["properties"]) <= 4
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint == (tool.name in READING)
        assert tool.annotations.destructive_hint == (tool.name in DESTROYING)


async def test_the_schema_of_an_optional_name_is_one_line(house: ToolHouse) -> None:
    async with Client(mcp_server(house, trust_caller=True)) as client:
        schemas = {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}
    assert schemas["check_backups"] == {
        "type": "object",
        "properties": {"job": {"type": "string", "description": "omit for all"}},
    }


async def test_a_call_answers_with_the_sentence_and_the_whole_outcome(house: ToolHouse) -> None:
    async with Client(mcp_server(house, trust_caller=True)) as client:
        answer = await client.call_tool("check_backups", {"job": "pictures"}, meta=meta(ANNA))
    assert not answer.is_error
    outcome = CallOutcome.model_validate(answer.structured_content)
    assert (outcome.tool, outcome.arguments, outcome.ok) == ("check_backups", {"job": "photos"}, True)
    (content,) = answer.content
    assert content.type == "text"
    assert content.text == outcome.spoken
    assert "no repository is configured" in content.text


async def test_a_service_is_found_by_its_alias_and_looked_at(house: ToolHouse) -> None:
    async with Client(mcp_server(house, trust_caller=True)) as client:
        answer = await client.call_tool("check_services", {"service": "git"})
    outcome = CallOutcome.model_validate(answer.structured_content)
    assert outcome.spoken == "Gitea is down: the connection is refused."
    assert outcome.arguments == {"service": "gitea"}
    assert outcome.result is not None
    assert outcome.result.data["services"][0]["state"] == "down"


async def test_in_process_the_caller_is_believed(house: ToolHouse, tmp_path: Path) -> None:
    async with Client(mcp_server(house, trust_caller=True)) as client:
        await client.call_tool("check_services", {}, meta=meta(ANNA))
        await client.call_tool("check_services", {})
    nobody, anna = audit(tmp_path)
    assert (anna["who"], anna["role"], anna["door"], anna["room"], anna["turn_id"]) == (
        "anna",
        "owner",
        "microphone",
        "kitchen",
        "t1",
    )
    assert (nobody["who"], nobody["role"]) == ("nobody", "guest")


async def test_a_caller_that_cannot_be_read_is_an_error_of_the_protocol(house: ToolHouse, tmp_path: Path) -> None:
    async with Client(mcp_server(house, trust_caller=True)) as client:
        with pytest.raises(MCPError, match="caller"):
            await client.call_tool("check_services", {}, meta=claiming({"role": 5, "admin": True}))
    assert audit(tmp_path) == []


async def test_without_trust_the_server_says_who_calls_whatever_the_client_claims(
    house: ToolHouse, tmp_path: Path
) -> None:
    async with Client(
        mcp_server(house, trust_caller=False, who=lambda: Caller(name="open webui", role="member", door=Door.HTTP))
    ) as client:
        await client.call_tool("check_services", {}, meta=meta(ANNA))
    (line,) = audit(tmp_path)
    assert (line["who"], line["role"], line["door"], line["room"], line["turn_id"]) == (
        "open webui",
        "member",
        "http",
        None,
        None,
    )


@pytest.mark.parametrize(
    "tool, arguments, error, text",
    [
        ("check_weather", {}, "unknown_tool", "The tools are check_services, check_alerts, "),
        ("check_backups", {"when": "now"}, "invalid_arguments", "Known arguments: job."),
        ("check_backups", {"job": 7}, "invalid_arguments", "valid string"),
        ("check_backups", {"job": "the toaster"}, "unknown_name", "The nearest are photos."),
    ],
)
async def test_a_refusal_is_a_readable_result_that_a_model_can_mend(
    house: ToolHouse, tool: str, arguments: dict[str, Any], error: str, text: str
) -> None:
    async with Client(mcp_server(house, trust_caller=True)) as client:
        answer = await client.call_tool(tool, arguments)
    assert answer.is_error
    assert CallOutcome.model_validate(answer.structured_content).error == error
    (content,) = answer.content
    assert content.type == "text"
    assert text in content.text


@pytest.mark.parametrize("trusted", [True, False])
async def test_how_outside_servers_are_is_a_resource(house: ToolHouse, trusted: bool) -> None:
    async with Client(mcp_server(house, trust_caller=trusted)) as client:
        (content,) = (await client.read_resource(OUTSIDE_URI)).contents
    assert json.loads(getattr(content, "text", "")) == {"budget": 600, "servers": []}


async def test_the_names_of_the_house_are_a_resource(house: ToolHouse) -> None:
    async with Client(mcp_server(house, trust_caller=True)) as client:
        listed, _ = (await client.list_resources()).resources
        (content,) = (await client.read_resource(NAMES_URI)).contents
        with pytest.raises(MCPError, match="There is no resource"):
            await client.read_resource("jarvis://secrets")
    assert str(listed.uri) == NAMES_URI
    assert json.loads(getattr(content, "text", "")) == {
        "service": {"gitea": ["git"], "jellyfin": []},
        "job": {"photos": ["pictures"]},
        "vm": {"endeavour": ["arch box"]},
        "area": {"office": []},
        "device": {"desk lamp": []},
        "devices": [["desk lamp", "office", "light"]],
    }


async def test_in_process_the_assistant_gets_the_question_and_its_nonce_and_brings_the_yes(house: ToolHouse) -> None:
    arguments = {"vm": "arch box", "action": "shutdown"}
    async with Client(mcp_server(house, trust_caller=True)) as client:
        asked = CallOutcome.model_validate(
            (await client.call_tool("vm_power", arguments, meta=meta(ANNA))).structured_content
        )
        assert (asked.error, asked.spoken) == ("needs_confirmation", "Shall I shut down endeavour?")
        assert asked.arguments == {"vm": "endeavour", "action": "shutdown"}
        assert asked.confirmation is not None
        yes = ANNA.model_copy(update={"turn_id": "t2", "confirmation": asked.confirmation.nonce})
        errors = [
            CallOutcome.model_validate(
                (await client.call_tool("vm_power", arguments, meta=meta(yes))).structured_content
            ).error
            for _ in range(2)
        ]
    assert errors == ["unavailable", "confirmation_void"]  # no hypervisor is connected, and the yes is used up


async def test_over_stdio_what_needs_a_yes_is_asked_of_the_clients_person(tmp_path: Path) -> None:
    person = Person("decline")
    async with over_stdio(tmp_path, SETTINGS.model_dump_json(), person) as client:
        answer = await client.call_tool("vm_power", {"vm": "arch box", "action": "shutdown"})
    assert person.asked == ["Shall I shut down endeavour?"]
    assert outcome_of(answer).error == "refused"


async def test_a_house_that_records_plans_as_always_and_does_nothing(tmp_path: Path) -> None:
    with RecordingHouse(SETTINGS, tmp_path) as house:
        path = house.path
        good = await path.call("check_services", {"service": "git"}, ANNA)
        bad = await path.call("check_services", {"service": "toaster"}, ANNA)
    assert (good.ok, good.spoken, good.arguments) == (True, PLANNED, {"service": "gitea"})
    assert bad.error == "unknown_name"
    assert audit(tmp_path) == []
    assert not (tmp_path / "outbox").exists()


def test_closing_twice_is_fine(tmp_path: Path) -> None:
    house = ToolHouse(SETTINGS, tmp_path)
    house.close()
    house.close()


@asynccontextmanager
async def over_stdio(folder: Path, settings: str, person: Person | None = None) -> AsyncIterator[Client]:
    """``python -m tools`` as an outside client starts it."""
    file = folder / "settings.json"
    file.write_text(settings)
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "tools", "--settings", str(file), "--state", str(folder / "state")]
    )
    with (folder / "stderr").open("w") as complaints:
        async with Client(stdio_client(command, errlog=complaints), elicitation_callback=person) as client:
            yield client


async def test_over_stdio_the_caller_is_not_believed(tmp_path: Path) -> None:
    async with over_stdio(tmp_path, SETTINGS.model_dump_json()) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == SIXTEEN
        answer = await client.call_tool("check_backups", {"job": "photos"}, meta=meta(ANNA))
        (content,) = (await client.read_resource(NAMES_URI)).contents
    assert CallOutcome.model_validate(answer.structured_content).ok
    assert json.loads(getattr(content, "text", ""))["job"] == {"photos": ["pictures"]}
    (line,) = audit(tmp_path / "state")
    assert (line["who"], line["role"], line["door"]) == ("mcp client", "member", "mcp")
    assert (tmp_path / "stderr").read_text() == ""


def run_tools(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "tools", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, input="")
    return done.returncode, done.stderr


def test_settings_that_cannot_be_used_are_said_without_a_trace(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text('{"services": {"gitea": {"uri": "x"}}}')
    code, said = run_tools("--settings", str(file), "--state", str(tmp_path / "state"))
    assert code == 3
    assert "services.gitea.uri" in said
    assert "Traceback" not in said


def test_a_state_folder_that_cannot_be_used_is_said_without_a_trace(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text("{}")
    (tmp_path / "state").write_text("a file")
    code, said = run_tools("--settings", str(file), "--state", str(tmp_path / "state"))
    assert code == 3
    assert "cannot be used" in said
    assert "Traceback" not in said
