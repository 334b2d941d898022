"""The length of Whisper's window, when its text is not believed, and what is done then."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.ports import SAMPLE_RATE_HZ
from assistant.speech.whisper_window import (
    FULL_S,
    WINDOWS,
    Decoded,
    Doubt,
    EncoderWindow,
    compression_ratio,
    doubt,
    heard,
    most_tokens,
    pieces,
)

GOOD = Decoded("is the backup ok?", 6, -0.2, 0.05, cut_off=False)
LOOP = Decoded("door lock, " * 20, 60, -0.2, 0.05, cut_off=True)
UNSURE = Decoded("is the back up, okay?", 7, -1.3, 0.05, cut_off=False)


class Whisper:
    """Says what is scripted for each window; remembers how it was asked."""

    def __init__(self, short: Decoded, full: Decoded = GOOD, no_loops: Decoded = GOOD) -> None:
        self._short, self._full, self._no_loops = short, full, no_loops
        self.asked: list[tuple[float, bool]] = []

    def __call__(self, window_s: float, *, no_loops: bool = False) -> Decoded:
        self.asked.append((window_s, no_loops))
        if no_loops:
            return self._no_loops
        return self._full if window_s == FULL_S else self._short


def test_the_window_is_as_long_as_the_utterance_and_some_silence_and_never_longer_than_whispers_own() -> None:
    window = EncoderWindow(shortest_s=10, spare_s=6)
    assert [window.seconds(duration) for duration in (0.5, 4, 5, 20, 24, 29, 300)] == [10, 10, 11, 26, 30, 30, 30]


def test_the_configured_windows() -> None:
    assert WINDOWS["short"].seconds(2) < FULL_S
    assert WINDOWS["full"].seconds(2) == FULL_S


@given(st.floats(0, 100), st.floats(1, 40), st.floats(0, 40))
def test_the_window_always_holds_the_utterance_or_is_full(duration_s: float, shortest_s: float, spare_s: float) -> None:
    window_s = EncoderWindow(shortest_s, spare_s).seconds(duration_s)
    assert window_s <= FULL_S
    assert window_s >= min(duration_s, FULL_S)


def test_a_text_that_is_believed_takes_one_short_window() -> None:
    whisper = Whisper(GOOD)
    found = heard(whisper, 2.0, EncoderWindow(10, 6))
    assert (found.decoded, found.window_s, found.fell_back) == (GOOD, 10, "")
    assert whisper.asked == [(10, False)]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (LOOP, "cut off"),
        (Decoded("ee, " * 30, 20, -0.2, 0.1, cut_off=False), "repetitive"),
        (
            Decoded("I am going to put the water in the pot and then to the library", 60, -0.3, 0.1, False),
            "too many words",
        ),
        (UNSURE, "improbable"),
        (Decoded("you", 1, -0.5, 0.95, cut_off=False), "no speech"),
    ],
)
def test_a_text_that_looks_wrong_is_heard_again_in_the_full_window(wrong: Decoded, why: Doubt) -> None:
    assert doubt(wrong, 2.0) == why
    whisper = Whisper(wrong)
    found = heard(whisper, 2.0, EncoderWindow(10, 6))
    assert (found.decoded, found.window_s, found.fell_back) == (GOOD, FULL_S, why)
    assert whisper.asked == [(10, False), (FULL_S, False)]


def test_the_full_window_is_believed_although_it_is_unsure_too() -> None:
    whisper = Whisper(UNSURE, full=UNSURE)
    assert heard(whisper, 2.0, EncoderWindow()).decoded == UNSURE
    assert len(whisper.asked) == 2


def test_what_loops_in_the_full_window_too_is_heard_without_loops() -> None:
    whisper = Whisper(LOOP, full=LOOP)
    found = heard(whisper, 2.0, EncoderWindow(10, 6))
    assert (found.decoded, found.fell_back) == (GOOD, "cut off")
    assert whisper.asked == [(10, False), (FULL_S, False), (FULL_S, True)]


def test_what_loops_whatever_is_tried_is_told() -> None:
    assert heard(Whisper(LOOP, full=LOOP, no_loops=LOOP), 2.0, EncoderWindow()).loops
    assert not heard(Whisper(LOOP, full=LOOP), 2.0, EncoderWindow()).loops


def test_the_full_window_alone_never_counts_as_a_fall_back() -> None:
    whisper = Whisper(LOOP, full=LOOP)
    found = heard(whisper, 2.0, WINDOWS["full"])
    assert (found.decoded, found.window_s, found.fell_back) == (GOOD, FULL_S, "")
    assert whisper.asked == [(FULL_S, False), (FULL_S, True)]


def test_without_the_fall_back_the_first_text_is_the_text() -> None:
    whisper = Whisper(LOOP)
    assert heard(whisper, 2.0, EncoderWindow(10, 6, fall_back=False)).decoded == LOOP
    assert whisper.asked == [(10, False)]


def test_short_words_with_many_tokens_are_no_doubt() -> None:
    assert doubt(Decoded("N.T.F.Y.", 9, -0.4, 0.02, cut_off=False), 0.8) == ""
    assert doubt(Decoded("", 0, -0.4, 0.9, cut_off=False), 0.8) == ""


def test_repetition_compresses_and_speech_does_not() -> None:
    assert compression_ratio("jellyfin, " * 20) > 2.4 > compression_ratio("Turn off the kitchen lights, please.") > 0


@given(st.floats(0, 30))
def test_a_loop_ends_after_more_tokens_than_are_believed(duration_s: float) -> None:
    just_too_many = Decoded("word", most_tokens(duration_s) - 1, -0.1, 0.0, cut_off=False)
    assert doubt(just_too_many, duration_s) == "too many words"


def test_long_audio_is_divided_in_its_pauses_and_nothing_is_lost() -> None:
    generator = np.random.default_rng(0)
    audio = generator.normal(0, 3000, 70 * SAMPLE_RATE_HZ).astype(np.int16)
    for pause_s in (25, 52):
        audio[pause_s * SAMPLE_RATE_HZ : (pause_s + 1) * SAMPLE_RATE_HZ] = 0
    parts = pieces(audio)
    np.testing.assert_array_equal(np.concatenate(parts), audio)
    assert [25 < len(parts[0]) / SAMPLE_RATE_HZ < 26, 52 < sum(map(len, parts[:2])) / SAMPLE_RATE_HZ < 53] == [True] * 2
    assert all(len(part) <= FULL_S * SAMPLE_RATE_HZ for part in parts)


@given(st.integers(0, 4000), st.integers(1, 9))
def test_pieces_are_the_audio_whatever_its_length(length: int, longest_tenths: int) -> None:
    audio = np.arange(length, dtype=np.int16)
    parts = pieces(audio, longest_s=longest_tenths / 10 + 0.2)
    np.testing.assert_array_equal(np.concatenate(parts), audio)
    assert max(map(len, parts)) <= (longest_tenths / 10 + 0.2) * SAMPLE_RATE_HZ
