"""PortAudio as a whole: its devices, which of them is meant, and how it is made to look for new ones."""

from __future__ import annotations

import difflib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal, NamedTuple

from assistant.errors import AudioError

log = logging.getLogger(__name__)

Direction = Literal["input", "output"]


class _Kind(NamedTuple):
    """What people call a device of one direction, and the codes of its errors."""

    name: str
    none: str
    unknown: str
    ambiguous: str


_KINDS: Mapping[Direction, _Kind] = {
    "input": _Kind("microphone", "no_microphone", "unknown_microphone", "ambiguous_microphone"),
    "output": _Kind("loudspeaker", "no_loudspeaker", "unknown_loudspeaker", "ambiguous_loudspeaker"),
}


@dataclass(frozen=True, slots=True)
class Device:
    """One direction of a sound device. ``index`` is PortAudio's, and changes when devices come and go."""

    index: int
    name: str
    channels: int
    rate_hz: int
    """The rate it prefers."""


def load_sounddevice() -> ModuleType:
    """sounddevice, imported only when sound is wanted. Raises AudioError no_audio_library without PortAudio."""
    try:
        import sounddevice  # it opens the sound system, and fails where there is no PortAudio
    except OSError as error:
        mend = "Install it: `apt-get install libportaudio2` (Debian)."
        raise AudioError("no_audio_library", "The PortAudio library is missing.", mend=mend) from error
    module: ModuleType = sounddevice
    return module


def devices(direction: str) -> list[str]:
    """Names of the ``input`` or ``output`` devices; empty without PortAudio."""
    try:
        sounddevice = load_sounddevice()
    except AudioError:
        return []
    with _lock:
        return [device.name for device in _listed(sounddevice, direction)]


def find_device(wanted: str | None, direction: Direction) -> Device:
    """The device of that name: the whole of it, a part, or its number in the list, in any case of letters.

    None: the system's default. Raises AudioError no_audio_library, no_microphone (there is none, or no default),
    unknown_microphone and ambiguous_microphone, which say what there is; for ``output`` the same with loudspeaker.
    """
    sounddevice = load_sounddevice()
    with _lock:
        there = _listed(sounddevice, direction)
    kind = _KINDS[direction]
    if not there:
        mend = f"Plug one in, or name another with `{kind.name}` in jarvis.toml; `jarvis doctor` lists them."
        raise AudioError(kind.none, f"There is no {kind.name} on this machine.", mend=mend)
    if wanted is None or not wanted.strip():
        return _default(sounddevice, there, direction)
    return choose(there, wanted, direction)


def choose(there: Sequence[Device], wanted: str, direction: Direction) -> Device:
    """The one of these devices that is meant by ``wanted``. Pure. Raises AudioError, see ``find_device``."""
    kind = _KINDS[direction]
    said = wanted.strip().casefold()
    numbered = [device for device in there if str(device.index) == said]
    whole = [device for device in there if device.name.casefold() == said]
    part = [device for device in there if said in device.name.casefold()]
    found = numbered or whole or part
    names = list(dict.fromkeys(device.name for device in found))
    if len(names) == 1:
        return found[0]  # under Windows a device stands there once for each of its interfaces: the first is the default
    listed = "; ".join(f"{device.index}: {device.name}" for device in (found or there))
    if names:
        detail = f"{wanted!r} may be more than one {kind.name}. These fit: {listed}."
        mend = f"Write more of its name, or its number, in `{kind.name}`."
        raise AudioError(kind.ambiguous, detail, mend=mend)
    names = [device.name for device in there]
    [nearest] = difflib.get_close_matches(said, [name.casefold() for name in names], n=1, cutoff=0.0)
    meant = next(name for name in names if name.casefold() == nearest)
    detail = f"No {kind.name} is called {wanted!r}. There are: {listed}."
    raise AudioError(kind.unknown, detail, mend=f"The nearest is {meant!r}; mend `{kind.name}` in jarvis.toml.")


def _listed(sounddevice: ModuleType, direction: str) -> list[Device]:
    found: Any = sounddevice.query_devices()
    return [
        Device(number, str(device["name"]), int(device[f"max_{direction}_channels"]), _rate(device))
        for number, device in enumerate(found)
        if device[f"max_{direction}_channels"] > 0
    ]


def _default(sounddevice: ModuleType, there: Sequence[Device], direction: Direction) -> Device:
    kind = _KINDS[direction]
    try:
        found: Any = sounddevice.query_devices(None, direction)
    except (sounddevice.PortAudioError, ValueError) as error:
        mend = f"Name one of these with `{kind.name}` in jarvis.toml: {', '.join(device.name for device in there)}."
        raise AudioError(kind.none, f"The system has no default {kind.name}.", mend=mend) from error
    channels = int(found[f"max_{direction}_channels"])
    return Device(int(found["index"]), str(found["name"]), channels, _rate(found))


def _rate(device: Any) -> int:
    return int(device.get("default_samplerate", 0)) or 48_000


# ── looking for new devices ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Holder:
    busy: Callable[[], bool]
    release: Callable[[], None]


_holders: list[_Holder] = []
_lock = threading.RLock()


@contextmanager
def opening() -> Iterator[None]:
    """While a device is looked up and opened: PortAudio is not started anew in between.

    Take no lock around it that a ``release`` takes, too.
    """
    with _lock:
        yield


@contextmanager
def holding_streams(busy: Callable[[], bool], release: Callable[[], None]) -> Iterator[None]:
    """While somebody may have a stream open. ``release`` closes it, from any thread; it may be opened again later.

    PortAudio sees new devices only when it is started anew (PortAudio issue 11), and that leaves every open stream
    without memory below it. So the holders are asked whether one is in use, and closed first.
    """
    holder = _Holder(busy, release)
    with _lock:
        _holders.append(holder)
    try:
        yield
    finally:
        with _lock:
            _holders.remove(holder)


def look_again() -> bool:
    """Start PortAudio anew, so that it sees what was plugged in. False, and nothing done, while a stream is in use.

    Blocking, up to some seconds on a machine with many devices. Raises AudioError no_audio_library, sound_system.
    """
    sounddevice = load_sounddevice()
    with _lock:
        if any(holder.busy() for holder in _holders):
            return False
        for holder in _holders:
            holder.release()
        try:
            sounddevice._terminate()
            sounddevice._initialize()
        except sounddevice.PortAudioError as error:
            detail = f"The sound system cannot be started again: {error}."
            raise AudioError("sound_system", detail, mend="Start Jarvis again.") from error
    return True
