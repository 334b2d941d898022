"""A PIN in an answer: it does what was asked, and stands nowhere afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from assistant.conversation import PIN_AFTER_S, Conversation
from assistant.events import ReplySentence, ToolReturned, TurnEvent, to_json
from assistant.narrowing.narrower import Narrower
from assistant.narrowing.router import Router
from assistant.phrases import phrase
from assistant.ports import Names, Words
from assistant.reply import Reply
from assistant.sentences import HassilMatcher
from assistant.text.spoken_pin import REDACTED
from assistant.toolbox import McpToolbox
from assistant.traces import TraceStore
from assistant.turn import Stages, TurnRequest, run_turn
from assistant.understanding import Understanding, Understood
from tests.fakes import FakeChatModel, FakeListener, FakeReplier, FakeSource, FakeTranscriber
from tests.rehearsal import house_settings
from tools.contract import Caller, Door
from tools.names import NameIndex
from tools.pin import LOCKED, MISSING, SAY_IT, WRONG
from tools.recording import RecordingHouse, evaluation_clock
from tools.server import mcp_server

PIN = "314159"
ALOUD = "three one four one five nine"
RESTART = "restart gitea"
INDEX = NameIndex.from_settings(house_settings())


@dataclass
class Talk:
    """One conversation at a voice door; every event of every turn is kept."""

    reply: Reply
    model: FakeChatModel
    now: float = 0.0
    log: list[TurnEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.conversation = Conversation(clock=lambda: self.now)
        self.turns = 0

    async def say(self, text: str, *, heard: bool = True, door: Door = Door.SATELLITE) -> list[TurnEvent]:
        """By a microphone, or as text that somebody else understood."""
        self.turns += 1
        caller = Caller(name="anna", door=door)
        stages = Stages(self.reply, FakeListener(), FakeTranscriber(text))
        request = TurnRequest(
            turn_id=f"t{self.turns}", utterance=FakeSource() if heard else text, caller=caller, engine="sentences"
        )
        events = [event async for event in run_turn(request, stages, self.conversation)]
        self.log += events
        return events


def said(events: list[TurnEvent]) -> str:
    return " ".join(event.text for event in events if isinstance(event, ReplySentence))


def done(events: list[TurnEvent]) -> list[object]:
    return [event.arguments for event in events if isinstance(event, ToolReturned) and event.ok]


@cache
def read_once() -> Understood:
    """The templates for these names, which take a second to make ready."""
    names = Names(
        {kind: {name: tuple(aliases) for name, aliases in known.items()} for kind, known in INDEX.as_json().items()}
    )
    matcher = HassilMatcher(names, clock=evaluation_clock)
    return Understood(matcher, Narrower(names, Router(None), evaluation_clock))


def understood(_: Names) -> Understood:
    return read_once()


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    file = tmp_path / "pin"
    file.write_text(PIN, encoding="utf-8")
    file.chmod(0o600)
    settings = house_settings()
    access = settings.access.model_copy(update={"pin_file": file})
    model = FakeChatModel()
    with RecordingHouse(settings.model_copy(update={"access": access}), tmp_path / "state") as house:
        house._store._db.execute("PRAGMA synchronous=OFF")
        async with McpToolbox(mcp_server(house, trust_caller=True)) as toolbox:
            yield Talk(Reply(Understanding(understood), model, toolbox, now=evaluation_clock), model)


@pytest.mark.parametrize("heard", [True, False])
async def test_the_digits_in_the_yes_do_it_and_stand_nowhere(talk: Talk, tmp_path: Path, heard: bool) -> None:
    assert said(await talk.say(RESTART, heard=heard)) == f"Shall I restart gitea? {SAY_IT}"
    events = await talk.say(f"Yes, {ALOUD}.", heard=heard)
    assert done(events) == [{"service": "gitea", "action": "restart"}]
    told = " ".join(to_json(event).decode() for event in talk.log)
    assert REDACTED in told
    traces = TraceStore(tmp_path / "traces.db", keep_words=True)
    traces.keep(talk.log, "satellite", "anna")
    kept = [told, repr(talk.conversation.exchanges), repr(traces.turns(10)), repr(talk.model.asked)]
    traces.close()
    assert not [where for where in kept if PIN in where or "four one five" in where]


async def test_a_yes_alone_is_asked_for_again_with_what_came_after_it(talk: Talk) -> None:
    await talk.say("restart gitea and stop jellyfin")
    assert said(await talk.say("yes")) == f"Shall I restart gitea? {MISSING}"
    events = await talk.say(f"yes {PIN}")
    assert done(events) == [{"service": "gitea", "action": "restart"}]
    assert said(events).endswith(f"Shall I stop jellyfin? {SAY_IT}")


async def test_digits_without_a_yes_are_no_yes_and_the_question_stays_open(talk: Talk) -> None:
    await talk.say(RESTART)
    events = await talk.say(ALOUD)
    assert (done(events), said(events)) == ([], phrase("pin_and_yes"))
    assert done(await talk.say(f"yes, my PIN is {PIN}")) != []


async def test_a_no_with_digits_is_a_no(talk: Talk) -> None:
    await talk.say(RESTART)
    events = await talk.say(f"no, {PIN}")
    assert (done(events), said(events)) == ([], phrase("confirmation_dropped"))


async def test_wrong_digits_do_nothing_and_three_times_lock(talk: Talk) -> None:
    for wrong in ("1 1 1 1", "nine nine nine nine"):
        await talk.say(RESTART)
        assert said(await talk.say(f"yes {wrong}")) == WRONG
    await talk.say(RESTART)
    assert said(await talk.say("yes 2222")) == f"{WRONG} {LOCKED}"
    assert said(await talk.say(RESTART)) == LOCKED
    assert PIN not in " ".join(to_json(event).decode() for event in talk.log)


async def test_said_again_after_the_question_it_is_taken_out_too_and_digits_of_other_orders_are_not(talk: Talk) -> None:
    await talk.say(RESTART)
    await talk.say("yes 1111")
    again = await talk.say(f"yes, {PIN}")
    assert PIN not in " ".join(to_json(event).decode() for event in again)
    other = await talk.say("set a timer for 90 minutes")
    assert "90 minutes" in " ".join(to_json(event).decode() for event in other)
    talk.now += PIN_AFTER_S
    late = await talk.say("yes, 271828")
    assert "271828" in " ".join(to_json(event).decode() for event in late)


async def test_where_nobody_overhears_no_pin_is_wanted(talk: Talk) -> None:
    assert said(await talk.say(RESTART, heard=False, door=Door.REPL)) == "Shall I restart gitea?"
    assert done(await talk.say("yes", heard=False, door=Door.REPL)) != []


async def test_what_is_protected_is_refused_by_voice_pin_or_not(talk: Talk) -> None:
    events = await talk.say("reboot the router")
    assert done(events) == []
    assert talk.conversation.pending is None
    assert SAY_IT not in said(events)


async def test_nothing_is_looked_ahead_for_an_answer_with_digits_in_it(talk: Talk) -> None:
    await talk.say(RESTART)
    foreseen = await talk.reply.foresee("yes", talk.conversation, Caller(door=Door.MICROPHONE), "both")
    assert foreseen.words is Words.BROKEN_OFF
    assert talk.conversation.awaits_pin


async def test_the_replier_hears_of_the_pin_from_the_caller_only() -> None:
    replier, conversation = FakeReplier(), Conversation()
    conversation.pin_asked_at = conversation.clock()
    request = TurnRequest(turn_id="t", utterance=f"yes {PIN}", caller=Caller(door=Door.SATELLITE))
    async for _ in run_turn(request, Stages(replier), conversation):
        pass
    ((text, caller, _),) = replier.asked
    assert (text, caller.pin) == (f"yes {REDACTED}", PIN)
