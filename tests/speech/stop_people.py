"""Recorded people who do not say "stop": telephone prompts, letters and syllables, words of a game for children.

From Debian's asterisk-core-sounds-{en,es,fr,it,ru}-g722, asterisk-prompt-it-menardi-wav, klettres-data and
ktuberling-data; nothing of them is in this repository. Each folder is one person, and none is in two
parts; whether somebody recorded for two packages is not known.
"""

from __future__ import annotations

from pathlib import Path

import av
import av.error
import numpy as np

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
