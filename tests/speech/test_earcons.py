"""Earcons: short, gentle, told apart by ear, and never in the way."""

from __future__ import annotations

from itertools import combinations
from typing import get_args

import numpy as np
import pytest

from assistant.errors import PlaybackError
from assistant.ports import Cue, SpeechChunk
from assistant.speech.earcons import Earcon, Earcons, earcon
from tests.speech.clips import heard_frequency

KINDS: tuple[Earcon, ...] = (*get_args(Cue), "heard")
RATES = (16_000, 22_050, 48_000)


def samples(kind: Earcon, rate_hz: int = 22_050, volume: float = 1.0) -> np.ndarray:
    return np.frombuffer(earcon(kind, rate_hz, volume).pcm, dtype="<i2").astype(float) / 32768


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rate_hz", RATES)
def test_it_is_short_and_gentle(kind: Earcon, rate_hz: int) -> None:
    assert len(samples(kind, rate_hz)) / rate_hz <= 0.15
    for volume in (1.0, 2.0):
        assert 0.05 < np.abs(samples(kind, rate_hz, volume)).max() <= 10 ** (-12 / 20)


@pytest.mark.parametrize("kind", KINDS)
def test_it_begins_and_ends_softly_and_never_clicks(kind: Earcon) -> None:
    sound = samples(kind, 48_000)
    silence = np.zeros(10)
    edges = np.abs(np.diff(np.concatenate([silence, sound, silence])))
    steady = 2 * np.pi * 2 * 2093 / 48_000 * 0.2  # as steep as the highest of its tones is anyway
    assert edges[:30].max() < 0.01
    assert edges[-30:].max() < 0.01
    assert edges.max() < steady


@pytest.mark.parametrize("kind", KINDS)
def test_the_volume_is_that_of_the_voice(kind: Earcon) -> None:
    assert np.abs(samples(kind, volume=0.5)).max() == pytest.approx(np.abs(samples(kind)).max() / 2, abs=1e-3)
    assert not samples(kind, volume=0.0).any()


@pytest.mark.parametrize(
    ("kind", "rises"), [("listening", True), ("your_turn", True), ("failed", False), ("stopped", False)]
)
def test_good_news_rises_and_an_end_falls(kind: Earcon, rises: bool) -> None:
    sound = samples(kind)
    first, last = heard_frequency(sound[:1100], 22_050), heard_frequency(sound[-1100:], 22_050)
    assert (last > first * 1.1) if rises else (last < first * 0.9)


def test_any_two_can_be_told_apart() -> None:
    """By the loudest tone at the beginning or at the end, at least two semitones."""
    for one, other in combinations(KINDS, 2):
        pairs = [
            [heard_frequency(samples(kind)[part], 22_050) for kind in (one, other)]
            for part in (slice(0, 700), slice(-1100, None))
        ]
        assert max(abs(np.log2(a / b)) for a, b in pairs) > 2 / 12, (one, other)


class Card:
    """A loudspeaker, or (``gone``) none."""

    def __init__(self, *, gone: bool = False) -> None:
        self.gone = gone
        self.played: list[SpeechChunk] = []

    async def play(self, chunk: SpeechChunk) -> None:
        if self.gone:
            raise PlaybackError("loudspeaker_lost", "It is gone.")
        self.played.append(chunk)

    async def drain(self) -> None:
        pass

    def stop(self) -> None:
        pass


async def test_a_cue_is_played_as_loud_as_the_voice() -> None:
    card = Card()
    await Earcons(card, volume=0.5, sample_rate_hz=22_050).play("listening")
    assert card.played == [earcon("listening", 22_050, 0.5)]


async def test_a_loudspeaker_that_is_gone_is_no_failure_of_a_cue(caplog: pytest.LogCaptureFixture) -> None:
    await Earcons(Card(gone=True)).play("failed")
    assert "It is gone." in caplog.text
