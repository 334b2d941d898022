"""Teach the assistant to hear "stop": ``python -m tests.speech.make_stop_word --said F --voices F --people F``.

People and synthetic voices say "stop" and many other things; rooms, noise and the assistant's own voice are put around
them (``stop_mixing``); openWakeWord's features of that teach small networks (``stop_training``). The threshold is
chosen on voices that taught nothing, and the figures come from a third set of voices. The same material gives the same
weights; those in ``prompts`` are older than the loudspeaker of ``stop_mixing``, which is late and bends what is loud.

Needs espeak-ng, flite, festival with both voices, the models of the manifest, more Kokoro voices (npm kokoro-js,
``package/voices``), the test set of Speech Commands and the packages of ``stop_people``. Three quarters of an hour on
an idle machine with 2 cores and 12 GB. ``--only-test`` prints the figures of the weights as they are.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain, repeat
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from assistant.models import ModelStore
from assistant.own_voice import sounds_like_stop
from assistant.ports import Samples
from assistant.resources import resource
from assistant.speech.chunking import whole_chunks
from assistant.speech.echo import EchoShare
from assistant.speech.stop_echo import StopEcho
from assistant.speech.stop_word import StopWord
from assistant.speech.wake_features import EMBEDDING_SIZE, SpeechFeatures
from assistant.speech.wake_models import features_folder
from assistant.speech.wake_scores import CHUNK_S, Trigger, WakeEvents
from tests.speech.stop_mixing import Scene, noise_scene, own_scene, speech_scene, stop_scene, trimmed
from tests.speech.stop_people import COMMANDS, commands, people
from tests.speech.stop_training import WINDOW, Floats, Weights, train
from tests.speech.stop_voices import Part, Said, Wave, material

SEED = 20_261_121
ROUNDS: dict[Part, int] = {"train": 4, "dev": 1, "test": 1}
"""How often everything is said, in another room each time; recorded people at most twice."""

PEOPLE_MORE = 3
"""How often in each round people say "stop": they are fewer than the synthetic voices, and it is for them."""

OWN_MORE: dict[Part, int] = {"train": 1, "dev": 12, "test": 12}
"""How often in each round the assistant says its replies."""

HEARD_FROM_S, HEARD_TO_S = 0.0, 0.22
"""A chunk that ends so long after the word is one in which it is to be heard; 0.3 s before and 0.5 s after that
nothing is asked of it."""

PATIENCE = 1
FALSE_PER_HOUR = 30
"""Of other people's speech in rooms and noise. It is listened for only during replies: where somebody talks over a
minute of them a day, that is one reply in two days that falls silent for nothing."""

OWN_PER_HOUR = 2
"""Of the assistant's own voice, where its words and ``StopEcho`` have nothing against it: an hour of that is a thousand
replies."""

REFRACTORY_S = 2.0
TOGETHER = 400
"""Scenes that wait to be heard, at most."""

NO_WORD = -1.0

CLIP_VOICES = ("af_bella", "af_sarah", "am_michael", "am_puck", "bf_emma", "bm_george", "em_alex", "zf_xiaoyi")
"""Kokoro's (Apache-2.0), American, British and foreign, of which the tests keep one clip each."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A scene as embeddings: window *n* ends with chunk *n*. ``end_s``: NO_WORD where "stop" is not said; ``around``:
    what else is heard; ``echo``: whether the loudspeaker is heard in it ("there"), was ("cancelled"), or was not;
    ``only_echo``: for each chunk of a cancelled one, whether nothing counts there."""

    name: str
    embeddings: Floats
    end_s: float
    around: str = ""
    echo: Literal["", "there", "cancelled"] = ""
    only_echo: tuple[bool, ...] = ()

    @property
    def windows(self) -> Floats:
        """Shape (chunks, WINDOW, 96)."""
        sliding = np.lib.stride_tricks.sliding_window_view(self.embeddings, (WINDOW, EMBEDDING_SIZE))
        return np.asarray(sliding[1:, 0], dtype=np.float32)

    @property
    def seconds(self) -> float:
        return (len(self.embeddings) - WINDOW) * CHUNK_S


def scenes(
    said: Sequence[Said], folder: Path, recorded: Path, part: Part, echo: StopEcho | None = None
) -> Iterator[tuple[str, Scene]]:
    """All that is heard in one part, by name: stop:<engine>, stop:person, near, command, other, human, own, noise.
    Replies during which nothing counts, by their words or by ``echo``, are not in it."""
    rng = np.random.default_rng((SEED, len(part), ord(part[0])))
    mine = [one for one in said if one.part == part]
    persons = [] if part == "dev" else commands(recorded, "stop", part)
    replies = [one for one in mine if one.kind == "own"]
    quiet = [wave for one in replies if not sounds_like_stop(one.text) for wave in [one.load(folder)]]
    waves = {
        "other": [one.load(folder) for one in mine if one.kind == "other"],
        "near": [one.load(folder) for one in mine if one.kind == "near" and "stop" not in one.text.casefold()],
        "command": [one.wave for word in COMMANDS if persons for one in commands(recorded, word, part)],
        "human": people(part),
        "own": [wave for wave in quiet if echo is None or not echo.doubtful((wave * 32767).astype(np.int16))],
    }

    def any_of(kind: str) -> Callable[[], Wave]:
        return lambda: waves[kind][rng.integers(len(waves[kind]))]

    own, other = any_of("own"), any_of("other")
    for turn in range(ROUNDS[part]):
        for one in mine:
            if one.kind == "stop":
                yield f"stop:{one.engine}", stop_scene(one.load(folder), rng, own, other)
            elif one.kind == "stop_it":
                yield "stop_it", speech_scene([one.load(folder)], rng, own, other)
        for person in persons * PEOPLE_MORE:
            yield "stop:person", stop_scene(person.wave, rng, own, other, person.end)
        for kind, count in (("near", 4), ("command", 4), ("other", 4), ("human", 8)):
            for group in _groups(waves[kind], count, rng) if kind != "human" or turn < 2 else ():
                yield kind, speech_scene(group, rng, own, other)
        for _ in range(OWN_MORE[part]):
            for group in _groups(waves["own"], 4, rng):
                yield "own", own_scene(group, rng)
        for _ in range(30):
            yield "noise", noise_scene(8.0, rng)


def _groups(waves: list[Wave], size: int, rng: np.random.Generator) -> Iterator[list[Wave]]:
    order = rng.permutation(len(waves))
    for start in range(0, len(order), size):
        yield [waves[index] for index in order[start : start + size]]


def hear(scene: tuple[str, Scene]) -> list[Heard]:
    """By a fresh stream; where the loudspeaker is heard, once more with its echo cancelled."""
    name, what = scene
    end_s = NO_WORD if what.end_s is None else what.end_s
    if (cancelled := what.cancelled) is None:
        return [Heard(name, _embeddings(what.heard), end_s, what.around)]
    return [
        Heard(name, _embeddings(what.heard), end_s, what.around, "there"),
        Heard(name, _embeddings(cancelled), end_s, what.around, "cancelled", _only_echo(what.heard, cancelled)),
    ]


def _only_echo(there: Samples, left: Samples) -> tuple[bool, ...]:
    share, told = EchoShare(), []
    for chunk, cleaned in zip(whole_chunks(there), whole_chunks(left), strict=False):
        share.chunk(chunk, cleaned)
        told.append(share.only_echo)
    return tuple(told)


def _embeddings(audio: Samples) -> Floats:
    features = SpeechFeatures(features_folder(ModelStore()), history=WINDOW)
    heard = [features.recent(WINDOW)]
    for chunk in whole_chunks(audio):
        features.feed(chunk)
        heard.append(features.recent(1))
    return np.concatenate(heard)


def hear_all(scenes: Iterator[tuple[str, Scene]], part: Part) -> list[Heard]:
    """In the same order, by two other processes, while this one mixes the next."""
    heard: list[Heard] = []
    columns = (SpinnerColumn(), TextColumn("{task.description}: {task.completed} scenes"), TimeElapsedColumn())
    with ProcessPoolExecutor(2) as pool, Progress(*columns, console=Console(stderr=True)) as bars:
        bar = bars.add_task(part)
        waiting: deque[Future[list[Heard]]] = deque()
        for scene in chain(scenes, repeat(None, TOGETHER)):
            if scene is not None:
                waiting.append(pool.submit(hear, scene))
            if waiting and (scene is None or len(waiting) > TOGETHER):
                heard += waiting.popleft().result()
                bars.update(bar, completed=len(heard))
    return heard


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


def detections(heard: Heard, scores: Floats, threshold: float) -> list[float]:
    """Seconds at which "stop" is heard and counts, as the detector counts them."""
    events = WakeEvents({"stop": Trigger(threshold, PATIENCE)}, REFRACTORY_S)
    at = [index for index, score in enumerate(scores) if events.heard({"stop": float(score)}) is not None]
    return [(index + 1) * CHUNK_S for index in at if not any(heard.only_echo[index : index + 1])]


def chosen_threshold(scored: Sequence[tuple[Heard, Floats]]) -> float:
    """The lowest at which the voices that choose let through FALSE_PER_HOUR of other people's speech, and OWN_PER_HOUR
    of the assistant's."""
    others = [one for one in scored if one[0].name in ("human", "other")]
    own = [one for one in scored if one[0].name == "own"]
    for threshold in np.arange(0.5, 0.999, 0.005):
        if _per_hour(others, threshold) <= FALSE_PER_HOUR and _per_hour(own, threshold) <= OWN_PER_HOUR:
            return round(float(threshold), 3)
    return 0.999


def _per_hour(scored: Sequence[tuple[Heard, Floats]], threshold: float) -> float:
    hours = sum(heard.seconds for heard, _ in scored) / 3600
    return sum(len(detections(heard, scores, threshold)) for heard, scores in scored) / hours


def figures(scored: Sequence[tuple[Heard, Floats]], threshold: float) -> dict[str, object]:
    """Recall and latency where "stop" is said; false accepts and hours where it is not."""
    said: Counter[str] = Counter()
    found: Counter[str] = Counter()
    hours: defaultdict[str, float] = defaultdict(float)
    false: Counter[str] = Counter()
    late: list[float] = []
    for heard, scores in scored:
        at = detections(heard, scores, threshold)
        if heard.name == "stop_it":
            said[heard.name] += 1
            found[heard.name] += bool(at)
        elif heard.name.startswith("stop"):
            said[heard.name] += 1
            after = [when - heard.end_s for when in at if -0.3 < when - heard.end_s < 0.75]
            found[heard.name] += bool(after)
            around = f"{'people' if heard.name == 'stop:person' else 'synthetic'}, {heard.around}"
            said[around] += 1
            found[around] += bool(after)
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
    parser.add_argument("--people", type=Path, required=True, help="the test set of Speech Commands v0.02")
    parser.add_argument("--only-test", action="store_true", help="the figures of --out as it is")
    chosen = parser.parse_args()
    said = material(chosen.said, ModelStore(), chosen.voices)

    def heard(part: Part, echo: StopEcho | None = None) -> list[Heard]:
        all_of = scenes(said, chosen.said, chosen.people, part, echo)
        if part == "train":  # taught with cancelled echoes too, it hears no more
            all_of = ((name, replace(scene, sent=None)) for name, scene in all_of)
        return hear_all(all_of, part)

    def scored(part: Part) -> list[tuple[Heard, Floats]]:
        echo = StopEcho(StopWord(chosen.out), features_folder(ModelStore()))
        return [(one, weights.scores(one.windows)) for one in heard(part, echo)]

    if not chosen.only_test:
        weights = taught(heard("train"))
        weights.save(chosen.out, threshold=0.5, patience=PATIENCE)
        weights.save(chosen.out, threshold=chosen_threshold(scored("dev")), patience=PATIENCE)
        keep_clips(said, chosen.said, Path(__file__).with_name("stop_clips.npz"))
    weights, threshold = Weights.load(chosen.out)
    tested = scored("test")
    print(json.dumps({  # noqa: T201 - a program
        f"echo {echo}": figures([one for one in tested if one[0].echo in ("", echo)], threshold)
        for echo in ("cancelled", "there")
    }, indent=2))  # fmt: skip


if __name__ == "__main__":
    main()
