"""The spoken PIN: what its file may be, wrong tries that a restart does not forget, and what a yes comes to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes_tools import BreakTool, SwitchTool
from tools.access import VOICE_DOORS
from tools.contract import Caller, CallOutcome, Door, Speech
from tools.outbox import Outbox
from tools.pin import LOCKED, MISSING, SAY_IT, UNREADABLE, WRONG, Heard, PinError, SpokenPin, read_pin
from tools.policy import CallPath
from tools.store import Store

PIN = "4271"
ANNA = Caller(name="anna", door=Door.MICROPHONE, speech=Speech.ORDER, conversation="c")


class House:
    """A call path with a PIN and a clock that is set by hand."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.file = folder / "pin"
        self.write(f"{PIN}\n")
        self.store = store
        self.now = 1_000_000.0
        self.switch, self.destroy = SwitchTool(), BreakTool()
        self.outbox = Outbox(folder / "outbox")

    def write(self, content: str, mode: int = 0o600) -> None:
        self.file.write_text(content, encoding="utf-8")
        self.file.chmod(mode)

    @property
    def pin(self) -> SpokenPin:
        """As after a restart."""
        return SpokenPin(self.file, self.store, lambda: self.now)

    async def call(self, tool: str, caller: Caller = ANNA) -> CallOutcome:
        path = CallPath((self.switch, self.destroy), self.store, self.outbox, pin=self.pin)
        return await path.call(tool, {"thing": "lamp"}, caller)

    async def say(self, digits: str | None, tool: str = "break", caller: Caller = ANNA) -> CallOutcome:
        """Order it, and answer the question."""
        asked = await self.call(tool, caller)
        assert asked.confirmation is not None, asked
        return await self.call(tool, yes(asked, digits, caller))


def yes(asked: CallOutcome, digits: str | None, caller: Caller = ANNA) -> Caller:
    assert asked.confirmation is not None
    return caller.model_copy(update={"confirmation": asked.confirmation.nonce, "pin": digits})


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with Store(tmp_path / "jarvis.db") as store:
        store._db.execute("PRAGMA synchronous=OFF")
        yield House(tmp_path, store)


@pytest.mark.parametrize("door", sorted(VOICE_DOORS))
async def test_what_is_destructive_wants_the_pin_in_a_spoken_yes(house: House, door: Door) -> None:
    caller = ANNA.model_copy(update={"door": door})
    asked = await house.call("break", caller)
    assert asked.spoken == f"Shall I break lamp? {SAY_IT}"
    assert asked.confirmation is not None
    assert asked.confirmation.pin
    assert (await house.call("break", yes(asked, PIN, caller))).ok
    assert len(house.destroy.executed) == 1


async def test_a_yes_without_it_is_asked_for_again_and_the_first_question_is_closed(house: House) -> None:
    first = await house.call("break")
    again = await house.call("break", yes(first, None))
    assert (again.error, again.spoken) == ("needs_confirmation", f"Shall I break lamp? {MISSING}")
    assert (await house.call("break", yes(again, PIN))).ok
    assert (await house.call("break", yes(first, PIN))).error == "confirmation_void"
    assert len(house.destroy.executed) == 1


async def test_a_wrong_one_does_nothing_and_leaves_nothing_open(house: House) -> None:
    asked = await house.call("break")
    refused = await house.call("break", yes(asked, "4272"))
    assert (refused.error, refused.spoken, refused.confirmation) == ("refused", WRONG, None)
    assert (await house.call("break", yes(asked, PIN))).error == "confirmation_void"
    assert house.destroy.executed == []


async def test_after_three_wrong_ones_no_yes_is_taken_by_voice_for_ten_minutes(house: House) -> None:
    first, other = await house.call("break"), await house.call("break", ANNA.model_copy(update={"name": "ben"}))
    for digits in ("1111", "2222"):
        assert (await house.say(digits)).spoken == WRONG
        house.now += 60
    assert (await house.say("3333")).spoken == f"{WRONG} {LOCKED}"
    assert (await house.call("break")).spoken == LOCKED
    late = await house.call("break", yes(other, PIN, ANNA.model_copy(update={"name": "ben"})))
    assert (late.error, late.spoken) == ("refused", LOCKED)
    assert (await house.call("break", yes(first, PIN))).error == "refused"
    unclear = ANNA.model_copy(update={"speech": Speech.UNKNOWN})
    assert (await house.call("switch", unclear)).spoken == LOCKED
    assert (await house.call("switch")).ok
    assert (await house.say(None, caller=ANNA.model_copy(update={"door": Door.PAGE}))).ok
    assert len(house.destroy.executed) == 1
    house.now += 599
    assert (await house.call("break")).spoken == LOCKED
    house.now += 1
    assert (await house.say("4444")).spoken == WRONG
    assert (await house.say(PIN)).ok


async def test_wrong_ones_that_are_far_between_lock_nothing(house: House) -> None:
    for digits in ("1111", "2222", "3333", "4444"):
        assert (await house.say(digits)).spoken == WRONG
        house.now += 301
    assert (await house.say(PIN)).ok


async def test_a_clock_that_was_set_back_does_not_lock_for_ever(house: House) -> None:
    for digits in ("1111", "2222", "3333"):
        await house.say(digits)
    house.now -= 10 * 365 * 86400.0
    assert (await house.say(PIN)).ok


async def test_what_can_be_undone_wants_a_yes_at_most(house: House) -> None:
    unclear = ANNA.model_copy(update={"speech": Speech.UNKNOWN})
    asked = await house.call("switch", unclear)
    assert asked.spoken == "Shall I go ahead with switch for lamp?"
    assert (await house.call("switch", yes(asked, None, unclear))).ok


async def test_a_file_that_was_spoilt_meanwhile_opens_nothing(house: House) -> None:
    asked = await house.call("break")
    house.write(PIN, 0o644)
    refused = await house.call("break", yes(asked, PIN))
    assert (refused.error, refused.spoken) == ("refused", UNREADABLE)
    assert house.destroy.executed == []


async def test_the_digits_are_nowhere_in_what_is_kept(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    house.write("314159265358")
    await house.say("998877665544")
    await house.say("314159265358")
    with closing(sqlite3.connect(house.file.parent / "jarvis.db")) as db:
        told = "\n".join(db.iterdump())
    kept = told + caplog.text + "".join(path.read_text() for path in house.file.parent.rglob("*.json"))
    assert "998877665544" not in kept
    assert "314159265358" not in kept
    assert PIN not in repr(ANNA.model_copy(update={"pin": PIN}))
    assert [line["decision"] for line in house.store.audit_lines()][:3] == [
        "confirmed",
        "needs_confirmation",
        "pin_wrong",
    ]


@pytest.mark.parametrize("content", ["", "427", "42a1", "4271\n4272", "1" * 13, "４２７１", "4" * 200])
def test_a_file_that_is_no_pin_is_an_error(house: House, content: str) -> None:
    house.write(content)
    with pytest.raises(PinError, match="four to twelve digits") as caught:
        read_pin(house.file)
    assert not content or content not in str(caught.value).replace(str(house.file), "")


def test_a_file_that_others_can_read_or_that_is_not_there_is_an_error(house: House) -> None:
    house.write(PIN, 0o640)
    with pytest.raises(PinError, match="chmod 600"):
        read_pin(house.file)
    house.file.unlink()
    with pytest.raises(PinError, match="cannot be read"):
        read_pin(house.file)


def test_without_a_file_there_is_no_pin(house: House) -> None:
    none = SpokenPin(None, house.store)
    assert not none.configured
    assert none.hear(ANNA) is Heard.RIGHT
