"""What the corpus of clips consists of: every clip as a value, before any sound is made.

The same arguments give the same recipe, and its hash names the folder in the cache. The short corpus is for the test
suite (under two minutes of work on two cores), the full one for the benchmark.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Final, Literal

from assistant.bench import noises
from assistant.bench.clips import Kind
from assistant.bench.sentences import COMMANDS, NAMES, PAUSES, WAKE_PHRASE, names_in, plain
from assistant.bench.voices import QUICK, VOICES, Voice

FORMAT = 1
"""Goes up whenever the same recipe would be made into other samples."""

BABBLE: Final = "babble"
"""Other people talking: synthesized sentences on top of each other, no sound of ``noises``."""

MIXED: tuple[tuple[str, str], ...] = (
    ("white", "white"),
    ("pink", "pink"),
    ("hum", "50hz"),
    ("fan", "fan"),
    ("music", "drums"),
    ("clicks", "keyboard"),
    (BABBLE, BABBLE),
)
"""The noises that commands are mixed with: class and maker."""

SNR_DB: tuple[int, ...] = (20, 10, 5)


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence by a voice. ``text`` as written, with the marks of hesitation; ``louder_db``: people are not equally
    far away; ``noise``, ``maker``: what it is mixed with, ``snr_db`` below the speech, or empty."""

    id: str
    kind: Kind
    text: str
    voice: Voice
    wake: bool
    names: tuple[str, ...]
    louder_db: int
    noise: str = ""
    maker: str = ""
    snr_db: int | None = None

    @property
    def spoken(self) -> str:
        """What a listener should write down."""
        words = plain(self.text)
        return words.replace(f"{WAKE_PHRASE},", WAKE_PHRASE).replace(WAKE_PHRASE, WAKE_PHRASE.lower())


@dataclass(frozen=True, slots=True)
class Noise:
    """A synthesized sound of a class."""

    id: str
    noise: str
    maker: str
    seconds: int
    gain: float
    seed: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """``part``: short, full, or some of either; ``prompts``, ``sounds``: how many recordings of people's telephone
    prompts and of other things to look for."""

    part: Literal["short", "full", "some"]
    said: tuple[Said, ...]
    noises: tuple[Noise, ...]
    prompts: int
    sounds: int
    limit: int | None = None

    def hash(self, made_by: object) -> str:
        """Of this recipe and of what it is made with: sixteen hex digits."""
        text = json.dumps([FORMAT, asdict(self), made_by], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def recipe(*, short: bool = False, engines: Iterable[str] = (), limit: int | None = None) -> Recipe:
    """The corpus: ``engines`` narrows the synthesizers, ``limit`` the clips of each kind."""
    wanted = frozenset(engines)
    cast = QUICK if short else VOICES
    said: list[Said] = []
    for group in (_commands(cast, short), _pauses(cast, short), _names(cast, short), _mixed(cast, short)):
        mine = [one for one in group if not wanted or one.voice.engine in wanted]
        said += mine[:limit]
    quiet = [*_noises(short)][:limit]
    part: Literal["short", "full", "some"] = "short" if short else "full"
    if limit is not None or {one.voice.engine for one in said} != {voice.engine for voice in cast}:
        part = "some"
    return Recipe(part, tuple(said), tuple(quiet), 10 if short else 120, 0 if short else 40, limit)


def _commands(cast: tuple[Voice, ...], short: bool) -> Iterator[Said]:
    """Each command by several voices; every third with the breath that a comma is."""
    rounds = 1 if short else 3
    for n, text in enumerate(COMMANDS[: 18 if short else None]):
        for turn in range(rounds):
            voice = cast[(n + turn * (len(cast) // rounds)) % len(cast)]
            comma = "," if (n // 3 + turn) % 3 == 2 else ""
            yield _said("command", n, f"{WAKE_PHRASE}{comma} {text}", voice, wake=True)


def _pauses(cast: tuple[Voice, ...], short: bool) -> Iterator[Said]:
    rounds = 1 if short else 2
    for n, text in enumerate(PAUSES[: 8 if short else None]):
        for turn in range(rounds):
            voice = cast[(n + 3 + turn * (len(cast) // rounds)) % len(cast)]
            yield _said("pause", n, f"{WAKE_PHRASE} {text}", voice, wake=True)


def _names(cast: tuple[Voice, ...], short: bool) -> Iterator[Said]:
    """Each name by nine voices, of all engines."""
    rounds = 1 if short else 9
    for n, text in enumerate(NAMES.values()):
        for turn in range(rounds):
            voice = cast[(n + 5 + turn * 5) % len(cast)]
            yield _said("names", n, text, voice, wake=False)


def _mixed(cast: tuple[Voice, ...], short: bool) -> Iterator[Said]:
    """Some of the commands once more, in noise: the first of every other voice."""
    firsts = {one.voice: one for one in reversed([*_commands(cast, short)]) if "," not in one.text}
    speaking = [firsts[voice] for voice in cast[::2] if voice in firsts][: 2 if short else 10]
    for one in speaking:
        for noise, maker in (MIXED[0], MIXED[4], MIXED[5]) if short else MIXED:
            for snr_db in (10,) if short else SNR_DB:
                name = f"{one.id}-{noise}-{snr_db}"
                yield replace(one, id=name, noise=noise, maker=maker, snr_db=snr_db)


def _said(kind: Kind, n: int, text: str, voice: Voice, *, wake: bool) -> Said:
    louder = (0, -5, 4)[(n + len(voice.name)) % 3]
    return Said(f"{kind}-{n:02d}-{voice.slug}", kind, text, voice, wake, names_in(plain(text)), louder)


def _noises(short: bool) -> Iterator[Noise]:
    for noise, makers in noises.MAKERS.items():
        for maker, _ in makers:
            for n, gain in enumerate((0.5,) if short else (1.0, 0.4, 0.15)):
                yield Noise(f"no_speech-{noise}-{maker}-{n}", noise, maker, 4 if short else 4 + 2 * n, gain, n)
