"""Has the person finished? Judged from the sound of the utterance by smart-turn v3 (BSD-2-Clause, pipecat-ai)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from assistant.errors import EndpointingError
from assistant.ports import SAMPLE_RATE_HZ, Samples
from assistant.speech.onnx_session import one_thread_session

WINDOW_S = 8
"""What the model hears: the last 8 s, as Whisper's log-mel spectrogram of 80 bands × 800 frames of 10 ms."""

WARM_UP_S = 1.0


class SmartTurn:
    """Implements EndOfTurn. One serves all streams: it remembers nothing."""

    def __init__(self, model: Path) -> None:
        """Raises EndpointingError turn_model_unusable when the file cannot be loaded."""
        from faster_whisper.feature_extractor import FeatureExtractor  # half a second: only where ears are wanted

        self._session = one_thread_session(model, EndpointingError, "turn_model_unusable")
        self._log_mel: Any = FeatureExtractor(chunk_length=WINDOW_S)
        self.probability(np.zeros(int(WARM_UP_S * SAMPLE_RATE_HZ), dtype=np.int16))

    def probability(self, audio: Samples) -> float:
        """See the port. The audio is filled up with silence at its beginning and brought to zero mean, unit variance,
        as the model was trained (Whisper's feature extractor with ``do_normalize``)."""
        size = WINDOW_S * SAMPLE_RATE_HZ
        window = np.zeros(size, dtype=np.float32)
        heard = audio[-size:]
        window[size - len(heard) :] = heard.astype(np.float32) / 32768.0
        window = (window - window.mean()) / np.sqrt(window.var() + 1e-7)
        features = self._log_mel(window, padding=0)[np.newaxis].astype(np.float32)
        try:
            output = self._session.run(None, {"input_features": features})[0]
        except Exception as error:  # onnxruntime raises classes of its own C extension
            raise EndpointingError("turn_model_failed", f"smart-turn failed: {type(error).__name__}.") from error
        return float(np.clip(output.reshape(-1)[0], 0.0, 1.0))
