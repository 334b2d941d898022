"""The person's yes: one call, once, in time, by whoever was asked; and its nonce is nowhere else."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    multiple,
    rule,
    run_state_machine_as_test,
)

from tests.fakes_tools import BreakTool, SwitchTool, ThingTool
from tools.access import VOICE_DOORS
from tools.confirmations import LIFETIME_S, VOICE_LIFETIME_S, Confirmations, question
from tools.contract import Caller, CallOutcome, Door, Level, PlannedCall, Speech
from tools.outbox import Outbox
from tools.policy import VOID, CallPath
from tools.recording import RecordingPath
from tools.store import Store

ANNA = Caller(name="anna", door=Door.MICROPHONE, speech=Speech.ORDER, turn_id="t1", conversation="c1")
YES = ANNA.model_copy(update={"turn_id": "t2", "speech": Speech.UNKNOWN})


@dataclass
class House:
    """A call path whose clocks stand still until they are set."""

    folder: Path
    kind: type[CallPath] = CallPath
    now: float = 1_000_000.0
    ticks: float = 500.0
    look: ThingTool = field(default_factory=ThingTool)
    switch: SwitchTool = field(default_factory=SwitchTool)
    destroy: BreakTool = field(default_factory=BreakTool)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        """Also after a restart."""
        self.store = Store(self.folder / "jarvis.db")
        self.path = self.kind(
            (self.look, self.switch, self.destroy),
            self.store,
            Outbox(self.folder / "outbox"),
            confirmations=Confirmations(self.store, clock=lambda: self.now, ticks=lambda: self.ticks),
        )

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.ticks += seconds

    async def ask(self, thing: str = "lamp", caller: Caller = ANNA, tool: str = "break") -> str:
        outcome = await self.path.call(tool, {"thing": thing}, caller)
        assert outcome.error == "needs_confirmation"
        assert outcome.confirmation is not None
        return outcome.confirmation.nonce

    async def confirm(self, nonce: str, thing: str = "lamp", caller: Caller = YES, tool: str = "break") -> CallOutcome:
        return await self.path.call(tool, {"thing": thing}, caller.model_copy(update={"confirmation": nonce}))

    @property
    def broken(self) -> list[str]:
        return [call.arguments["thing"] for call in self.destroy.executed]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    opened = House(tmp_path)
    yield opened
    opened.store.close()


def void(outcome: CallOutcome) -> bool:
    return (outcome.ok, outcome.error, outcome.spoken) == (False, "confirmation_void", VOID)


async def test_a_yes_executes_exactly_what_was_asked(house: House) -> None:
    nonce = await house.ask("light")
    outcome = await house.confirm(nonce, "the light")  # said otherwise, the same call
    assert (outcome.ok, outcome.spoken, outcome.confirmation) == (True, "Done.", None)
    assert house.broken == ["lamp"]
    assert [line["decision"] for line in house.store.audit_lines()] == ["confirmed", "needs_confirmation"]


async def test_a_replayed_yes_executes_nothing(house: House) -> None:
    nonce = await house.ask()
    assert (await house.confirm(nonce)).ok
    assert void(await house.confirm(nonce))
    assert house.broken == ["lamp"]


async def test_of_many_at_once_one_is_executed(house: House) -> None:
    nonce = await house.ask()
    outcomes = await asyncio.gather(*(house.confirm(nonce) for _ in range(20)))
    assert sum(outcome.ok for outcome in outcomes) == 1
    assert house.broken == ["lamp"]


async def test_a_replay_of_what_would_need_no_yes_now_executes_nothing_either(house: House) -> None:
    unclear = ANNA.model_copy(update={"speech": Speech.UNKNOWN})
    nonce = await house.ask(caller=unclear, tool="switch")
    clear = YES.model_copy(update={"speech": Speech.ORDER})
    assert (await house.confirm(nonce, caller=clear, tool="switch")).ok
    assert void(await house.confirm(nonce, caller=clear, tool="switch"))
    assert len(house.switch.executed) == 1


@pytest.mark.parametrize("door", sorted(Door))
async def test_a_question_is_open_for_30_seconds_by_voice_and_5_minutes_elsewhere(house: House, door: Door) -> None:
    at_door = YES.model_copy(update={"door": door})
    lifetime = VOICE_LIFETIME_S if door in VOICE_DOORS else LIFETIME_S
    outcome = await house.path.call("break", {"thing": "kettle"}, at_door)
    assert outcome.confirmation is not None
    assert outcome.confirmation.expires_in_s == lifetime == {True: 30, False: 300}[door in VOICE_DOORS]
    house.wait(lifetime - 0.5)
    assert (await house.confirm(outcome.confirmation.nonce, "kettle", at_door)).ok
    nonce = await house.ask(caller=at_door)
    house.wait(lifetime)
    assert void(await house.confirm(nonce, caller=at_door))
    assert house.broken == ["kettle"]


async def test_a_clock_that_is_set_back_makes_it_void(house: House) -> None:
    nonce = await house.ask()
    house.now -= 1
    assert void(await house.confirm(nonce))


async def test_setting_the_clock_back_buys_no_time(house: House) -> None:
    nonce = await house.ask()
    house.wait(40)
    house.now -= 20
    assert void(await house.confirm(nonce))


async def test_after_the_machine_was_started_anew_it_is_void(house: House) -> None:
    nonce = await house.ask()
    house.now += 5
    house.ticks = 3
    assert void(await house.confirm(nonce))


async def test_it_survives_a_restart_of_jarvis(house: House) -> None:
    nonce = await house.ask()
    house.store.close()
    house.open()
    assert (await house.confirm(nonce)).ok
    assert void(await house.confirm(nonce))


@pytest.mark.parametrize("tool, thing", [("break", "kettle"), ("switch", "lamp"), ("look", "lamp")])
async def test_a_yes_to_one_call_is_none_to_another_and_is_used_up(house: House, tool: str, thing: str) -> None:
    nonce = await house.ask()
    assert void(await house.confirm(nonce, thing, tool=tool))
    assert void(await house.confirm(nonce))
    assert house.broken == []
    assert house.look.executed == house.switch.executed == []


async def test_a_yes_with_arguments_that_cannot_be_planned_uses_it_up(house: House) -> None:
    nonce = await house.ask()
    assert (await house.confirm(nonce, "dishwasher")).error == "unknown_name"
    assert void(await house.confirm(nonce))


@pytest.mark.parametrize("change", [{"name": "bob"}, {"conversation": "c2"}, {"conversation": None}])
async def test_somebody_elses_yes_is_none_and_does_not_use_it_up(house: House, change: dict[str, Any]) -> None:
    nonce = await house.ask()
    assert void(await house.confirm(nonce, caller=YES.model_copy(update=change)))
    assert (await house.confirm(nonce)).ok
    assert house.broken == ["lamp"]


@pytest.mark.parametrize("nonce", ["", "x", "\ud800", "' OR 1=1 --"])
async def test_an_invented_yes_is_none(house: House, nonce: str) -> None:
    await house.ask()
    assert void(await house.confirm(nonce))
    assert house.broken == []


@pytest.mark.parametrize("tool, arguments", [("look", {}), ("nothing", {}), ("switch", {"thing": "boiler"})])
async def test_any_other_utterance_cancels_the_question(house: House, tool: str, arguments: dict[str, Any]) -> None:
    nonce = await house.ask()
    await house.path.call(tool, arguments, YES)
    assert void(await house.confirm(nonce))


async def test_other_calls_of_the_utterance_that_asked_do_not(house: House) -> None:
    first = await house.ask("lamp")
    second = await house.ask("kettle")
    await house.path.call("look", {}, ANNA)
    assert (await house.confirm(first, "lamp")).ok
    assert (await house.confirm(second, "kettle")).ok
    assert house.broken == ["lamp", "kettle"]


async def test_the_same_call_asked_twice_has_one_open_question(house: House) -> None:
    first = await house.ask()
    second = await house.ask()
    assert (await house.confirm(second)).ok
    assert void(await house.confirm(first))
    assert house.broken == ["lamp"]


async def test_other_conversations_and_people_cancel_nothing(house: House) -> None:
    nonce = await house.ask()
    for change in ({"name": "bob"}, {"conversation": "c2"}, {"conversation": None}):
        await house.path.call("look", {}, YES.model_copy(update=change))
        await house.path.withdraw(YES.model_copy(update=change))
    assert (await house.confirm(nonce)).ok


async def test_a_no_cancels_the_question(house: House) -> None:
    nonce = await house.ask()
    await house.path.withdraw(ANNA)
    assert void(await house.confirm(nonce))


async def test_a_yes_that_is_asked_is_a_yes_but_a_question_opens_none(house: House) -> None:
    asking = YES.model_copy(update={"speech": Speech.QUESTION})
    outcome = await house.path.call("break", {"thing": "lamp"}, asking)
    assert (outcome.error, outcome.confirmation) == ("refused", None)
    nonce = await house.ask()
    assert (await house.confirm(nonce, caller=asking)).ok


async def test_no_yes_opens_what_is_protected_to_a_voice(house: House) -> None:
    at_repl = ANNA.model_copy(update={"door": Door.REPL})
    nonce = await house.ask("front door", caller=at_repl)
    assert (await house.confirm(nonce, "front door")).error == "protected"
    assert void(await house.confirm(nonce, "front door", at_repl))
    assert house.broken == []


async def test_whoever_became_a_guest_meanwhile_cannot_confirm(house: House) -> None:
    nonce = await house.ask()
    assert (await house.confirm(nonce, caller=YES.model_copy(update={"role": "guest"}))).error == "refused"
    assert house.broken == []


async def test_with_a_database_that_cannot_be_used_nothing_is_done(house: House) -> None:
    nonce = await house.ask()
    house.store.close()
    for outcome in (await house.confirm(nonce), await house.path.call("break", {"thing": "lamp"}, ANNA)):
        assert (outcome.ok, outcome.error, outcome.confirmation) == (False, "failed", None)
        assert "my own database can't be used, so I changed nothing." in outcome.spoken.replace("My", "my")
    assert house.broken == []


async def test_a_tool_that_fails_after_a_yes_is_not_tried_again_with_it(house: House) -> None:
    async def bug() -> Any:
        raise ZeroDivisionError

    house.destroy = BreakTool(bug)
    house.open()
    nonce = await house.ask()
    assert (await house.confirm(nonce)).error == "failed"
    assert void(await house.confirm(nonce))
    assert house.broken == ["lamp"]


async def test_a_rehearsal_asks_and_takes_a_yes_as_always_and_does_nothing(tmp_path: Path) -> None:
    house = House(tmp_path, RecordingPath)
    with closing(house.store):
        nonce = await house.ask()
        assert (await house.confirm(nonce)).ok
        assert void(await house.confirm(nonce))
        assert (await house.path.call("break", {"thing": "front door"}, ANNA)).error == "protected"
        assert house.broken == []
        assert house.store.audit_lines() == []


async def test_the_nonce_is_nowhere_but_in_the_answer(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    outcome = await house.path.call("break", {"thing": "lamp"}, ANNA)
    assert outcome.confirmation is not None
    nonce = outcome.confirmation.nonce
    log = logging.getLogger("canary")
    log.debug("%r %s", outcome, outcome)
    confirmed = await house.confirm(nonce)
    await house.confirm(nonce)
    log.debug("%r", YES.model_copy(update={"confirmation": nonce}))
    assert len(nonce) >= 128 / 6
    assert nonce in outcome.model_dump_json()
    assert nonce not in confirmed.model_dump_json()
    assert nonce not in caplog.text
    assert nonce not in repr(house.destroy.executed)
    files = [path for path in house.folder.rglob("*") if path.is_file()]
    assert len(files) >= 3
    assert not [path for path in files if nonce.encode() in path.read_bytes()]


async def test_what_is_over_does_not_pile_up(house: House) -> None:
    for _ in range(5):
        for thing in ("lamp", "kettle", "heater"):
            await house.ask(thing, ANNA.model_copy(update={"turn_id": None}))
        house.wait(VOICE_LIFETIME_S)
    with closing(sqlite3.connect(house.folder / "jarvis.db")) as db:
        assert db.execute("SELECT COUNT(*) FROM confirmations").fetchone() == (1,)


def test_the_question_reads_the_call_back() -> None:
    call = PlannedCall(tool="vm_power", arguments={"vm": "endeavour"}, level=Level.DESTRUCTIVE)
    assert question(call) == "Shall I go ahead with vm power for endeavour?"
    assert question(call.model_copy(update={"readback": "shut down endeavour"})) == "Shall I shut down endeavour?"
    assert question(call.model_copy(update={"arguments": {}})) == "Shall I go ahead with vm power?"


THINGS = st.sampled_from(["lamp", "kettle", "front door"])
NAMES = st.sampled_from(["anna", "bob"])
CONVERSATIONS = st.sampled_from(["c1", "c2"])
DOORS = st.sampled_from([Door.MICROPHONE, Door.REPL])
WAITS = st.sampled_from([1.0, 15.0, 29.0, 31.0, 299.0])
STEPS = st.sampled_from([-400.0, -31.0, -1.0, 1.0, 29.0, 31.0, 299.0, 301.0])


@dataclass(frozen=True)
class Asked:
    """What the test knows of an open question."""

    nonce: str
    thing: str
    name: str
    conversation: str
    real: float
    wall: float
    lifetime: float


class Yeses(RuleBasedStateMachine):
    """Any sequence of asks, yeses, replays, other calls, steps of the clock, and tampering with any of it."""

    questions: Bundle[Asked] = Bundle("questions")

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.house = House(Path(self._folder.name))
        self.cancelled: set[str] = set()
        self.used: set[str] = set()
        self.open: dict[str, Asked] = {}
        self.turn = 0
        self.was_set_back = False  # what has once expired may stay so

    def teardown(self) -> None:
        self.house.store.close()
        self._folder.cleanup()

    def caller(self, name: str, conversation: str, door: Door, nonce: str | None = None) -> Caller:
        self.turn += 1
        return Caller(
            name=name, conversation=conversation, door=door, turn_id=f"t{self.turn}", confirmation=nonce,
            speech=Speech.ORDER,
        )  # fmt: skip

    def cancel(self, name: str, conversation: str) -> None:
        self.cancelled |= {a.nonce for a in self.open.values() if (a.name, a.conversation) == (name, conversation)}

    def call(self, thing: str, caller: Caller, tool: str = "break") -> CallOutcome:
        return asyncio.run(self.house.path.call(tool, {"thing": thing}, caller))

    @rule(target=questions, thing=THINGS, name=NAMES, conversation=CONVERSATIONS, door=DOORS)
    def ask(self, thing: str, name: str, conversation: str, door: Door) -> Any:
        self.cancel(name, conversation)
        outcome = self.call(thing, self.caller(name, conversation, door))
        if thing == "front door" and door is Door.MICROPHONE:
            assert outcome.error == "protected"
            return multiple()
        assert outcome.error == "needs_confirmation"
        assert outcome.confirmation is not None
        lifetime = outcome.confirmation.expires_in_s
        asked = Asked(outcome.confirmation.nonce, thing, name, conversation, self.house.ticks, self.house.now, lifetime)
        self.open[asked.nonce] = asked
        return asked

    @rule(asked=questions, door=DOORS)
    def say_yes(self, asked: Asked, door: Door) -> None:
        self.present(asked, asked.thing, asked.name, asked.conversation, door)

    @rule(asked=questions, door=DOORS, waited=WAITS, set_back=WAITS)
    def say_yes_after_the_clock_was_set_back(self, asked: Asked, door: Door, waited: float, set_back: float) -> None:
        self.wait(waited)
        self.set_the_clock(-set_back)
        self.present(asked, asked.thing, asked.name, asked.conversation, door)

    @rule(asked=questions, thing=THINGS, door=DOORS)
    def say_yes_to_something_else(self, asked: Asked, thing: str, door: Door) -> None:
        self.present(asked, thing, asked.name, asked.conversation, door)

    @rule(asked=questions, name=NAMES, conversation=CONVERSATIONS, door=DOORS)
    def somebody_says_yes(self, asked: Asked, name: str, conversation: str, door: Door) -> None:
        self.present(asked, asked.thing, name, conversation, door)

    def present(self, asked: Asked, thing: str, name: str, conversation: str, door: Door) -> None:
        before = list(self.house.broken)
        outcome = self.call(thing, self.caller(name, conversation, door, asked.nonce))
        executed = self.house.broken[len(before) :]
        may = (
            (thing, name, conversation) == (asked.thing, asked.name, asked.conversation)
            and asked.nonce not in self.used | self.cancelled
            and self.house.ticks - asked.real < asked.lifetime
            and asked.wall <= self.house.now < asked.wall + asked.lifetime
            and not (thing == "front door" and door is Door.MICROPHONE)
        )
        assert (executed, outcome.ok) in ([([thing], True)] if may else []) + (
            [([], False)] if not may or self.was_set_back else []
        )
        if executed:
            self.used.add(asked.nonce)
        else:
            self.cancel(name, conversation)

    @rule(name=NAMES, conversation=CONVERSATIONS, door=DOORS)
    def do_something_else(self, name: str, conversation: str, door: Door) -> None:
        self.cancel(name, conversation)
        assert self.call("lamp", self.caller(name, conversation, door), "look").ok

    @rule(seconds=WAITS)
    def wait(self, seconds: float) -> None:
        self.house.wait(seconds)

    @rule(seconds=STEPS)
    def set_the_clock(self, seconds: float) -> None:
        self.house.now += seconds
        self.was_set_back |= seconds < 0

    @rule()
    def start_anew(self) -> None:
        self.house.store.close()
        self.house.open()


def test_any_sequence_executes_each_yes_at_most_once_and_only_what_it_was_for() -> None:
    run_state_machine_as_test(Yeses, settings=settings(max_examples=150, stateful_step_count=20, deadline=None))
