"""Every error can be said, in words that name its stage."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import assistant.errors as errors_module
from assistant.errors import ConfigError, JarvisError, Stage, StageError
from assistant.phrases import load, phrase, spoken_for
from assistant.sentences.matcher import ANSWERS, REFUSALS

SOURCE = Path(__file__).parents[1] / "assistant"
STAGE_ERRORS = {
    name: kind
    for name, kind in vars(errors_module).items()
    if inspect.isclass(kind) and issubclass(kind, StageError) and kind is not StageError
}


def codes_in_the_source() -> set[tuple[str, str]]:
    """(error class, code) of every place that makes a StageError with a literal code."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in STAGE_ERRORS:
                code = node.args[0] if node.args else None
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    found.add((node.func.id, code.value))
    return found


def phrases_used_in_the_source() -> set[str]:
    """Keys in calls of ``phrase``, and the answers that templates find by name (the clock and the date are none)."""
    found = set((ANSWERS | REFUSALS) - {"clock", "calendar"})
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "phrase":
                key = node.args[0]
                if isinstance(key, ast.Constant):
                    found.add(str(key.value))
    return found


def test_the_search_finds_errors_that_are_known_to_be_raised() -> None:
    assert {("ChatError", "no_model"), ("TranscriptionError", "nothing_heard")} <= codes_in_the_source()


@pytest.mark.parametrize(("kind", "code"), sorted(codes_in_the_source()))
def test_every_code_that_is_raised_is_said_in_the_words_of_its_stage(kind: str, code: str) -> None:
    error = STAGE_ERRORS[kind](code, "detail")
    own = load().errors.get(f"{error.stage.value}.{code}")
    assert spoken_for(error) == (own or load().stages[error.stage.value])
    assert spoken_for(error) != load().general


@pytest.mark.parametrize("stage", list(Stage))
def test_every_stage_has_a_fall_back(stage: Stage) -> None:
    assert load().stages[stage.value]


def test_no_phrase_is_for_a_stage_or_a_kind_that_does_not_exist() -> None:
    stages = {stage.value for stage in Stage}
    assert set(load().stages) <= stages
    assert {key.split(".")[0] for key in load().errors} <= stages
    assert all(issubclass(getattr(errors_module, name), JarvisError) for name in load().kinds)


def test_every_phrase_for_a_code_is_for_one_that_occurs_in_the_source() -> None:
    literals = {
        node.value
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert {key.split(".")[1] for key in load().errors} - literals == set()


def test_every_phrase_that_is_asked_for_exists_and_every_phrase_is_asked_for() -> None:
    assert phrases_used_in_the_source() == set(load().phrases)


def test_errors_outside_the_turn_have_a_sentence_too() -> None:
    assert "configuration" in spoken_for(ConfigError("bad", "x"))
    assert spoken_for(JarvisError("odd", "x")) == load().general


def test_values_are_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    with_value = load().model_copy(update={"phrases": {"failed": "{server} couldn't do that."}})
    monkeypatch.setattr("assistant.phrases.load", lambda: with_value)
    assert phrase("failed", server="weather") == "weather couldn't do that."
    with pytest.raises(KeyError):
        phrase("failed")


@pytest.mark.parametrize("text", [*load().phrases.values(), *load().errors.values(), *load().stages.values()])
def test_phrases_are_short_and_end_as_sentences(text: str) -> None:
    assert text.endswith((".", "?", "!"))
    assert len(text) <= 140
