"""The echo at a desk: two devices with clocks of their own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st

from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples
from assistant.speech.echo import HEARD_CHUNKS, EchoRemover, EchoShare
from assistant.speech.sample_clock import STAMPS, SampleClock
from assistant.speech.sent_sound import SentSound
from tests.speech.clips import heard_frequency
from tests.speech.desk import Desk
from tests.speech.test_echo_canceller import decibels, reply

S = SAMPLE_RATE_HZ


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * S), dtype=np.int16)


def removed(desk: Desk, remover: EchoRemover | None = None) -> Samples:
    """All that the microphone gives, after the echo was taken out."""
    remover = remover or EchoRemover(lambda: desk.loudspeaker)
    return np.concatenate(list(_cleaned(desk, remover, range(0, len(desk.microphone), CHUNK_SAMPLES))))


def _cleaned(desk: Desk, remover: EchoRemover, positions: range) -> Iterator[Samples]:
    for position in positions:
        chunk, began_s = desk.at(position)
        yield remover.clean(chunk, began_s, desk.recorded)


def less(desk: Desk, left: Samples, from_s: float, to_s: float) -> float:
    """By how many dB, in these seconds of the microphone."""
    part = slice(int(from_s * S), int(to_s * S))
    return decibels(desk.microphone[part]) - decibels(left[part])


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 44_100, 48_000])
def test_the_loudspeaker_is_taken_out_at_any_rate_of_its_device(rate_hz: int) -> None:
    sent = soxr.resample(reply() / 32768, S, rate_hz)
    desk = Desk((sent * 32767).astype(np.int16), rate_hz=rate_hz)
    left = removed(desk)
    assert less(desk, left, 3.0, 5.0) > 15
    assert less(desk, left, 7.0, 10.0) > 20


@pytest.mark.parametrize(("opened_s", "latency_s"), [(0.0, 0.01), (3.0, 0.3), (0.5, 1.0)])
def test_whenever_it_was_opened_and_however_late_it_sounds(opened_s: float, latency_s: float) -> None:
    desk = Desk(reply(), opened_s=opened_s, latency_s=latency_s)
    begins_s = opened_s + latency_s
    assert less(desk, removed(desk), begins_s + 6, begins_s + 9) > 18


def test_the_next_reply_is_taken_out_from_its_first_syllable() -> None:
    speech = reply()[: 5 * S]
    desk = Desk(np.concatenate([speech, silence(3.0), speech]))
    left = removed(desk)
    began_s = desk.opened_s + desk.latency_s
    first, second = (less(desk, left, at + 0.3, at + 1.3) for at in (began_s, began_s + 8))
    assert second > first + 6
    assert second > 15


@pytest.mark.parametrize("late_s", [-0.002, -0.0005, 0.001, 0.0024])
def test_devices_that_moved_apart_in_a_silence_are_found_again(late_s: float) -> None:
    speech, quiet = reply()[: 5 * S], 4.0
    desk = Desk(np.concatenate([speech, silence(quiet), speech]), jitter_s=0.0)
    later = Desk(np.concatenate([speech, silence(quiet + late_s), speech]), jitter_s=0.0)
    middle = int((desk.opened_s + desk.latency_s + 7) * S) // CHUNK_SAMPLES * CHUNK_SAMPLES
    air = np.concatenate([desk.microphone[:middle], later.microphone[middle : len(desk.microphone)]])
    desk._air = air[: len(air) // CHUNK_SAMPLES * CHUNK_SAMPLES]
    left = removed(desk)
    began_s = desk.opened_s + desk.latency_s + 5 + quiet
    assert less(desk, left, began_s + 0.5, began_s + 1.5) > 12


def test_stamps_that_go_more_and_more_wrong_are_seen_through() -> None:
    """By 2 ms in each silence, as those of a sound server that has just begun."""
    speech, quiet, replies = reply()[: 4 * S], 2.0, 5
    desk = Desk(np.concatenate([np.concatenate([speech, silence(quiet)]) for _ in range(replies)]))
    remover = EchoRemover(lambda: desk.loudspeaker)
    began_s, left = desk.opened_s + desk.latency_s, []
    for position in range(0, len(desk.microphone), CHUNK_SAMPLES):
        desk.wrong_s = 0.002 * ((position / S - began_s + quiet) // (len(speech) / S + quiet))
        left += list(_cleaned(desk, remover, range(position, position + 1)))
    for number in range(1, replies):
        at_s = began_s + number * (4 + quiet)
        assert less(desk, np.concatenate(left), at_s + 0.5, at_s + 3) > 12, number


@pytest.mark.parametrize("drift", [40e-6, -100e-6])
def test_two_crystals_do_not_spoil_it(drift: float) -> None:
    talks = np.concatenate([reply()[: 4 * S], silence(180.0), reply()[: 8 * S]])
    desk = Desk(talks, drift=drift)
    left = removed(desk)
    began_s = (desk.opened_s + desk.latency_s + 184.0) / (1 + drift)
    assert less(desk, left, began_s + 3, began_s + 7) > 15


@pytest.mark.parametrize("learned", [True, False])
def test_sound_that_was_lost_is_noticed(learned: bool) -> None:
    """A driver that loses 0.1 s counts on as if nothing were; its stamps tell. What was learned of the room stays."""
    words = reply()
    desk = Desk(np.concatenate([words[: 4 * S], silence(1.0 if learned else 0.0), words, words]))
    remover = EchoRemover(lambda: desk.loudspeaker)
    lost = 7 * S // CHUNK_SAMPLES * CHUNK_SAMPLES
    list(_cleaned(desk, remover, range(0, lost, CHUNK_SAMPLES)))
    desk.lost_s = 0.1
    after = range(lost + int(desk.lost_s * S), len(desk.microphone) - CHUNK_SAMPLES, CHUNK_SAMPLES)
    left = np.concatenate(list(_cleaned(desk, remover, after)))
    heard = desk.microphone[after.start :][: len(left)]
    later = slice(2 * S, 4 * S) if learned else slice(6 * S, 12 * S)
    assert decibels(heard[later]) - decibels(left[later]) > 15


def test_a_voice_over_the_reply_is_left_as_it_was_said() -> None:
    voice = np.zeros(9 * S, dtype=np.int16)
    words = reply()[S : 2 * S] // 2
    voice[6 * S : 7 * S] = words
    desk = Desk(reply(), voice=voice)
    left = removed(desk)
    assert decibels(left[6 * S : 7 * S] - words) < decibels(words) - 8


def test_while_the_loudspeaker_is_silent_nothing_is_touched() -> None:
    desk = Desk(np.concatenate([reply()[: 2 * S], silence(6.0)]))
    remover = EchoRemover(lambda: desk.loudspeaker)
    began_s = desk.opened_s + desk.latency_s
    for position in range(0, len(desk.microphone), CHUNK_SAMPLES):
        chunk, at_s = desk.at(position)
        cleaned = remover.clean(chunk, at_s, desk.recorded)
        if at_s < began_s - 0.1:
            assert np.array_equal(cleaned, chunk)
        if at_s > began_s + 2.0 + 0.3:
            assert cleaned is chunk


@pytest.mark.parametrize("why", ["no loudspeaker", "no stamps"])
def test_where_nobody_knows_when_it_sounds_nothing_is_changed(why: str) -> None:
    desk = Desk(reply()[: 3 * S], stamps=why != "no stamps")
    remover = EchoRemover(lambda: None if why == "no loudspeaker" else desk.loudspeaker)
    assert np.array_equal(removed(desk, remover), desk.microphone)


@pytest.mark.parametrize("softer_db", [0, 6])
def test_it_tells_a_person_over_the_reply_from_the_reply_alone(softer_db: float) -> None:
    words = np.concatenate([reply(), reply()])
    echo = Desk(words).microphone[12 * S : 13 * S] / 32_768
    person = np.zeros(14 * S, dtype=np.int16)
    level = np.sqrt(np.square(echo).mean()) * 10 ** (-softer_db / 20)
    person[12 * S : 13 * S] = np.random.default_rng(3).normal(0, level * 32_768, S)
    desk = Desk(words, voice=person)
    remover = EchoRemover(lambda: desk.loudspeaker)
    told = {}
    for position in range(0, 14 * S, CHUNK_SAMPLES):
        chunk, began_s = desk.at(position)
        remover.clean(chunk, began_s, desk.recorded)
        told[began_s + CHUNK_SAMPLES / S] = remover.share.only_echo
    assert not any(told[at] for at in told if 12.5 < at < 13.0)
    alone = [told[at] for at in told if 10.0 < at < 12.0]
    assert sum(alone) > 0.8 * len(alone)


# ── its parts ─────────────────────────────────────────────────────────────────────────────────────────────────────


@given(
    offset=st.floats(1.0, 2e9),
    wrong=st.lists(st.floats(1.0, 2e9), max_size=(STAMPS - 1) // 2),
    order=st.randoms(use_true_random=False),
)
def test_wrong_stamps_that_are_fewer_change_nothing(offset: float, wrong: list[float], order: object) -> None:
    clock = SampleClock()
    stamps = [offset] * (STAMPS - len(wrong)) + wrong
    order.shuffle(stamps)  # type: ignore[attr-defined]
    for stamp in stamps:
        clock.stamp(0.0, stamp)
    assert clock.at(0.0) == offset
    assert clock.sound(offset) == 0.0


@given(st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 20_000)), min_size=1, max_size=30))
def test_the_share_of_the_echo_is_that_of_the_last_chunks(levels: list[tuple[int, int]]) -> None:
    share = EchoShare()
    for there, left in levels:
        share.chunk(np.full(CHUNK_SAMPLES, there, dtype=np.int16), np.full(CHUNK_SAMPLES, left, dtype=np.int16))
    there, left = (sum(level[side] ** 2 for level in levels[-HEARD_CHUNKS:]) for side in (0, 1))
    if there and left:
        assert share.removed_db == pytest.approx(10 * np.log10(there / left), abs=0.5)
    share.forget()
    assert share.removed_db == 0.0
    assert not share.only_echo


def test_a_driver_without_times_says_nothing() -> None:
    clock = SampleClock()
    clock.stamp(0.02, 0.0)
    assert not clock.known


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("sound_s", [0.5, 0.500013, 0.7123456])
def test_a_piece_of_what_was_sent_is_exact_to_a_part_of_a_sample(rate_hz: int, sound_s: float) -> None:
    sent = SentSound(rate_hz)
    wave = 8_000 * np.sin(2 * np.pi * 440 * np.arange(2 * rate_hz) / rate_hz)
    sent.block(wave.astype("<i2").tobytes(), 1.0)
    piece = sent.piece(sound_s, CHUNK_SAMPLES)
    expected = 8_000 * np.sin(2 * np.pi * 440 * (sound_s + np.arange(CHUNK_SAMPLES) / S))
    assert heard_frequency(piece, S) == pytest.approx(440, abs=10)
    assert np.abs(piece - expected).max() < 80  # 40 dB below


def test_before_its_beginning_and_after_its_end_it_was_silent() -> None:
    sent = SentSound(48_000)
    sent.block(np.full(4_800, 5_000, dtype="<i2").tobytes(), 1.0)
    assert not sent.piece(-1.0, 1_280).any()
    assert not sent.piece(0.5, 1_280).any()
    assert not sent.silent_since(0.09)
    assert sent.silent_since(0.1)
