"""Teach the assistant to hear "stop": ``python -m tests.speech.make_stop_word --said FOLDER --voices FOLDER``.

Synthetic voices say "stop" and many other things; rooms, noise and the assistant's own voice are put around them
(``stop_mixing``); openWakeWord's features of that teach small networks (``stop_training``). The threshold is chosen on
voices that taught nothing, and the figures come from a third set of voices. The same material gives the same weights.

Needs espeak-ng, flite, festival with both voices, the models of the manifest, more Kokoro voices (npm kokoro-js,
``package/voices``), and the packages of ``stop_people``. About half an hour on an idle machine.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.models import ModelStore
from assistant.ports import CHUNK_SAMPLES, Samples
from assistant.resources import resource
from assistant.speech.wake_features import EMBEDDING_SIZE, SpeechFeatures
from assistant.speech.wake_models import features_folder
from assistant.speech.wake_scores import CHUNK_S, Trigger, WakeEvents
from tests.speech.stop_mixing import Scene, noise_scene, own_scene, speech_scene, stop_scene, trimmed
from tests.speech.stop_people import people
from tests.speech.stop_training import WINDOW, Floats, Weights, train
from tests.speech.stop_voices import Part, Said, Wave, material

SEED = 20_261_121
ROUNDS: dict[Part, int] = {"train": 4, "dev": 1, "test": 1}
"""How often everything is said, in another room each time; recorded people at most twice."""

HEARD_FROM_S, HEARD_TO_S = 0.0, 0.22
"""A chunk that ends so long after the word is one in which it is to be heard; 0.3 s before and 0.5 s after that
nothing is asked of it."""

PATIENCE = 1
FALSE_PER_HOUR = 5
REFRACTORY_S = 2.0
NO_WORD = -1.0

CLIP_VOICES = ("af_bella", "af_sarah", "am_michael", "am_puck", "bf_emma", "bm_george", "em_alex", "zf_xiaoyi")
"""Kokoro's (Apache-2.0), American, British and foreign, of which the tests keep one clip each."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A scene as embeddings: window *n* ends with chunk *n*. ``end_s``: NO_WORD where "stop" is not said; ``around``:
    what else is heard."""

    name: str
    embeddings: Floats
    end_s: float
    around: str = ""

    @property
    def windows(self) -> Floats:
        """Shape (chunks, WINDOW, 96)."""
        sliding = np.lib.stride_tricks.sliding_window_view(self.embeddings, (WINDOW, EMBEDDING_SIZE))
        return np.asarray(sliding[1:, 0], dtype=np.float32)

    @property
    def seconds(self) -> float:
        return (len(self.embeddings) - WINDOW) * CHUNK_S


def scenes(said: Sequence[Said], folder: Path, part: Part) -> Iterator[tuple[str, Scene]]:
    """All that is heard in one part, by name: stop:<engine>, near, other, human, own, noise."""
    rng = np.random.default_rng((SEED, len(part), ord(part[0])))
    mine = [one for one in said if one.part == part]
    waves = {kind: [one.load(folder) for one in mine if one.kind == kind] for kind in ("other", "own")}
    waves["near"] = [one.load(folder) for one in mine if one.kind == "near" and "stop" not in one.text.casefold()]
    waves["human"] = people(part)

    def any_of(kind: str) -> Callable[[], Wave]:
        return lambda: waves[kind][rng.integers(len(waves[kind]))]

    own, other = any_of("own"), any_of("other")
    for turn in range(ROUNDS[part]):
        for one in mine:
            if one.kind == "stop":
                yield f"stop:{one.engine}", stop_scene(one.load(folder), rng, own, other)
            elif one.kind == "stop_it":
                yield "stop_it", speech_scene([one.load(folder)], rng, own, other)
        for kind, count in (("near", 4), ("other", 4), ("human", 8)):
            for group in _groups(waves[kind], count, rng) if kind != "human" or turn < 2 else ():
                yield kind, speech_scene(group, rng, own, other)
        for _ in range(3):
            for group in _groups(waves["own"], 4, rng):
                yield "own", own_scene(group, rng)
        for _ in range(30):
            yield "noise", noise_scene(8.0, rng)


def _groups(waves: list[Wave], size: int, rng: np.random.Generator) -> Iterator[list[Wave]]:
    order = rng.permutation(len(waves))
    for start in range(0, len(order), size):
        yield [waves[index] for index in order[start : start + size]]


class Ear:
    """A fresh stream for every scene."""

    def __init__(self, models: ModelStore) -> None:
        self._folder = features_folder(models)

    def hear(self, name: str, scene: Scene) -> Heard:
        features = SpeechFeatures(self._folder, history=WINDOW)
        heard = [features.recent(WINDOW)]
        for chunk in _chunks(scene.audio):
            features.feed(chunk)
            heard.append(features.recent(1))
        return Heard(name, np.concatenate(heard), NO_WORD if scene.end_s is None else scene.end_s, scene.around)


def _chunks(audio: Samples) -> Iterator[Samples]:
    for start in range(0, len(audio) - CHUNK_SAMPLES + 1, CHUNK_SAMPLES):
        yield audio[start : start + CHUNK_SAMPLES]


def taught(heard: Sequence[Heard]) -> Weights:
    """Windows that end with "stop" against all others."""
    positives, negatives = [], []
    for one in heard:
        if one.name == "stop_it":
            continue
        windows = one.windows
        after = (np.arange(len(windows)) + 1) * CHUNK_S - one.end_s
        said = one.end_s != NO_WORD
        yes = said & (after >= HEARD_FROM_S) & (after <= HEARD_TO_S)
        doubtful = said & (after > HEARD_FROM_S - 0.3) & (after < HEARD_TO_S + 0.5)
        positives.append(windows[yes])
        negatives.append(windows[~doubtful])
    return train(np.concatenate(positives), np.concatenate(negatives), seed=SEED)


def detections(scores: Floats, threshold: float) -> list[float]:
    """Seconds at which "stop" is heard, as the detector counts them."""
    events = WakeEvents({"stop": Trigger(threshold, PATIENCE)}, REFRACTORY_S)
    return [
        (index + 1) * CHUNK_S for index, score in enumerate(scores) if events.heard({"stop": float(score)}) is not None
    ]


def chosen_threshold(scored: Sequence[tuple[Heard, Floats]]) -> float:
    """The lowest at which the voices that choose let through FALSE_PER_HOUR of other people's speech, and the
    assistant's own voice nothing: it is listened for only during replies, and there is mostly that voice."""
    others = [(heard, scores) for heard, scores in scored if not heard.name.startswith("stop")]
    hours = sum(heard.seconds for heard, _ in others) / 3600
    for threshold in np.arange(0.5, 0.999, 0.005):
        false = Counter(heard.name for heard, scores in others for _ in detections(scores, threshold))
        if false.total() <= FALSE_PER_HOUR * hours and not false["own"]:
            return round(float(threshold), 3)
    return 0.999


def figures(scored: Sequence[tuple[Heard, Floats]], threshold: float) -> dict[str, object]:
    """Recall and latency where "stop" is said; false accepts and hours where it is not."""
    said: Counter[str] = Counter()
    found: Counter[str] = Counter()
    hours: defaultdict[str, float] = defaultdict(float)
    false: Counter[str] = Counter()
    late: list[float] = []
    for heard, scores in scored:
        at = detections(scores, threshold)
        if heard.name == "stop_it":
            said[heard.name] += 1
            found[heard.name] += bool(at)
        elif heard.name.startswith("stop"):
            said[heard.name] += 1
            after = [when - heard.end_s for when in at if -0.3 < when - heard.end_s < 0.75]
            found[heard.name] += bool(after)
            said[f"with {heard.around}"] += 1
            found[f"with {heard.around}"] += bool(after)
            late += after[:1]
        else:
            hours[heard.name] += heard.seconds / 3600
            false[heard.name] += len(at)
    return {
        "threshold": threshold,
        "recall": {name: f"{found[name]} of {said[name]}" for name in sorted(said)},
        "seconds after the end of the word": {
            f"p{p}": round(float(np.percentile(late or [0], p)), 3) for p in (5, 50, 95)
        },
        "heard within 0.15 s": round(sum(after <= 0.15 for after in late) / max(len(late), 1), 3),
        "false accepts": {name: f"{false[name]} in {hours[name]:.2f} h" for name in sorted(hours)},
    }


def _false(scored: Sequence[tuple[Heard, Floats]], threshold: float) -> int:
    return sum(len(detections(scores, threshold)) for heard, scores in scored if not heard.name.startswith("stop"))


def keep_clips(said: Sequence[Said], folder: Path, out: Path) -> None:
    """A few "stop" of voices held out, for the tests: int16, 16 kHz, each ends with the word."""
    kept: dict[str, Any] = {
        one.voice: (trimmed(one.load(folder)) * 32767).astype(np.int16)
        for one in reversed(said)
        if one.part == "test" and one.kind == "stop" and one.voice in CLIP_VOICES
    }
    np.savez_compressed(out, **{voice: kept[voice] for voice in sorted(kept)})


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--said", type=Path, required=True, help="where what is said is kept")
    parser.add_argument("--voices", type=Path, required=True, help="Kokoro's voices, <voice>.bin")
    parser.add_argument("--out", type=Path, default=resource("prompts") / "stop_word.npz")
    chosen = parser.parse_args()
    models = ModelStore()
    said = material(chosen.said, models, chosen.voices)
    ear = Ear(models)
    heard = {part: [ear.hear(*scene) for scene in scenes(said, chosen.said, part)] for part in ROUNDS}
    weights = taught(heard["train"])
    scored = {part: [(one, weights.scores(one.windows)) for one in heard[part]] for part in ROUNDS}
    threshold = chosen_threshold(scored["dev"])
    weights.save(chosen.out, threshold=threshold, patience=PATIENCE)
    keep_clips(said, chosen.said, Path(__file__).with_name("stop_clips.npz"))
    report: dict[str, object] = {part: figures(scored[part], threshold) for part in ROUNDS}
    silent = next(level for level in (*np.arange(0.5, 1.0, 0.005), 1.0) if not _false(scored["test"], level))
    report["test, no false accept"] = figures(scored["test"], round(float(silent), 3))
    print(json.dumps(report, indent=2))  # noqa: T201 - a program


if __name__ == "__main__":
    main()
