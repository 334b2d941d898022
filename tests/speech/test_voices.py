"""A voice by name or path; what there is where there is no such voice."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import ModelFilesError
from assistant.models import ModelStore
from assistant.speech.voices import find_voice, voices
from tests.speech.tiny_voice import tiny_voice


@pytest.fixture
def models(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def test_a_voice_is_found_by_its_path_or_its_folder(models: ModelStore, tmp_path: Path) -> None:
    file = tiny_voice(tmp_path)
    assert find_voice(str(file), models) == find_voice(str(tmp_path), models) == file


@pytest.mark.real_models
def test_the_shipped_voice_is_found_by_its_name(model_store: ModelStore) -> None:
    assert find_voice("piper-en-us-joe", model_store).name == "en_US-joe-medium.onnx"


def test_a_voice_that_was_not_pulled_names_the_command(models: ModelStore) -> None:
    with pytest.raises(ModelFilesError) as refused:
        find_voice("piper-en-us-joe", models)
    assert "jarvis models pull piper-en-us-joe" in refused.value.mend


@pytest.mark.parametrize("wanted", ["amy", "whisper-base", "voices/amy.onnx"])
def test_an_unknown_voice_says_which_there_are(models: ModelStore, wanted: str) -> None:
    with pytest.raises(ModelFilesError) as refused:
        find_voice(wanted, models)
    assert refused.value.code == "unknown_voice"
    assert wanted in refused.value.detail
    assert voices(models)
    assert all(name in refused.value.detail for name in voices(models))
    assert "whisper" not in refused.value.detail.replace(wanted, "")


def test_a_wrong_path_says_which_voices_are_beside_it(models: ModelStore, tmp_path: Path) -> None:
    tiny_voice(tmp_path)
    with pytest.raises(ModelFilesError) as refused:
        find_voice(str(tmp_path / "amy.onnx"), models)
    assert "tiny.onnx" in refused.value.detail


def test_a_model_without_its_configuration_is_no_voice(models: ModelStore, tmp_path: Path) -> None:
    file = tiny_voice(tmp_path)
    file.with_name("tiny.onnx.json").unlink()
    with pytest.raises(ModelFilesError) as refused:
        find_voice(str(file), models)
    assert "tiny.onnx.json is not beside it" in refused.value.detail
