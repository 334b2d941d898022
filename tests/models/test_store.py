"""Finding model files, and reading settings that name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import ModelFilesError
from assistant.models import ModelStore, State
from tests.fakes_models import (
    VOICE,
    hub_source,
    one_wheel,
    store_of,
)


def test_a_missing_file_is_named_with_its_sources_and_the_command(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    with pytest.raises(ModelFilesError) as caught:
        store.file("silero-vad", "silero_vad.onnx")
    assert caught.value.code == "model_missing"
    assert caught.value.detail == (
        f"The model file {tmp_path}/silero-vad/silero_vad.onnx is missing. "
        "It comes from the model hub (csukuangfj/vad) or the package registry (openwakeword) (1.8 MB)."
    )
    assert "`jarvis models pull silero-vad`" in caught.value.mend
    assert "--from" in caught.value.mend


def test_a_file_of_the_wrong_size_is_damaged(tmp_path: Path) -> None:
    store = store_of(tmp_path, hub_source())
    path = store.models_dir / "voice" / "voice.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(VOICE[:-1])
    assert store.state("voice") is State.DAMAGED
    with pytest.raises(ModelFilesError, match=f"has {len(VOICE) - 1} bytes instead of {len(VOICE)}"):
        store.folder("voice")


def test_an_unknown_model_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError, match="Did you mean whisper-base"):
        ModelStore(tmp_path).missing(["whisper-bas"])


def test_an_unknown_file_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError, match=r"has no file 'x.onnx', but silero_vad.onnx"):
        ModelStore(tmp_path).file("silero-vad", "x.onnx")


def test_the_cache_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JARVIS_MODELS", str(tmp_path / "here"))
    assert ModelStore().models_dir == tmp_path / "here"
    assert ModelStore(tmp_path / "there").models_dir == tmp_path / "there"
    monkeypatch.delenv("JARVIS_MODELS")
    assert ModelStore().models_dir.parts[-2:] == ("jarvis", "models")


def test_a_setting_may_be_a_name_or_a_path(tmp_path: Path, registry: Path) -> None:
    store = one_wheel(tmp_path, registry)
    store.pull(["voice"])
    own = tmp_path / "own.bin"
    own.write_bytes(b"mine")
    assert store.resolve("voice") == store.models_dir / "voice"
    assert store.resolve("voice", ".bin") == store.models_dir / "voice" / "voice.bin"
    assert store.resolve(own, ".bin") == own
    assert store.resolve(tmp_path, ".bin") == own


@pytest.mark.parametrize("setting", ["voise", "/nowhere/voice.bin", "nowhere.bin"])
def test_a_setting_that_is_neither_name_nor_path_is_an_error_that_lists_the_names(tmp_path: Path, setting: str) -> None:
    with pytest.raises(ModelFilesError, match="voice"):
        store_of(tmp_path, hub_source()).resolve(setting, ".bin")


def test_a_folder_with_two_voices_is_not_guessed_from(tmp_path: Path) -> None:
    (tmp_path / "a.bin").touch()
    (tmp_path / "b.bin").touch()
    with pytest.raises(ModelFilesError, match=r"exactly one .bin file and holds a.bin, b.bin"):
        store_of(tmp_path, hub_source()).resolve(tmp_path, ".bin")
