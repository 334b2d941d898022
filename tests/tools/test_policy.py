"""The one call path: every outcome there is, who may do what, and that each call leaves its line."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes_tools import NAMES, BreakTool, SwitchTool, ThingTool, hang
from tools.contract import Caller, CallOutcome, Candidates, Door, JsonObject, Level, PlannedCall, Speech, ToolResult
from tools.names import NameIndex
from tools.outbox import Outbox
from tools.policy import VOICE_DOORS, CallPath, decide
from tools.store import Store, StoreError
from tools.tool import resolve_optional

ANNA = Caller(name="anna", door=Door.REPL, room="study", speech=Speech.ORDER, turn_id="t1")


@dataclass
class House:
    """A call path over one of each tool, with what stands behind it."""

    folder: Path
    store: Store
    look: ThingTool = field(default_factory=ThingTool)
    switch: SwitchTool = field(default_factory=SwitchTool)
    destroy: BreakTool = field(default_factory=BreakTool)

    async def call(self, name: str, caller: Caller = ANNA, **arguments: Any) -> CallOutcome:
        path = CallPath((self.look, self.switch, self.destroy), self.store, Outbox(self.folder / "outbox"))
        return await path.call(name, arguments, caller)

    @property
    def executed(self) -> int:
        return len(self.look.executed) + len(self.switch.executed) + len(self.destroy.executed)

    def lines(self) -> list[JsonObject]:
        return self.store.audit_lines()

    def artifact(self, tool: str) -> JsonObject | None:
        latest = self.folder / "outbox" / tool / "latest.json"
        return json.loads(latest.read_text()) if latest.exists() else None


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with Store(tmp_path / "jarvis.db") as store:
        yield House(tmp_path, store)


async def test_a_good_call_answers_with_the_tools_result_under_its_canonical_name(house: House) -> None:
    outcome = await house.call("look", thing="the Light")
    assert outcome.ok
    assert outcome.spoken == "Done."
    assert outcome.arguments == {"thing": "lamp"}
    assert outcome.level is Level.READ
    assert outcome.result == ToolResult(spoken="Done.", data={"thing": "lamp"})
    assert outcome.error is None
    assert outcome.duration_ms >= 0


async def test_a_good_call_leaves_a_line_and_an_artifact(house: House) -> None:
    await house.call("look", thing="light")
    (line,) = house.lines()
    assert {key: line[key] for key in ("who", "role", "door", "room", "turn_id", "tool", "arguments", "level")} == {
        "who": "anna",
        "role": "owner",
        "door": "repl",
        "room": "study",
        "turn_id": "t1",
        "tool": "look",
        "arguments": '{"thing": "lamp"}',
        "level": "read",
    }
    assert (line["decision"], line["outcome"]) == ("allowed", "ok")
    assert len(line["result_sha256"]) == 64
    artifact = house.artifact("look")
    assert artifact is not None
    assert (artifact["tool"], artifact["arguments"], artifact["spoken"]) == ("look", {"thing": "lamp"}, "Done.")


async def test_an_unknown_tool_is_an_error_that_lists_the_tools(house: House) -> None:
    outcome = await house.call("check_weather", place="here")
    assert (outcome.ok, outcome.error, outcome.arguments) == (False, "unknown_tool", {"place": "here"})
    assert outcome.detail == "There is no tool 'check_weather'. The tools are look, switch and break."


@pytest.mark.parametrize(
    "arguments, problem",
    [
        ({"thing": 5}, "thing: Input should be a valid string"),
        ({"place": "here"}, "place: Extra inputs are not permitted"),
        ({"amount": 6}, "amount: Input should be less than or equal to 5"),
        ({"amount": "lots"}, "amount: Input should be a valid integer"),
    ],
)
async def test_invalid_arguments_go_back_with_what_is_wrong(
    house: House, arguments: dict[str, Any], problem: str
) -> None:
    outcome = await house.call("switch", **arguments)
    assert (outcome.ok, outcome.error, outcome.arguments) == (False, "invalid_arguments", arguments)
    assert problem in (outcome.detail or "")
    assert "Known arguments: thing, amount." in (outcome.detail or "")
    assert house.executed == 0


async def test_an_unknown_name_offers_the_nearest(house: House) -> None:
    outcome = await house.call("look", thing="dishwasher")
    assert (outcome.ok, outcome.error) == (False, "unknown_name")
    assert len(outcome.candidates) == 3
    assert outcome.spoken.startswith("I don't know a thing called dishwasher. The nearest are ")
    assert house.executed == 0


async def test_an_ambiguous_name_asks_which(house: House) -> None:
    outcome = await house.call("switch", thing="boiler")
    assert (outcome.ok, outcome.error, outcome.candidates) == (False, "ambiguous_name", ("heater", "kettle"))
    assert outcome.spoken == "Do you mean heater or kettle?"
    assert house.executed == 0


async def test_a_question_changes_nothing(house: House) -> None:
    asking = ANNA.model_copy(update={"speech": Speech.QUESTION})
    outcome = await house.call("switch", asking, thing="lamp")
    assert (outcome.ok, outcome.error, outcome.level) == (False, "refused", Level.OPERATE)
    assert (await house.call("look", asking, thing="lamp")).ok
    assert house.switch.executed == []


async def test_an_order_operates(house: House) -> None:
    assert (await house.call("switch", thing="lamp")).ok
    assert [call.arguments for call in house.switch.executed] == [{"thing": "lamp"}]


async def test_the_destructive_waits_for_a_yes(house: House) -> None:
    outcome = await house.call("break", thing="lamp")
    assert (outcome.ok, outcome.error) == (False, "needs_confirmation")
    assert house.executed == 0


@pytest.mark.parametrize("door", sorted(VOICE_DOORS))
async def test_the_protected_is_not_for_voices(house: House, door: Door) -> None:
    speaking = ANNA.model_copy(update={"door": door})
    for tool in ("switch", "break"):
        assert (await house.call(tool, speaking, thing="front door")).error == "refused"
    assert (await house.call("look", speaking, thing="front door")).ok
    assert (await house.call("switch", speaking, thing="lamp")).ok
    assert (await house.call("switch", ANNA, thing="front door")).ok


async def test_a_tool_that_hangs_is_cut_off_at_its_deadline(house: House) -> None:
    house.look = ThingTool(hang)
    house.look.deadline_s = 0.05
    outcome = await house.call("look")
    assert (outcome.ok, outcome.error, outcome.result) == (False, "timeout", None)
    assert outcome.detail == "look did not finish within 0.05 s."
    assert house.lines()[0]["outcome"] == "timeout"


async def test_a_bug_in_a_tool_is_an_honest_outcome_and_the_log_has_the_trace(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    async def bug() -> ToolResult:
        raise ZeroDivisionError("of a secret number")

    house.look = ThingTool(bug)
    outcome = await house.call("look")
    assert (outcome.ok, outcome.error) == (False, "failed")
    assert "secret" not in f"{outcome.spoken} {outcome.detail}"
    assert "ZeroDivisionError" in (outcome.detail or "")
    assert caplog.records[0].exc_info is not None
    assert house.artifact("look") is None


async def test_a_database_that_cannot_be_used_is_said(house: House) -> None:
    async def no_database() -> ToolResult:
        raise StoreError("The database cannot be used: it is full.")

    house.look = ThingTool(no_database)
    outcome = await house.call("look")
    assert (outcome.ok, outcome.error, outcome.detail) == (False, "failed", "The database cannot be used: it is full.")


async def test_every_call_leaves_exactly_one_line_with_its_decision(house: House) -> None:
    asking = ANNA.model_copy(update={"speech": Speech.QUESTION})
    await house.call("look")
    await house.call("nothing")
    await house.call("look", amount=0)
    await house.call("look", thing="boiler")
    await house.call("look", thing="dishwasher")
    await house.call("switch", asking)
    await house.call("break")
    assert [(line["decision"], line["outcome"]) for line in reversed(house.lines())] == [
        ("allowed", "ok"),
        ("not planned", "unknown_tool"),
        ("not planned", "invalid_arguments"),
        ("not planned", "ambiguous_name"),
        ("not planned", "unknown_name"),
        ("refused", "refused"),
        ("needs_confirmation", "needs_confirmation"),
    ]
    assert sum(line["result_sha256"] is not None for line in house.lines()) == 1


async def test_the_lines_cannot_be_taken_back(house: House) -> None:
    await house.call("look")
    with sqlite3.connect(house.folder / "jarvis.db") as db, pytest.raises(sqlite3.DatabaseError, match="append-only"):
        db.execute("DELETE FROM audit")
    db.close()


async def test_an_unwritable_outbox_does_not_lose_the_answer_and_is_logged(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    (house.folder / "outbox").write_text("a file where the folder should be")
    outcome = await house.call("look", thing="lamp")
    assert (outcome.ok, outcome.spoken) == (True, "Done.")
    assert len(house.lines()) == 1
    assert "could not be recorded" in caplog.text
    assert "lamp" not in caplog.text


async def test_a_closed_database_does_not_lose_the_answer(house: House) -> None:
    house.store.close()
    assert (await house.call("look")).ok


async def test_whoever_waits_for_the_answer_can_go_away(house: House) -> None:
    begun = asyncio.Event()

    async def begin_and_hang() -> ToolResult:
        begun.set()
        return await hang()

    house.look = ThingTool(begin_and_hang)
    task = asyncio.create_task(house.call("look"))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=4)


TEXT = st.text(st.characters())  # lone surrogates too: JSON can carry them


@settings(max_examples=50)
@given(name=st.sampled_from(["look", "switch", "break"]) | TEXT, arguments=st.dictionaries(TEXT, JSON, max_size=3))
async def test_no_call_raises_and_no_refusal_executes(name: str, arguments: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "jarvis.db") as store:
        tools = (ThingTool(), SwitchTool(), BreakTool())
        outcome = await CallPath(tools, store, Outbox(Path(folder) / "outbox")).call(name, arguments, ANNA)
        assert len(store.audit_lines()) == 1
        assert outcome.ok == (outcome.error is None)
        assert outcome.ok == bool(sum(len(tool.executed) for tool in tools))


CALLERS = st.builds(Caller, door=st.sampled_from(Door), speech=st.sampled_from(Speech))
CALLS = st.builds(PlannedCall, tool=st.just("x"), level=st.sampled_from(Level), protected=st.booleans())


@given(CALLS, CALLERS)
def test_the_rules_of_the_policy(call: PlannedCall, caller: Caller) -> None:
    decision = decide(call, caller)
    assert decision.allowed == (decision.code is None) == (decision.spoken == "")
    if call.level is Level.READ:
        assert decision.allowed
    else:
        assert not (decision.allowed and caller.speech is Speech.QUESTION)
        assert not (decision.allowed and call.protected and caller.door in VOICE_DOORS)
        assert not (decision.allowed and call.level is Level.DESTRUCTIVE)


@pytest.mark.parametrize(
    "said", [None, "", "all", "All", " everything", "all of them", "*", "none", "my jobs", "the backups"]
)
def test_words_for_all_of_them_are_no_name(said: str | None) -> None:
    assert resolve_optional(NAMES, "thing", "a thing", said) is None


def test_a_thing_that_is_called_so_is_meant() -> None:
    names = NameIndex({"thing": {"backups": [], "everything": []}})
    assert resolve_optional(names, "thing", "a thing", "the backups") == "backups"


def test_where_nothing_is_configured_that_is_said() -> None:
    found = resolve_optional(NameIndex({"thing": {}}), "thing", "a thing", "lamp")
    assert isinstance(found, Candidates)
    assert found.spoken == "I don't know a thing called lamp; none is configured."
