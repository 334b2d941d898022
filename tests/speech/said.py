"""Speech for tests: wavs of the repository, and sentences by the Piper voice of the model cache."""

from __future__ import annotations

import wave
from functools import lru_cache
from pathlib import Path

import numpy as np
import soxr

from assistant.models import ModelStore
from assistant.ports import SAMPLE_RATE_HZ, Samples


def read_wav(path: Path) -> Samples:
    """16 kHz mono int16, as it is."""
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (SAMPLE_RATE_HZ, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)


@lru_cache(maxsize=64)
def said(models: Path, text: str) -> Samples:
    """By Piper's "joe", the same samples each time."""
    import onnxruntime
    from piper import PiperVoice

    onnxruntime.set_seed(1)  # taken when the session is made
    voice = PiperVoice.load(ModelStore(models).file("piper-en-us-joe", "en_US-joe-medium.onnx"))
    chunks = list(voice.synthesize(text))
    audio = np.concatenate([chunk.audio_float_array for chunk in chunks])
    samples: Samples = (soxr.resample(audio, chunks[0].sample_rate, SAMPLE_RATE_HZ) * 32767).astype(np.int16)
    return samples
