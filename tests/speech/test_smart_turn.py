"""The turn model on the real file: sentences that are over, sentences that are not, files that are no model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assistant.app_speech import turn_model_maker
from assistant.config import EndpointSettings
from assistant.errors import EndpointingError
from assistant.models import ModelStore
from assistant.ports import SAMPLE_RATE_HZ, Samples
from assistant.resources import resource
from assistant.speech.decoding import read_clip
from assistant.speech.smart_turn import SmartTurn


@pytest.fixture(scope="module")
def model(model_store: ModelStore) -> SmartTurn:
    return SmartTurn(model_store.file("smart-turn", "smart-turn-v3.2-cpu.onnx"))


async def spoken(name: str) -> Samples:
    """Without the silence around it."""
    clip = await read_clip(resource("audio_fixtures", f"{name}.wav"), max_clip_s=30)
    loud = np.nonzero(np.abs(clip) > 300)[0]
    return clip[loud[0] : loud[-1]]


def and_silence(audio: Samples, seconds: float = 0.2) -> Samples:
    return np.concatenate([audio, np.zeros(int(seconds * SAMPLE_RATE_HZ), dtype=np.int16)])


@pytest.mark.real_models
@pytest.mark.parametrize("name", ["hey_jarvis_is_the_backup_ok", "hey_jarvis_whats_down"])
async def test_a_whole_question_sounds_finished(model: SmartTurn, name: str) -> None:
    assert model.probability(and_silence(await spoken(name))) > 0.8


@pytest.mark.real_models
async def test_a_sentence_cut_in_the_middle_sounds_less_finished(model: SmartTurn) -> None:
    whole = await spoken("hey_jarvis_is_the_backup_ok")
    middle = whole[: int(len(whole) * 0.62)]
    assert model.probability(and_silence(middle)) < model.probability(and_silence(whole))


@pytest.mark.real_models
async def test_only_the_last_eight_seconds_count_and_nothing_is_remembered(model: SmartTurn) -> None:
    asked = await spoken("hey_jarvis_whats_down")
    eight = np.concatenate([np.zeros(8 * SAMPLE_RATE_HZ - len(asked), dtype=np.int16), asked])
    before = np.concatenate([np.full(SAMPLE_RATE_HZ, 9000, dtype=np.int16), eight])
    first = model.probability(eight)
    assert model.probability(before) == pytest.approx(first, abs=1e-6)
    assert model.probability(eight) == first


@pytest.mark.real_models
@pytest.mark.parametrize("seconds", [0.0, 0.01, 30.0])
def test_any_length_has_a_probability(model: SmartTurn, seconds: float) -> None:
    noise = np.random.default_rng(7).normal(0, 500, int(seconds * SAMPLE_RATE_HZ)).astype(np.int16)
    assert 0.0 <= model.probability(noise) <= 1.0


def test_a_file_that_is_no_model_is_said(tmp_path: Path) -> None:
    broken = tmp_path / "turn.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(EndpointingError) as failed:
        SmartTurn(broken)
    assert failed.value.code == "turn_model_unusable"
    assert "verify" in failed.value.mend


def test_without_its_file_silence_alone_decides(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert turn_model_maker(EndpointSettings(), ModelStore(tmp_path)) is None
    assert "Silence alone" in caplog.text
    assert turn_model_maker(EndpointSettings(turn_model=""), ModelStore(tmp_path)) is None
