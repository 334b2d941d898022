"""Speech recognition measured: the same clips through several settings, in one process and turn by turn.

Every clip goes through all settings before the next one, in an order that changes from clip to clip, so that whatever
else the machine does hits all of them alike: their ratio holds on a busy machine, their seconds only on an idle one.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from assistant.bench.clips import Clip, samples
from assistant.bench.word_errors import word_errors
from assistant.narrowing.mentions import Mentions
from assistant.ports import SAMPLE_RATE_HZ, Names, Samples, Transcriber, Transcript
from assistant.sentences.normalize import plain_words
from assistant.sentences.vocabulary import LONGEST_NAME_WORDS, template_words
from assistant.text.transcript import clean_transcript
from tools.contract import JsonObject
from tools.names import NameIndex, Resolved

LEAD_S = 0.3
TAIL_S = 0.2
"""What the ears keep before and after speech, and so hand to speech recognition."""

LANGUAGE = "en"
ARTICLES = frozenset({"a", "an"})
"""They may be the first syllable of a name (``tools.names``)."""

Progress = Callable[[int, int], None]
"""Clips done, clips altogether."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One clip through one setting. ``text``: the wake phrase taken off; ``named``: names that it resolves to."""

    clip: Clip
    text: str
    took_s: float
    errors: int
    words: int
    named: frozenset[str]
    window_s: float
    fell_back: str

    @property
    def names_right(self) -> bool:
        """Every name that was said is resolved, and no other one."""
        return bool(self.clip.names) and self.named == frozenset(self.clip.names)

    @property
    def names_wrong(self) -> bool:
        """A name that was not said was taken for meant."""
        return not self.named <= frozenset(self.clip.names)


@dataclass(frozen=True, slots=True)
class Group:
    """The clips of one engine of voices (piper, human, …) or of one noise."""

    name: str
    clips: int
    words: int
    word_error_rate: float
    name_clips: int
    name_accuracy: float | None


@dataclass(frozen=True, slots=True)
class Recognition:
    """One setting over all clips.

    ``word_error_rate``: errors for each word said, the wake phrase not counted; ``name_accuracy``: share of the clips
    with names of the house whose names were all resolved, None without such clips; ``names_wrong``: how many of them
    resolved to a name that was not said; ``ratio``: time for the same clips compared with the first setting;
    ``no_speech_with_text``: clips of sounds in which words were heard; ``fell_back``: reason → clips.
    """

    setting: str
    clips: int
    words: int
    errors: int
    word_error_rate: float
    name_clips: int
    name_accuracy: float | None
    names_wrong: int
    voices: int
    median_s: float
    p95_s: float
    ratio: float
    fell_back: Mapping[str, int]
    no_speech_clips: int
    no_speech_with_text: int
    groups: tuple[Group, ...]
    heard: tuple[Heard, ...]

    def to_dict(self, *, clips: bool = False) -> JsonObject:
        """For JSON; with ``clips`` also what was heard in each."""
        data = {key: value for key, value in asdict(self).items() if key != "heard"}
        data["fell_back_share"] = sum(self.fell_back.values()) / max(1, self.clips + self.no_speech_clips)
        if clips:
            data["heard"] = [
                {"clip": one.clip.id, "said": one.clip.said, "text": one.text, "errors": one.errors,
                 "took_s": one.took_s, "named": sorted(one.named), "window_s": one.window_s,
                 "fell_back": one.fell_back}
                for one in self.heard
            ]  # fmt: skip
        return data


async def compare(
    transcribers: Mapping[str, Transcriber],
    clips: Sequence[Clip],
    folder: Path,
    names: Names,
    progress: Progress = lambda _done, _all: None,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[Recognition, ...]:
    """Every clip through every setting; the first setting is the one that the others' times are compared with.

    Each setting hears the first clip once before, untimed: loading is not what is measured. Raises AudioError,
    TranscriptionError.
    """
    resolver = Resolver(names)
    heard: dict[str, list[Heard]] = {setting: [] for setting in transcribers}
    order = list(transcribers)
    for transcriber in transcribers.values() if clips else ():
        await transcriber.transcribe(as_heard(folder, clips[0]))
    for done, clip in enumerate(clips):
        audio = as_heard(folder, clip)
        for setting in order:
            started = clock()
            transcript = await transcribers[setting].transcribe(audio, woken=clip.wake)
            heard[setting].append(judged(clip, transcript, clock() - started, resolver))
        order = [*order[1:], order[0]]
        progress(done + 1, len(clips))
    reference = sum(one.took_s for one in heard[next(iter(transcribers))]) if transcribers else 0.0
    return tuple(summed_up(setting, found, reference) for setting, found in heard.items())


def as_heard(folder: Path, clip: Clip) -> Samples:
    """The part of the clip that the ears would hand on: speech with a lead and a tail; all of it without speech."""
    audio = samples(folder, clip)
    if clip.speech_end_s <= clip.speech_start_s:
        return audio
    start = int(max(0.0, clip.speech_start_s - LEAD_S) * SAMPLE_RATE_HZ)
    return audio[start : int((clip.speech_end_s + TAIL_S) * SAMPLE_RATE_HZ)]


class Resolver:
    """From the words that were heard to the names that are meant, as the assistant does it: the names that it finds
    itself, else what the tools make of the words that no template knows, which a model hands on as they are."""

    def __init__(self, names: Names) -> None:
        self._mentions = Mentions(names)
        self._index = NameIndex(names.by_kind)
        self._kinds = tuple(names.by_kind)

    def names(self, text: str, said: Sequence[str]) -> frozenset[str]:
        """Of names of several kinds that the same words stand for, the one that was ``said``."""
        words = plain_words(text)
        found = [list(mention.names.values()) for mention in self._mentions.find(words)] or self._handed_on(words)
        return frozenset(next((name for name in names if name in said), names[0]) for names in found)

    def _handed_on(self, words: str) -> list[list[str]]:
        """The stretch that is most like a name."""
        known = template_words(LANGUAGE) - ARTICLES
        parts = words.split()
        best: dict[str, float] = {}
        for start in range(len(parts)):
            for end in range(start + 1, min(len(parts), start + LONGEST_NAME_WORDS) + 1):
                if not known.isdisjoint(parts[start:end]):
                    break
                for kind in self._kinds:
                    found = self._index.resolve(kind, " ".join(parts[start:end]))
                    if isinstance(found, Resolved):
                        best[found.name] = max(best.get(found.name, 0.0), found.score)
        return [[max(best, key=lambda name: best[name])]] if best else []


def judged(clip: Clip, transcript: Transcript, took_s: float, resolver: Resolver) -> Heard:
    """What was heard against what was said; without the wake phrase, in both."""
    text = clean_transcript(transcript.text)
    errors, words = word_errors(clean_transcript(clip.said), text)
    named = resolver.names(text, clip.names) if clip.names and text else frozenset()
    return Heard(clip, text, took_s, errors, words, named, transcript.window_s, transcript.fell_back)


def summed_up(setting: str, heard: Sequence[Heard], reference_s: float) -> Recognition:
    """The figures of one setting. ``reference_s``: what the first setting took altogether."""
    spoken = [one for one in heard if one.words]
    silent = [one for one in heard if not one.clip.said]
    named = [one for one in spoken if one.clip.names]
    times = sorted(one.took_s for one in spoken) or [0.0]
    reasons = sorted({one.fell_back for one in heard if one.fell_back})
    return Recognition(
        setting=setting,
        clips=len(spoken),
        words=sum(one.words for one in spoken),
        errors=sum(one.errors for one in spoken),
        word_error_rate=_rate(spoken),
        name_clips=len(named),
        name_accuracy=_accuracy(named),
        names_wrong=sum(one.names_wrong for one in named),
        voices=len({(one.clip.engine, one.clip.voice) for one in named}),
        median_s=statistics.median(times),
        p95_s=times[min(len(times) - 1, int(0.95 * len(times)))],
        ratio=sum(one.took_s for one in heard) / reference_s if reference_s else 0.0,
        fell_back={why: sum(one.fell_back == why for one in heard) for why in reasons},
        no_speech_clips=len(silent),
        no_speech_with_text=sum(bool(one.text) for one in silent),
        groups=_groups(spoken),
        heard=tuple(heard),
    )


def _groups(spoken: Sequence[Heard]) -> tuple[Group, ...]:
    groups = []
    for name in sorted({one.clip.engine for one in spoken}):
        members = [one for one in spoken if one.clip.engine == name]
        named = [one for one in members if one.clip.names]
        words = sum(one.words for one in members)
        groups.append(Group(name, len(members), words, _rate(members), len(named), _accuracy(named)))
    return tuple(groups)


def _rate(heard: Sequence[Heard]) -> float:
    return sum(one.errors for one in heard) / max(1, sum(one.words for one in heard))


def _accuracy(named: Sequence[Heard]) -> float | None:
    return sum(one.names_right for one in named) / len(named) if named else None
