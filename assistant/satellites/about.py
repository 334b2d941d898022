"""What a satellite says about itself (its answer to ``describe``). Pure; nothing of it is believed further than it is
checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assistant.ports import SAMPLE_RATE_HZ

DEFAULT_RATE_HZ = 22_050
"""What wyoming-satellite gives its sound command where it does not say, and Piper's own rate."""

LONGEST = 100


@dataclass(frozen=True, slots=True)
class About:
    """``room``: its area; ``software``: its own description and version; ``rate_hz``: of its loudspeaker;
    ``microphone``: rate, width in bytes and channels of what it sends."""

    name: str = ""
    room: str | None = None
    software: str = ""
    version: str = ""
    rate_hz: int = DEFAULT_RATE_HZ
    microphone: tuple[int, int, int] = (SAMPLE_RATE_HZ, 2, 1)
    satellite: bool = False


def read_about(data: Mapping[str, Any]) -> About:
    """From the data of an ``info`` event, whatever stands in it."""
    told = data.get("satellite")
    if not isinstance(told, dict):
        return About()
    return About(
        name=_line(told.get("name")),
        room=_line(told.get("area")) or None,
        software=_line(told.get("description")) or _line(told.get("name")),
        version=_line(told.get("version")),
        rate_hz=_rate(_form(data.get("snd"), "snd_format"), DEFAULT_RATE_HZ),
        microphone=_microphone(_form(data.get("mic"), "mic_format")),
        satellite=True,
    )


def _line(value: object) -> str:
    """Printable, one line, capped."""
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return "".join(character for character in text if character.isprintable())[:LONGEST]


def _form(programs: object, key: str) -> Mapping[str, object]:
    for program in programs if isinstance(programs, list) else []:
        form = program.get(key) if isinstance(program, dict) else None
        if isinstance(form, dict):
            return form
    return {}


def _rate(form: Mapping[str, object], default: int) -> int:
    rate = form.get("rate")
    return rate if type(rate) is int and 8_000 <= rate <= 96_000 else default


def _microphone(form: Mapping[str, object]) -> tuple[int, int, int]:
    width, channels = form.get("width"), form.get("channels")
    return (
        _rate(form, SAMPLE_RATE_HZ),
        width if type(width) is int and width in (2, 4) else 2,
        channels if type(channels) is int and 1 <= channels <= 8 else 1,
    )
