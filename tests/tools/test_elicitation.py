"""Outside MCP clients: their person is asked in both generations of the protocol, and a yes acts once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitRequest, ElicitResult, ErrorData, InputRequiredResult

from tests.fakes_mcp import Action, Person, Things, outcome_of
from tests.fakes_tools import a_log
from tools.contract import Caller, Door, Level
from tools.elicitation import CANCELLED, DECLINED, NO_CHANNEL
from tools.policy import VOID
from tools.server import ToolHouse, mcp_server
from tools.settings import ToolSettings

GENERATIONS = pytest.mark.parametrize("mode", ["auto", "legacy"])
LAMP = {"thing": "light"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ToolHouse]:
    with ToolHouse(ToolSettings(), tmp_path) as opened:
        yield opened


@pytest.fixture
def things(house: ToolHouse, tmp_path: Path) -> Iterator[Things]:
    inside = Things.into(house, tmp_path)
    yield inside
    inside.store.close()


def client(house: ToolHouse, person: Person | None = None, mode: str = "auto", who: str = "webui") -> Client:
    return Client(
        mcp_server(house, trust_caller=False, who=lambda: Caller(name=who, role="member", door=Door.MCP)),
        elicitation_callback=person,
        mode=mode,
    )


def decisions(things: Things) -> list[str]:
    return [line["decision"] for line in reversed(things.store.audit_lines())]


@GENERATIONS
async def test_after_the_persons_yes_it_is_done_once(house: ToolHouse, things: Things, mode: str) -> None:
    person = Person()
    async with client(house, person, mode) as outside:
        outcome = outcome_of(await outside.call_tool("break", LAMP))
    assert (outcome.ok, outcome.spoken, outcome.confirmation) == (True, "Done.", None)
    assert person.asked == ["Shall I break lamp?"]
    assert things.broken == ["lamp"]
    assert decisions(things) == ["needs_confirmation", "confirmed"]


@GENERATIONS
@pytest.mark.parametrize("action, said", [("decline", DECLINED), ("cancel", CANCELLED)])
async def test_after_a_no_nothing_is_done(
    house: ToolHouse, things: Things, mode: str, action: Action, said: str
) -> None:
    async with client(house, Person(action), mode) as outside:
        outcome = outcome_of(await outside.call_tool("break", LAMP))
    assert (outcome.error, outcome.spoken, outcome.level) == ("refused", said, Level.DESTRUCTIVE)
    assert (things.broken, outcome.arguments) == ([], {"thing": "lamp"})


@GENERATIONS
async def test_a_client_that_cannot_ask_is_told_why_and_what_to_do(house: ToolHouse, things: Things, mode: str) -> None:
    async with client(house, None, mode) as outside:
        outcome = outcome_of(await outside.call_tool("break", LAMP))
        assert (outcome.error, outcome.spoken, outcome.confirmation) == ("needs_confirmation", NO_CHANNEL, None)
        assert outcome.arguments == {"thing": "lamp"}
        assert outcome_of(await outside.call_tool("switch", LAMP)).ok
    assert things.broken == []


@GENERATIONS
async def test_a_yes_that_comes_too_late_does_nothing(house: ToolHouse, things: Things, mode: str) -> None:
    async def wait() -> None:
        things.seconds += 300

    async with client(house, Person(then=wait), mode) as outside:
        outcome = outcome_of(await outside.call_tool("break", LAMP))
    assert (outcome.error, outcome.spoken) == ("confirmation_void", VOID)
    assert things.broken == []


async def test_an_older_client_is_not_waited_for_longer_than_the_question_lives(
    house: ToolHouse, tmp_path: Path
) -> None:
    never = asyncio.Event()

    async def think() -> None:
        await never.wait()

    things = Things.into(house, tmp_path, lifetime_s=0.05)
    async with client(house, Person(then=think), "legacy") as outside:
        outcome = outcome_of(await outside.call_tool("break", LAMP))
    assert (outcome.error, outcome.spoken, things.broken) == ("confirmation_void", VOID, [])
    things.store.close()


async def test_an_older_client_that_fails_to_ask_changes_nothing(house: ToolHouse, things: Things) -> None:
    class Broken(Person):
        async def __call__(self, context: object, params: object) -> ErrorData:  # type: ignore[override]
            return ErrorData(code=-32000, message="no window")

    async with client(house, Broken(), "legacy") as outside:
        outcome = outcome_of(await outside.call_tool("break", LAMP))
    assert (outcome.error, outcome.spoken, things.broken) == ("refused", CANCELLED, [])


@GENERATIONS
async def test_the_protected_is_not_even_asked_about(house: ToolHouse, things: Things, mode: str) -> None:
    person = Person()
    async with client(house, person, mode) as outside:
        outcome = outcome_of(await outside.call_tool("switch", {"thing": "front door"}))
    assert (outcome.error, outcome.level, person.asked) == ("protected", None, [])
    assert things.switch.executed == []


@GENERATIONS
async def test_after_a_log_every_act_is_asked_about(house: ToolHouse, things: Things, mode: str) -> None:
    things.look.does = a_log
    person = Person("decline")
    async with client(house, person, mode) as outside:
        assert outcome_of(await outside.call_tool("switch", LAMP)).ok
        await outside.call_tool("look", {})
        assert outcome_of(await outside.call_tool("switch", LAMP)).error == "refused"
    assert person.asked == ["Shall I go ahead with switch for lamp?"]
    assert len(things.switch.executed) == 1


@GENERATIONS
async def test_calls_side_by_side_are_asked_about_one_by_one(house: ToolHouse, things: Things, mode: str) -> None:
    both = asyncio.Barrier(2)

    async def wait_for_the_other() -> None:
        await both.wait()

    async with client(house, Person(then=wait_for_the_other), mode) as outside:
        answers = await asyncio.gather(*(outside.call_tool("break", {"thing": thing}) for thing in ("lamp", "kettle")))
        assert outcome_of(await outside.call_tool("look", {})).ok
    assert all(outcome_of(answer).ok for answer in answers)
    assert sorted(things.broken) == ["kettle", "lamp"]


async def asked(outside: Client) -> InputRequiredResult:
    """The first round of a call that the test answers by hand."""
    first = await outside.session.call_tool("break", LAMP, allow_input_required=True)
    assert isinstance(first, InputRequiredResult)
    assert first.input_requests is not None
    assert isinstance(first.input_requests["confirmation"], ElicitRequest)
    return first


async def answer(
    outside: Client, first: InputRequiredResult, action: Action = "accept", thing: str = "light", tool: str = "break"
) -> tuple[str | None, str]:
    """The second round: the outcome's error and its words."""
    second = await outside.session.call_tool(
        tool,
        {"thing": thing},
        input_responses={"confirmation": ElicitResult(action=action)},
        request_state=first.request_state,
    )
    outcome = outcome_of(second)
    return outcome.error, outcome.spoken


async def test_an_accepted_answer_that_is_sent_again_does_nothing(house: ToolHouse, things: Things) -> None:
    async with client(house, Person()) as outside:
        first = await asked(outside)
        assert await answer(outside, first) == (None, "Done.")
        assert await answer(outside, first) == ("confirmation_void", VOID)
        answers = await asyncio.gather(*(answer(outside, first) for _ in range(5)))
    assert set(answers) == {("confirmation_void", VOID)}
    assert things.broken == ["lamp"]


async def test_a_no_that_becomes_a_yes_does_nothing(house: ToolHouse, things: Things) -> None:
    async with client(house, Person()) as outside:
        first = await asked(outside)
        assert await answer(outside, first, "decline") == ("refused", DECLINED)
        assert await answer(outside, first) == ("confirmation_void", VOID)
    assert things.broken == []


async def test_an_answer_that_is_missing_is_a_no(house: ToolHouse, things: Things) -> None:
    async with client(house, Person()) as outside:
        first = await asked(outside)
        second = await outside.session.call_tool("break", LAMP, request_state=first.request_state)
        assert outcome_of(second).spoken == CANCELLED
        assert await answer(outside, first) == ("confirmation_void", VOID)
    assert things.broken == []


async def test_the_yes_cannot_be_used_for_anything_else_nor_by_anybody_else(house: ToolHouse, things: Things) -> None:
    server = mcp_server(house, trust_caller=False, who=lambda: Caller(name=names[0], role="member", door=Door.MCP))
    names = ["webui"]
    async with Client(server, elicitation_callback=Person()) as outside:
        first = await asked(outside)
        for tool, thing in (("break", "kettle"), ("switch", "light"), ("break", "lamp")):
            with pytest.raises(MCPError, match="requestState"):
                await answer(outside, first, thing=thing, tool=tool)
        names[0] = "other"
        with pytest.raises(MCPError, match="requestState"):
            await answer(outside, first)
        with pytest.raises(MCPError, match="requestState"):
            await answer(outside, first.model_copy(update={"request_state": '["x", "y"]'}))
        names[0] = "webui"
        assert things.broken == []
        assert await answer(outside, first) == (None, "Done.")


async def test_an_answer_without_a_question_is_asked_first(house: ToolHouse, things: Things) -> None:
    async with client(house, Person()) as outside:
        result = await outside.session.call_tool(
            "break",
            LAMP,
            input_responses={"confirmation": ElicitResult(action="accept")},
            allow_input_required=True,
        )
    assert isinstance(result, InputRequiredResult)
    assert things.broken == []


@pytest.mark.parametrize("person", [Person(), None])
async def test_the_nonce_is_in_nothing_that_an_outside_client_gets(
    house: ToolHouse, things: Things, tmp_path: Path, caplog: pytest.LogCaptureFixture, person: Person | None
) -> None:
    caplog.set_level("DEBUG")
    seen: list[str] = []
    async with client(house, person) as outside:
        for _ in range(2):
            first = await outside.session.call_tool("break", LAMP, allow_input_required=True)
            seen.append(first.model_dump_json())
            if isinstance(first, InputRequiredResult):
                seen += [repr(await answer(outside, first)), repr(await answer(outside, first))]
    assert len(things.confirmations.nonces) == 2
    for nonce in things.confirmations.nonces:
        assert not [text for text in (*seen, caplog.text) if nonce in text]
        assert not files_with(nonce, tmp_path)


def files_with(text: str, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]
