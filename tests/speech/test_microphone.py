"""The microphone, on a stand-in for the sound card that can be pulled out."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from assistant import app_speech
from assistant.config import Settings, SpeechSettings
from assistant.errors import AudioError
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples
from assistant.speech import recording, sound_system
from assistant.speech.microphone import Back, Lost, MicrophoneSource, MicrophoneState, Mute, Timings
from assistant.speech.player import SoundDevicePlayer
from assistant.speech.sent_sound import SentSound
from assistant.speech.sound_system import Device, choose, devices
from tests.speech.clips import heard_frequency, tone
from tests.speech.sound import FakeSoundDevice, FakeStream
from tests.speech.test_echo_canceller import decibels, reply

QUICK = Timings(silent_s=0.03, check_s=0.005, mute_s=60.0, first_retry_s=0.005, longest_retry_s=0.02)
PATIENT = Timings(silent_s=60.0, check_s=0.005, mute_s=60.0, first_retry_s=0.005, longest_retry_s=0.02)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> FakeSoundDevice:
    fake = FakeSoundDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


class States:
    """What the microphone reported, and a way to wait for it."""

    def __init__(self) -> None:
        self.all: list[MicrophoneState] = []
        self._more = asyncio.Event()

    def __call__(self, state: MicrophoneState) -> None:
        self.all.append(state)
        self._more.set()

    async def until(self, kind: type[MicrophoneState]) -> Any:
        while not any(isinstance(state, kind) for state in self.all):
            self._more.clear()
            await self._more.wait()
        return next(state for state in self.all if isinstance(state, kind))


async def sound(chunks: AsyncIterator[Samples]) -> Samples:
    """Past the silence that stands for a microphone that is away."""
    async for chunk in chunks:
        if chunk.any():
            return chunk
    raise AssertionError("the microphone ended")


# ── what it gives ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000, 96_000])
async def test_any_rate_of_the_device_becomes_16_khz_chunks(card: FakeSoundDevice, rate_hz: int) -> None:
    card.rate_hz = rate_hz
    with MicrophoneSource(timings=PATIENT) as source:
        card.feed(tone(2.0, rate_hz))
        chunks = source.chunks()
        heard = [await anext(chunks) for _ in range(20)]
    assert {len(chunk) for chunk in heard} == {CHUNK_SAMPLES}
    samples = np.concatenate(heard)
    assert samples.dtype == np.int16
    assert heard_frequency(samples) == pytest.approx(440, abs=5)


async def test_at_16_khz_every_sample_comes_through_as_it_is(card: FakeSoundDevice) -> None:
    card.rate_hz = SAMPLE_RATE_HZ
    said = np.random.default_rng(1).integers(-32_768, 32_767, 10 * CHUNK_SAMPLES).astype(np.int16)
    with MicrophoneSource(timings=PATIENT) as source:
        card.feed(said)
        chunks = source.chunks()
        heard = np.concatenate([await anext(chunks) for _ in range(10)])
    assert np.array_equal(heard, said)


async def test_a_chunk_is_there_one_block_after_its_last_sample(card: FakeSoundDevice) -> None:
    card.rate_hz = SAMPLE_RATE_HZ
    with MicrophoneSource(timings=PATIENT) as source:
        chunk = asyncio.ensure_future(anext(source.chunks()))
        await asyncio.sleep(0)
        for _ in range(3):
            card.feed(tone(0.02))
        assert not await is_done(chunk)
        card.feed(tone(0.02))
        assert len(await chunk) == CHUNK_SAMPLES


async def is_done(task: asyncio.Future[Any]) -> bool:
    for _ in range(5):
        await asyncio.sleep(0)
    return task.done()


async def test_a_device_that_gives_only_all_its_channels_is_mixed_down(card: FakeSoundDevice) -> None:
    card.rate_hz, card.channels, card.takes_mono = SAMPLE_RATE_HZ, 2, False
    left_and_right = np.repeat(np.array([[1_000, 3_000]], dtype=np.int16), CHUNK_SAMPLES, axis=0)
    with MicrophoneSource(timings=PATIENT) as source:
        card.feed(left_and_right)
        assert set(await anext(source.chunks())) == {2_000}


async def test_what_nobody_reads_is_dropped_oldest_first_and_counted(
    card: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "BUFFER_S", 0.8)
    card.rate_hz = SAMPLE_RATE_HZ
    with MicrophoneSource(timings=PATIENT) as source:
        card.feed(np.repeat(np.arange(15, dtype=np.int16), CHUNK_SAMPLES))
        first = await anext(source.chunks())
        assert source.dropped_s == pytest.approx(0.4)
        assert first[0] == 5


async def test_the_next_reader_goes_on_where_the_last_one_stopped(card: FakeSoundDevice) -> None:
    card.rate_hz = SAMPLE_RATE_HZ
    with MicrophoneSource(timings=PATIENT) as source:
        card.feed(np.repeat(np.arange(1, 4, dtype=np.int16), CHUNK_SAMPLES))
        assert (await anext(source.chunks()))[0] == 1
        assert (await anext(source.chunks()))[0] == 2


async def test_the_meter_shows_the_level_and_clipping_though_nobody_reads(card: FakeSoundDevice) -> None:
    card.rate_hz = SAMPLE_RATE_HZ
    with MicrophoneSource(timings=PATIENT) as source:
        assert source.level_dbfs == recording.SILENCE_DBFS
        card.feed(tone(0.4))
        assert source.level_dbfs == pytest.approx(20 * np.log10(12_000 / 32_768 / np.sqrt(2)), abs=0.1)
        assert [source.clipping] == [False]
        card.feed(np.full(CHUNK_SAMPLES, 32_767, dtype=np.int16))
        assert source.level_dbfs == pytest.approx(0.0, abs=0.01)
        assert [source.clipping] == [True]
        card.feed(np.zeros(CHUNK_SAMPLES, dtype=np.int16))
        assert source.level_dbfs == recording.SILENCE_DBFS


# ── which device ──────────────────────────────────────────────────────────────────────────────────────────────────

THERE = (
    Device(0, "HDA Intel PCH: ALC257 Analog (hw:0,0)", 2, 48_000),
    Device(3, "ReSpeaker 4 Mic Array: USB Audio (hw:2,0)", 6, 16_000),
    Device(4, "Jabra SPEAK 510 USB: Audio (hw:3,0)", 1, 16_000),
)


@pytest.mark.parametrize(
    ("wanted", "index"),
    [("respeaker", 3), ("  JABRA speak ", 4), ("hw:0,0", 0), ("4", 4), ("Jabra SPEAK 510 USB: Audio (hw:3,0)", 4)],
)
def test_a_device_is_found_by_a_part_of_its_name_or_its_number(wanted: str, index: int) -> None:
    assert choose(THERE, wanted, "input").index == index


def test_the_whole_name_wins_over_a_part_of_another() -> None:
    there = [Device(0, "USB Audio Pro", 1, 48_000), Device(1, "USB Audio", 1, 48_000)]
    assert choose(there, "usb audio", "input").index == 1


def test_the_same_device_under_several_interfaces_is_its_first() -> None:
    there = [Device(1, "Microphone (USB)", 1, 44_100), Device(7, "Microphone (USB)", 1, 48_000)]
    assert choose(there, "usb", "input").index == 1


def test_a_name_that_fits_several_devices_is_refused_with_those() -> None:
    with pytest.raises(AudioError) as refused:
        choose(THERE, "usb", "input")
    assert refused.value.code == "ambiguous_microphone"
    assert "ReSpeaker" in refused.value.detail
    assert "Jabra" in refused.value.detail
    assert "HDA" not in refused.value.detail


def test_an_unknown_name_is_refused_with_what_there_is_and_the_nearest() -> None:
    with pytest.raises(AudioError) as refused:
        choose(THERE, "jabber speak 510 usb", "input")
    assert refused.value.code == "unknown_microphone"
    assert "ALC257" in refused.value.detail
    assert "Jabra SPEAK 510" in refused.value.mend


async def test_no_microphone_and_a_wrong_name_are_said_with_the_mend(card: FakeSoundDevice) -> None:
    with pytest.raises(AudioError) as unknown, MicrophoneSource("Studio"):
        pass
    assert unknown.value.code == "unknown_microphone"
    card.inputs = 0
    with pytest.raises(AudioError) as none, MicrophoneSource():
        pass
    assert none.value.code == "no_microphone"
    assert "jarvis doctor" in none.value.mend


async def test_without_a_default_the_devices_are_named(card: FakeSoundDevice) -> None:
    card.has_default = False
    with pytest.raises(AudioError) as refused, MicrophoneSource():
        pass
    assert refused.value.code == "no_microphone"
    assert "USB mic" in refused.value.mend
    with MicrophoneSource("usb mic", timings=PATIENT) as source:
        assert source.device == "USB mic"


async def test_a_device_that_cannot_be_opened_is_said(card: FakeSoundDevice) -> None:
    card.unplug()
    with pytest.raises(AudioError) as refused, MicrophoneSource():
        pass
    assert refused.value.code == "no_microphone"
    assert "Device unavailable" in refused.value.detail


def test_a_sound_system_that_is_being_started_anew_lists_nothing_wrong(card: FakeSoundDevice) -> None:
    card.plugged = ["A", "B"]
    assert devices("input") == ["USB mic"]
    assert sound_system.look_again()
    assert devices("input") == ["A", "B"]


# ── when it goes away ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("silently", [False, True])
async def test_a_device_that_was_pulled_out_is_heard_again_once_it_is_back(
    card: FakeSoundDevice, silently: bool
) -> None:
    states = States()
    with MicrophoneSource("usb", on_state=states, timings=QUICK if silently else PATIENT) as source:
        card.unplug(silently=silently)
        lost = await states.until(Lost)
        assert lost.device == "USB mic"
        card.on_open = lambda stream: feed_soon(card, stream)
        card.plug("Other", "USB mic 2")
        assert (await states.until(Back)).device == "USB mic 2"
        assert (await sound(source.chunks())).any()
    assert [type(state) for state in states.all[:2]] == [Lost, Back]
    assert card.starts > 1


def feed_soon(card: FakeSoundDevice, stream: FakeStream) -> None:
    """As a sound card: from the moment that it is started."""
    start = stream.start

    def started() -> None:
        start()
        card.feed(tone(1.0, card.rate_hz))

    stream.start = started  # type: ignore[method-assign]


async def test_what_was_said_before_the_loss_is_still_heard_and_then_silence_at_the_pace_of_speech(
    card: FakeSoundDevice,
) -> None:
    card.rate_hz = SAMPLE_RATE_HZ
    states = States()
    with MicrophoneSource(on_state=states, timings=PATIENT) as source:
        card.feed(tone(0.16))
        card.unplug()
        await states.until(Lost)
        chunks = source.chunks()
        assert (await anext(chunks)).any()
        assert (await anext(chunks)).any()
        assert source.level_dbfs == recording.SILENCE_DBFS
        loop = asyncio.get_running_loop()
        began = loop.time()
        silence = [await anext(chunks) for _ in range(2)]
        assert loop.time() - began >= 0.159
        assert {len(chunk) for chunk in silence} == {CHUNK_SAMPLES}
        assert not np.concatenate(silence).any()


async def test_it_is_given_up_after_the_time_that_was_set(card: FakeSoundDevice) -> None:
    with MicrophoneSource(give_up_s=0.05, timings=PATIENT) as source:
        card.unplug()
        with pytest.raises(AudioError) as lost:
            await sound(source.chunks())
    assert lost.value.code == "microphone_lost"
    assert "0.05 s" in lost.value.detail


async def test_a_sound_system_that_does_not_start_at_once_is_asked_again(card: FakeSoundDevice) -> None:
    states = States()
    with MicrophoneSource(on_state=states, timings=PATIENT):
        card.fails_to_start = 3
        card.unplug()
        card.plug("USB mic")
        await states.until(Back)
    assert card.starts >= 5


async def test_a_loudspeaker_in_use_is_left_alone_and_an_idle_one_is_closed_first(card: FakeSoundDevice) -> None:
    states = States()
    in_use, released = threading.Event(), threading.Event()
    in_use.set()
    asked = threading.Event()

    def busy() -> bool:
        asked.set()
        return in_use.is_set()

    with (
        sound_system.holding_streams(busy, released.set),
        MicrophoneSource(on_state=states, timings=PATIENT),
    ):
        card.unplug()
        card.plug("USB mic")
        await asyncio.to_thread(asked.wait)
        assert card.starts == 1
        assert not released.is_set()
        in_use.clear()
        await states.until(Back)
    assert released.is_set()
    assert card.starts == 2


async def test_a_microphone_in_use_is_not_closed_for_another(card: FakeSoundDevice) -> None:
    with MicrophoneSource(timings=PATIENT):
        assert not sound_system.look_again()
    assert sound_system.look_again()


async def test_nothing_but_zeros_is_said_once_and_taken_back(card: FakeSoundDevice) -> None:
    card.rate_hz = SAMPLE_RATE_HZ
    states = States()
    timings = Timings(silent_s=60.0, check_s=0.005, mute_s=0.02)
    with MicrophoneSource(on_state=states, timings=timings):
        card.feed(np.zeros(CHUNK_SAMPLES, dtype=np.int16))
        mute = await states.until(Mute)
        assert "muted" in mute.mend
        card.feed(tone(0.1))
        await states.until(Back)
    assert [type(state) for state in states.all] == [Mute, Back]


async def test_on_a_mac_the_mend_is_the_permission(card: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    states = States()
    timings = Timings(silent_s=60.0, check_s=0.005, mute_s=0.02)
    with MicrophoneSource(on_state=states, timings=timings):
        assert "Privacy" in (await states.until(Mute)).mend


async def test_the_log_counts_what_was_dropped_and_nothing_else(
    card: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "BUFFER_S", 0.08)
    card.rate_hz = SAMPLE_RATE_HZ
    logged: list[str] = []
    said = threading.Event()

    def keep(text: str, *values: object) -> None:
        logged.append(text % values)
        said.set()

    monkeypatch.setattr("assistant.speech.microphone.log.info", keep)
    with MicrophoneSource(timings=PATIENT):
        card.feed(tone(0.58))
        await asyncio.to_thread(said.wait)
    assert logged == ["0.5 s of sound were dropped, because nobody read them"]


async def test_closing_while_the_device_is_away_ends_the_watch(card: FakeSoundDevice) -> None:
    states = States()
    with MicrophoneSource(on_state=states, timings=PATIENT) as source:
        card.unplug()
        await states.until(Lost)
    assert source._watcher is not None
    assert not source._watcher.is_alive()
    assert card.opened == ["USB mic"]


@pytest.mark.parametrize("wanted", [True, False])
async def test_the_loudspeaker_beside_it_is_taken_out_if_that_is_wanted(card: FakeSoundDevice, wanted: bool) -> None:
    """What is sent is heard 0.06 s later, and by the microphone 0.065 s later."""
    card.rate_hz = SAMPLE_RATE_HZ
    words = reply()[: 8 * SAMPLE_RATE_HZ]
    late = np.concatenate([np.zeros(1_040, dtype=np.int16), words // 2])
    loudspeaker = SoundDevicePlayer()
    loudspeaker.sent = sent = SentSound(SAMPLE_RATE_HZ)
    settings = Settings(speech=SpeechSettings(echo_cancellation=wanted))
    heard: list[Samples] = []
    with app_speech.microphone(settings, loudspeaker) as source:
        chunks = source.chunks()
        for at in range(0, len(words), CHUNK_SAMPLES):
            for block in range(at, at + CHUNK_SAMPLES, 320):
                sent.block(words[block : block + 320].tobytes(), card.began_at + block / SAMPLE_RATE_HZ + 0.06)
            card.feed(late[at : at + CHUNK_SAMPLES])
            heard.append(await anext(chunks))
    left, late = np.concatenate(heard), late[: len(words)]
    if wanted:
        assert decibels(left[4 * SAMPLE_RATE_HZ :]) < decibels(late[4 * SAMPLE_RATE_HZ :]) - 25
    else:
        assert np.array_equal(left, late)


async def test_a_chunk_begins_where_it_was_recorded_though_sound_was_dropped_before_it(
    card: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "BUFFER_S", 0.8)
    card.rate_hz = 48_000
    with MicrophoneSource(timings=PATIENT) as source:
        card.feed(np.zeros(int(1.2 * 48_000), dtype=np.int16))
        await anext(source.chunks())
        assert source._recording is not None
        assert source._recording.began_s == pytest.approx(0.4)
        assert source._recording.clock.at(0.4) == pytest.approx(card.began_at + 0.4)
