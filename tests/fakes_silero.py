"""Silero's probabilities of speech over whole clips, without the adapter that listens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from assistant.ports import SAMPLE_RATE_HZ, Samples

CHUNK = 512
"""32 ms."""


def voice_probabilities(models_dir: Path, samples: Samples) -> NDArray[np.float64]:
    """For each whole chunk of 32 ms, the chunks in order."""
    session = onnxruntime.InferenceSession(str(models_dir / "silero-vad" / "silero_vad.onnx"))
    wave = samples.astype(np.float32) / 32768
    h = c = np.zeros((2, 1, 64), np.float32)
    out = []
    for start in range(0, wave.size - CHUNK + 1, CHUNK):
        chunk = wave[None, start : start + CHUNK]
        probability, h, c = session.run(None, {"input": chunk, "h": h, "c": c, "sr": np.array(SAMPLE_RATE_HZ)})
        out.append(float(probability[0, 0]))
    return np.array(out)
