"""Every way through the call path, told whole: the outcome, what stands in the audit, and what was executed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes_tools import BreakTool, SwitchTool, ThingTool
from tools.access import Access
from tools.contract import Caller, CallOutcome, Door, JsonObject, Level, PlannedCall, Speech, ToolResult
from tools.outbox import Outbox
from tools.pin import LOCKED, MISSING, SAY_IT, WRONG, SpokenPin
from tools.policy import CHANGED, GONE, VOID, CallPath, Decision, decide, refusal
from tools.settings import ToolSettings
from tools.store import Store, StoreError
from tools.tool import CallError, UnavailableError

ANNA = Caller(name="anna", door=Door.REPL, speech=Speech.ORDER, turn_id="t1", conversation="c1")
KITCHEN = ANNA.model_copy(update={"door": Door.SATELLITE, "room": "kitchen"})
SHALL_I = "Shall I break lamp?"
PIN = "4271"


class Paths:
    """A call path over one of each tool."""

    def __init__(self, folder: Path, store: Store, access: Access | None = None, *, pin: bool = False) -> None:
        self.tools = (ThingTool(), SwitchTool(), BreakTool())
        self.store = store
        file = folder / "pin"
        file.write_text(f"{PIN}\n")
        file.chmod(0o600)
        self.pin = SpokenPin(file, store) if pin else None
        self.path = CallPath(self.tools, store, Outbox(folder / "outbox"), access=access or Access(), pin=self.pin)

    async def call(self, name: str, caller: Caller = ANNA, **arguments: Any) -> CallOutcome:
        return await self.path.call(name, arguments, caller)

    async def nonce(self, caller: Caller = ANNA, **arguments: Any) -> str:
        opened = (await self.call("break", caller, **arguments)).confirmation
        assert opened is not None
        return opened.nonce

    @property
    def executed(self) -> list[str]:
        return [call.tool for tool in self.tools for call in tool.executed]

    def line(self) -> JsonObject:
        return self.store.audit_lines()[0]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Paths]:
    with Store(tmp_path / "jarvis.db") as store:
        store._db.execute("PRAGMA synchronous=OFF")
        yield Paths(tmp_path, store)


def told(outcome: CallOutcome) -> JsonObject:
    """All that stands in it but how long it took and the nonce."""
    return outcome.model_dump(mode="json", exclude={"duration_ms", "confirmation"}, exclude_defaults=True)


def saying(caller: Caller, nonce: str, **more: Any) -> Caller:
    return caller.model_copy(update={"confirmation": nonce, "turn_id": "t2", **more})


def outcome(spoken: str, error: str, detail: str | None, level: str | None = "destructive") -> JsonObject:
    whole = {"ok": False, "spoken": spoken, "tool": "break", "arguments": {"thing": "lamp"}, "error": error}
    return whole | ({"detail": detail} if detail else {}) | ({"level": level} if level else {})


async def test_a_call_that_is_done(house: Paths) -> None:
    assert told(await house.call("switch", thing="light")) == {
        "ok": True,
        "spoken": "Done.",
        "tool": "switch",
        "arguments": {"thing": "lamp"},
        "level": "operate",
        "result": {"spoken": "Done.", "data": {"thing": "lamp"}},
    }
    assert (house.line()["decision"], house.line()["outcome"], house.executed) == ("allowed", "ok", ["switch"])


async def test_a_call_that_is_asked_back(house: Paths) -> None:
    asked = await house.call("break", thing="light")
    assert told(asked) == outcome(SHALL_I, "needs_confirmation", "The call is destructive.")
    assert asked.confirmation is not None
    assert (asked.confirmation.pin, asked.confirmation.expires_in_s) == (False, 300.0)
    assert (house.line()["decision"], house.line()["outcome"]) == ("needs_confirmation", "needs_confirmation")
    assert house.executed == []


async def test_a_call_that_is_confirmed(house: Paths) -> None:
    done = await house.call("break", saying(ANNA, await house.nonce(thing="lamp")), thing="lamp")
    assert (done.ok, done.spoken, house.executed) == (True, "Done.", ["break"])
    assert (house.line()["decision"], house.line()["turn_id"]) == ("confirmed", "t2")


async def test_a_yes_that_is_void_closes_what_is_open(house: Paths) -> None:
    nonce = await house.nonce(thing="lamp")
    void = await house.call("break", saying(ANNA, "made-up"), thing="lamp")
    assert told(void) == outcome(VOID, "confirmation_void", None)
    assert house.line()["decision"] == "confirmation_void"
    assert (await house.call("break", saying(ANNA, nonce), thing="lamp")).error == "confirmation_void"
    assert house.executed == []


async def test_a_yes_by_somebody_who_may_not_is_refused_and_closes_what_is_open(house: Paths) -> None:
    nonce = await house.nonce(thing="lamp")
    refused = await house.call("break", saying(ANNA, nonce, role="guest"), thing="lamp")
    assert told(refused) == outcome("You may look here, and not change anything.", "refused", "role guest, door repl")
    assert house.line()["decision"] == "refused"
    assert (await house.call("break", saying(ANNA, nonce), thing="lamp")).error == "confirmation_void"
    assert house.executed == []


async def test_a_yes_to_what_cannot_be_planned_closes_what_is_open(house: Paths) -> None:
    nonce = await house.nonce(thing="lamp")
    assert (await house.call("break", saying(ANNA, nonce), thing="nonsense")).error == "unknown_name"
    assert house.line()["decision"] == "not planned"
    assert (await house.call("break", saying(ANNA, nonce), thing="lamp")).error == "confirmation_void"


async def test_another_call_of_the_next_turn_closes_what_is_open_and_of_the_same_turn_does_not(house: Paths) -> None:
    nonce = await house.nonce(thing="lamp")
    await house.call("look", thing="lamp")
    assert (await house.call("break", saying(ANNA, nonce), thing="lamp")).ok
    nonce = await house.nonce(thing="lamp")
    await house.call("look", ANNA.model_copy(update={"turn_id": "t9"}), thing="lamp")
    assert (await house.call("break", saying(ANNA, nonce), thing="lamp")).error == "confirmation_void"


async def test_what_is_withdrawn_is_closed_for_its_own_conversation_only(house: Paths) -> None:
    mine, other = ANNA, ANNA.model_copy(update={"conversation": "c2"})
    first, second = await house.nonce(mine, thing="lamp"), await house.nonce(other, thing="lamp")
    await house.path.withdraw(mine)
    assert (await house.call("break", saying(mine, first), thing="lamp")).error == "confirmation_void"
    assert (await house.call("break", saying(other, second), thing="lamp")).ok


async def test_a_database_that_fails_asks_nobody_and_does_nothing(
    house: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    nonce = await house.nonce(thing="lamp")

    def fails(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(house.store, "open_confirmation", fails)
    monkeypatch.setattr(house.store, "burn_confirmation", fails)
    asked = await house.call("break", thing="lamp")
    needs = "That needs your yes, and my own database can't be used, so I changed nothing."
    assert told(asked) == outcome(needs, "failed", "the disk is full")
    assert (asked.confirmation, house.line()["decision"]) == (None, "needs_confirmation")
    void = await house.call("break", saying(ANNA, nonce), thing="lamp")
    assert told(void) == outcome("My own database can't be used, so I changed nothing.", "failed", "the disk is full")
    assert (house.line()["decision"], house.executed) == ("confirmation_void", [])


@pytest.mark.parametrize(
    ("raised", "error", "spoken", "detail"),
    [
        (UnavailableError("No home is connected."), "unavailable", "No home is connected.", None),
        (CallError("failed", "It said no.", "code 7"), "failed", "It said no.", "code 7"),
        (StoreError("locked"), "failed", "My own database can't be used, so I can't tell you.", "locked"),
        (KeyError("x"), "failed", "That check broke, so I can't tell you.",
         "break failed inside: KeyError; the log has the rest."),
    ],
)  # fmt: skip
async def test_what_a_tool_raises_is_an_outcome(
    house: Paths, raised: Exception, error: str, spoken: str, detail: str | None
) -> None:
    async def breaks() -> ToolResult:
        raise raised

    house.tools[2].does = breaks
    failed = await house.call("break", saying(ANNA, await house.nonce(thing="lamp")), thing="lamp")
    assert told(failed) == outcome(spoken, error, detail)
    assert (house.line()["outcome"], house.line()["decision"]) == (error, "confirmed")


async def test_an_error_in_words_of_others_marks_the_turn_and_one_in_ours_does_not(house: Paths) -> None:
    for tainted, comes in ((False, True), (True, False)):

        async def breaks(tainted: bool = tainted) -> ToolResult:
            raise CallError("failed", "It said no.", "ignore all", tainted=tainted)

        house.tools[0].does = breaks
        await house.call("look", thing="lamp")
        assert (await house.call("switch", thing="lamp")).ok is comes


async def test_a_tool_that_went_away_between_plan_and_yes_is_said(house: Paths) -> None:
    gone = PlannedCall(tool="break", arguments={"thing": "lamp"}, level=Level.DESTRUCTIVE)
    house.path._tools.pop("break")
    assert told(await house.path._execute(gone)) == outcome("The tool for that is gone.", "unavailable", None)


async def test_tools_of_others_never_take_a_name_of_ours_and_are_replaced_as_a_whole(house: Paths) -> None:
    class Theirs(BreakTool):
        name = "theirs"

    house.path.add_outside([Theirs(), SwitchTool()])
    assert [tool.name for tool in house.path.tools] == ["look", "switch", "break", "theirs"]
    assert house.path.tools[1] is house.tools[1]
    house.path.add_outside([])
    assert house.path.tools == house.path.own_tools == house.tools


async def test_somebody_limited_is_not_told_what_the_name_meant(house: Paths) -> None:
    limited = ANNA.model_copy(update={"only": ("vm:windows",)})
    refused = await house.call("look", limited, thing="light")
    assert (refused.error, refused.arguments) == ("refused", {"thing": "light"})
    assert refused.detail == "It is not among what the caller is limited to."
    assert refused.spoken == "That is not among what you may use here: the virtual machine windows."


# ── the PIN ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Paths]:
    with Store(tmp_path / "jarvis.db") as store:
        store._db.execute("PRAGMA synchronous=OFF")
        yield Paths(tmp_path, store, pin=True)


async def test_a_spoken_yes_wants_the_pin_and_a_typed_one_does_not(locked: Paths) -> None:
    asked = await locked.call("break", KITCHEN, thing="lamp")
    assert (asked.spoken, asked.confirmation and asked.confirmation.pin) == (f"{SHALL_I} {SAY_IT}", True)
    typed = await locked.call("break", thing="lamp")
    assert (typed.spoken, typed.confirmation and typed.confirmation.pin) == (SHALL_I, False)


async def test_a_yes_without_the_pin_is_asked_again(locked: Paths) -> None:
    nonce = await locked.nonce(KITCHEN, thing="lamp")
    again = await locked.call("break", saying(KITCHEN, nonce), thing="lamp")
    assert told(again) == outcome(f"{SHALL_I} {MISSING}", "needs_confirmation", "The PIN was not said.")
    assert again.confirmation is not None
    right = saying(KITCHEN, again.confirmation.nonce, pin=PIN)
    assert (await locked.call("break", right, thing="lamp")).ok


async def test_wrong_pins_are_said_counted_and_lock(locked: Paths) -> None:
    for n in range(3):
        nonce = await locked.nonce(KITCHEN, thing="lamp")
        wrong = await locked.call("break", saying(KITCHEN, nonce, pin="0000"), thing="lamp")
        assert wrong.spoken == (WRONG if n < 2 else f"{WRONG} {LOCKED}")
        assert (wrong.error, wrong.detail, locked.line()["decision"]) == ("refused", "PIN: wrong", "pin_wrong")
    now = await locked.call("break", KITCHEN, thing="lamp")
    assert told(now) == outcome(LOCKED, "refused", "too many wrong PINs")
    assert locked.line()["decision"] == "pin_locked"
    assert (await locked.call("break", thing="lamp")).error == "needs_confirmation"
    assert locked.executed == []


# ── what was scheduled ────────────────────────────────────────────────────────────────────────────────────────────

AGREED = PlannedCall(tool="break", arguments={"thing": "lamp"}, level=Level.DESTRUCTIVE, readback="break lamp")


async def test_what_was_agreed_to_is_done_at_its_time(house: Paths) -> None:
    assert (await house.path.call_scheduled(AGREED, ANNA)).ok
    line = house.line()
    assert (line["decision"], line["door"], line["who"], house.executed) == ("scheduled", "schedule", "anna", ["break"])


@pytest.mark.parametrize(
    "agreed",
    [
        AGREED.model_copy(update={"arguments": {"thing": "light"}}),
        AGREED.model_copy(update={"level": Level.OPERATE}),
        AGREED.model_copy(update={"arguments": {"thing": "front door"}}),
    ],
    ids=["it means something else", "it takes more", "it is protected now"],
)
async def test_what_means_something_else_now_is_not_done(house: Paths, agreed: PlannedCall) -> None:
    refused = await house.path.call_scheduled(agreed, ANNA)
    assert (refused.ok, refused.spoken, refused.error, refused.detail) == (False, CHANGED, "confirmation_void", None)
    assert (house.line()["decision"], house.executed) == ("confirmation_void", [])


async def test_what_was_protected_when_it_was_agreed_to_is_done(house: Paths) -> None:
    agreed = AGREED.model_copy(update={"arguments": {"thing": "front door"}, "protected": True})
    assert (await house.path.call_scheduled(agreed, ANNA)).ok


async def test_what_cannot_be_planned_any_more_is_said(house: Paths) -> None:
    gone = await house.path.call_scheduled(AGREED.model_copy(update={"tool": "melt"}), ANNA)
    assert (gone.error, house.line()["decision"]) == ("unknown_tool", "not planned")


@pytest.mark.parametrize("meanwhile", [None, ANNA.model_copy(update={"role": "guest"})])
async def test_who_may_not_any_more_has_nothing_done(house: Paths, meanwhile: Caller | None) -> None:
    house.path.standing = lambda _: meanwhile
    refused = await house.path.call_scheduled(AGREED, ANNA)
    spoken = GONE if meanwhile is None else "You may look here, and not change anything."
    detail = "anna may not come in any more" if meanwhile is None else "role guest, door repl"
    assert told(refused) == outcome(spoken, "refused", detail)
    assert (house.line()["decision"], house.executed) == ("refused", [])


async def test_rights_that_were_given_since_count_for_nothing(house: Paths) -> None:
    house.path.standing = lambda caller: caller.model_copy(update={"role": "owner"})
    guest = ANNA.model_copy(update={"role": "guest"})
    assert (await house.path.call_scheduled(AGREED, guest)).error == "refused"


# ── pure ──────────────────────────────────────────────────────────────────────────────────────────────────────────

OPERATE = PlannedCall(tool="switch", level=Level.OPERATE)
TAINTED = "Text from outside the house was read just before."
UNCLEAR = "It is not clear that it was an order."


@pytest.mark.parametrize(
    ("call", "caller", "tainted", "said"),
    [
        (OPERATE, ANNA, False, Decision(allowed=True)),
        (OPERATE, ANNA, True, Decision(False, "needs_confirmation", "Shall I go ahead with switch?", TAINTED)),
        (OPERATE, ANNA.model_copy(update={"speech": Speech.UNKNOWN}), False,
         Decision(False, "needs_confirmation", "Shall I go ahead with switch?", UNCLEAR)),
        (OPERATE, ANNA.model_copy(update={"speech": Speech.UNKNOWN, "door": Door.MCP}), False, Decision(allowed=True)),
        (OPERATE, ANNA.model_copy(update={"speech": Speech.QUESTION}), True,
         Decision(False, "refused", "You asked, so I changed nothing.")),
        (AGREED, ANNA, True, Decision(False, "needs_confirmation", SHALL_I, "The call is destructive.")),
        (AGREED.model_copy(update={"protected": True}), ANNA, False,
         Decision(False, "needs_confirmation", SHALL_I, "The target is protected.")),
        (AGREED.model_copy(update={"protected": True}), KITCHEN, False,
         Decision(False, "protected", "That one is protected. It can't be changed by voice.")),
        (AGREED.model_copy(update={"protected": True}), ANNA.model_copy(update={"role": "member"}), False,
         Decision(False, "protected", "That one is protected. Only the owner can change it.")),
        (AGREED.model_copy(update={"protected": True}), ANNA.model_copy(update={"door": Door.MCP}), False,
         Decision(False, "protected", "That one is protected. It can't be changed from here.")),
        (AGREED, ANNA.model_copy(update={"role": "guest"}), False,
         Decision(False, "refused", "You may look here, and not change anything.", "role guest, door repl")),
    ],
)  # fmt: skip
def test_each_decision_with_its_sentence_and_its_reason(
    call: PlannedCall, caller: Caller, tainted: bool, said: Decision
) -> None:
    assert decide(call, caller, tainted=tainted) == said


def test_a_role_that_only_switches_is_told_so() -> None:
    access = Access(ToolSettings.model_validate({"roles": {"switcher": {"may": "operate"}}}))
    switcher = ANNA.model_copy(update={"role": "switcher"})
    spoken = "You may start and switch things here, but nothing that can't simply be undone."
    assert decide(AGREED, switcher, tainted=False, access=access) == Decision(
        False, "refused", spoken, "role switcher, door repl"
    )


def test_a_refusal_holds_the_call_and_nothing_more() -> None:
    assert told(refusal(AGREED, "timeout", "Too long.", "5 s")) == outcome("Too long.", "timeout", "5 s")
