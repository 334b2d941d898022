"""All targets by name. Each module is imported when one of its targets is asked for: atheris instruments it then."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from tests.fuzz.target import Target

MODULES: Mapping[str, tuple[str, ...]] = {
    "tests.fuzz.on_speech": ("clips", "wav-streams", "wyoming-frames", "wyoming-server"),
    "tests.fuzz.on_model": ("model-text", "model-arguments", "model-deltas", "model-server"),
    "tests.fuzz.on_words": ("transcripts", "spoken-text"),
    "tests.fuzz.on_settings": ("settings", "variables", "catalogue", "tokens-file"),
    "tests.fuzz.on_house": ("answers", "lines", "web"),
    "tests.fuzz.on_outside": ("outside-servers", "resources"),
    "tests.fuzz.on_http": ("http", "identity"),
}
NAMES = tuple(name for names in MODULES.values() for name in names)


def target(name: str) -> Target:
    """Raises KeyError for a name that is none."""
    module = next((module for module, names in MODULES.items() if name in names), None)
    if module is None:
        raise KeyError(name)
    found: tuple[Target, ...] = importlib.import_module(module).TARGETS
    return next(one for one in found if one.name == name)
