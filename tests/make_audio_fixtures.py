"""Make ``audio_fixtures/`` anew: ``python -m tests.make_audio_fixtures``. Needs the model cache (the Piper voice).

Piper's noise is switched off (noise scales 0), so that the same voice file gives the same speech again.
"""

from __future__ import annotations

import json
import sys
import wave
from pathlib import Path

import numpy as np
import soxr
from piper import PiperVoice, SynthesisConfig

from assistant.models import ModelStore

RATE_HZ = 16_000
FOLDER = Path(__file__).resolve().parent.parent / "audio_fixtures"
SEED = 20260513

SPOKEN: dict[str, list[str | float]] = {
    "hey_jarvis_is_the_backup_ok": ["Hey Jarvis, is the backup ok?"],
    "hey_jarvis_whats_down": ["Hey Jarvis, what's down right now?"],
    "hey_jarvis_pause_is_grafana_up": ["Hey Jarvis", 0.8, "Is Grafana up?"],
    "is_the_media_server_up": ["Is the media server up?"],
}
"""File → what is said: sentences, and pauses in seconds."""

LEAD_S, TAIL_S = 0.6, 1.2


def main() -> int:
    """Write the wavs and their manifest."""
    voice_file = ModelStore().file("piper-en-us-joe", "en_US-joe-medium.onnx")
    voice = PiperVoice.load(voice_file)
    manifest: dict[str, dict[str, object]] = {}
    for name, parts in SPOKEN.items():
        pieces = [_silence(LEAD_S), *(_piece(voice, part) for part in parts), _silence(TAIL_S)]
        _write(name, np.concatenate(pieces))
        said = " ".join(part for part in parts if isinstance(part, str))
        manifest[name] = {"said": said, "voice": "Piper en_US-joe-medium", "made_by": "tests/make_audio_fixtures.py"}
    rng = np.random.default_rng(SEED)
    _write("silence_5s", rng.normal(0, 3, RATE_HZ * 5))
    _write("noise_5s", rng.normal(0, 1500, RATE_HZ * 5))
    for name in ("silence_5s", "noise_5s"):
        manifest[name] = {"said": "", "voice": f"numpy normal noise, seed {SEED}", "made_by": "the same"}
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (FOLDER / "manifest.json").write_text(text, encoding="utf-8")
    return 0


def _piece(voice: PiperVoice, part: str | float) -> np.ndarray:
    if not isinstance(part, str):
        return _silence(part)
    config = SynthesisConfig(noise_scale=0.0, noise_w_scale=0.0)
    pcm = b"".join(chunk.audio_int16_bytes for chunk in voice.synthesize(part, syn_config=config))
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
    resampled: np.ndarray = soxr.resample(samples, voice.config.sample_rate, RATE_HZ)
    return resampled


def _silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE_HZ), dtype=np.float32)


def _write(name: str, samples: np.ndarray) -> None:
    pcm = np.clip(samples, -32768, 32767).astype("<i2").tobytes()
    with wave.open(str(FOLDER / f"{name}.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(pcm)


if __name__ == "__main__":
    sys.exit(main())
