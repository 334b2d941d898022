"""A satellite's loudspeaker on virtual time: what is sent when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wyoming.event import Event

from assistant.errors import AudioError, PlaybackError
from assistant.ports import SpeechChunk
from assistant.satellites.player import AHEAD_S, PAUSE_S, SatelliteCues, SatellitePlayer, SatelliteSpeaker
from tests.fakes_time import virtual_time

RATE = 22_050


def speech(seconds: float, value: int = 1000, rate_hz: int = RATE) -> SpeechChunk:
    return SpeechChunk(np.full(int(seconds * rate_hz), value, dtype="<i2").tobytes(), rate_hz)


class Wire:
    """What reaches the satellite, and when; ``broken``: the connection is gone."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, Event]] = []
        self.broken = False

    async def send(self, event: Event) -> None:
        if self.broken:
            raise AudioError("satellite_gone", "gone")
        self.sent.append((asyncio.get_running_loop().time(), event))

    @property
    def types(self) -> list[str]:
        """Without repetitions."""
        types = [event.type for _, event in self.sent]
        return [kind for number, kind in enumerate(types) if number == 0 or kind != types[number - 1]]

    @property
    def seconds(self) -> float:
        return sum(len(event.payload or b"") for _, event in self.sent) / 2 / RATE

    @property
    def sound(self) -> bytes:
        return b"".join(event.payload or b"" for _, event in self.sent)


def playing(story: Callable[[SatellitePlayer, Wire], Awaitable[None]], volume: float = 1.0) -> Wire:
    async def run() -> Wire:
        wire = Wire()
        player = SatellitePlayer(wire.send, volume=volume)
        pump = asyncio.create_task(player.run())
        try:
            await story(player, wire)
        finally:
            pump.cancel()
            with suppress(asyncio.CancelledError, AudioError):
                await pump
        return wire

    return virtual_time(run())


def test_a_reply_goes_out_a_moment_ahead_and_is_over_when_it_has_been_heard() -> None:
    async def story(player: SatellitePlayer, wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(3):
            await player.play(speech(1.0))
        assert loop.time() == 0
        await asyncio.sleep(1.0)
        assert wire.seconds == pytest.approx(1.0 + AHEAD_S, abs=0.11)
        await player.drain()
        assert loop.time() == pytest.approx(3.0, abs=0.01)

    wire = playing(story)
    assert wire.types == ["audio-start", "audio-chunk", "audio-stop"]
    assert wire.seconds == pytest.approx(3.0)
    assert wire.sent[0][1].data["rate"] == RATE


@given(st.lists(st.binary(min_size=0, max_size=3000).map(lambda pcm: pcm[: len(pcm) // 2 * 2]), max_size=8))
def test_every_sample_arrives_once_and_in_order_however_it_was_cut(chunks: list[bytes]) -> None:
    async def story(player: SatellitePlayer, wire: Wire) -> None:
        for chunk in chunks:
            await player.play(SpeechChunk(chunk, RATE))
        await player.drain()

    assert playing(story).sound == b"".join(chunks)


def test_stop_sends_no_more_and_what_comes_next_is_heard() -> None:
    async def story(player: SatellitePlayer, wire: Wire) -> None:
        await player.play(speech(5.0))
        await asyncio.sleep(1.0)
        player.stop()
        await player.drain()
        assert wire.seconds == pytest.approx(1.0 + AHEAD_S, abs=0.11)
        await player.play(speech(0.3, value=7))
        await player.drain()

    wire = playing(story)
    assert wire.types == ["audio-start", "audio-chunk", "audio-stop"] * 2
    assert wire.sound.endswith(speech(0.3, value=7).pcm)


def test_no_more_is_queued_than_will_soon_be_heard_and_stop_lets_go_of_who_waits() -> None:
    async def story(player: SatellitePlayer, wire: Wire) -> None:
        await player.play(speech(20.0))
        waiting = asyncio.create_task(player.play(speech(1.0)))
        await asyncio.sleep(1.0)
        assert not waiting.done()
        player.stop()
        await waiting

    playing(story)


def test_a_short_sound_that_nobody_waits_for_ends_by_itself() -> None:
    async def story(player: SatellitePlayer, wire: Wire) -> None:
        await SatelliteCues(player).play("listening")
        await asyncio.sleep(0.3)

    assert playing(story).types == ["audio-start", "audio-chunk", "audio-stop"]


def test_an_answer_that_is_slow_to_be_made_is_one_answer_and_one_that_broke_off_ends() -> None:
    async def story(player: SatellitePlayer, wire: Wire) -> None:
        for _ in range(3):
            await player.play(speech(0.2))
            await asyncio.sleep(PAUSE_S / 2)
        assert wire.types == ["audio-start", "audio-chunk"]
        await asyncio.sleep(PAUSE_S)

    assert playing(story).types == ["audio-start", "audio-chunk", "audio-stop"]


def test_other_rates_are_brought_to_the_satellites_own() -> None:
    async def story(player: SatellitePlayer, wire: Wire) -> None:
        player.speaks_at(16_000)
        await player.play(speech(1.0))
        await player.drain()

    wire = playing(story)
    assert {event.data["rate"] for _, event in wire.sent if event.type == "audio-chunk"} == {16_000}
    assert len(wire.sound) == pytest.approx(32_000, rel=0.01)


def test_volume_is_a_factor_that_does_not_overflow() -> None:
    async def story(player: SatellitePlayer, wire: Wire) -> None:
        await player.play(speech(0.1, value=30_000))
        await player.drain()

    assert set(np.frombuffer(playing(story, volume=2.0).sound, dtype="<i2")) == {32_767}
    assert set(np.frombuffer(playing(story, volume=0.5).sound, dtype="<i2")) == {15_000}


def test_who_plays_while_the_satellite_goes_away_is_told() -> None:
    async def story(player: SatellitePlayer, wire: Wire) -> None:
        await player.play(speech(3.0))
        draining = asyncio.create_task(player.drain())
        await asyncio.sleep(0.5)
        wire.broken = True
        with pytest.raises(PlaybackError, match="went away"):
            await draining
        with pytest.raises(PlaybackError, match="went away"):
            await player.play(speech(0.1))

    playing(story)


def test_what_is_said_in_a_room_comes_one_after_another() -> None:
    async def words(value: int) -> AsyncIterator[SpeechChunk]:
        for _ in range(2):
            yield speech(0.2, value)
            await asyncio.sleep(0)

    async def story(player: SatellitePlayer, wire: Wire) -> None:
        speaker = SatelliteSpeaker(player)
        await asyncio.gather(speaker.play(words(1)), speaker.play(words(2)))

    assert playing(story).sound == speech(0.2, 1).pcm * 2 + speech(0.2, 2).pcm * 2
