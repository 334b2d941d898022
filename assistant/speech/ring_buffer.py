"""A bounded buffer between the sound card's thread and a reader. Pure but for its lock."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray


class RingBuffer:
    """Frames of int16, shape (n, channels), for one writer and one reader in different threads.

    Nothing is allocated by writing. When nobody reads, the oldest frames go and are counted. The lock is held for one
    copy of some kilobytes; CPython's own lock would make the sound card's thread wait as long.
    """

    def __init__(self, capacity: int, channels: int = 1) -> None:
        """``capacity`` in frames, at least 1."""
        self._frames = np.zeros((capacity, channels), dtype=np.int16)
        self._capacity = capacity
        self._written = 0
        self._read = 0
        self._lock = threading.Lock()
        self.overruns = 0
        """Times that frames were dropped."""
        self.dropped_frames = 0

    @property
    def available(self) -> int:
        """Frames that wait for the reader."""
        with self._lock:
            return self._written - self._read

    @property
    def written(self) -> int:
        """Frames written since the beginning."""
        with self._lock:
            return self._written

    def write(self, frames: NDArray[np.int16]) -> None:
        """Copy the frames in; of more than there is room for, the newest."""
        kept = frames[-self._capacity :]
        with self._lock:
            self._put(self._written + len(frames) - len(kept), kept)
            self._written += len(frames)
            lost = self._written - self._capacity - self._read
            if lost > 0:
                self._read += lost
                self.dropped_frames += lost
                self.overruns += 1

    def read(self, most: int) -> NDArray[np.int16]:
        """Take the oldest frames, at most that many; a copy of shape (n, channels), n may be 0."""
        with self._lock:
            count = max(min(most, self._written - self._read), 0)
            taken = self._get(self._read, count)
            self._read += count
        return taken

    def newest(self, most: int) -> NDArray[np.int16]:
        """The newest frames, read already or not: for a level meter. A copy; nothing is taken."""
        with self._lock:
            count = max(min(most, self._written, self._capacity), 0)
            return self._get(self._written - count, count)

    def past(self, position: int, count: int) -> NDArray[np.int16]:
        """Frames from that one of all that were written, read already or not; zeros for what is no longer there, or not
        yet. A copy of shape (count, channels); nothing is taken."""
        found = np.zeros((count, self._frames.shape[1]), dtype=np.int16)
        with self._lock:
            begin = max(position, self._written - self._capacity, 0)
            there = max(min(position + count, self._written) - begin, 0)
            if there:
                found[begin - position :][:there] = self._get(begin, there)
        return found

    def _put(self, position: int, frames: NDArray[np.int16]) -> None:
        start = position % self._capacity
        first = min(len(frames), self._capacity - start)
        self._frames[start : start + first] = frames[:first]
        self._frames[: len(frames) - first] = frames[first:]

    def _get(self, position: int, count: int) -> NDArray[np.int16]:
        start = position % self._capacity
        first = min(count, self._capacity - start)
        return np.concatenate([self._frames[start : start + first], self._frames[: count - first]])
