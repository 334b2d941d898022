"""Voice activity by silero (v4 ONNX, MIT): probability of speech per frame of 32 ms."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from assistant.errors import EndpointingError
from assistant.ports import SAMPLE_RATE_HZ, Samples
from assistant.speech.onnx_session import one_thread_session


class SileroVad:
    """Implements VoiceActivityDetector. One per stream: it carries the LSTM state (2, 1, 64) from frame to frame."""

    frame_samples = 512

    def __init__(self, model: Path) -> None:
        """Raises EndpointingError when the model cannot be loaded."""
        self._session = one_thread_session(model, EndpointingError, "vad_unusable")
        self._rate = np.array(SAMPLE_RATE_HZ, dtype=np.int64)
        self.reset()

    def reset(self) -> None:
        """Forget the stream so far."""
        self._h = np.zeros((2, 1, 64), dtype=np.float32)
        self._c = np.zeros((2, 1, 64), dtype=np.float32)

    def probability(self, frame: Samples) -> float:
        """Speech probability 0–1 of one frame of 512 samples."""
        if frame.shape != (self.frame_samples,):
            raise EndpointingError("vad_frame", f"The VAD reads {self.frame_samples} samples, not {frame.shape}.")
        audio = (frame.astype(np.float32) / 32768.0)[np.newaxis, :]
        inputs = {"input": audio, "sr": self._rate, "h": self._h, "c": self._c}
        output, self._h, self._c = self._session.run(None, inputs)
        return float(output[0][0])
