"""What did I miss? What nobody heard, once; what was heard is no news."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.tools.notify.fakes import Clock
from tools.calling import called_by
from tools.contract import Caller, Door, ToolResult
from tools.jobs.ledger import JobLedger
from tools.notify.listening.announcer import Announcer
from tools.notify.listening.inbox import Inbox, Received
from tools.notify.messages import Messages
from tools.notify.missed import NOTHING, Missed
from tools.schema import MIGRATIONS
from tools.settings_house import AnnouncementSettings
from tools.store import Store
from tools.tasks.schedules import Schedules
from tools.tasks.tool import ListTasks

ANNA = Caller(name="anna", role="member", door=Door.MICROPHONE)
IDLE = "Nothing is running, and nothing is scheduled."


class House:
    """The list of tasks, and what it is told about."""

    def __init__(self, store: Store, clock: Clock, *, listening: bool = True) -> None:
        self.clock = clock
        self.messages, self.inbox = Messages(store, clock), Inbox(store, clock)
        self.announcer = Announcer(AnnouncementSettings(group_s=0), self.inbox, self.messages, clock)
        self.schedules = Schedules(store)
        self.tool = ListTasks(JobLedger(store), self.schedules, Missed(store, listening, clock))
        self._count = 0

    def comes(self, text: str, priority: int = 3) -> None:
        self._count += 1
        key = f"ntfy:alerts:{self._count}"
        one = Received(key=key, source="ntfy:alerts", at=self.clock.now, priority=priority, text=text)
        self.inbox.keep([one])

    def say_aloud(self) -> list[str]:
        """Everything that waits, at the microphone."""
        self.announcer.look()
        said = [one.text for one in self.messages.unannounced() if self.messages.announce(one.id, Door.MICROPHONE)]
        self.clock.now += 1
        return said

    async def asked(self, caller: Caller = ANNA) -> ToolResult:
        with called_by(caller):
            return await self.tool.execute(self.tool.plan(self.tool.arguments()))

    async def said(self, caller: Caller = ANNA) -> str:
        return (await self.asked(caller)).spoken


@pytest.fixture
def house(store: Store, clock: Clock) -> House:
    return House(store, clock)


async def test_what_was_never_said_is_listed_worst_first_and_once(house: House) -> None:
    for text, priority in (("photos done", 2), ("raid degraded", 5), ("a new version", 1)):
        house.comes(text, priority)
    found = await house.asked()

    assert found.spoken == "While you were away, three messages came: raid degraded; photos done; a new version."
    assert found.tainted
    assert found.data["missed"] == 3
    assert found.data["messages"][0] == {
        "from": "ntfy:alerts", "at": house.clock.now, "priority": 5, "text": "raid degraded",
    }  # fmt: skip
    assert await house.said() == NOTHING


async def test_what_was_listed_is_not_announced_afterwards(house: House) -> None:
    house.comes("photos done")
    house.announcer.look()
    assert "photos done" in await house.said()
    assert house.say_aloud() == []


async def test_what_was_said_and_answered_is_no_news(house: House) -> None:
    house.comes("photos done")
    assert house.say_aloud() == ["A message: photos done."]
    house.clock.now += 300
    house.messages.somebody_spoke(Door.MICROPHONE, None)
    house.clock.now += 3000

    assert await house.said() == NOTHING


async def test_what_was_said_to_nobody_is_listed(house: House) -> None:
    house.comes("photos done")
    house.say_aloud()
    house.clock.now += 700
    house.messages.somebody_spoke(Door.MICROPHONE, None)

    assert await house.said() == "While you were away, one message came: photos done."
    assert await house.said() == NOTHING


async def test_a_voice_in_another_room_has_heard_nothing(house: House) -> None:
    house.comes("photos done")
    house.announcer.look()
    (message,) = house.messages.unannounced()
    house.messages.announce(message.id, Door.SATELLITE, "kitchen")
    house.messages.somebody_spoke(Door.SATELLITE, "attic")
    in_the_attic = ANNA.model_copy(update={"door": Door.SATELLITE, "room": "attic"})

    assert "photos done" in await house.said(in_the_attic)


async def test_who_has_just_heard_it_has_not_missed_it(house: House) -> None:
    house.comes("photos done")
    house.say_aloud()
    assert await house.said() == NOTHING


async def test_our_own_words_are_listed_for_whom_they_were_meant_and_may_quote_others(house: House) -> None:
    house.messages.add("The photos backup is done.", Caller(name="anna", door=Door.SATELLITE, room="attic"))
    house.messages.add("Buy a present for anna.", Caller(name="tom", door=Door.SATELLITE, room="attic"))
    found = await house.asked()

    assert found.spoken == "While you were away, one message came: The photos backup is done."
    assert found.tainted  # a job that failed is told in the words of its program
    assert house.say_aloud() == ["Buy a present for anna."]


async def test_what_stood_between_the_lines_of_a_repl_was_read(house: House) -> None:
    key = house.messages.add("The photos backup is done.", ANNA.model_copy(update={"door": Door.REPL}))
    message = house.messages.get(key)
    assert message is not None
    house.messages.announce(message.id, Door.REPL)
    house.clock.now += 5000
    assert await house.said() == NOTHING


@pytest.mark.parametrize(
    "caller",
    [
        ANNA.model_copy(update={"role": "guest"}),
        ANNA.model_copy(update={"door": Door.MCP}),
        ANNA.model_copy(update={"door": Door.SCHEDULE}),
    ],
)
async def test_guests_and_programs_are_told_nothing_and_use_nothing_up(house: House, caller: Caller) -> None:
    house.comes("photos done")
    assert "photos" not in await house.said(caller)
    assert "photos" in await house.said()


async def test_tasks_come_first(house: House) -> None:
    house.comes("photos done")
    house.schedules.add("pasta timer", "in 2 hours", None, ANNA)
    spoken = await house.said()
    assert spoken.startswith("The pasta timer has ")
    assert spoken.endswith(" While you were away, one message came: photos done.")
    assert "missed" not in await house.said()


async def test_without_anything_to_listen_to_nothing_is_said_of_messages(store: Store, clock: Clock) -> None:
    assert await House(store, clock, listening=False).said() == IDLE


async def test_of_many_the_first_three_are_named_and_all_are_over(house: House, store: Store) -> None:
    for number in range(100):
        house.comes(f"message {number}")
    found = await house.asked()
    assert found.spoken.startswith("While you were away, 100 messages came. The most important: message ")
    assert found.spoken.count(";") == 2
    assert len(found.data["messages"]) == 20
    assert store.read("SELECT COUNT(*) FROM incoming WHERE listed_at IS NULL") == [(0,)]


def test_a_database_of_an_older_version_has_nothing_that_was_missed(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    with sqlite3.connect(file) as old:
        for script in MIGRATIONS[:4]:
            old.executescript(script)
        old.execute("PRAGMA user_version=4")
        row = "INSERT INTO messages (key, at, title, text, who, door, say, said_at, push, attempts, next_at, error) "
        old.execute(row + "VALUES ('a', 1799999000, 'T', 'Said.', 'anna', 'repl', 1, 1799999001, 0, 0, NULL, '')")
        old.execute(row + "VALUES ('b', 1799999000, 'T', 'Open.', 'anna', 'repl', 0, NULL, 1, 3, 1800000060, 'down')")
    old.close()
    with Store(file) as store:
        assert Missed(store, clock=Clock()).take(ANNA) == []
        clock = Clock()
        assert Messages(store, clock).due("ntfy") == []  # its next try stands already
        clock.now += 60
        (open_one,) = Messages(store, clock).due("ntfy")
        assert (open_one.text, open_one.attempts) == ("Open.", 3)
