"""A satellite over a real socket: connecting, turns, announcements, going away and coming back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from assistant.announcing import Announced
from assistant.config import SatelliteSettings, Settings, SpeechSettings, WakeSettings
from assistant.satellites import link as link_module
from assistant.satellites.satellite import SatelliteState
from assistant.satellites.satellites import Satellites
from tests.satellites.fakes import WAKE, FakeHouse, FakeSatellite
from tools.contract import Door

QUIET = SpeechSettings(earcons=False)


@asynccontextmanager
async def house_with(house: FakeHouse, **satellites: FakeSatellite | SatelliteSettings) -> AsyncIterator[Satellites]:
    configured = {
        name: SatelliteSettings(url=one.url) if isinstance(one, FakeSatellite) else one
        for name, one in satellites.items()
    }
    house.settings = house.settings.model_copy(update={"satellites": configured, "speech": QUIET})
    there = Satellites(house)
    async with there.running():
        yield there


def state(there: Satellites, name: str) -> SatelliteState:
    return next(one for one in there.states if one.name == name)


async def until(true: Callable[[], object]) -> None:
    """Look until it is so: states are looked at, and nobody tells of them."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_wake_word_makes_a_turn_whose_reply_is_played_in_the_room() -> None:
    house = FakeHouse(replies=["It is up."])
    async with FakeSatellite().listening() as kitchen, house_with(house, kitchen=kitchen) as there:
        await kitchen.got("run-satellite")
        await kitchen.hears(0, 0, WAKE, 1, 1)
        await kitchen.got("audio-stop")
        assert kitchen.types == [
            "describe",
            "run-satellite",
            "detection",
            "voice-started",
            "voice-stopped",
            "transcript",
            "synthesize",
            "audio-start",
            "audio-chunk",
            "audio-stop",
        ]
        assert (await kitchen.got("audio-chunk")).payload == b"It is up.".ljust(200, b" ")
        [asked] = house.asked
        assert (asked.caller.door, asked.caller.room, asked.caller.name) == (
            Door.SATELLITE,
            "Kitchen",
            "satellite kitchen",
        )
        assert asked.conversation_id == "room Kitchen"
        known = state(there, "kitchen")
        assert (known.state, known.room, known.software, known.version) == ("connected", "Kitchen", "a Pi", "1.0")
        assert house.rooms.speaker("kitchen") is not None
    assert house.rooms.speaker("kitchen") is None


async def test_the_answer_to_a_question_needs_no_wake_word() -> None:
    house = FakeHouse(replies=["Which one?", "It is up."])
    async with FakeSatellite().listening() as kitchen, house_with(house, kitchen=kitchen):
        await kitchen.got("run-satellite")
        await kitchen.hears(WAKE, 1)
        await kitchen.got("audio-stop")
        await kitchen.hears(1, 1, 1)
        await kitchen.got("audio-stop", 2)
    assert [asked.follow_up for asked in house.asked] == [False, True]


async def test_a_satellite_that_wakes_itself_listens_again_only_when_the_exchange_is_over() -> None:
    house = FakeHouse(replies=["Which one?", "It is up.", "It is up."])
    async with (
        FakeSatellite().listening() as kitchen,
        house_with(house, kitchen=SatelliteSettings(url=kitchen.url, room="cellar", wake="there")),
    ):
        await kitchen.got("run-satellite")
        await kitchen.says("run-pipeline", start_stage="asr", end_stage="tts")
        await kitchen.hears(1, 1)
        await kitchen.got("audio-stop")
        assert "transcript" not in kitchen.types
        await kitchen.hears(1, 1)
        await kitchen.got("audio-stop", 2)
        await kitchen.got("transcript")
        assert "detection" not in kitchen.types
        await kitchen.hears(5)  # on its way when it was told
        await kitchen.says("run-pipeline", start_stage="asr", end_stage="tts")
        await kitchen.hears(1)
        await kitchen.got("transcript", 2)
    assert [asked.follow_up for asked in house.asked] == [False, True, False]
    assert {asked.caller.room for asked in house.asked} == {"cellar"}


async def test_of_two_rooms_that_hear_the_same_one_answers_and_the_other_is_silent() -> None:
    house = FakeHouse(replies=["It is up."] * 2)
    async with (
        FakeSatellite().listening() as near,
        FakeSatellite().listening() as far,
        house_with(house, near=near, far=far),
    ):
        await near.got("run-satellite")
        await far.got("run-satellite")
        await asyncio.gather(near.hears(*[0] * 30, 8_000, WAKE, 1), far.hears(*[0] * 30, 100, WAKE, 1))
        await near.got("audio-stop")
        await asyncio.sleep(0)
        assert far.types == ["describe", "run-satellite"]
    assert len(house.asked) == 1


async def test_with_no_window_both_rooms_answer() -> None:
    house = FakeHouse(settings=Settings(wake=WakeSettings(together_ms=0)), replies=["It is up."] * 2)
    async with (
        FakeSatellite().listening() as near,
        FakeSatellite().listening() as far,
        house_with(house, near=near, far=far),
    ):
        await near.got("run-satellite")
        await far.got("run-satellite")
        await asyncio.gather(near.hears(WAKE, 1), far.hears(WAKE, 1))
        await asyncio.gather(near.got("audio-stop"), far.got("audio-stop"))
    assert len(house.asked) == 2


async def test_announcements_for_the_room_are_said_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.announcing.LOOK_EVERY_S", 0.01)
    house = FakeHouse(announcements=[Announced("The photos backup is done.")])
    async with FakeSatellite().listening() as kitchen, house_with(house, kitchen=kitchen):
        await kitchen.got("audio-stop")
    assert house.mouth.said == ["The photos backup is done."]
    assert house.taken[0] == (Door.SATELLITE, "Kitchen")


async def test_a_satellite_that_comes_back_is_connected_to_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.satellites.backoff.FIRST_S", 0.02)
    monkeypatch.setattr("assistant.satellites.satellite.Backoff", lambda chance: Soon())
    house = FakeHouse()
    kitchen = FakeSatellite()
    async with kitchen.listening():
        port = kitchen.port
    async with house_with(house, kitchen=SatelliteSettings(url=f"tcp://127.0.0.1:{port}")) as there:
        await asyncio.sleep(0.05)
        known = state(there, "kitchen")
        assert known.state == "connecting"
        assert "cannot be reached" in known.problem
        async with kitchen.listening():
            await kitchen.got("run-satellite")
            await until(lambda: state(there, "kitchen").state == "connected")
            kitchen.hang_up()
            await kitchen.got("run-satellite", 2)
            await kitchen.hears(WAKE, 1)
            await kitchen.got("audio-stop")
            assert state(there, "kitchen").problem == ""
        await until(lambda: state(there, "kitchen").state == "connecting")
        assert house.rooms.speaker("kitchen") is None
        assert state(there, "kitchen").last_heard is not None


class Soon:
    """Instead of Backoff."""

    def wait_s(self, held_s: float = 0.0) -> float:
        return 0.02


async def test_a_dead_satellite_costs_the_others_nothing_and_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "HEARD_WITHIN_S", 0.3)
    monkeypatch.setattr(link_module, "PING_S", 0.05)
    house = FakeHouse()
    async with (
        FakeSatellite().listening() as dead,
        FakeSatellite().listening() as kitchen,
        house_with(house, dead=dead, kitchen=kitchen) as there,
    ):
        await dead.got("run-satellite")
        dead.deaf = True
        await until(lambda: "silent" in state(there, "dead").problem)
        await kitchen.hears(WAKE, 1)
        await kitchen.got("audio-stop")
        assert state(there, "kitchen").state == "connected"


async def test_what_is_no_satellite_or_sends_nonsense_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    house = FakeHouse()
    async with (
        FakeSatellite(info={"asr": []}).listening() as whisper,
        FakeSatellite().listening() as odd,
        house_with(house, whisper=whisper, odd=odd) as there,
    ):
        await odd.got("run-satellite")
        await odd.hears(1, rate=48_000)
        await until(lambda: state(there, "whisper").problem and state(there, "odd").problem)
        assert "no satellite" in state(there, "whisper").problem
        assert "16 kHz" in state(there, "odd").problem


async def test_who_is_to_listen_for_the_wake_word_is_told_where_the_two_differ() -> None:
    house = FakeHouse()
    async with FakeSatellite().listening() as kitchen, house_with(house, kitchen=kitchen) as there:
        await kitchen.got("run-satellite")
        await kitchen.says("run-pipeline", start_stage="asr", end_stage="tts")
        await until(lambda: state(there, "kitchen").problem)
        assert "wake = 'there'" in state(there, "kitchen").problem
