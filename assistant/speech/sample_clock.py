"""When a sound device captures or plays each sample: the time stamps of its blocks, without their jitter. Pure."""

from __future__ import annotations

from collections import deque
from statistics import median

STAMPS = 25
"""Blocks that are looked at, a second or so: one wrong stamp in two changes nothing, and two crystals of 100 ppm are
0.1 ms apart in that time."""


class SampleClock:
    """A device's own seconds (sound since it was opened) beside the sound system's time, which all devices share.

    PortAudio gives each block the time at which its first sample is captured (``inputBufferAdcTime``) or heard
    (``outputBufferDacTime``). One thread writes, any reads.
    """

    def __init__(self) -> None:
        self._offsets: deque[float] = deque(maxlen=STAMPS)

    def stamp(self, sound_s: float, at_s: float) -> None:
        """The sample after ``sound_s`` of sound is captured, or heard, at ``at_s``. 0: the driver does not know."""
        if at_s > 0:
            self._offsets.append(at_s - sound_s)

    @property
    def known(self) -> bool:
        """Whether there were any stamps."""
        return bool(self._offsets)

    def at(self, sound_s: float) -> float:
        """The sound system's time of that sample. Only when ``known``."""
        return sound_s + self._offset()

    def sound(self, at_s: float) -> float:
        """Seconds of sound before that time. Only when ``known``."""
        return at_s - self._offset()

    def _offset(self) -> float:
        return median(tuple(self._offsets))
