"""`jarvis ask`: the answer, the documented object, and every failure as one clear message."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from assistant.demo.homelab import demo_state
from assistant.outcome import TurnOutcome
from assistant.state import StateFolder
from tests.cli.conftest import Jarvis
from tests.demo_said import BACKUPS_SAID

DOCS = Path(__file__).resolve().parents[2] / "docs" / "json-output.md"


def test_the_answer_is_on_standard_output_and_the_demo_is_named_beside_it(jarvis: Jarvis) -> None:
    result = jarvis("ask", "is the backup ok?", "--engine", "sentences")
    assert result.exit_code == 0
    assert result.stdout.startswith(BACKUPS_SAID)
    assert len(re.findall(r"\.\s", result.stdout)) == 2  # two sentences, and nothing else
    assert "demo homelab" in result.stderr


def test_json_is_the_documented_object_and_nothing_else(jarvis: Jarvis) -> None:
    result = jarvis("ask", "is the media server up?", "--engine", "sentences", "--json")
    outcome = TurnOutcome.model_validate_json(result.stdout)
    (tool,) = outcome.tools
    assert (tool.name, tool.arguments, tool.ok) == ("check_services", {"service": "jellyfin"}, True)
    assert outcome.reply == tool.result["spoken"] == "Jellyfin is up."
    assert (outcome.matched, outcome.error) == ("sentence", None)
    assert json.loads(result.stdout) == outcome.model_dump(mode="json")


def test_an_unknown_name_is_answered_with_the_nearest_ones(jarvis: Jarvis) -> None:
    result = jarvis("tools", "call", "check_services", "service=jellyfish tank")
    assert result.exit_code == 1
    assert "jellyfin" in result.stdout


def test_the_timeline_is_shown_on_request_and_never_mixes_with_json(jarvis: Jarvis) -> None:
    shown = jarvis("ask", "is gitea up?", "--engine", "sentences", "--trace")
    assert re.search(r"^ +\d+ ms {2}tools {6}check_services\(service=gitea\)", shown.stdout, re.MULTILINE)
    as_json = jarvis("ask", "is gitea up?", "--engine", "sentences", "--trace", "--json")
    assert TurnOutcome.model_validate_json(as_json.stdout).reply == "Gitea is up."
    assert "check_services(service=gitea)" in as_json.stderr


@pytest.mark.parametrize("name", ["none.wav", "no such folder/none.m4a"])
def test_a_recording_that_is_not_there_is_said_and_not_asked_as_text(jarvis: Jarvis, name: str) -> None:
    result = jarvis("ask", name, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "clip_unreadable"
    assert name in result.stderr.replace("\n", " ")


def test_without_model_files_a_recording_names_the_file_and_the_command(jarvis: Jarvis) -> None:
    clip = Path(__file__).resolve().parents[2] / "audio_fixtures" / "is_the_media_server_up.wav"
    result = jarvis("ask", str(clip), "--json")
    error = json.loads(result.stdout)["error"]
    assert result.exit_code == 4
    assert error["code"] == "model_missing"
    assert "jarvis models pull" in error["mend"]


CHAT = "tell me a joke"
"""What only a model answers: no tool is for it."""


def test_without_model_files_the_model_engine_fails_its_turn_and_says_so(jarvis: Jarvis) -> None:
    result = jarvis("ask", CHAT, "--engine", "model", "--json", JARVIS_MODEL__DISCOVER="false")
    outcome = TurnOutcome.model_validate_json(result.stdout)
    assert result.exit_code == 1
    assert outcome.error is not None
    assert (outcome.error.stage.value, outcome.error.code) == ("model", "model_files_missing")
    assert outcome.spoken == outcome.error.spoken


def test_without_model_files_a_fact_is_still_looked_up(jarvis: Jarvis) -> None:
    result = jarvis("ask", "is gitea up?", "--engine", "model", "--json", JARVIS_MODEL__DISCOVER="false")
    outcome = TurnOutcome.model_validate_json(result.stdout)
    assert (result.exit_code, outcome.error) == (0, None)
    assert (outcome.matched, outcome.reply) == ("signals", "Gitea is up.")


def test_a_model_server_outside_the_house_is_never_asked(jarvis: Jarvis) -> None:
    result = jarvis("ask", CHAT, "--engine", "model", "--json", JARVIS_MODEL__BASE_URL="http://192.0.2.1:1/v1")
    outcome = TurnOutcome.model_validate_json(result.stdout)
    assert result.exit_code == 1
    assert outcome.error is not None
    assert "192.0.2.1 is outside the private network" in outcome.error.detail


def test_a_locked_state_folder_is_said_with_its_owner(jarvis: Jarvis, demo_state_dir: Path) -> None:
    state = StateFolder.prepared(demo_state(demo_state_dir / "demo"))
    with state.owned():
        result = jarvis("ask", "is gitea up?")
    assert result.exit_code == 5
    assert "is in use by process" in result.stderr


def test_an_engine_that_does_not_exist_is_a_usage_error(jarvis: Jarvis) -> None:
    result = jarvis("ask", "hello", "--engine", "magic")
    assert result.exit_code == 2
    assert "sentences" in result.stderr


def test_the_page_about_the_object_names_every_key_and_no_other() -> None:
    documented = set(re.findall(r"^\| `([a-z_.\[\]]+)` \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE))
    assert documented == set(keys_of(TurnOutcome))


def test_the_example_on_the_page_is_such_an_object() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    TurnOutcome.model_validate_json(example)


def keys_of(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Dotted keys; ``[]`` stands for the members of a list."""
    found = []
    for name, field in model.model_fields.items():
        found.append(f"{prefix}{name}")
        for inner in models_in(field.annotation):
            listed = "[]" if getattr(field.annotation, "__origin__", None) is tuple else ""
            found += keys_of(inner, f"{prefix}{name}{listed}.")
    return found


def models_in(annotation: Any) -> list[type[BaseModel]]:
    candidates = (annotation, *get_args(annotation))
    return [part for part in candidates if isinstance(part, type) and issubclass(part, BaseModel)]
