"""Who says what by itself: the door where it was asked for, the room it is meant for, pages without taking anything."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.tools.notify.fakes import Clock
from tools.contract import Caller, Door
from tools.notify.doors import ROOM_WAIT_S, Announcements
from tools.notify.messages import Messages
from tools.settings_house import AnnouncementSettings

BERLIN = ZoneInfo("Europe/Berlin")
HOUSE = Caller(name="house", door=Door.SCHEDULE)
QUIET = AnnouncementSettings(quiet_from="22:00", quiet_to="07:00")


@pytest.fixture
def doors(messages: Messages, clock: Clock) -> Announcements:
    clock.now = datetime(2026, 11, 22, 23, 0, tzinfo=BERLIN).timestamp()
    return Announcements(messages, QUIET, clock, lambda at: datetime.fromtimestamp(at, BERLIN))


def taken(doors: Announcements, door: Door, room: str | None = None) -> str | None:
    message = doors.take(door, room)
    return message.text if message is not None else None


def test_what_is_meant_for_a_room_is_said_there(doors: Announcements, messages: Messages, clock: Clock) -> None:
    messages.add("Hello.", HOUSE.model_copy(update={"room": "kitchen"}), priority=5)

    assert taken(doors, Door.MICROPHONE) is None
    assert taken(doors, Door.SATELLITE, "attic") is None
    assert taken(doors, Door.SATELLITE, "kitchen") == "Hello."
    assert taken(doors, Door.SATELLITE, "kitchen") is None


def test_a_room_that_does_not_answer_is_not_waited_for(doors: Announcements, messages: Messages, clock: Clock) -> None:
    messages.add("Hello.", HOUSE.model_copy(update={"room": "kitchen"}), priority=5)
    clock.now += ROOM_WAIT_S
    assert taken(doors, Door.MICROPHONE) == "Hello."


def test_what_a_satellite_was_asked_is_said_in_its_room(doors: Announcements, messages: Messages) -> None:
    messages.add("Done.", Caller(door=Door.SATELLITE, room="kitchen"))
    assert taken(doors, Door.SATELLITE, "attic") is None
    assert taken(doors, Door.MICROPHONE) is None
    assert taken(doors, Door.SATELLITE, "kitchen") == "Done."


def test_quiet_hours_hold_back_what_nobody_asked_for_just_now(
    doors: Announcements, messages: Messages, clock: Clock
) -> None:
    messages.add("A message: photos.", HOUSE)
    messages.add("The photos backup is done.", Caller(name="jarvis", door=Door.SCHEDULE), key="job:1")
    assert taken(doors, Door.MICROPHONE) is None

    messages.add("An alert: water.", HOUSE, priority=5)
    messages.add("It's time to get up.", Caller(door=Door.SCHEDULE), key="schedule:1")
    messages.add("The music backup is done.", Caller(door=Door.MICROPHONE), key="job:2")
    said = [taken(doors, Door.MICROPHONE) for _ in range(4)]
    assert said == ["An alert: water.", "It's time to get up.", "The music backup is done.", None]

    clock.now += 8 * 3600
    assert [taken(doors, Door.MICROPHONE) for _ in range(2)] == ["A message: photos.", "The photos backup is done."]


def test_what_is_only_written_wakes_nobody(doors: Announcements, messages: Messages) -> None:
    messages.add("A message: photos.", HOUSE)
    assert taken(doors, Door.REPL) == "A message: photos."


def test_a_page_shows_what_the_house_says_and_takes_nothing(doors: Announcements, messages: Messages) -> None:
    messages.add("Before.", HOUSE)
    after = doors.newest()
    messages.add("A message: photos.", HOUSE, priority=5)
    messages.add("For tom.", Caller(name="tom", door=Door.MICROPHONE))
    messages.add("For tom's phone.", Caller(name="tom", door=Door.HTTP))

    shown, last = doors.shown_to("anna", after)
    assert [one.text for one in shown] == ["A message: photos."]
    assert doors.shown_to("anna", last) == ([], last)
    assert taken(doors, Door.MICROPHONE) == "A message: photos."


def test_what_was_asked_for_over_http_is_shown_to_whoever_asked_and_is_told_with_that(
    doors: Announcements, messages: Messages
) -> None:
    messages.add("Done.", Caller(name="phone", door=Door.HTTP))
    shown, _ = doors.shown_to("phone", 0)
    assert [one.text for one in shown] == ["Done."]
    assert messages.unannounced() == []
