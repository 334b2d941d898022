"""Sounds that somebody recorded, out of Debian packages and one npm package: people who speak, and what is no speech.

Found by the files that the packages install; nothing of them is in this repository. Each says its package and licence.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import av.error
import numpy as np

from assistant.bench.engines import at_16_khz
from assistant.bench.shaping import Wave
from assistant.errors import AudioError, ModelFilesError
from assistant.ports import SAMPLE_RATE_HZ

SPHINX: Final = Path("/usr/share/pocketsphinx/test/data")
ASTERISK: Final = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
ASTERISK_TEXTS: Final = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
MUSIC: Final = Path("/usr/share/asterisk/moh")
THEME: Final = Path("/usr/share/sounds/freedesktop/stereo")
ICONS: Final = Path("/usr/share/sounds/sound-icons")
MATE: Final = Path("/usr/share/sounds/mate/default/alerts")

PACKAGES: Final = {
    SPHINX: "pocketsphinx-testdata",
    ASTERISK: "asterisk-core-sounds-en-g722",
    ASTERISK_TEXTS: "asterisk-core-sounds-en",
    MUSIC: "asterisk-moh-opsound-g722",
    THEME: "sound-theme-freedesktop",
    ICONS: "sound-icons",
    MATE: "mate-media-common",
}
"""Where they are → the Debian package."""

JFK_MODEL: Final = "jfk-clip"
_JFK: Final = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"


@dataclass(frozen=True, slots=True)
class Recording:
    """``name``: of the recording, for ids; ``voice``: who speaks, or the class of noise; ``said``: empty for noise.

    ``start_s``, ``seconds``: the stretch that is meant, in seconds of the recording; 0 seconds means all of it.
    """

    name: str
    path: Path
    voice: str
    said: str
    licence: str
    start_s: float = 0.0
    seconds: float = 0.0


def missing() -> tuple[str, ...]:
    """The Debian packages whose recordings are not here."""
    return tuple(package for path, package in PACKAGES.items() if not path.exists())


def people(models: Callable[[str], Path], prompts: int) -> tuple[Recording, ...]:
    """Everybody who speaks in what is here, ``prompts`` of them telephone prompts."""
    found = [*_sphinx(), *_jfk(models), *_theme_voices(), *_prompts(prompts)]
    return tuple(one for one in found if one.path.exists())


def sounds() -> tuple[Recording, ...]:
    """Everything that is no speech in what is here: a dog, a bird, bells, glass, and music without a singer."""
    icons = {"canary-long": "birds", "gummy-cat-2": "clicks", "glass-water-1": "clicks", "trumpet-12": "music",
             "violoncello-7": "music", "xylofon": "music", "percussion-50": "knocks"}  # fmt: skip
    theme = {"phone-incoming-call": "phone", "phone-outgoing-busy": "phone", "alarm-clock-elapsed": "phone",
             "camera-shutter": "clicks", "message-new-instant": "earcons", "bell": "earcons",
             "dialog-warning": "earcons", "trash-empty": "clicks"}  # fmt: skip
    songs = {"macroform-cold_day": 30, "macroform-robot_dity": 45, "manolo_camp-morning_coffee": 20,
             "reno_project-system": 60, "macroform-the_simplicity": 40}  # fmt: skip
    found = [
        *(Recording(f"mate-{name}", MATE / f"{name}.ogg", noise, "", "GPL-2.0-or-later")
          for name, noise in (("bark", "barks"), ("glass", "clicks"), ("drip", "clicks"), ("sonar", "earcons"))),
        *(Recording(f"icon-{name}", ICONS / f"{name}.wav", noise, "", "GPL-2.0-or-later")
          for name, noise in icons.items()),
        *(Recording(f"theme-{name}", THEME / f"{name}.oga", noise, "", "CC-BY-SA-3.0 or GPL-2.0-or-later")
          for name, noise in theme.items()),
        *(Recording(f"moh-{name}", MUSIC / f"{name}.g722", "music", "", "CC-BY-SA-3.0", start, 8)
          for name, start in songs.items()),
    ]  # fmt: skip
    return tuple(one for one in found if one.path.exists())


def read(recording: Recording) -> Wave:
    """The recording at 16 kHz, mono. Raises AudioError clips_unreadable."""
    whole = read_audio(recording.path)
    start = round(recording.start_s * SAMPLE_RATE_HZ)
    return whole[start : start + round(recording.seconds * SAMPLE_RATE_HZ)] if recording.seconds else whole


def read_audio(path: Path) -> Wave:
    """Any audio file that FFmpeg reads; ``.raw`` is int16 at 16 kHz. Raises AudioError clips_unreadable."""
    try:
        if path.suffix == ".raw":
            return np.fromfile(path, "<i2") / 32768
        with av.open(str(path), format="g722" if path.suffix == ".g722" else None) as container:
            stream = container.streams.audio[0]
            resampler = av.AudioResampler(format="flt", layout="mono")
            frames = [part for frame in container.decode(stream) for part in resampler.resample(frame)]
            rate = stream.codec_context.sample_rate
        return at_16_khz(np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]), rate)
    except (OSError, ValueError, IndexError, av.error.FFmpegError) as error:
        detail = f"{path} cannot be read: {error}."
        raise AudioError("clips_unreadable", detail, mend="Install its package again.") from error


def _sphinx() -> Iterator[Recording]:
    for name, lines in (("cards", "cards.transcription"), ("librivox", "transcription")):
        listed = SPHINX / name / lines
        for line in listed.read_text(encoding="utf-8").splitlines() if listed.exists() else ():
            if found := re.fullmatch(r"<s>\s*(.+?)\s*</s>\s*\((.+)\)\s*", line):
                yield Recording(
                    f"{name}-{found[2][-4:]}", SPHINX / name / f"{found[2]}.wav", name, found[1], "BSD-2-Clause"
                )
    for name, said in (
        ("goforward", "go forward ten meters"),
        ("something", "go somewhere and do something"),
        ("tidigits/dhd.2934z", "two nine three four zero"),
    ):
        short = name.partition("/")[0]
        yield Recording(f"sphinx-{short}", SPHINX / f"{name}.raw", f"sphinx-{short}", said, "BSD-2-Clause")


def _jfk(models: Callable[[str], Path]) -> Iterator[Recording]:
    try:
        yield Recording("jfk", models(JFK_MODEL) / "jfk.wav", "jfk", _JFK, "public domain")
    except ModelFilesError:
        return


def _theme_voices() -> Iterator[Recording]:
    for place in ("front-center", "front-left", "front-right", "rear-left", "rear-right", "side-left", "side-right"):
        path = THEME / f"audio-channel-{place}.oga"
        yield Recording(f"alsa-{place}", path, "alsa", place.replace("-", " "), "GPL-2.0-or-later")


def _prompts(count: int) -> Iterator[Recording]:
    """Whole sentences in words that are written as they are spoken, spread over the alphabet."""
    if not ASTERISK_TEXTS.exists():
        return
    with gzip.open(ASTERISK_TEXTS, "rt", encoding="utf-8") as file:
        lines = [line.strip() for line in file if re.match(r"[\w-]+: ", line)]
    texts = dict(line.split(": ", 1) for line in lines)
    written = re.compile(r"[A-Za-z' ,.?!]{12,110}")
    plain = [name for name, text in texts.items() if written.fullmatch(text) and (ASTERISK / f"{name}.g722").exists()]
    for n in range(min(count, len(plain))):
        name = plain[n * len(plain) // min(count, len(plain))]
        said = texts[name].strip(" .")
        yield Recording(f"prompt-{name}", ASTERISK / f"{name}.g722", "allison", said, "CC-BY-SA-3.0")
