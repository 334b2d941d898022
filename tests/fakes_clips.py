"""Synthesizers that hum instead of speaking, for the tests of the corpus."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from assistant.bench.shaping import Wave, silence
from assistant.errors import ModelFilesError, SynthesisError
from assistant.ports import SAMPLE_RATE_HZ


@dataclass
class Hummer:
    """An Engine: every word is 0.2 s of a tone of its own, with 0.1 s of silence around the whole."""

    name: str
    package: str = "a-package"
    in_process: bool = False
    gap: str = ""
    fails_at: str = ""
    said: list[tuple[str, str]] = field(default_factory=list)

    def lacks(self) -> str:
        return self.gap

    def version(self) -> str:
        return "1.0"

    def say(self, text: str, voice: str) -> Wave:
        self.said.append((text, voice))
        if self.fails_at and self.fails_at in text:
            raise SynthesisError("synthesis_failed", f"{self.name} said nothing with the voice {voice}.")
        t = np.arange(SAMPLE_RATE_HZ // 5) / SAMPLE_RATE_HZ
        words = [np.sin(2 * np.pi * (200 + 37 * (sum(map(ord, word)) % 50)) * t) for word in text.split()]
        return np.concatenate([silence(0.1), *(0.3 * word for word in words), silence(0.1)])


def hummers(**gaps: str) -> dict[str, Hummer]:
    """One for each engine of the corpus; ``gaps``: what some of them lack, ``_`` for ``-``."""
    missing = {name.replace("_", "-"): gap for name, gap in gaps.items()}
    names = ("flite", "festival", "espeak-ng", "piper", "kokoro")
    return {name: Hummer(name, f"{name}-package", gap=missing.get(name, "")) for name in names}


def no_models(name: str) -> Path:
    """Finds no model."""
    raise ModelFilesError("model_missing", f"The model {name} is missing.")


@dataclass
class Told:
    """A Progress that remembers."""

    total: int = 0
    done: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def begin(self, total: int) -> None:
        self.total = total

    def made(self, done: int) -> None:
        self.done.append(done)

    def note(self, line: str) -> None:
        self.notes.append(line)
