"""How well the wake word is heard, and how often where nobody said it; openWakeWord as it comes beside ours."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.bench import clips as corpus
from assistant.bench.clips import Clip
from assistant.bench.feeding import with_background
from assistant.bench.figures import upper_bound
from assistant.bench.shaping import levels_db
from assistant.bench.voice_report import FalseAcceptRow, Spread, WakeRow
from assistant.errors import WakeWordError
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples, WakeWordDetector
from assistant.speech.wake_scores import Trigger, WakeEvents

STOCK_THRESHOLD = 0.5
"""openWakeWord's own recommendation (its README, "Recommendations for Usage")."""

AFTER_S = 1.0
"""Background after a clip: the model looks at 1.3 s and may come late."""

CHUNK_MS = 1000 * CHUNK_SAMPLES / SAMPLE_RATE_HZ

GAP_MS = 100
GAP_BELOW_DB = 30.0
PHRASE_MS = (500, 900)
"""Where a wake phrase can be seen to end: a silence of GAP_MS that begins so long after speech did. "Hey Jarvis" takes
0.5–0.9 s in all voices of the corpus; most run it into the sentence, and then nobody knows to 50 ms where it ended."""

AUDIO_WITHOUT_WAKE = {"human": "recorded people", "names": "synthetic voices", "no_speech": "no speech"}


@dataclass(frozen=True, slots=True)
class WakeHeard:
    """One clip with the wake phrase: when ours heard it, in milliseconds of audio, and whether stock did."""

    clip: Clip
    heard_ms: float | None
    heard_by_stock: bool
    phrase_end_ms: float | None

    @property
    def latency_ms(self) -> float | None:
        """From the end of the wake phrase, where both are known."""
        if self.heard_ms is None or self.phrase_end_ms is None:
            return None
        return self.heard_ms - self.phrase_end_ms


@dataclass(frozen=True, slots=True)
class Accepts:
    """Detections in one clip without the wake phrase."""

    clip: Clip
    ours: int
    stock: int


class StockWakeWord:
    """openWakeWord's own ``Model`` at its recommended threshold. One per stream: each begins as the library begins.

    ``folder`` holds the word's model and the two feature models. Raises WakeWordError.
    """

    def __init__(self, folder: Path, word: str, refractory_s: float) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from openwakeword.model import Model

            try:
                self._model = Model(
                    wakeword_models=[str(next(iter(sorted(folder.glob(f"{word}*.onnx")))))],
                    melspec_model_path=str(folder / "melspectrogram.onnx"),
                    embedding_model_path=str(folder / "embedding_model.onnx"),
                    inference_framework="onnx",
                )
            except Exception as error:  # the library and onnxruntime raise what they like where a file is missing
                raise WakeWordError("wake_model_unusable", f"{folder} has no usable model of {word}.") from error
        self._word = word
        self._events = WakeEvents({word: Trigger(STOCK_THRESHOLD)}, refractory_s)

    def hears(self, chunk: Samples) -> bool:
        """One chunk; runs of frames are counted as one detection, as ours are."""
        score = float(max(self._model.predict(chunk).values()))
        return self._events.heard({self._word: score}) is not None


class WakeBench:
    """Plays clips to both, as fast as they compute."""

    def __init__(
        self, folder: Path, make_ours: Callable[[], WakeWordDetector], make_stock: Callable[[], StockWakeWord]
    ) -> None:
        self._folder = folder
        self._make_ours = make_ours
        self._make_stock = make_stock

    def utterance(self, clip: Clip) -> WakeHeard:
        """A clip that begins with the wake phrase, each time to detectors that have heard nothing before. Blocking."""
        audio = corpus.samples(self._folder, clip)
        ours, stock = self._make_ours(), self._make_stock()
        heard_ms: float | None = None
        by_stock = False
        for number, chunk in enumerate(chunks(with_background(audio, clip, AFTER_S)), 1):
            if ours.process(chunk) is not None and heard_ms is None:
                heard_ms = number * CHUNK_MS
            by_stock = stock.hears(chunk) or by_stock
        return WakeHeard(clip, heard_ms, by_stock, phrase_end_ms(audio, clip))

    def without_wake(self, clips: Sequence[Clip]) -> Iterator[Accepts]:
        """Clips one after another to the same detectors, as a microphone would hear them. Blocking."""
        ours, stock = self._make_ours(), self._make_stock()
        for clip in clips:
            mine = theirs = 0
            for chunk in chunks(corpus.samples(self._folder, clip)):
                mine += ours.process(chunk) is not None
                theirs += stock.hears(chunk)
            yield Accepts(clip, mine, theirs)


def chunks(audio: Samples) -> Iterator[Samples]:
    """CHUNK_SAMPLES each; the last one is filled up with silence."""
    for start in range(0, len(audio), CHUNK_SAMPLES):
        chunk = audio[start : start + CHUNK_SAMPLES]
        yield np.pad(chunk, (0, CHUNK_SAMPLES - len(chunk))) if len(chunk) < CHUNK_SAMPLES else chunk


def phrase_end_ms(audio: Samples, clip: Clip) -> float | None:
    """Where the wake phrase of a clean clip ends, if a gap after it can be seen; not where pauses were put in."""
    if clip.kind != "command" or not clip.wake or clip.noise:
        return None
    levels = levels_db(audio / 32768.0)
    quiet = levels < levels.max(initial=-180.0) - GAP_BELOW_DB
    start = round(clip.speech_start_s * 100)
    for frame in range(start + PHRASE_MS[0] // 10, min(start + PHRASE_MS[1] // 10, len(quiet) - GAP_MS // 10)):
        if not quiet[frame - 1] and quiet[frame : frame + GAP_MS // 10].all():
            return frame * 10.0
    return None


def rows(heard: Sequence[WakeHeard]) -> tuple[WakeRow, ...]:
    """Clean speech first, then each noise at each loudness, the loudest last."""
    groups: dict[tuple[str, float | None], list[WakeHeard]] = {}
    for one in heard:
        groups.setdefault((one.clip.noise, one.clip.snr_db), []).append(one)
    ordered = sorted(groups.items(), key=lambda group: (group[0][0], -(group[0][1] or 0.0)))
    return tuple(
        WakeRow(
            noise=noise or "none",
            snr_db=snr,
            clips=len(members),
            missed=sum(one.heard_ms is None for one in members),
            missed_stock=sum(not one.heard_by_stock for one in members),
            latency=Spread.of(one.latency_ms for one in members),
        )
        for (noise, snr), members in ordered
    )


def false_accepts(accepts: Sequence[Accepts]) -> tuple[FalseAcceptRow, ...]:
    """A row for each kind of audio, with the rate that it allows at most."""
    groups: dict[str, list[Accepts]] = {}
    for one in accepts:
        groups.setdefault(one.clip.kind, []).append(one)
    return tuple(_false_accepts(AUDIO_WITHOUT_WAKE.get(kind, kind), members) for kind, members in groups.items())


def _false_accepts(name: str, accepts: Sequence[Accepts]) -> FalseAcceptRow:
    hours = sum(one.clip.duration_s for one in accepts) / 3600
    ours, stock = sum(one.ours for one in accepts), sum(one.stock for one in accepts)
    return FalseAcceptRow(
        audio=name,
        clips=len(accepts),
        hours=round(hours, 4),
        accepts=ours,
        at_most_per_hour=_rounded(upper_bound(ours, hours)),
        accepts_stock=stock,
        at_most_per_hour_stock=_rounded(upper_bound(stock, hours)),
    )


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 2)
