"""The loudspeaker, on a sound card in virtual time."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import PlaybackError, Stage
from assistant.ports import SpeechChunk
from assistant.speech import player, sound_system
from assistant.speech.play_queue import PlayQueue
from assistant.speech.player import AHEAD_S, BLOCK_S, STOP_S, SoundDevicePlayer
from tests.fakes_loudspeaker import FakeLoudspeakers
from tests.speech.clips import heard_frequency, tone

RATE_HZ = 48_000


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> FakeLoudspeakers:
    fake = FakeLoudspeakers("Speaker")
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


def chunk(samples: np.ndarray, rate_hz: int = RATE_HZ) -> SpeechChunk:
    return SpeechChunk(samples.astype("<i2").tobytes(), rate_hz)


def sound(seconds: float, level: int = 8_000, rate_hz: int = RATE_HZ) -> SpeechChunk:
    return chunk(np.full(int(seconds * rate_hz), level), rate_hz)


async def while_it_plays(work: Coroutine[Any, Any, None], card: FakeLoudspeakers) -> None:
    """Time passes until the work is done."""
    task = asyncio.create_task(work)
    while not task.done():
        await card.plays(BLOCK_S)
        await asyncio.sleep(0.0005)  # a device is opened in a thread
    await task


async def started(card: FakeLoudspeakers, *chunks: SpeechChunk) -> SoundDevicePlayer:
    loudspeaker = SoundDevicePlayer()
    for piece in chunks:
        await loudspeaker.play(piece)
    return loudspeaker


# ── playing ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_every_sample_is_played_once_and_in_order(card: FakeLoudspeakers) -> None:
    speech = tone(0.5, RATE_HZ)
    loudspeaker = await started(card, *(chunk(speech[start : start + 2_345]) for start in range(0, len(speech), 2_345)))
    await while_it_plays(loudspeaker.drain(), card)
    loudspeaker.close()
    assert np.array_equal(np.trim_zeros(card.samples), np.trim_zeros(speech))


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 24_000, 44_100])
async def test_any_rate_sounds_the_same_on_the_device(card: FakeLoudspeakers, rate_hz: int) -> None:
    speech = tone(1.0, rate_hz)
    loudspeaker = await started(
        card, *(chunk(speech[start : start + 3_000], rate_hz) for start in range(0, rate_hz, 3_000))
    )
    await while_it_plays(loudspeaker.drain(), card)
    loudspeaker.close()
    heard = np.trim_zeros(card.samples)
    assert card.opened[0]["samplerate"] == RATE_HZ
    assert len(heard) / RATE_HZ == pytest.approx(1.0, abs=0.002)
    assert heard_frequency(heard, RATE_HZ) == pytest.approx(440, abs=2)
    assert np.abs(np.diff(heard)).max() < 900  # no click where two chunks meet


async def test_another_rate_loses_nothing_and_opens_nothing(card: FakeLoudspeakers) -> None:
    loudspeaker = await started(card, sound(0.2, rate_hz=22_050), sound(0.2), sound(0.2, rate_hz=16_000))
    await while_it_plays(loudspeaker.drain(), card)
    loudspeaker.close()
    assert len(card.opened) == 1
    assert np.count_nonzero(card.samples > 7_000) / RATE_HZ == pytest.approx(0.6, abs=0.005)
    assert loudspeaker.played_s == pytest.approx(0.6, abs=0.002)


async def test_nothing_to_play_is_silence_and_not_counted(card: FakeLoudspeakers) -> None:
    loudspeaker = await started(card, sound(0.1))
    await card.plays(1.0)
    await loudspeaker.play(sound(0.1))
    await card.plays(1.0)
    assert loudspeaker.played_s == pytest.approx(0.2)
    assert np.count_nonzero(card.samples) == int(0.2 * RATE_HZ)
    await loudspeaker.drain()
    loudspeaker.close()


async def test_it_is_playing_until_the_last_sample_was_taken(card: FakeLoudspeakers) -> None:
    loudspeaker = await started(card, sound(0.1))
    playing = [loudspeaker.playing]
    for _ in range(6):
        await card.plays(BLOCK_S)
        playing.append(loudspeaker.playing)
    assert playing == [True] * 5 + [False] * 2
    loudspeaker.close()


async def test_several_tasks_may_play_at_once(card: FakeLoudspeakers) -> None:
    loudspeaker = SoundDevicePlayer()
    await asyncio.gather(*(loudspeaker.play(sound(0.1, level)) for level in (1_000, 2_000, 3_000)))
    await while_it_plays(loudspeaker.drain(), card)
    loudspeaker.close()
    assert len(card.opened) == 1
    changes = card.samples[np.flatnonzero(np.diff(card.samples, prepend=0))]
    assert sorted(changes) == [1_000, 2_000, 3_000]  # each of them whole
    assert np.count_nonzero(card.samples) == int(0.3 * RATE_HZ)


async def test_whoever_plays_far_ahead_waits(card: FakeLoudspeakers) -> None:
    loudspeaker = await started(card, sound(AHEAD_S + 1))
    waiting = asyncio.create_task(loudspeaker.play(sound(1, 2_000)))
    await card.plays(0.5)
    assert not waiting.done()
    await card.plays(1.0)
    assert waiting.done()
    loudspeaker.close()


# ── stopping ──────────────────────────────────────────────────────────────────────────────────────────────────────


def silent_after_s(card: FakeLoudspeakers, asked_at_s: float, latency_s: float) -> float:
    """When the last sample that is not silence was heard, after the wish to stop."""
    last_taken_s = (np.flatnonzero(card.samples)[-1] + 1) / RATE_HZ
    return float(last_taken_s + latency_s - asked_at_s)


async def test_stop_is_silent_within_150_ms(card: FakeLoudspeakers) -> None:
    card.latency_s = player.LATENCY_S
    loudspeaker = await started(card, sound(60))
    assert card.opened[0]["latency"] == player.LATENCY_S
    await card.plays(1.0)
    loudspeaker.stop()  # at this moment the driver has `latency` of sound ready
    await card.plays(1.0)
    assert 0 < silent_after_s(card, 1.0, card.latency_s) <= 0.1 < STOP_S
    assert not loudspeaker.playing
    loudspeaker.close()


async def test_stop_does_not_click(card: FakeLoudspeakers) -> None:
    loudspeaker = await started(card, sound(5))
    await card.plays(0.1)
    loudspeaker.stop()
    await card.plays(0.1)
    assert np.abs(np.diff(card.samples))[1:].max() < 50
    loudspeaker.close()


async def test_what_waits_to_be_queued_is_forgotten_with_the_rest(card: FakeLoudspeakers) -> None:
    loudspeaker = await started(card, sound(AHEAD_S + 1))
    waiting = asyncio.create_task(loudspeaker.play(sound(1, -2_000)))
    await card.plays(0.1)
    loudspeaker.stop()
    await waiting
    await card.plays(0.2)
    assert card.samples.min() == 0
    assert not loudspeaker.playing
    loudspeaker.close()


async def test_the_next_reply_is_heard_whole_after_a_stop(card: FakeLoudspeakers) -> None:
    loudspeaker = await started(card, sound(3, rate_hz=22_050))
    await card.plays(0.1)
    loudspeaker.stop()
    loudspeaker.stop()
    await loudspeaker.play(sound(0.3, 2_000))
    await while_it_plays(loudspeaker.drain(), card)
    loudspeaker.close()
    assert np.count_nonzero(card.samples == 2_000) >= int(0.3 * RATE_HZ)


async def test_stop_before_anything_was_played_does_nothing(card: FakeLoudspeakers) -> None:
    loudspeaker = SoundDevicePlayer()
    loudspeaker.stop()
    await loudspeaker.drain()
    loudspeaker.close()
    loudspeaker.close()
    assert card.opened == []


async def test_a_driver_that_keeps_much_ready_is_said(card: FakeLoudspeakers, caplog: pytest.LogCaptureFixture) -> None:
    card.latency_s = 0.4
    (await started(card, sound(0.1))).close()
    assert "0.40 s" in caplog.text


# ── what can go wrong ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_loudspeaker_pulled_out_in_mid_reply_is_lost_and_the_next_reply_finds_another(
    card: FakeLoudspeakers,
) -> None:
    loudspeaker = await started(card, sound(3))
    draining = asyncio.create_task(loudspeaker.drain())
    await card.plays(0.5)
    card.unplug()
    with pytest.raises(PlaybackError) as lost:
        await draining
    assert (lost.value.code, lost.value.stage) == ("loudspeaker_lost", Stage.PLAYBACK)
    assert not loudspeaker.playing
    card.plug("Headset")
    await loudspeaker.play(sound(0.2, 2_000))
    await while_it_plays(loudspeaker.drain(), card)
    assert np.count_nonzero(card.samples == 2_000) == int(0.2 * RATE_HZ)
    assert loudspeaker.played_s == pytest.approx(0.7, abs=0.03)
    loudspeaker.close()


async def test_a_driver_that_says_nothing_is_noticed(card: FakeLoudspeakers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "LOST_S", 0.01)
    loudspeaker = await started(card, sound(AHEAD_S + 1))
    card.unplug(silently=True)
    with pytest.raises(PlaybackError) as lost:
        await loudspeaker.play(sound(1))
    assert lost.value.code == "loudspeaker_lost"
    loudspeaker.close()


async def test_a_device_that_is_slow_is_not_lost(card: FakeLoudspeakers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "LOST_S", 0.02)
    loudspeaker = await started(card, sound(0.1))
    draining = asyncio.create_task(loudspeaker.drain())
    for _ in range(6):
        await asyncio.sleep(0.015)
        await card.plays(BLOCK_S)
    await draining
    loudspeaker.close()


async def test_no_loudspeaker_is_said_and_one_that_comes_later_is_heard(card: FakeLoudspeakers) -> None:
    card.plug()
    card._initialize()
    loudspeaker = SoundDevicePlayer()
    with pytest.raises(PlaybackError) as refused:
        await loudspeaker.play(sound(0.1))
    assert refused.value.code == "no_loudspeaker"
    card.plug("Speaker")
    await loudspeaker.play(sound(0.1))
    assert card.opened
    loudspeaker.close()


async def test_a_wrong_name_says_what_there_is(card: FakeLoudspeakers) -> None:
    loudspeaker = SoundDevicePlayer("Kitchen")
    with pytest.raises(PlaybackError) as refused:
        await loudspeaker.play(sound(0.1))
    loudspeaker.close()
    assert refused.value.code == "unknown_loudspeaker"
    assert "Speaker" in refused.value.detail


async def test_a_device_that_cannot_be_opened_is_said(card: FakeLoudspeakers) -> None:
    card.plugged = []
    loudspeaker = SoundDevicePlayer()
    with pytest.raises(PlaybackError) as refused:
        await loudspeaker.play(sound(0.1))
    loudspeaker.close()
    assert refused.value.code == "no_loudspeaker"
    assert "unavailable" in refused.value.detail


async def test_the_sound_system_may_look_for_new_devices_while_it_is_silent(card: FakeLoudspeakers) -> None:
    loudspeaker = await started(card, sound(0.1))
    assert not sound_system.look_again()
    await while_it_plays(loudspeaker.drain(), card)
    assert sound_system.look_again()
    await loudspeaker.play(sound(0.1))
    assert len(card.opened) == 2
    loudspeaker.close()
    assert sound_system.look_again()


# ── the queue ─────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.integers(0, 500), max_size=20), st.integers(1, 300))
def test_the_queue_gives_what_it_got_however_it_was_cut(pieces: list[int], block: int) -> None:
    queue = PlayQueue(1_000)
    rng = np.random.default_rng(1)
    put = b""
    for samples in pieces:
        pcm = rng.integers(1, 30_000, samples).astype("<i2").tobytes()
        queue.put(pcm)
        put += pcm
    taken = b"".join(queue.take(block * 2) for _ in range(len(put) // (block * 2) + 1))
    assert taken == put + bytes(len(taken) - len(put))
    assert queue.taken_s == len(put) / 2 / 1_000
    assert queue.waiting_s == 0


@given(st.integers(0, 3_000), st.floats(0, 0.1))
def test_fading_out_leaves_a_moment_that_falls_to_silence(samples: int, seconds: float) -> None:
    queue = PlayQueue(10_000)
    queue.put(np.full(samples, 20_000).astype("<i2").tobytes())
    queue.fade_out(seconds)
    assert queue.waiting_s <= seconds
    rest = np.frombuffer(queue.take(6_000), dtype="<i2").astype(int)
    assert (np.diff(rest) <= 0).all()
    assert rest[-1] == 0


async def test_what_it_was_sent_is_remembered_with_its_time(card: FakeLoudspeakers) -> None:
    loudspeaker = await started(card, sound(0.1))
    assert loudspeaker.sent is not None
    await card.plays(0.5)
    piece = loudspeaker.sent.piece(0.0, 3_200)
    assert np.abs(piece[20:1_580] - 8_000).max() < 100
    assert np.abs(piece[1_620:]).max() < 100
    assert loudspeaker.sent.clock.at(0.25) == pytest.approx(100.25 + card.latency_s)
    loudspeaker.close()
    assert loudspeaker.sent is None
