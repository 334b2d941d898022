"""What Jarvis says in its own name, by key: ``prompts/phrases/<language>.yaml``, loaded once.

Facts are never phrases; they come from the tools.
"""

from __future__ import annotations

from functools import cache

import yaml
from pydantic import BaseModel, ConfigDict

from assistant.errors import JarvisError, StageError
from assistant.resources import resource

LANGUAGE = "en"


class Phrases(BaseModel):
    """The whole file; unknown sections are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phrases: dict[str, str]
    errors: dict[str, str]
    stages: dict[str, str]
    kinds: dict[str, str]
    general: str


@cache
def load(language: str = LANGUAGE) -> Phrases:
    """The phrases of a language. Raises FileNotFoundError or ValueError when the installation is damaged."""
    text = resource("prompts", "phrases", f"{language}.yaml").read_text(encoding="utf-8")
    return Phrases.model_validate(yaml.safe_load(text))


def phrase(key: str, **values: str) -> str:
    """The phrase of that key with its {braces} filled in. Raises KeyError for an unknown key or a missing value."""
    return load().phrases[key].format(**values)


def spoken_for(error: JarvisError) -> str:
    """The sentence to say for an error: its own, else its stage's, else its kind's, else the general one."""
    phrases = load()
    if isinstance(error, StageError):
        stage = error.stage.value
        return phrases.errors.get(f"{stage}.{error.code}") or phrases.stages.get(stage) or phrases.general
    for kind in type(error).__mro__:
        if kind.__name__ in phrases.kinds:
            return phrases.kinds[kind.__name__]
    return phrases.general
