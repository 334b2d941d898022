"""Which turns can still be fetched: the newest, not for long, and only those of one's own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from assistant.broadcast import RunningTurn
from assistant.events import AudioReady, TurnEvent, TurnFinished
from assistant.server import recent
from assistant.server.recent import KEPT_FOR_S, KEPT_TURNS, RecentTurns
from tests.test_broadcast import Script

END = TurnFinished(reply="Yes.", spoken="Yes.", matched="none")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def over(turn_id: str, pcm: bytes = b"") -> RunningTurn:
    """A turn that has ended."""

    async def events() -> AsyncIterator[TurnEvent]:
        yield AudioReady(pcm=pcm, sample_rate_hz=22_050, first=True)
        yield END

    turn = RunningTurn(turn_id, events())
    await turn.outcome()
    return turn


async def test_a_turn_is_found_by_its_owner_only() -> None:
    turns = RecentTurns()
    turn = await over("a")
    turns.add(turn, "phone")
    assert turns.find("a", "phone") is turn
    assert turns.find("a", "tablet") is None
    assert turns.find("b", "phone") is None


async def test_the_oldest_goes_when_there_are_too_many() -> None:
    turns = RecentTurns()
    for number in range(KEPT_TURNS + 1):
        turns.add(await over(str(number)), "phone")
    assert turns.find("0", "phone") is None
    assert turns.find("1", "phone")
    assert turns.find(str(KEPT_TURNS), "phone")


async def test_a_turn_goes_when_its_time_is_over() -> None:
    clock = Clock()
    turns = RecentTurns(clock)
    turns.add(await over("old"), "phone")
    clock.now += KEPT_FOR_S / 2
    turns.add(await over("new"), "phone")
    clock.now += KEPT_FOR_S / 2 + 1
    assert turns.find("old", "phone") is None
    assert turns.find("new", "phone")


async def test_long_replies_leave_room_for_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "KEPT_AUDIO_BYTES", 100)
    turns = RecentTurns()
    for turn_id in "abc":
        turns.add(await over(turn_id, bytes(40)), "phone")
    assert [turn_id for turn_id in "abc" if turns.find(turn_id, "phone")] == ["b", "c"]


async def test_a_turn_under_way_is_never_forgotten() -> None:
    clock, script = Clock(), Script(AudioReady(pcm=b"", sample_rate_hz=1, first=True), END)
    turns = RecentTurns(clock)
    running = RunningTurn("running", script.__aiter__())
    turns.add(running, "phone")
    clock.now += KEPT_FOR_S * 2
    for number in range(KEPT_TURNS + 5):
        turns.add(await over(str(number)), "phone")
    assert turns.find("running", "phone") is running
    assert turns.under_way == 1
    script.gate.set()
    await running.outcome()
    assert turns.under_way == 0
    assert turns.find("running", "phone") is None
