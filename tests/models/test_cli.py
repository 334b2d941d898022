"""`jarvis models`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.cli.models import models_app
from assistant.models import ModelStore, shipped_manifest


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty model cache, named by an otherwise empty configuration's environment."""
    (tmp_path / "jarvis.toml").touch()
    monkeypatch.setenv("JARVIS_CONFIG", str(tmp_path / "jarvis.toml"))
    monkeypatch.setenv("JARVIS_MODELS", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_configuration_names_the_cache_before_the_environment_does(tmp_path: Path) -> None:
    (tmp_path / "jarvis.toml").write_text(f'models_dir = "{tmp_path / "configured"}"\n')
    (model, *_) = json.loads(CliRunner().invoke(models_app, ["list", "--json"]).output)
    assert model["folder"] == str(tmp_path / "configured" / model["name"])


def test_a_broken_configuration_ends_with_code_3(tmp_path: Path) -> None:
    (tmp_path / "jarvis.toml").write_text("models_dir = 3\n")
    assert CliRunner().invoke(models_app, ["list"]).exit_code == 3


def test_list_says_what_is_missing() -> None:
    result = CliRunner().invoke(models_app, ["list"])
    assert result.exit_code == 0
    assert "hey-jarvis" in result.output
    assert "missing" in result.output


def test_list_as_json_has_every_model_with_size_licence_and_state() -> None:
    models = json.loads(CliRunner().invoke(models_app, ["list", "--json"]).output)
    assert [model["name"] for model in models] == [entry.name for entry in shipped_manifest().models]
    assert {model["state"] for model in models} == {"missing"}
    assert all(model["size_bytes"] == sum(file["size_bytes"] for file in model["files"]) for model in models)


def test_verify_without_models_ends_with_code_4_and_the_command() -> None:
    result = CliRunner().invoke(models_app, ["verify"])
    assert result.exit_code == 4
    assert "`jarvis models pull`" in result.output


def test_pull_of_an_unknown_model_ends_with_code_4() -> None:
    result = CliRunner().invoke(models_app, ["pull", "silero"])
    assert result.exit_code == 4
    assert "silero-vad" in result.output


@pytest.mark.real_models
def test_a_real_model_pulled_from_another_cache_is_verified_and_its_damage_found(models_dir: Path, cache: Path) -> None:
    runner = CliRunner()
    pulled = runner.invoke(models_app, ["pull", "silero-vad", "hey-jarvis", "--from", str(models_dir)])
    assert pulled.exit_code == 0, pulled.output
    assert runner.invoke(models_app, ["verify"]).exit_code == 0

    path = cache / "silero-vad" / "silero_vad.onnx"
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)
    found = runner.invoke(models_app, ["verify"])
    assert found.exit_code == 4
    assert "Damaged" in found.output
    assert "hey-jarvis: every file is what the manifest says" in found.output


@pytest.mark.real_models
def test_every_default_model_of_this_machine_is_what_the_manifest_says(model_store: ModelStore) -> None:
    for name in shipped_manifest().defaults():
        model_store.verify(name)
