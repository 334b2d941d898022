"""Wake words by openWakeWord's models, fed without pause."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from assistant.errors import WakeWordError
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Detection, Samples, VoiceActivityDetector
from assistant.speech.stop_word import NAME as STOP
from assistant.speech.stop_word import StopWord
from assistant.speech.wake_features import SpeechFeatures
from assistant.speech.wake_models import Scorer, WakeWord, load_scorer
from assistant.speech.wake_scores import Trigger, WakeEvents

GATE_S = 0.5
"""A detection counts when there was speech within this time: it comes 0.1–0.3 s after the word's last sound."""


ORDER_CHUNKS = round(2.0 * SAMPLE_RATE_HZ / CHUNK_SAMPLES)
"""After a wake word comes an order: "stop" in it ("Hey Jarvis, stop the windows machine") is a part of that."""


class OpenWakeWord:
    """Implements WakeWordDetector for several words at once. One per stream.

    It is never reset: a refractory period keeps one utterance of a wake word from counting twice. The features are
    computed once for all words. Audio may come in pieces of any size; whole chunks of 80 ms are what is heard, so the
    detections do not depend on how it was cut.
    """

    def __init__(
        self,
        words: Mapping[str, WakeWord],
        *,
        features: Path,
        refractory_s: float,
        gate: VoiceActivityDetector | None = None,
        gate_probability: float = 0.5,
        stop: StopWord | None = None,
    ) -> None:
        """``features``: folder with melspectrogram.onnx and embedding_model.onnx. ``gate``: a detection counts only
        where this detector, which must be of its own, gave ``gate_probability`` in the last GATE_S. ``stop``: hears
        "stop" on the same features, while it is listened for; it needs no gate and has a refractory period of its own.
        Raises WakeWordError."""
        self._scorers: dict[str, Scorer] = {name: load_scorer(word.model) for name, word in words.items()}
        triggers = {name: Trigger(word.threshold, word.patience) for name, word in words.items()}
        self._events = WakeEvents(triggers, refractory_s)
        self._stop_events: WakeEvents | None = None
        self._listens_for_stop = False
        self._order_chunks = 0
        self.stop = stop
        if stop is not None:
            if STOP in words:
                detail = f"The wake word {STOP!r} is what stops the assistant while it speaks."
                raise WakeWordError("wake_word_reserved", detail, mend="Give your wake word another name.")
            self._scorers[STOP] = stop
            self._stop_events = WakeEvents({STOP: Trigger(stop.threshold, stop.patience)}, refractory_s)
        self._features = SpeechFeatures(features, history=max(scorer.window for scorer in self._scorers.values()))
        self._gate = _Gate(gate, gate_probability) if gate is not None else None
        self._rest: Samples = np.zeros(0, dtype=np.int16)
        self._scores = dict.fromkeys(self._scorers, 0.0)

    @property
    def scores(self) -> Mapping[str, float]:
        """Of the last chunk, 0–1 by word; that of "stop" too, where it can be heard."""
        return MappingProxyType(self._scores)

    def listen_for_stop(self, listen: bool) -> None:
        """Whether "stop" is a detection from now on (``word="stop"``). A "stop" that is still sounding counts."""
        self._listens_for_stop = listen

    def process(self, chunk: Samples) -> Detection | None:
        """Feed CHUNK_SAMPLES; of a longer piece the first detection. What does not fill a chunk waits for the rest."""
        audio = np.concatenate([self._rest, chunk])
        whole = len(audio) // CHUNK_SAMPLES * CHUNK_SAMPLES
        self._rest = audio[whole:]
        detections = [self._chunk(audio[at : at + CHUNK_SAMPLES]) for at in range(0, whole, CHUNK_SAMPLES)]
        return next((detection for detection in detections if detection is not None), None)

    def _chunk(self, chunk: Samples) -> Detection | None:
        self._features.feed(chunk)
        speech = self._gate.open(chunk) if self._gate is not None else True
        for name, scorer in self._scorers.items():
            self._scores[name] = scorer.score(self._features.recent(scorer.window))
        woken = self._events.heard(self._scores, counts=speech)
        if self._stop_events is None:
            return woken
        self._order_chunks = ORDER_CHUNKS if woken is not None else max(self._order_chunks - 1, 0)
        listens = self._listens_for_stop and not self._order_chunks
        stopped = self._stop_events.heard(self._scores, counts=listens)
        return woken or stopped


class _Gate:
    """Whether there was speech lately; hears every chunk, because a VAD is worth nothing on pieces."""

    def __init__(self, vad: VoiceActivityDetector, probability: float) -> None:
        self._vad = vad
        self._probability = probability
        frames = math.ceil(GATE_S * SAMPLE_RATE_HZ / vad.frame_samples)
        self._recent: deque[float] = deque(maxlen=frames)
        self._rest: Samples = np.zeros(0, dtype=np.int16)

    def open(self, chunk: Samples) -> bool:
        """After this chunk."""
        audio, size = np.concatenate([self._rest, chunk]), self._vad.frame_samples
        whole = len(audio) // size * size
        self._recent.extend(self._vad.probability(audio[at : at + size]) for at in range(0, whole, size))
        self._rest = audio[whole:]
        return max(self._recent, default=0.0) >= self._probability
