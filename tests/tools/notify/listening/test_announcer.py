"""What came in becomes announcements: gathered, once, and not while it is quiet."""

from __future__ import annotations

import asyncio
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.tools.notify.fakes import Clock
from tools.notify.listening.announcer import BEAT_S, Announcer
from tools.notify.listening.inbox import Inbox, Received
from tools.notify.messages import Messages
from tools.settings_house import AnnouncementSettings
from tools.store import Store, StoreError

BERLIN = ZoneInfo("Europe/Berlin")


def local(at: float) -> datetime:
    return datetime.fromtimestamp(at, BERLIN)


class House:
    """An announcer whose clock a test sets."""

    def __init__(self, store: Store, clock: Clock, **settings: object) -> None:
        self.clock = clock
        self.store = store
        self.inbox, self.messages = Inbox(store, clock), Messages(store, clock)
        wanted = {"group_s": 20, "room": "kitchen", **settings}
        self.settings = AnnouncementSettings.model_validate(wanted)
        self.announcer = self.opened()
        self.count = 0

    def opened(self) -> Announcer:
        """As after a start of Jarvis."""
        return Announcer(self.settings, self.inbox, self.messages, self.clock, local)

    def comes(self, text: str = "", priority: int = 3, source: str = "ntfy:alerts", at: float | None = None) -> None:
        self.count += 1
        when = self.clock.now if at is None else at
        text = text or f"message {self.count}"
        self.inbox.keep([Received(key=f"{source}:{self.count}", source=source, at=when, priority=priority, text=text)])

    def goes_by(self, seconds: float, step_s: float = BEAT_S) -> None:
        end = self.clock.now + seconds
        while self.clock.now < end:
            self.clock.now += min(step_s, end - self.clock.now)
            self.announcer.look()

    @property
    def said(self) -> list[str]:
        return [message.text for message in self.messages.unannounced()]


@pytest.fixture
def house(store: Store, clock: Clock) -> House:
    return House(store, clock)


def at_clock(house: House, clock: str) -> None:
    """On an ordinary day."""
    house.clock.now = datetime.fromisoformat(f"2026-11-22T{clock}").replace(tzinfo=BERLIN).timestamp()
    house.announcer = house.opened()


def test_what_comes_within_the_time_is_said_together_in_the_chosen_room(house: House) -> None:
    house.comes("disk full", 5, "alertmanager")
    house.goes_by(10)
    house.comes("ups on battery", 4, "alertmanager")
    assert house.said == []
    house.goes_by(10)

    assert house.said == ["Two alerts: disk full; ups on battery."]
    (message,) = house.messages.unannounced()
    assert (message.door, message.room, message.priority, message.who) == ("schedule", "kitchen", 5, "house")
    house.goes_by(3600)
    assert len(house.said) == 1


def test_what_is_not_important_enough_is_not_said(house: House) -> None:
    house.comes("a new version", 2)
    house.goes_by(3600)
    assert house.said == []


def test_the_announcer_says_how_long_nothing_is_due(house: House) -> None:
    assert house.announcer.look() == BEAT_S
    house.comes()
    house.clock.now += 15
    assert house.announcer.look() == pytest.approx(5.0)


@pytest.fixture
def sleeping(store: Store, clock: Clock) -> House:
    house = House(store, clock, quiet_from="22:00", quiet_to="07:00")
    at_clock(house, "23:00")
    return house


def test_in_quiet_hours_only_the_urgent_is_said_and_the_rest_together_afterwards(sleeping: House) -> None:
    for text, priority in (("photos", 3), ("music", 3), ("raid degraded", 4), ("notes", 3)):
        sleeping.comes(text, priority)
        sleeping.goes_by(600)
    sleeping.comes("water in the cellar", 5, "alertmanager")
    sleeping.goes_by(20)
    assert sleeping.said == ["An alert: water in the cellar."]

    sleeping.goes_by(7 * 3600)
    assert len(sleeping.said) == 1
    sleeping.goes_by(3600)
    assert sleeping.said[1:] == ["While it was quiet, four messages came. The most important: raid degraded."]


@pytest.mark.parametrize(
    "came, when, said",
    [
        ("21:59:30", "22:30", ["A message: message 1."]),  # gathered for 20 s, before the hours began
        ("21:59:50", "06:59", []),  # the hours began meanwhile
        ("21:59:50", "07:01", ["A message: message 1."]),
        ("22:00:00", "07:01", ["While it was quiet, one message came: message 1."]),
        ("06:59:59", "07:01", ["While it was quiet, one message came: message 1."]),
        ("07:00:00", "07:01", ["A message: message 1."]),
    ],
)
def test_the_edges_of_the_quiet_hours(sleeping: House, came: str, when: str, said: list[str]) -> None:
    at_clock(sleeping, came)
    sleeping.comes()
    now = local(sleeping.clock.now)
    end = datetime.fromisoformat(f"{now:%Y-%m-%d}T{when}").replace(tzinfo=BERLIN).timestamp()
    sleeping.goes_by((end - sleeping.clock.now) % 86400.0)
    assert sleeping.said == said


def test_the_night_the_clocks_change_is_an_hour_longer_and_still_quiet(sleeping: House) -> None:
    sleeping.clock.now = datetime(2026, 10, 24, 23, 0, tzinfo=BERLIN).timestamp()
    sleeping.announcer = sleeping.opened()
    sleeping.comes()
    sleeping.goes_by(9 * 3600 - 60)
    assert local(sleeping.clock.now).strftime("%H:%M") == "06:59"
    assert sleeping.said == []
    sleeping.goes_by(120)
    assert len(sleeping.said) == 1


def test_what_came_while_jarvis_was_off_is_said_to_be_that(house: House) -> None:
    house.comes("photos", at=house.clock.now - 5000)
    house.comes("music", at=house.clock.now - 4000)
    house.goes_by(10)
    assert house.said == ["While I was off, two messages came: music; photos."]


def test_what_is_older_than_a_day_is_not_said(house: House) -> None:
    house.comes(at=house.clock.now - 90_000)
    house.goes_by(60)
    assert house.said == []


def test_a_flood_is_a_few_short_announcements(house: House) -> None:
    for _ in range(100):
        keys = range(house.count, house.count + 100)
        house.count += 100
        house.inbox.keep(
            [Received(key=f"x:{key}", source="ntfy:x", at=house.clock.now, priority=3, text="y" * 200) for key in keys]
        )
        house.goes_by(36, 12)
    assert 2 <= len(house.said) <= 14
    assert max(map(len, house.said)) < 300


def test_the_urgent_does_not_wait_for_the_pace_of_the_rest(house: House) -> None:
    for _ in range(60):
        house.comes()
        house.goes_by(20)
    before = len(house.said)
    house.comes("water in the cellar", 5)
    house.goes_by(70)
    assert len(house.said) == before + 1
    assert "water in the cellar" in house.said[-1]


@pytest.mark.parametrize("crash", ["gather", "add", "said_in"])
def test_a_crash_in_between_loses_nothing_and_says_nothing_twice(
    house: House, monkeypatch: pytest.MonkeyPatch, crash: str
) -> None:
    for text in ("one", "two"):
        house.comes(text)
    target = house.messages if crash == "add" else house.inbox

    def killed(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(target, crash, killed)
        house.clock.now += 20
        with pytest.raises(StoreError):
            house.announcer.look()
    house.announcer = house.opened()
    house.goes_by(60)
    house.goes_by(600)
    assert len(house.said) == 1
    assert house.said[0].endswith(("two; one.", "one; two."))


async def test_it_looks_at_once_when_something_comes(store: Store, clock: Clock) -> None:
    house = House(store, clock, group_s=0)
    task = asyncio.create_task(house.announcer.run())
    try:
        await asyncio.sleep(0)
        house.comes("here")
        async with asyncio.timeout(5):
            while not house.said:  # noqa: ASYNC110 - a thread writes
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert house.said == ["A message: here."]
