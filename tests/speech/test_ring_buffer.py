"""The ring buffer, against a plain list, and with its two threads."""

from __future__ import annotations

import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assistant.speech.ring_buffer import RingBuffer


@given(
    capacity=st.integers(1, 12),
    channels=st.integers(1, 3),
    steps=st.lists(st.tuples(st.sampled_from(["write", "read", "newest"]), st.integers(0, 30)), max_size=40),
)
def test_it_is_a_queue_that_forgets_its_oldest(capacity: int, channels: int, steps: list[tuple[str, int]]) -> None:
    ring = RingBuffer(capacity, channels)
    waiting: list[int] = []
    history: list[int] = []
    dropped = 0
    for action, size in steps:
        if action == "write":
            new = list(range(len(history) + 1, len(history) + 1 + size))
            ring.write(np.repeat(np.array(new, dtype=np.int16).reshape(-1, 1), channels, axis=1))
            history += new
            waiting += new
            dropped += max(len(waiting) - capacity, 0)
            waiting = waiting[-capacity:]
        elif action == "read":
            assert ring.read(size).tolist() == [[value] * channels for value in waiting[:size]]
            waiting = waiting[size:]
        else:
            newest = history[-min(size, capacity) :] if size else []
            assert ring.newest(size).tolist() == [[value] * channels for value in newest]
        assert ring.available == len(waiting)
        assert ring.written == len(history)
        assert ring.dropped_frames == dropped
        assert (ring.overruns > 0) == (dropped > 0)


@given(
    capacity=st.integers(1, 12),
    writes=st.lists(st.integers(0, 9), max_size=8),
    position=st.integers(-20, 80),
    count=st.integers(0, 30),
)
def test_the_past_is_zero_where_nothing_is_kept(capacity: int, writes: list[int], position: int, count: int) -> None:
    ring = RingBuffer(capacity)
    history: list[int] = []
    for size in writes:
        new = list(range(len(history) + 1, len(history) + 1 + size))
        ring.write(np.array(new, dtype=np.int16).reshape(-1, 1))
        ring.read(size // 2)
        history += new
    kept = {index: history[index] for index in range(max(len(history) - capacity, 0), len(history))}
    assert ring.past(position, count).ravel().tolist() == [kept.get(position + n, 0) for n in range(count)]


def test_what_was_read_is_the_readers_own() -> None:
    ring = RingBuffer(4)
    ring.write(np.array([[1], [2], [3], [4]], dtype=np.int16))
    taken = ring.read(4)
    ring.write(np.array([[5], [6], [7], [8]], dtype=np.int16))
    assert taken.ravel().tolist() == [1, 2, 3, 4]


def test_between_two_threads_nothing_is_lost_doubled_or_torn() -> None:
    """Frames carry their number in two channels; the writer never gets ahead by more than there is room."""
    ring = RingBuffer(1_000, 2)
    total = 60_000
    room = threading.Semaphore(1_000)

    def write() -> None:
        sizes = (1, 160, 7, 320)
        at = turn = 0
        while at < total:
            size = min(sizes[turn % 4], total - at)
            for _ in range(size):
                room.acquire()
            numbers = (np.arange(at, at + size) % 30_000).astype(np.int16).reshape(-1, 1)
            ring.write(np.repeat(numbers, 2, axis=1))
            at, turn = at + size, turn + 1

    writer = threading.Thread(target=write)
    writer.start()
    heard: list[np.ndarray] = []
    count = 0
    while count < total:
        frames = ring.read(257)
        if len(frames):
            room.release(len(frames))
            heard.append(frames)
            count += len(frames)
    writer.join()
    frames = np.concatenate(heard)
    assert np.array_equal(frames[:, 0], frames[:, 1])
    assert np.array_equal(frames[:, 0], np.arange(total) % 30_000)
    assert ring.overruns == 0
