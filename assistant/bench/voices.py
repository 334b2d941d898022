"""Who speaks in the voice benchmark: the voices, in the order in which sentences are given to them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from assistant.bench.engines import Engine, Piper, espeak_ng, festival, flite
from assistant.bench.kokoro import Kokoro
from assistant.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice of one engine, by the engine's own name."""

    engine: str
    name: str

    @property
    def slug(self) -> str:
        """For ids and file names."""
        plain = f"{self.engine}-{self.name.removeprefix('piper-')}"
        return re.sub(r"[@+_]", "-", plain).replace(".", "")


VOICES: tuple[Voice, ...] = (
    Voice("flite", "slt"),
    Voice("kokoro", "am_michael"),
    Voice("piper", "piper-en-us-joe@1.0"),
    Voice("espeak-ng", "en-us"),
    Voice("kokoro", "bf_emma"),
    Voice("flite", "rms"),
    Voice("festival", "cmu_us_slt_arctic_hts"),
    Voice("kokoro", "am_fenrir"),
    Voice("espeak-ng", "en-us+f2"),
    Voice("kokoro", "af_heart"),
    Voice("piper", "piper-en-us-joe@1.2"),
    Voice("espeak-ng", "en-us+m3"),
    Voice("kokoro", "bm_george"),
    Voice("festival", "kal_diphone"),
    Voice("kokoro", "af_bella"),
    Voice("espeak-ng", "en-gb"),
    Voice("kokoro", "bm_fable"),
    Voice("piper", "piper-en-us-joe@0.85"),
    Voice("kokoro", "af_sky"),
    Voice("espeak-ng", "en-us+Denis"),
    Voice("kokoro", "am_puck"),
)
"""21 voices; Piper's three are one person at three speeds.

Voices that nobody would understand say nothing about ears: Whisper base with its 30 s window makes at most one error in
four words of each over five plain commands. That leaves out flite's awb (38 %) and kal16 (27 %), and of espeak-ng's the
Scottish (68 %), the received pronunciation (35 %) and most variants of the speaker (27 to 97 %).
"""

QUICK: tuple[Voice, ...] = tuple(
    voice for n, voice in enumerate(VOICES) if voice.engine != "kokoro" or n < 5 or voice.name == "af_heart"
)
"""For the short corpus: Kokoro takes about as long as what it says, so there are three of its voices."""


def engines(models: Callable[[str], Path]) -> Mapping[str, Engine]:
    """All synthesizers by name. ``models``: the folder of a model; raises ModelFilesError when it is not there."""
    known: tuple[Engine, ...] = (flite(), festival(), espeak_ng(), Piper(models), Kokoro(models))
    return {engine.name: engine for engine in known}


def among(names: Iterable[str], known: Iterable[str]) -> frozenset[str]:
    """The engines that are wanted; all when none is named. Raises ConfigError unknown_engine."""
    wanted, known = frozenset(names), frozenset(known)
    if odd := sorted(wanted - known):
        detail = f"There is no synthesizer named {odd[0]!r}."
        raise ConfigError("unknown_engine", detail, mend=f"Known are {', '.join(sorted(known))}.")
    return wanted or known
