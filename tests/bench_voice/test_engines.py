"""The synthesizers: the programs of the system, and stand-ins for what goes wrong."""

from __future__ import annotations

import os
import wave
from pathlib import Path

import numpy as np
import pytest

from assistant.bench.engines import Piper, Program, at_16_khz, espeak_ng, festival, flite, read_wav
from assistant.bench.shaping import speech_bounds
from assistant.errors import SynthesisError
from tests.fakes_clips import no_models

TEXT = "Hey Jarvis, turn off the kitchen lights"


@pytest.mark.parametrize(
    ("engine", "voice"),
    [
        (flite(), "slt"),
        (espeak_ng(), "en-us+f2"),
        (festival(), "kal_diphone"),
        (festival(), "cmu_us_slt_arctic_hts"),
    ],
    ids=lambda part: part if isinstance(part, str) else part.name,
)
def test_a_program_says_a_sentence_and_the_same_samples_again(engine: Program, voice: str) -> None:
    assert engine.lacks() == ""
    assert engine.version()[0].isdigit()
    said = engine.say(TEXT, voice)
    start, end = speech_bounds(said)
    assert 1.2 < (end - start) / 16_000 < 4
    assert np.array_equal(engine.say(TEXT, voice), said)


@pytest.mark.real_models
def test_piper_says_the_same_samples_whatever_it_said_before(models_dir: Path) -> None:
    piper = Piper(lambda name: models_dir / name)
    assert piper.lacks() == ""
    first = piper.say("start the windows V M", "piper-en-us-joe@1.0")
    slow = piper.say("start the windows V M", "piper-en-us-joe@0.7")
    assert np.array_equal(piper.say("start the windows V M", "piper-en-us-joe@1.0"), first)
    assert slow.size > 1.2 * first.size


def test_a_program_that_is_not_there_says_which() -> None:
    gone = Program("sam", "sam-package", "no-such-sam", lambda voice, out: [], ("no-such-sam", "--version"))
    assert gone.lacks() == "the program no-such-sam"
    with pytest.raises(SynthesisError, match="sam cannot be run") as caught:
        gone.say(TEXT, "a")
    assert caught.value.mend == "Install sam-package."


def test_a_voice_that_is_not_there_is_an_error_with_the_programs_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "espeak-ng"
    program.write_text("#!/bin/sh\necho 'Error: The specified voice does not exist.' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(SynthesisError, match=r"voice xx: Error: The specified voice does not exist") as caught:
        espeak_ng().say(TEXT, "xx")
    assert caught.value.code == "synthesis_failed"


def test_a_program_that_writes_nothing_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "flite"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SynthesisError, match="flite said nothing with the voice slt"):
        flite().say(TEXT, "slt")


def test_a_voice_that_was_not_pulled_is_said() -> None:
    assert Piper(no_models).lacks() == "the model piper-en-us-joe"


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (16_000, 2), (22_050, 1), (48_000, 2)])
def test_any_wav_comes_in_at_sixteen_kilohertz_mono(tmp_path: Path, rate: int, channels: int) -> None:
    t = np.arange(rate) / rate
    tone = (np.sin(2 * np.pi * 500 * t) * 16_000).astype("<i2")
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(np.repeat(tone, channels).tobytes())
    out = read_wav(tmp_path / "a.wav")
    assert abs(out.size - 16_000) <= 2
    power = np.abs(np.fft.rfft(out[:16_000] if out.size >= 16_000 else np.resize(out, 16_000)))
    assert abs(int(np.argmax(power)) - 500) <= 1
    assert np.abs(out[2_000:14_000]).max() == pytest.approx(16_000 / 32_768, abs=0.02)


def test_what_is_at_sixteen_kilohertz_is_left_as_it_is() -> None:
    samples = np.linspace(-1, 1, 50)
    assert np.array_equal(at_16_khz(samples, 16_000), samples)
