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

from tests.fakes_tools import NAMES, BreakTool, SwitchTool, ThingTool, a_log, hang
from tools.access import VOICE_DOORS, Access
from tools.contract import Caller, CallOutcome, Candidates, Door, JsonObject, Level, PlannedCall, Speech, ToolResult
from tools.names import NameIndex
from tools.outbox import Outbox
from tools.policy import WORDLESS_DOORS, CallPath, decide
from tools.settings import ToolSettings
from tools.store import Store, StoreError
from tools.taint import MAX_REMEMBERED, OUTSIDE_WINDOW_S, Taints
from tools.tool import UnavailableError, resolve_optional

ANNA = Caller(name="anna", door=Door.REPL, room="study", speech=Speech.ORDER, turn_id="t1")


@dataclass
class House:
    """A call path over one of each tool, with what stands behind it."""

    folder: Path
    store: Store
    look: ThingTool = field(default_factory=ThingTool)
    switch: SwitchTool = field(default_factory=SwitchTool)
    destroy: BreakTool = field(default_factory=BreakTool)

    ticks: float = 1000.0
    taints: Taints = field(init=False)

    def __post_init__(self) -> None:
        self.taints = Taints(lambda: self.ticks)

    async def call(self, name: str, caller: Caller = ANNA, **arguments: Any) -> CallOutcome:
        tools = (self.look, self.switch, self.destroy)
        path = CallPath(tools, self.store, Outbox(self.folder / "outbox"), taints=self.taints)
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
    outcome = await house.call("break", thing="light")
    assert (outcome.ok, outcome.error, outcome.level) == (False, "needs_confirmation", Level.DESTRUCTIVE)
    assert (outcome.spoken, outcome.arguments) == ("Shall I break lamp?", {"thing": "lamp"})
    assert outcome.confirmation is not None
    assert house.executed == 0


async def test_what_may_be_no_order_waits_for_a_yes_where_words_are_heard(house: House) -> None:
    unclear = ANNA.model_copy(update={"speech": Speech.UNKNOWN})
    outcome = await house.call("switch", unclear, thing="lamp")
    assert (outcome.error, outcome.spoken) == ("needs_confirmation", "Shall I go ahead with switch for lamp?")
    assert (await house.call("switch", unclear)).spoken == "Shall I go ahead with switch?"
    assert house.executed == 0


@pytest.mark.parametrize("door", sorted(WORDLESS_DOORS))
async def test_where_no_words_are_heard_operating_needs_no_yes_and_the_destructive_does(
    house: House, door: Door
) -> None:
    calling = Caller(name="webui", role="member", door=door)
    assert (await house.call("switch", calling, thing="lamp")).ok
    assert (await house.call("break", calling, thing="lamp")).error == "needs_confirmation"
    assert house.executed == 1


@pytest.mark.parametrize("role", ["guest", "", "admin", "Owner"])
async def test_guests_and_unknown_roles_only_look(house: House, role: str) -> None:
    guest = ANNA.model_copy(update={"role": role})
    assert (await house.call("look", guest, thing="lamp")).ok
    for tool in ("switch", "break"):
        outcome = await house.call(tool, guest, thing="lamp")
        assert (outcome.error, outcome.confirmation) == ("refused", None)
        assert outcome.spoken == "You may look here, and not change anything."
    assert house.switch.executed == house.destroy.executed == []


@pytest.mark.parametrize("door", sorted(VOICE_DOORS))
async def test_the_protected_is_not_for_voices(house: House, door: Door) -> None:
    speaking = ANNA.model_copy(update={"door": door})
    for tool in ("switch", "break"):
        outcome = await house.call(tool, speaking, thing="front door")
        assert (outcome.error, outcome.level, outcome.confirmation) == ("protected", None, None)
    assert (await house.call("look", speaking, thing="front door")).ok
    assert (await house.call("switch", speaking, thing="lamp")).ok
    assert [call.arguments for call in house.switch.executed] == [{"thing": "lamp"}]


async def test_elsewhere_the_protected_is_for_the_owner_after_a_yes(house: House) -> None:
    member = ANNA.model_copy(update={"role": "member"})
    outcome = await house.call("switch", member, thing="front door")
    assert (outcome.error, outcome.level, outcome.confirmation) == ("protected", None, None)
    asked = await house.call("switch", thing="front door")
    assert (asked.error, asked.level) == ("needs_confirmation", Level.OPERATE)
    assert asked.confirmation is not None
    assert house.executed == 0
    yes = ANNA.model_copy(update={"turn_id": "t2", "confirmation": asked.confirmation.nonce})
    assert (await house.call("switch", yes, thing="front door")).ok


async def test_after_text_from_outside_acts_of_the_same_turn_want_a_yes(house: House) -> None:
    house.look = ThingTool(a_log)
    assert (await house.call("switch", thing="lamp")).ok
    assert (await house.call("look")).ok
    outcome = await house.call("switch", thing="lamp")
    assert (outcome.error, outcome.detail) == (
        "needs_confirmation",
        "Text from outside the house was read just before.",
    )
    assert (await house.call("switch", ANNA.model_copy(update={"turn_id": "t2"}), thing="lamp")).ok
    assert len(house.switch.executed) == 2


async def test_callers_without_turns_are_tainted_for_ten_minutes_by_their_name(house: House) -> None:
    house.look = ThingTool(a_log)
    webui, other = (Caller(name=name, role="member", door=Door.MCP) for name in ("webui", "other"))
    await house.call("look", webui)
    house.ticks += OUTSIDE_WINDOW_S - 1
    assert (await house.call("switch", webui, thing="lamp")).error == "needs_confirmation"
    assert (await house.call("switch", other, thing="lamp")).ok
    house.ticks += 1
    assert (await house.call("switch", webui, thing="lamp")).ok


def test_what_is_remembered_of_taint_is_bounded_and_the_newest_is_kept() -> None:
    taints = Taints()
    turns = [Caller(turn_id=f"t{number}") for number in range(MAX_REMEMBERED + 1)]
    for turn in turns:
        taints.mark(turn)
    assert not taints.holds(turns[0])
    assert all(taints.holds(turn) for turn in turns[1:])


async def test_what_is_not_connected_is_said_in_the_tools_own_words(house: House) -> None:
    async def nothing_there() -> ToolResult:
        raise UnavailableError("I can't look yet; nothing is connected.")

    house.look = ThingTool(nothing_there)
    outcome = await house.call("look")
    assert (outcome.error, outcome.spoken) == ("unavailable", "I can't look yet; nothing is connected.")


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


CALLERS = st.builds(
    Caller,
    name=st.sampled_from(["anna", "ben", "carl"]),
    role=st.sampled_from(["owner", "member", "guest", "someone"]),
    door=st.sampled_from(Door),
    speech=st.sampled_from(Speech),
)
CALLS = st.builds(
    PlannedCall,
    tool=st.just("x"),
    level=st.sampled_from(Level),
    protected=st.booleans(),
    allowed=st.lists(st.sampled_from(["anna", "ben"]), max_size=2).map(tuple),
)


def may_act(call: PlannedCall, caller: Caller) -> bool:
    return caller.role in ("owner", "member") or (caller.role == "guest" and caller.name in call.allowed)


@given(CALLS, CALLERS, st.booleans())
def test_the_rules_of_the_policy(call: PlannedCall, caller: Caller, tainted: bool) -> None:
    decision = decide(call, caller, tainted=tainted)
    assert decision.allowed == (decision.code is None) == (decision.spoken == "")
    if call.level is Level.READ:
        assert decision.allowed
    elif decision.allowed:
        assert may_act(call, caller)
        assert caller.speech is not Speech.QUESTION
        assert call.level is Level.OPERATE
        assert not call.protected
        assert not tainted
        assert caller.speech is Speech.ORDER or caller.door in WORDLESS_DOORS
    else:
        assert decision.code in ("refused", "protected", "needs_confirmation")
        assert (decision.code == "needs_confirmation") == bool(decision.reason) or not may_act(call, caller)


@given(CALLS, CALLERS, st.booleans())
def test_a_yes_lifts_what_a_yes_can_lift(call: PlannedCall, caller: Caller, tainted: bool) -> None:
    before = decide(call, caller, tainted=tainted)
    after = decide(call, caller, tainted=tainted, confirmed=True)
    assert after.code != "needs_confirmation"
    if before.allowed or before.code == "needs_confirmation":
        assert after.allowed
    if call.level is not Level.READ:
        for never in (not may_act(call, caller), call.protected and caller.door in VOICE_DOORS):
            assert not (never and after.allowed)
        assert not (call.protected and caller.role != "owner" and after.allowed)


async def test_who_is_named_a_guest_is_one_at_every_door(tmp_path: Path) -> None:
    access = Access(ToolSettings(guests=("ben",)))
    with Store(tmp_path / "jarvis.db") as store:
        path = CallPath((ThingTool(), SwitchTool()), store, Outbox(tmp_path / "outbox"), access=access)
        for door in Door:
            ben = ANNA.model_copy(update={"name": "ben", "door": door})
            assert (await path.call("switch", {"thing": "lamp"}, ben)).error == "refused"
            assert (await path.call("look", {"thing": "lamp"}, ben)).ok
        assert (await path.call("switch", {"thing": "lamp"}, ANNA)).ok
        assert {line["role"] for line in store.audit_lines() if line["who"] == "ben"} == {"guest"}


@given(CALLS, CALLERS, st.booleans(), st.booleans())
def test_being_allowed_by_name_gives_a_guest_what_a_member_may_and_changes_nothing_for_others(
    call: PlannedCall, caller: Caller, tainted: bool, confirmed: bool
) -> None:
    plain_call = call.model_copy(update={"allowed": ()})
    decision = decide(call, caller, tainted=tainted, confirmed=confirmed)
    if caller.role == "guest" and caller.name in call.allowed:
        caller = caller.model_copy(update={"role": "member"})
    assert decision == decide(plain_call, caller, tainted=tainted, confirmed=confirmed)


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
