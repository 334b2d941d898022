"""What the loudspeaker is going to say, heard as the microphone will hear it: is there a "stop" in it?

The assistant's own voice must not silence it. Which of its sentences sound like "stop" depends on the voice; so the
detector itself is asked, on the samples, before they come back through the room.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock

import numpy as np

from assistant.errors import WakeWordError
from assistant.ports import SAMPLE_RATE_HZ, Samples, SpeechChunk
from assistant.speech.chunking import whole_chunks
from assistant.speech.onnx_session import MEND
from assistant.speech.resampling import Resampler
from assistant.speech.stop_word import StopWord
from assistant.speech.wake_features import SpeechFeatures

DOUBTFUL = 0.2
"""A sentence that the detector scores so high is left out of what "stop" is listened for in: a room may raise the
score (``python -m tests.speech.make_stop_word`` counts how often it then comes over the threshold)."""

SILENCE_S = 1.6
"""Between two pieces: longer than what is remembered for a score, 0.775 s and nine chunks more."""

AFTER_S = 0.3
"""A word is detected so long after its end."""

BEFORE_S = 0.8
"""Of the piece before: a word may begin in one piece and end in the next."""


class StopEcho:
    """Thread-safe; one for all loudspeakers. Some 0.6 ms for each 80 ms of sound."""

    def __init__(self, stop: StopWord, features: Path) -> None:
        """``features``: folder with the wake words' feature models; read by ``load``, or when it is first asked."""
        self._stop = stop
        self._folder = features
        self._features: SpeechFeatures | None = None
        self._lock = Lock()

    def load(self) -> None:
        """Read the feature models now, not at the first sentence. Raises WakeWordError."""
        self.doubtful(np.zeros(0, dtype=np.int16))

    def sentence(self) -> Callable[[SpeechChunk], bool]:
        """Takes the pieces of one sentence, in order: could the detector take for "stop" what ends in this one?"""
        return _Sentence(self.doubtful).doubtful

    def doubtful(self, audio: Samples) -> bool:
        """Whether the detector could take a part of it for "stop". ``audio``: int16, 16 kHz, mono. Raises WakeWordError
        when the feature models are not there or do not run."""
        with self._lock:
            try:
                if self._features is None:
                    self._features = SpeechFeatures(self._folder, history=self._stop.window)
                return self._scored_over(self._features, audio)
            except WakeWordError:
                raise
            except Exception as error:  # onnxruntime raises classes of its own C extension
                self._features = None
                detail = f"The detector cannot hear the reply: {type(error).__name__}."
                raise WakeWordError("wake_model_unusable", detail, mend=MEND) from error

    def _scored_over(self, features: SpeechFeatures, audio: Samples) -> bool:
        for chunk in whole_chunks(np.zeros(round(SILENCE_S * SAMPLE_RATE_HZ), dtype=np.int16)):
            features.feed(chunk)
        for chunk in whole_chunks(np.concatenate([audio, np.zeros(int(AFTER_S * SAMPLE_RATE_HZ), dtype=np.int16)])):
            features.feed(chunk)
            if self._stop.score(features.recent(self._stop.window)) >= DOUBTFUL:
                return True
        return False


class _Sentence:
    """Piece by piece."""

    def __init__(self, takes_for_stop: Callable[[Samples], bool]) -> None:
        self._takes_for_stop = takes_for_stop
        self._resampler = Resampler(SAMPLE_RATE_HZ)
        self._before: Samples = np.zeros(0, dtype=np.int16)

    def doubtful(self, chunk: SpeechChunk) -> bool:
        piece = np.frombuffer(self._resampler.feed(chunk), dtype="<i2").astype(np.int16)
        audio = np.concatenate([self._before, piece])
        self._before = audio[-int(BEFORE_S * SAMPLE_RATE_HZ) :]
        return self._takes_for_stop(audio)
