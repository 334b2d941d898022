"""The inbox of false wakes: the seconds before a wake word that nobody meant, kept to look at and to learn from."""

from __future__ import annotations

import logging
import os
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from assistant.ports import SAMPLE_RATE_HZ, Samples, SpeechChunk
from assistant.speech.wav import wav_bytes

log = logging.getLogger(__name__)

_OURS = re.compile(r"\d{8}T\d{6}\.\d{6}Z-[a-z0-9_]+-[01]\.\d\d\.wav")
"""Only files with such a name are ever removed."""


class FalseWakes:
    """A folder of wav files (16 kHz mono, readable by their owner only), the newest ``limit`` of them.

    Opt-in: they are recordings of a room in which somebody was talking.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder.expanduser()
        self._limit = limit

    def keep(self, audio: Samples, word: str, score: float, when: datetime) -> Path | None:
        """Write ``audio``, which ends at the detection, and remove the oldest files that are too many.

        The name says when (UTC; ``when`` without a zone is local time), which word, and its score. None when it could
        not be written, which is a warning and nothing else: no turn fails because of it.
        """
        name = f"{when.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{word}-{min(max(score, 0.0), 1.0):.2f}.wav"
        data = wav_bytes([SpeechChunk(audio.astype("<i2").tobytes(), SAMPLE_RATE_HZ)])
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = _written(self._folder / name, data)
            self._forget_the_oldest()
        except OSError as error:
            log.warning("a false wake could not be kept in %s: %s", self._folder, error.strerror)
            return None
        return path

    def _forget_the_oldest(self) -> None:
        ours = sorted(path for path in self._folder.iterdir() if _OURS.fullmatch(path.name))
        for path in ours[: -self._limit]:
            path.unlink(missing_ok=True)


def _written(path: Path, data: bytes) -> Path:
    """Whole or not at all. Raises OSError."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".wav")  # 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path
