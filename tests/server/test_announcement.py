"""What an app announces: what was asked for at this door, once."""

from __future__ import annotations

import pytest

from assistant.app import App
from tools.contract import Caller, Door
from tools.store import Store, StoreError

TEXT = "The photos backup is done."


async def test_what_was_asked_for_at_a_door_is_given_out_there_and_once(app: App) -> None:
    app.house.messages.add(TEXT, Caller(door=Door.REPL))

    assert await app.announcement(Door.MICROPHONE) is None
    assert await app.announcement(Door.REPL) == (TEXT, False)
    assert await app.announcement(Door.REPL) is None


async def test_what_was_scheduled_is_said_at_the_first_door_that_can(app: App) -> None:
    app.house.messages.add(TEXT, Caller(door=Door.SCHEDULE))

    assert await app.announcement(Door.MICROPHONE) == (TEXT, False)
    assert await app.announcement(Door.REPL) is None


async def test_without_a_loudspeaker_nothing_is_said_aloud(app: App) -> None:
    await app.say(TEXT)


async def test_a_database_that_cannot_be_used_announces_nothing(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> list[tuple[object, ...]]:
        raise StoreError("it is damaged")

    app.house.messages.add(TEXT, Caller(door=Door.REPL))
    with monkeypatch.context() as patched:
        patched.setattr(Store, "read", broken)
        assert await app.announcement(Door.REPL) is None
    assert await app.announcement(Door.REPL) == (TEXT, False)
