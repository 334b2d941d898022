"""Who says it: synthetic voices of five engines, each in one of three parts.

A voice is to learn from, to choose the threshold with, or for the test, never two of these. What has been said is kept
in a folder (``said.jsonl`` and .npy files), since Kokoro takes about as long to say something as it lasts.
"""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from assistant.bench.engines import at_16_khz, read_wav
from assistant.bench.kokoro import RATE_HZ as KOKORO_HZ
from assistant.bench.kokoro import STYLES, phonemes, to_tokens
from assistant.models import ModelStore
from tests.speech.stop_sentences import NEAR, OTHER, STOP, STOP_IT, replies

Wave = NDArray[np.float32]
Part = Literal["train", "dev", "test"]
Kind = Literal["stop", "stop_it", "near", "other", "own"]
Rng = random.Random

ESPEAK = (
    "en-gb", "en-us", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-029", "en-us-nyc",
    "en-gb-x-gbcwmd",
)  # fmt: skip
ESPEAK_SPEAKERS = (
    "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f4", "f5", "Alex", "Andrea", "Annie",
    "belinda", "Denis", "edward", "Gene", "john", "linda", "max", "Michael", "steph", "victor", "klatt",
    "klatt3", "Mario", "shelby", "Jacky", "Lee", "rob", "travis",
)  # fmt: skip
FLITE_HZ = {"kal16": 105, "awb": 0, "rms": 95, "slt": 170}
"""Pitch that is varied; 0: the voice takes none."""

FESTIVAL = ("kal_diphone", "cmu_us_slt_arctic_hts")

TEST_VOICES = frozenset((
    "m3", "f2", "Annie", "Michael", "steph", "max", "klatt3", "Lee", "slt", "cmu_us_slt_arctic_hts",
    "af_bella", "af_nicole", "af_sarah", "am_michael", "am_puck", "bf_emma", "bm_george", "em_alex",
    "jm_kumo", "zf_xiaoyi",
))  # fmt: skip
DEV_VOICES = frozenset((
    "m5", "f4", "john", "belinda", "rms", "af_sky", "am_liam", "bm_daniel", "hf_beta", "jf_nezumi",
    "pm_santa",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """One text by one voice."""

    file: str
    kind: Kind
    engine: str
    voice: str
    part: Part
    text: str
    speed: float = 1.0
    pitch: int | None = None

    def load(self, folder: Path) -> Wave:
        """16 kHz, ±1."""
        samples: NDArray[np.int16] = np.load(folder / self.file)
        return samples.astype(np.float32) / np.float32(32768)


def material(folder: Path, models: ModelStore, voices: Path) -> tuple[Said, ...]:
    """All that is said, made where it is not there yet. ``voices``: Kokoro's, ``<voice>.bin``; the more the better."""
    folder.mkdir(parents=True, exist_ok=True)
    speakers: dict[str, Callable[[Said], Wave]] = {
        "espeak-ng": _espeak, "flite": _flite, "festival": _festival, "piper": _Piper(models),
        "kokoro": _Kokoro(models, voices),
    }  # fmt: skip
    wanted = tuple(_wanted(sorted(path.stem for path in voices.glob("*.bin"))))
    for said in wanted:
        if not (folder / said.file).is_file():
            sound = np.clip(speakers[said.engine](said), -1, 1) * 32767
            np.save(folder / said.file, sound.astype(np.int16))
    lines = [json.dumps(asdict(said)) for said in wanted]
    (folder / "said.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return wanted


def part_of(voice: str, index: int) -> Part:
    """The assistant's own voice is one only: of its sentences every sixth chooses the threshold."""
    if voice == "joe":
        return "dev" if index % 6 == 5 else "train"
    speaker = voice.rpartition("+")[2]
    return "test" if speaker in TEST_VOICES else "dev" if speaker in DEV_VOICES else "train"


def _wanted(kokoro: list[str]) -> Iterator[Said]:
    for engine, sayings in (
        ("espeak-ng", _of_espeak), ("flite", _of_flite), ("festival", _of_festival), ("piper", _of_piper),
        ("kokoro", lambda rng: _of_kokoro(rng, kokoro)),
    ):  # fmt: skip
        rng = random.Random(engine)  # noqa: S311 - the same every time is what is wanted
        for index, (kind, voice, text, speed, pitch, held_out) in enumerate(sayings(rng)):
            part: Part = "test" if held_out else part_of(voice, index)
            if kind != "stop_it" or part == "test":
                key = json.dumps([engine, voice, text, speed, pitch])
                file = f"{engine}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npy"
                yield Said(file, kind, engine, voice, part, text, speed, pitch)


Saying = tuple[Kind, str, str, float, int | None, bool]
_TEXTS: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("stop", STOP), ("near", NEAR), ("stop_it", STOP_IT), ("other", OTHER)
)  # fmt: skip


def _speed(rng: Rng) -> float:
    return round(rng.uniform(0.75, 1.4), 2)


def _of_espeak(rng: Rng) -> Iterator[Saying]:
    for speaker in ESPEAK_SPEAKERS:
        for accent in rng.sample(ESPEAK, 4):
            for (kind, texts), count in zip(_TEXTS, (3, 4, 1, 4), strict=True):
                for text in rng.sample(texts, count):
                    yield kind, f"{accent}+{speaker}", text, _speed(rng), rng.randint(25, 80), False


def _of_flite(rng: Rng) -> Iterator[Saying]:
    for voice, pitch in FLITE_HZ.items():
        for (kind, texts), count in zip(_TEXTS, (24, 60, 6, 40), strict=True):
            for index in range(count):
                hertz = int(pitch * rng.uniform(0.8, 1.3)) or None
                yield kind, voice, texts[index % len(texts)], _speed(rng), hertz, False


def _of_festival(rng: Rng) -> Iterator[Saying]:
    for voice in FESTIVAL:
        for (kind, texts), count in zip(_TEXTS, (12, 24, 3, 16), strict=True):
            for index in range(count):
                yield kind, voice, texts[index % len(texts)], _speed(rng), None, False


def _of_kokoro(rng: Rng, voices: list[str]) -> Iterator[Saying]:
    for (kind, texts), count in zip(_TEXTS, (5, 7, 2, 1), strict=True):
        for voice in voices:
            for index in range(count * (2 if kind == "stop" and voice[0] in "ab" else 1)):  # British and American
                text = texts[index % len(texts)] if kind == "stop" else rng.choice(texts)
                if kind != "stop_it" or voice in TEST_VOICES:
                    yield kind, voice, text, round(rng.uniform(0.8, 1.35), 2), None, False


def _of_piper(rng: Rng) -> Iterator[Saying]:
    """The assistant's own voice. Where its replies say "stop", the detector is not asked (``own_voice``)."""
    for held_out in (False, True):
        for index, text in enumerate(replies(held_out)):
            yield "own", "joe", text, 1.0 if index % 2 else round(rng.uniform(0.8, 1.3), 2), None, held_out
        for index, text in enumerate(NEAR):
            if (index % 3 == 0) == held_out:
                yield "near", "joe", text, 1.0, None, held_out


# ── engines ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _program(command: Callable[[str], list[str]], text: str = "") -> Wave:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "said.wav"
        subprocess.run(command(str(file)), input=text.encode(), check=True, capture_output=True)
        return read_wav(file).astype(np.float32)


def _espeak(said: Said) -> Wave:
    how = ["-v", said.voice, "-s", str(int(165 * said.speed)), "-p", str(said.pitch)]
    return _program(lambda file: ["espeak-ng", *how, "-w", file, said.text])


def _flite(said: Said) -> Wave:
    pitch = ["--setf", f"int_f0_target_mean={said.pitch}"] if said.pitch else []
    how = ["-voice", said.voice, "--setf", f"duration_stretch={1 / said.speed:.2f}", *pitch]
    return _program(lambda file: ["flite", *how, "-t", said.text, "-o", file])


def _festival(said: Said) -> Wave:
    how = ["-eval", f"(voice_{said.voice})", "-eval", f"(Parameter.set 'Duration_Stretch {1 / said.speed:.2f})"]
    return _program(lambda file: ["text2wave", *how, "-o", file], said.text)


class _Piper:
    def __init__(self, models: ModelStore) -> None:
        self._models = models

    def __call__(self, said: Said) -> Wave:
        import onnxruntime
        from piper import PiperVoice, SynthesisConfig

        onnxruntime.set_seed(len(said.text))  # taken when the session is made
        voice = PiperVoice.load(self._models.file("piper-en-us-joe", "en_US-joe-medium.onnx"))
        chunks = list(voice.synthesize(said.text, syn_config=SynthesisConfig(length_scale=1 / said.speed)))
        audio = np.concatenate([chunk.audio_float_array for chunk in chunks])
        return at_16_khz(audio, chunks[0].sample_rate).astype(np.float32)


class _Kokoro:
    """As in the voice benchmark, at any speed."""

    def __init__(self, models: ModelStore, voices: Path) -> None:
        self._models = models
        self._voices = voices

    def __call__(self, said: Said) -> Wave:
        session, vocabulary = _kokoro_session(self._models.folder("kokoro"))
        tokens = to_tokens(phonemes(said.text, british=said.voice.startswith("b")), vocabulary)
        styles = np.fromfile(self._voices / f"{said.voice}.bin", "<f4").reshape(STYLES, 1, 256)
        fed = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": styles[len(tokens)],
            "speed": np.array([said.speed], np.float32),
        }
        return at_16_khz(session.run(None, fed)[0].reshape(-1), KOKORO_HZ).astype(np.float32)


@lru_cache(maxsize=1)
def _kokoro_session(folder: Path) -> tuple[Any, dict[str, int]]:
    import onnxruntime

    vocabulary = json.loads((folder / "config.json").read_text(encoding="utf-8"))["vocab"]
    return onnxruntime.InferenceSession(str(folder / "kokoro.onnx"), providers=["CPUExecutionProvider"]), vocabulary
