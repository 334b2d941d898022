"""The clips of the voice benchmark: a folder with ``manifest.jsonl`` and wavs (16 kHz, mono, int16)."""

from __future__ import annotations

import json
import wave
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from assistant.errors import AudioError
from assistant.ports import SAMPLE_RATE_HZ, Samples

MANIFEST = "manifest.jsonl"

Kind = Literal["command", "pause", "names", "human", "no_speech"]
"""command: wake phrase and a sentence in one breath; pause: with a silence of 0.8 s inside; names: a sentence with a
name of the house, no wake phrase; human: a recorded person, no wake phrase; no_speech: nothing that anybody said."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip and what is true of it.

    ``said``: the words, wake phrase included, empty for no_speech; ``wake``: whether it begins with the wake phrase;
    ``speech_start_s``, ``speech_end_s``: where speech truly begins and ends (from the synthesizer's own samples, or by
    energy; 0 for no_speech); ``engine``: piper, kokoro, flite, festival, espeak-ng, human or the noise's maker;
    ``voice``: within the engine; ``names``: names of the house in it, canonical; ``noise``: class of a no_speech clip
    (silence, white, hum, music, clicks, barks …) or of the noise that speech was mixed with, ``snr_db`` below the
    speech; ``pause_start_s``, ``pause_end_s``: the silence inside a pause clip; ``licence``: of a recording.
    """

    id: str
    file: str
    kind: Kind
    said: str
    wake: bool
    speech_start_s: float
    speech_end_s: float
    duration_s: float
    engine: str
    voice: str
    names: tuple[str, ...] = ()
    noise: str = ""
    snr_db: float | None = None
    pause_start_s: float = 0.0
    pause_end_s: float = 0.0
    licence: str = ""


def load(folder: Path) -> tuple[Clip, ...]:
    """All clips of the folder, in the manifest's order. Raises AudioError no_clips, clips_unreadable."""
    path = folder / MANIFEST
    try:
        text = path.read_bytes()
    except OSError as error:
        mend = "Make them: `jarvis bench clips`."
        raise AudioError("no_clips", f"There are no clips in {folder}.", mend=mend) from error
    try:
        rows = [json.loads(line) for line in text.decode().split("\n") if line.strip()]
        return tuple(Clip(**{**row, "names": tuple(row.get("names", ()))}) for row in rows)
    except (ValueError, TypeError) as error:
        raise AudioError("clips_unreadable", f"{path} is no list of clips: {error}.") from error


def save(folder: Path, clips: tuple[Clip, ...]) -> None:
    """Write the manifest. Raises OSError."""
    text = "".join(json.dumps(asdict(clip), ensure_ascii=False) + "\n" for clip in clips)
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def samples(folder: Path, clip: Clip) -> Samples:
    """The clip's audio, shape (n,), int16, 16 kHz. Raises AudioError clips_unreadable."""
    try:
        with wave.open(str(folder / clip.file), "rb") as file:
            if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (SAMPLE_RATE_HZ, 1, 2):
                raise AudioError("clips_unreadable", f"{clip.file} is not 16 kHz mono int16.")
            return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)
    except (OSError, EOFError, wave.Error) as error:
        raise AudioError("clips_unreadable", f"{folder / clip.file} cannot be read: {error}.") from error
