"""The filter that learns the room, on speech."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from assistant.ports import SAMPLE_RATE_HZ, Samples
from assistant.speech.echo_canceller import BLOCK, LATEST, EchoCanceller
from tests.speech.desk import room
from tests.speech.said import read_wav

CLIPS = Path(__file__).parents[2] / "audio_fixtures"
S = SAMPLE_RATE_HZ


def reply() -> Samples:
    """Some 10 s of speech."""
    clips = [read_wav(path) for path in sorted(CLIPS.glob("*_*.wav")) if "5s" not in path.name]
    speech = np.concatenate([*clips, *clips])
    return speech[: len(speech) // BLOCK * BLOCK]


def echo_of(played: Samples, seed: int = 1, late: int = 100) -> Samples:
    wave = np.convolve(played / 32768, np.concatenate([np.zeros(late), room(seed)]))[: len(played)]
    wave += np.random.default_rng(seed).normal(0, 2e-4, len(wave))
    return np.asarray(np.clip(wave * 32768, -32768, 32767), dtype=np.int16)


def decibels(samples: Samples) -> float:
    return float(10 * np.log10(np.square(samples / 32768).mean() + 1e-12))


def test_an_echo_is_learned_within_two_seconds_and_taken_out() -> None:
    played = reply()
    heard = echo_of(played)
    left = EchoCanceller().process(heard, played)
    assert decibels(heard[2 * S : 4 * S]) - decibels(left[2 * S : 4 * S]) > 15
    assert decibels(heard[6 * S :]) - decibels(left[6 * S :]) > 20


def test_a_person_who_speaks_meanwhile_stays() -> None:
    played = reply()
    echo, person = echo_of(played), np.zeros_like(played)
    words = read_wav(CLIPS / "is_the_media_server_up.wav")
    person[5 * S :][: len(words)] = words // 2
    left = EchoCanceller().process(np.clip(echo + person.astype(int), -32768, 32767).astype(np.int16), played)
    said = slice(5 * S, 5 * S + len(words))
    assert decibels(person[said]) < decibels(echo[said])  # softer than the loudspeaker
    assert decibels(left[said] - person[said]) < decibels(person[said]) - 8
    after = slice(said.stop, len(played))
    assert decibels(echo[after]) - decibels(left[after]) > 15  # nothing was unlearned


def test_another_room_is_learned_anew() -> None:
    played = reply()
    heard = np.concatenate([echo_of(played), echo_of(played, seed=2, late=180)])
    left = EchoCanceller().process(heard, np.concatenate([played, played]))
    assert decibels(heard[-3 * S :]) - decibels(left[-3 * S :]) > 12


@settings(max_examples=25)
@given(heard=arrays(np.int16, 8 * BLOCK), learned=st.booleans())
def test_where_nothing_is_played_nothing_is_changed(heard: Samples, learned: bool) -> None:
    canceller = EchoCanceller()
    if learned:
        played = reply()[: 2 * S // BLOCK * BLOCK]
        canceller.process(echo_of(played), played)
        canceller.rest()
    assert np.array_equal(canceller.process(heard, np.zeros_like(heard)), heard)


@settings(max_examples=25)
@given(pieces=st.lists(st.integers(1, 12), min_size=1, max_size=8))
def test_it_does_not_matter_how_the_sound_is_cut(pieces: list[int]) -> None:
    size = sum(pieces) * BLOCK
    played = reply()[S : S + size]
    heard = echo_of(played)
    whole, cut = EchoCanceller().process(heard, played), EchoCanceller()
    edges = np.cumsum([0, *pieces]) * BLOCK
    parts = [cut.process(heard[begin:end], played[begin:end]) for begin, end in pairwise(edges)]
    assert np.array_equal(np.concatenate(parts), whole)


@settings(max_examples=25)
@given(seed=st.integers(0, 1_000), level=st.floats(0.01, 1.0))
def test_it_never_makes_noise_of_what_is_no_echo(seed: int, level: float) -> None:
    rng = np.random.default_rng(seed)
    heard, played = (np.clip(rng.normal(0, 8_000 * level, 4 * S), -32768, 32767).astype(np.int16) for _ in "ab")
    left = EchoCanceller().process(heard, played)
    assert decibels(left) < decibels(heard) + 3.1


@pytest.mark.parametrize("late", [-LATEST, -5, 0, 1, 7, LATEST])
def test_it_tells_how_much_later_the_echo_comes_than_before(late: int) -> None:
    played = reply()
    heard = echo_of(played)
    canceller = EchoCanceller()
    canceller.process(heard[: 4 * S], played[: 4 * S])
    canceller.rest()
    chunk = next(at for at in range(4 * S, len(played), 1280) if np.abs(played[at : at + 1280]).max() > 3_000)
    now = slice(chunk, chunk + 1280)
    found, likeness = canceller.late(heard[now.start - late : now.stop - late], played[now])
    assert abs(found - late) <= 1
    assert likeness > 0.5


def test_what_was_never_heard_is_not_found() -> None:
    played = reply()[S : S + 1280]
    assert EchoCanceller().late(echo_of(played), played)[1] < 0.01


@pytest.mark.parametrize(("heard", "played"), [(BLOCK, 2 * BLOCK), (BLOCK + 1, BLOCK + 1)])
def test_lengths_that_do_not_fit_are_told(heard: int, played: int) -> None:
    with pytest.raises(ValueError, match="in blocks of 64"):
        EchoCanceller().process(np.zeros(heard, dtype=np.int16), np.zeros(played, dtype=np.int16))
