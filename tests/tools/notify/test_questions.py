"""A yes from the phone: once, in time, for exactly what was asked; anything else does nothing."""

from __future__ import annotations

import asyncio
import stat
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes_tools import BreakTool, SwitchTool, ThingTool
from tests.tools.notify.fakes import Clock
from tools.confirmations import Confirmations
from tools.contract import Caller, CallOutcome, Door, PlannedCall
from tools.notify.links import KEY_FILE, MOST_OPEN, Links, Standing
from tools.notify.messages import Messages
from tools.notify.port import Outgoing, PushError
from tools.notify.questions import ANSWERED, LATE, NO, NOT_OURS, UNDER_WAY, PhoneQuestions
from tools.outbox import Outbox
from tools.policy import CallPath
from tools.store import Store

WEBUI = Caller(name="webui", role="member", door=Door.MCP, conversation="c1")
LAMP = {"thing": "lamp"}
BASE = "http://jarvis.lan:8765"


@dataclass
class Phone:
    """A push service; ``links``: what it was sent."""

    name: str = "ntfy"
    broken: bool = False
    got: list[Outgoing] = field(default_factory=list)

    async def push(self, message: Outgoing) -> str:
        if self.broken:
            raise PushError("ntfy cannot be reached")
        self.got.append(message)
        return f"id{len(self.got)}"

    @property
    def token(self) -> str:
        link = self.got[-1].link
        assert link is not None
        return link.removeprefix(f"{BASE}/confirm/")


class House:
    """The call path over one breakable lamp, and the phone."""

    def __init__(self, store: Store, folder: Path, clock: Clock, base_url: str | None = BASE) -> None:
        self.clock, self.store = clock, store
        self.breaking = BreakTool()
        confirmations = Confirmations(store, clock=clock, ticks=clock)
        tools = (ThingTool(), SwitchTool(), self.breaking)
        self.path = CallPath(tools, store, Outbox(folder / "outbox"), confirmations=confirmations)
        self.messages, self.phone = Messages(store, clock), Phone()
        self.links = Links(store, folder, clock)
        self.questions = PhoneQuestions(self.path, self.links, self.messages, [self.phone], base_url)
        self.questions.served = True

    async def asks(self, caller: Caller = WEBUI) -> bool:
        outcome = await self.path.call("break", LAMP, caller)
        planned = self.path.plan("break", LAMP)
        assert outcome.confirmation is not None
        assert isinstance(planned, PlannedCall)
        return await self.questions.ask(planned, caller, outcome.confirmation)

    @property
    def broken(self) -> int:
        return len(self.breaking.executed)

    @property
    def told(self) -> list[str]:
        return [message.text for message in self.messages.due("ntfy")]


def other(text: str) -> str:
    """With another last character."""
    return text[:-1] + ("B" if text[-1] == "A" else "A")


def hidden_files(folder: Path) -> list[str]:
    return [file.name for file in folder.glob(".*")]


@pytest.fixture
def house(store: Store, tmp_path: Path, clock: Clock) -> House:
    return House(store, tmp_path, clock)


async def test_a_yes_does_it_once_and_is_told(house: House) -> None:
    assert await house.asks()
    sent = house.phone.got[0]
    assert sent.text == "Shall I break lamp? Asked by webui; it is open for 5 minutes."
    assert house.broken == 0

    answered = await house.questions.answer(house.phone.token, yes=True)
    assert (answered.standing, answered.text, answered.done) == (Standing.OPEN, "Done.", True)
    assert house.broken == 1
    assert house.told == ["Done."]
    decisions = [line["decision"] for line in reversed(house.store.audit_lines())]
    assert decisions == ["needs_confirmation", "confirmed"]


@pytest.mark.parametrize("first", [True, False])
async def test_the_second_answer_does_nothing(house: House, first: bool) -> None:
    await house.asks()
    await house.questions.answer(house.phone.token, yes=first)
    for yes in (True, False):
        answered = await house.questions.answer(house.phone.token, yes=yes)
        assert (answered.standing, answered.text) == (Standing.ANSWERED, ANSWERED)
    assert house.broken == int(first)


async def test_a_no_closes_the_question_everywhere(house: House) -> None:
    outcome = await house.path.call("break", LAMP, WEBUI)
    planned = house.path.plan("break", LAMP)
    assert outcome.confirmation is not None
    assert isinstance(planned, PlannedCall)
    await house.questions.ask(planned, WEBUI, outcome.confirmation)
    assert (await house.questions.answer(house.phone.token, yes=False)).text == NO

    again = WEBUI.model_copy(update={"confirmation": outcome.confirmation.nonce})
    assert (await house.path.call("break", LAMP, again)).error == "confirmation_void"
    assert house.broken == 0


async def test_of_many_answers_at_once_one_does_it(house: House) -> None:
    await house.asks()
    answers = await asyncio.gather(*(house.questions.answer(house.phone.token, yes=True) for _ in range(20)))
    assert house.broken == 1
    assert sum(one.done for one in answers) == 1


async def test_two_houses_over_one_database_do_it_once(house: House, store: Store, tmp_path: Path) -> None:
    """Another process, or Jarvis after a restart: the key is the same, and so is the burning."""
    await house.asks()
    other = House(store, tmp_path, house.clock)
    assert (await other.questions.answer(house.phone.token, yes=True)).done
    assert not (await house.questions.answer(house.phone.token, yes=True)).done
    assert (house.broken, other.broken) == (0, 1)


@pytest.mark.parametrize("seconds, done", [(0, True), (299, True), (300, False), (86_000, False), (-1, False)])
async def test_it_is_open_for_five_minutes(house: House, seconds: int, done: bool) -> None:
    """A clock that is set back buys nothing."""
    await house.asks()
    house.clock.now += seconds
    answered = await house.questions.answer(house.phone.token, yes=True)
    assert answered.done is done
    assert house.broken == int(done)
    if not done:
        assert (answered.standing, answered.text) == (Standing.LATE, LATE)


async def test_a_reader_changes_nothing(house: House) -> None:
    await house.asks()
    for _ in range(3):
        question = await house.questions.read(house.phone.token)
        assert question is not None
        assert (question.text, question.standing) == ("Shall I break lamp?", Standing.OPEN)
    assert (await house.questions.answer(house.phone.token, yes=True)).done


async def test_a_changed_token_is_none_of_ours(house: House) -> None:
    await house.asks()
    nonce, expires, mac = house.phone.token.split(".")
    forged = [
        "", "x", f"{nonce}.{expires}", f"{nonce}.{int(expires) + 600}.{mac}", f"{other(nonce)}.{expires}.{mac}",
        f"{nonce}.{expires}.{other(mac)}", f"{nonce}.{expires}.{'A' * 43}", f"{nonce}.{expires}.{mac}.", "../../etc",
        f"{nonce}.{expires}.{mac}\n", "é" * 30,
    ]  # fmt: skip
    for token in forged:
        answered = await house.questions.answer(token, yes=True)
        assert (answered.standing, answered.text) == (Standing.FORGED, NOT_OURS)
        assert await house.questions.read(token) is None
    assert house.broken == 0
    assert (await house.questions.answer(house.phone.token, yes=True)).done  # and the right one is not used up


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.text(max_size=120))
def test_no_text_opens_anything(tmp_path: Path, text: str) -> None:
    with Store(tmp_path / "links.db") as store:
        assert Links(store, tmp_path).read(text) is None


async def test_whoever_can_write_the_database_cannot_make_a_link_or_change_what_it_does(house: House) -> None:
    await house.asks()
    digest = "0" * 64
    house.store.write("UPDATE links SET digest = ?", [(digest,)])
    assert (await house.questions.answer(house.phone.token, yes=True)).standing is Standing.FORGED


async def test_another_call_in_the_row_is_not_done(house: House) -> None:
    await house.asks()
    other = PlannedCall(tool="break", arguments={"thing": "door"}).model_dump_json()
    house.store.write("UPDATE links SET call = ?", [(other,)])
    assert (await house.questions.answer(house.phone.token, yes=True)).standing is Standing.FORGED
    assert house.broken == 0


async def test_the_database_holds_no_nonce_and_no_link(house: House, tmp_path: Path) -> None:
    await house.asks()
    nonce, _, mac = house.phone.token.split(".")
    kept = (tmp_path / "jarvis.db").read_bytes()
    assert nonce.encode() not in kept
    assert mac.encode() not in kept


async def test_the_key_is_for_its_owner_only_and_one_that_others_could_read_is_replaced(
    house: House, tmp_path: Path
) -> None:
    await house.asks()
    file = tmp_path / KEY_FILE
    before = file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)

    assert (await house.questions.answer(house.phone.token, yes=True)).standing is Standing.FORGED
    assert file.read_bytes() != before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert hidden_files(tmp_path) == []


async def test_a_phone_that_cannot_be_reached_leaves_no_question_open(house: House) -> None:
    house.phone.broken = True
    assert not await house.asks()
    assert house.store.read("SELECT 1 FROM confirmations WHERE burnt = 0") == []


async def test_without_an_address_nobody_is_asked(store: Store, tmp_path: Path, clock: Clock) -> None:
    house = House(store, tmp_path, clock, base_url=None)
    assert not house.questions.possible
    assert not await house.asks()
    assert house.phone.got == []


async def test_where_no_answer_can_come_in_nobody_is_asked(house: House) -> None:
    house.questions.served = False
    assert not await house.asks()
    assert house.phone.got == []
    assert house.store.read("SELECT 1 FROM confirmations WHERE burnt = 0") == []


async def test_only_so_many_questions_are_open_at_once(house: House) -> None:
    callers = [WEBUI.model_copy(update={"conversation": str(number)}) for number in range(MOST_OPEN + 1)]
    assert [await house.asks(caller) for caller in callers] == [True] * MOST_OPEN + [False]
    house.clock.now += 301
    assert await house.asks()


async def test_what_takes_long_goes_on_and_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.asks()
    monkeypatch.setattr("tools.notify.questions.ANSWER_WITHIN_S", 0.01)
    going_on, slow = asyncio.Event(), house.path.call

    async def call(*given: object) -> CallOutcome:
        await going_on.wait()
        return await slow(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(house.path, "call", call)
    answered = await house.questions.answer(house.phone.token, yes=True)
    assert (answered.text, answered.done, house.broken) == (UNDER_WAY, False, 0)
    going_on.set()
    async with asyncio.timeout(5):
        while not house.told:  # noqa: ASYNC110 - a thread writes
            await asyncio.sleep(0.01)
    assert (house.broken, house.told) == (1, ["Done."])


async def test_what_is_being_done_ends_with_the_house(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.asks()
    monkeypatch.setattr("tools.notify.questions.ANSWER_WITHIN_S", 0.01)
    ended: list[bool] = []

    async def call(*_: object) -> CallOutcome:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)
        raise AssertionError

    monkeypatch.setattr(house.path, "call", call)
    await house.questions.answer(house.phone.token, yes=True)
    await house.questions.close()
    assert ended == [True]


async def test_a_scheduled_order_that_means_something_else_can_be_asked_anew(house: House) -> None:
    planned = house.path.plan("break", LAMP)
    assert isinstance(planned, PlannedCall)
    assert await house.questions.ask_anew(planned, WEBUI.model_copy(update={"door": Door.SCHEDULE}))
    assert (await house.questions.answer(house.phone.token, yes=True)).done


async def test_a_guest_is_not_asked_anew_for_no_yes_would_do(house: House) -> None:
    planned = house.path.plan("break", LAMP)
    assert isinstance(planned, PlannedCall)
    assert not await house.questions.ask_anew(planned, WEBUI.model_copy(update={"role": "guest"}))
    assert house.phone.got == []
