"""Debug recording: sound, words and events of every turn in a folder, for as long as somebody looks for a fault.

Off unless the configuration names a folder. The folder is 0700 and its files 0600; the oldest go first. In it is all
that the rest of Jarvis does not keep, a PIN that was said aloud among it: ``docs/observability.md`` says so.
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import time
import wave
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from assistant.errors import ConfigError
from assistant.events import AudioReady, TurnEvent, WakeDetected, to_json
from assistant.observing.ended import EndedTurn
from assistant.observing.settings import DebugRecordingSettings
from assistant.outcome import TurnOutcome
from assistant.ports import SAMPLE_RATE_HZ, AudioSource, Samples

log = logging.getLogger(__name__)

LONGEST_S = 120.0
"""Sound kept of one turn: the longest utterance that the configuration allows."""

BEFORE_WAKE_S = 3.0
"""Sound kept from before a wake word; what was said before that, while nobody was spoken to, is not."""

_OURS = re.compile(r"\d{8}T\d{6}Z-[0-9A-Za-z]{1,32}\.(?:wav|json)")
"""Files that are ours to remove: nothing else in the folder is touched."""


class TappedSource:
    """Implements AudioSource: another one, and the newest of what was read from it.

    ``wake``: it is listened to for a wake word first, and until there is one nothing of it is anybody's business.
    """

    def __init__(self, source: AudioSource, pre_roll: Samples | None = None, *, wake: bool = False) -> None:
        self._source = source
        self._wake = wake
        self.endless, self.paced = source.endless, source.paced
        self._kept: deque[Samples] = deque()
        self._length = 0
        self._read = 0
        if pre_roll is not None:
            self._keep(pre_roll)

    async def chunks(self) -> AsyncIterator[Samples]:
        """Those of the source. Raises AudioError."""
        async for chunk in self._source.chunks():
            self._keep(chunk)
            yield chunk

    def heard_in(self, events: Sequence[TurnEvent]) -> Samples:
        """The sound of a turn that is over: from shortly before its wake word, where it wanted one, else all of it."""
        woken = next((event for event in events if isinstance(event, WakeDetected)), None)
        if not self._kept or (self._wake and woken is None):
            return np.zeros(0, dtype=np.int16)
        audio = np.concatenate(self._kept)
        from_ms = woken.audio_ms - BEFORE_WAKE_S * 1000 if woken is not None else 0.0
        forgotten = self._read - self._length
        return audio[max(int(from_ms * SAMPLE_RATE_HZ / 1000) - forgotten, 0) :]

    def _keep(self, chunk: Samples) -> None:
        self._kept.append(chunk)
        self._length += len(chunk)
        self._read += len(chunk)
        while self._length - len(self._kept[0]) >= LONGEST_S * SAMPLE_RATE_HZ:
            self._length -= len(self._kept.popleft())


class DebugRecorder:
    """Writes into the folder of the settings. ``clock``: Unix seconds."""

    def __init__(self, settings: DebugRecordingSettings, clock: Callable[[], float] = time.time) -> None:
        """Makes the folder. Raises ConfigError where it cannot be made, or others can look into it."""
        if settings.folder is None:
            raise ValueError("debug recording without a folder")
        self.folder = settings.folder
        self._keep_s = settings.keep_days * 86_400
        self._max_bytes = settings.max_mb * 1e6
        self._clock = clock
        _prepare(self.folder)

    def keep(self, ended: EndedTurn) -> None:
        """Write one turn, then drop what is too old or too much. Blocks. Raises nothing: a turn is over already."""
        try:
            self._write(ended)
            self.prune()
        except OSError as error:
            log.warning("the turn could not be recorded: %s", error.strerror or type(error).__name__)

    def prune(self) -> int:
        """Drop recordings that are too old, and the oldest while they are too much together; how many files went.
        Blocks. Raises OSError."""
        found = sorted(path for path in self.folder.iterdir() if _OURS.fullmatch(path.name) and not path.is_symlink())
        sizes = {path: path.stat().st_size for path in found}
        too_old = _stem(self._clock() - self._keep_s)
        total, gone = sum(sizes.values()), 0
        for path in found:  # their names begin with the time
            if path.name >= too_old and total <= self._max_bytes:
                break
            path.unlink(missing_ok=True)
            total -= sizes[path]
            gone += 1
        return gone

    def _write(self, ended: EndedTurn) -> None:
        stem = f"{_stem(ended.at)}-{ended.turn_id or '0000'}"
        if ended.audio is not None and len(ended.audio):
            _write_private(self.folder / f"{stem}.wav", _wav(ended.audio))
        outcome = TurnOutcome.from_events(ended.events)
        found = {
            "turn_id": ended.turn_id,
            "at": ended.at,
            "door": ended.caller.door.value,
            "caller": ended.caller.name,
            "room": ended.caller.room,
            "transcript": outcome.transcript,
            "reply": outcome.reply,
            "events": [json.loads(to_json(_without_sound(event))) for event in ended.events],
        }
        text = json.dumps(found, ensure_ascii=False, indent=1)
        _write_private(self.folder / f"{stem}.json", text.encode("utf-8", "replace"))


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        open_to_others = folder.stat().st_mode & 0o077
    except OSError as error:
        detail = f"The folder {folder} of [debug_recording] cannot be used: {error.strerror}."
        raise ConfigError("debug_folder_unusable", detail, mend="Name another, or take it out.") from error
    if open_to_others:
        detail = f"Others can look into {folder}, where [debug_recording] keeps what is said."
        raise ConfigError("debug_folder_open", detail, mend=f"chmod 700 {folder}")


def _write_private(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def _wav(audio: Samples) -> bytes:
    """RIFF, mono, int16, 16 kHz."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(audio.astype("<i2").tobytes())
    return buffer.getvalue()


def _without_sound(event: TurnEvent) -> TurnEvent:
    """The reply's own speech can be made again from its words."""
    return replace(event, pcm=b"") if isinstance(event, AudioReady) else event


def _stem(at: float) -> str:
    return datetime.fromtimestamp(max(at, 0.0), UTC).strftime("%Y%m%dT%H%M%SZ")
