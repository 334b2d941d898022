"""The synthesized sounds: what they are, and that nobody speaks in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assistant.bench import noises
from assistant.bench.noises import MAKERS
from assistant.bench.shaping import to_int16
from assistant.ports import SAMPLE_RATE_HZ
from tests.fakes_silero import voice_probabilities

ALL = [(noise, name) for noise, makers in MAKERS.items() for name, _ in makers]
LIKE_NO_VOICE = ("silence", "white", "pink", "hum", "fan", "clicks")
"""The rest is harder: a VAD takes a bark, a flute or a breath for a voice at times, and what follows has to cope."""


@pytest.mark.parametrize(("noise", "maker"), ALL)
@pytest.mark.parametrize("seed", range(3))
def test_every_sound_is_as_long_as_asked_and_never_clips(noise: str, maker: str, seed: int) -> None:
    wave = noises.make(noise, maker, 2.5, seed)
    assert wave.shape == (round(2.5 * SAMPLE_RATE_HZ),)
    assert np.isfinite(wave).all()
    assert np.abs(wave).max() <= 0.96


@pytest.mark.parametrize(("noise", "maker"), ALL)
def test_the_same_seed_gives_the_same_samples_and_another_seed_others(noise: str, maker: str) -> None:
    again = noises.make(noise, maker, 2, 1)
    assert np.array_equal(noises.make(noise, maker, 2, 1), again)
    assert maker == "digital" or not np.array_equal(noises.make(noise, maker, 2, 2), again)


@pytest.mark.parametrize(("noise", "maker"), [pair for pair in ALL if pair[0] != "silence"])
def test_every_sound_can_be_heard(noise: str, maker: str) -> None:
    wave = noises.make(noise, maker, 4, 0)
    assert np.abs(wave).max() > 0.05


def test_hum_is_at_the_mains_frequency_and_its_harmonics() -> None:
    power = np.abs(np.fft.rfft(noises.make("hum", "60hz", 4, 0)))
    strongest = np.sort(np.argsort(power)[-4:] / 4)
    assert strongest.tolist() == [60, 120, 180, 240]


@pytest.mark.real_models
@pytest.mark.parametrize(("noise", "maker"), ALL)
def test_nobody_speaks_in_them(models_dir: Path, noise: str, maker: str) -> None:
    voiced = voice_probabilities(models_dir, to_int16(noises.make(noise, maker, 6, 0)))
    if noise in LIKE_NO_VOICE:
        assert voiced.max() < 0.5
    assert (voiced >= 0.5).mean() < 0.4
