"""The synthesizers that say the sentences of the voice benchmark: programs of the system, and Piper in process.

Each says one text with one voice and returns samples as they come out; the same text and voice give the same samples.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import soxr
from numpy.typing import NDArray

from assistant.bench.shaping import Wave
from assistant.errors import ModelFilesError, SynthesisError
from assistant.ports import SAMPLE_RATE_HZ

SEED: Final = 20_251_121
PIPER_VOICE: Final = "piper-en-us-joe"
_TIMEOUT_S: Final = 60.0


class Engine(Protocol):
    """``name`` as in a clip's ``engine``; ``package``: what to install when it is not there.

    ``in_process``: it computes in this process, with threads of its own, and is asked by one thread at a time.
    """

    @property
    def name(self) -> str: ...

    @property
    def package(self) -> str: ...

    @property
    def in_process(self) -> bool: ...

    def lacks(self) -> str:
        """What is missing here, or an empty text."""
        ...

    def version(self) -> str:
        """Of the synthesizer, for the record of how the clips were made."""
        ...

    def say(self, text: str, voice: str) -> Wave:
        """The whole text, 16 kHz. Raises SynthesisError."""
        ...


@dataclass(frozen=True, slots=True)
class Program:
    """A synthesizer that is a program: it writes a wav, and reads the text from its standard input or arguments."""

    name: str
    package: str
    executable: str
    command: Callable[[str, Path], list[str]]
    version_command: tuple[str, ...]
    in_process: bool = False

    def lacks(self) -> str:
        return "" if shutil.which(self.executable) else f"the program {self.executable}"

    def version(self) -> str:
        ended = self._run(list(self.version_command), "")
        found = re.search(r"\d+\.\d+[\w.]*", (ended.stdout + ended.stderr).decode(errors="replace"))
        return found[0] if found else "unknown"

    def say(self, text: str, voice: str) -> Wave:
        with tempfile.TemporaryDirectory(prefix="jarvis-clip-") as folder:
            out = Path(folder) / "said.wav"
            ended = self._run([self.executable, *self.command(voice, out)], text)
            try:
                return read_wav(out)
            except (OSError, EOFError, wave.Error) as error:
                why = ended.stderr.decode(errors="replace").strip().splitlines()
                detail = f"{self.name} said nothing with the voice {voice}: {why[-1] if why else error}."
                mend = f"Install {self.package}."
                raise SynthesisError("synthesis_failed", detail, mend=mend) from error

    def _run(self, command: list[str], text: str) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(  # our own arguments, no shell
                command, input=text.encode(), capture_output=True, timeout=_TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            detail = f"{self.name} cannot be run: {error}."
            raise SynthesisError("synthesis_failed", detail, mend=f"Install {self.package}.") from error


def espeak_ng() -> Program:
    """Voices are espeak-ng's own: a language, and after a plus a variant of the speaker ("en-gb+f3")."""
    return Program(
        "espeak-ng",
        "espeak-ng",
        "espeak-ng",
        lambda voice, out: ["-v", voice, "-s", "160", "-w", str(out), "--stdin"],
        ("espeak-ng", "--version"),
    )


def flite() -> Program:
    """Voices that are built into flite: slt (female), rms, awb (Scottish), kal16."""
    return Program(
        "flite",
        "flite",
        "flite",
        lambda voice, out: ["-voice", voice, "-f", "/dev/stdin", "-o", str(out)],
        ("flite", "--help"),
    )


def festival() -> Program:
    """Voices by festival's names: kal_diphone, cmu_us_slt_arctic_hts."""
    return Program(
        "festival",
        "festival festvox-kallpc16k festvox-us-slt-hts",
        "text2wave",
        lambda voice, out: ["-eval", f"(voice_{voice})", "-o", str(out)],
        ("festival", "--version"),
    )


class Piper:
    """Piper in process; the voice is ``<model>@<speed>`` ("piper-en-us-joe@1.15")."""

    name = "piper"
    package = "the voice with `jarvis models pull`"
    in_process = True

    def __init__(self, models: Callable[[str], Path]) -> None:
        """``models``: the folder of a model of the manifest; raises ModelFilesError when it is not there."""
        self._models = models

    def lacks(self) -> str:
        try:
            self._models(PIPER_VOICE)
        except ModelFilesError:
            return f"the model {PIPER_VOICE}"
        return ""

    def version(self) -> str:
        return f"{version('piper-tts')}, onnxruntime {version('onnxruntime')}"

    def say(self, text: str, voice: str) -> Wave:
        import onnxruntime
        from piper import PiperVoice, SynthesisConfig

        model, _, speed = voice.partition("@")
        onnxruntime.set_seed(SEED)  # taken when the session is made: one for each text, so that order does not matter
        speaker = PiperVoice.load(next(self._models(model).glob("*.onnx")))
        config = SynthesisConfig(length_scale=1 / float(speed or 1))
        chunks = list(speaker.synthesize(text, syn_config=config))
        return at_16_khz(np.concatenate([chunk.audio_float_array for chunk in chunks]), chunks[0].sample_rate)


def read_wav(path: Path) -> Wave:
    """A mono or stereo int16 wav at any rate, as 16 kHz mono. Raises OSError, EOFError, wave.Error."""
    with wave.open(str(path), "rb") as file:
        if file.getsampwidth() != 2:
            raise wave.Error(f"{8 * file.getsampwidth()} bits instead of 16")
        data = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, file.getnchannels())
        rate = file.getframerate()
    if not data.size:
        raise EOFError("no samples")
    return at_16_khz(data.mean(axis=1) / 32768, rate)


def at_16_khz(wave: NDArray[np.floating[Any]], rate: int) -> Wave:
    """Resampled by soxr when it has another rate."""
    same = np.asarray(wave, dtype=np.float64)
    return same if rate == SAMPLE_RATE_HZ else np.asarray(soxr.resample(same, rate, SAMPLE_RATE_HZ, quality="HQ"))
