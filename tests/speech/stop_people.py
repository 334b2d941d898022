"""Recorded people; nothing of them is in this repository.

Who says "stop" and nine other words alone: volunteers of Google's Speech Commands, of which its test set is enough
(version 0.02, CC BY 4.0, Warden 2018, arXiv:1804.03209): 156 people, each at another microphone. Who does not say
"stop": telephone prompts, letters and syllables, words of a game for children, from Debian's
asterisk-core-sounds-{en,es,fr,it,ru}-g722, asterisk-prompt-it-menardi-wav, klettres-data and ktuberling-data; each
folder is one person. Nobody is in two parts; whether somebody recorded for two packages is not known.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
import numpy as np

from assistant.bench.engines import read_wav
from assistant.ports import SAMPLE_RATE_HZ
from tests.speech.stop_voices import Part, Wave

SHARED = Path("/usr/share")
MOST_OF_ONE = 500
"""Recordings of one person, at most."""

MOST_S = 6
PEOPLE: dict[Part, dict[str, tuple[str, ...]]] = {
    "train": {
        "asterisk/sounds": ("fr_CA_f_June", "it_IT_m_Carlo", "it_IT_f_Menardi"),
        "klettres": (
            "ar", "cs", "da", "fr", "he", "hu", "it", "lt", "ml", "nb", "nds", "nl", "pt_BR", "ru", "tn", "uk",
        ),
        "ktuberling/sounds": ("el", "fr", "gl", "lt", "sl", "wa"),
    },
    "dev": {"asterisk/sounds": ("ru_RU_f_IvrvoiceRU",), "klettres": ("es",), "ktuberling/sounds": ("ca", "uk")},
    "test": {
        "asterisk/sounds": ("en_US_f_Allison", "es_MX_f_Allison"),
        "klettres": ("en", "en_GB", "de"),
        "ktuberling/sounds": ("da", "de", "en", "ru"),
    },
}  # fmt: skip


COMMANDS = ("down", "go", "left", "no", "off", "on", "right", "up", "yes")
"""The other words of Speech Commands that are said alone; "up" and "off" are the ones that are near."""

FRAME = 160
FLOOR_PERCENTILE = 10
OVER_FLOOR_DB, UNDER_PEAK_DB = 10.0, 26.0
"""A frame of 10 ms belongs to the word when it is so much louder than the quiet ones, and not so much softer than the
loudest: where the word ends in a noisy recording."""


@dataclass(frozen=True, slots=True)
class Command:
    """One word, said alone: 16 kHz, ±1, a second with the room's own noise. ``end``: the sample that the word ends
    before. ``speaker``: who."""

    wave: Wave
    end: int
    speaker: str


def commands(folder: Path, word: str, part: Part) -> list[Command]:
    """Who says it in this part. Ends the program when nobody does."""
    files = [file for file in sorted((folder / word).glob("*.wav")) if part_of_speaker(_speaker(file)) == part]
    if not files:
        raise SystemExit(f"{folder / word} has no recordings: it should be the test set of Speech Commands v0.02.")
    waves = [(file, read_wav(file).astype(np.float32)) for file in files]
    return [Command(wave, word_end(wave), _speaker(file)) for file, wave in waves if np.abs(wave).max() > 0]


def part_of_speaker(speaker: str) -> Part:
    """Two thirds of the people teach, a third is for the test: other people's recordings choose the threshold."""
    return "test" if hashlib.sha256(speaker.encode()).digest()[0] % 3 == 0 else "train"


def word_end(wave: Wave) -> int:
    """The sample that the last loud frame ends before."""
    frames = wave[: len(wave) // FRAME * FRAME].reshape(-1, FRAME)
    level = 10 * np.log10((frames**2).mean(axis=1) + 1e-10)
    loud = (level > np.percentile(level, FLOOR_PERCENTILE) + OVER_FLOOR_DB) & (level > level.max() - UNDER_PEAK_DB)
    return int((np.flatnonzero(loud)[-1] + 1) * FRAME) if loud.any() else len(wave)


def _speaker(file: Path) -> str:
    """``a2473d62_nohash_2.wav`` is the third time that a2473d62 says the word."""
    return file.name.split("_")[0]


def people(part: Part) -> list[Wave]:
    """A sentence, a word or a syllable each, 16 kHz. Ends the program when a package is not there."""
    waves: list[Wave] = []
    for package, voices in PEOPLE[part].items():
        for voice in voices:
            folder = SHARED / package / voice
            files = [file for file in sorted(folder.rglob("*")) if file.suffix in (".g722", ".ogg", ".wav")]
            if not files:
                raise SystemExit(f"{folder} has no recordings: install the packages that this module names.")
            waves += [wave for file in files[:MOST_OF_ONE] if len(wave := _recording(file))]
    return waves


def _recording(file: Path) -> Wave:
    """The first seconds; nothing of a file that cannot be read."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
    pieces = [np.zeros(0, dtype=np.int16)]
    try:
        with av.open(str(file), format=_format(file), metadata_errors="ignore") as container:
            for frame in container.decode(audio=0):
                pieces += [piece.to_ndarray().reshape(-1).astype(np.int16) for piece in resampler.resample(frame)]
    except (av.error.FFmpegError, OSError):
        return pieces[0].astype(np.float32)
    samples = np.concatenate(pieces)[: MOST_S * SAMPLE_RATE_HZ]
    return (samples / 32768).astype(np.float32)


def _format(file: Path) -> str | None:
    """G.722 has no header to know it by."""
    return "g722" if file.suffix == ".g722" else None
