"""The loudspeaker's sound, found again in the microphone's and taken out of it.

The sound system gives the times at which a sample leaves the loudspeaker and at which one reaches the microphone. That
says which piece of what was sent belongs to a chunk; how the room sounds is learned (``echo_canceller``).
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from assistant.ports import SAMPLE_RATE_HZ, Samples
from assistant.speech.echo_canceller import BLOCK, LATEST, PARTITIONS, EchoCanceller
from assistant.speech.sample_clock import SampleClock
from assistant.speech.sent_sound import SentSound

log = logging.getLogger(__name__)

EARLY_S = 0.006
"""The reference begins so much before it can be heard: the times may be wrong by that much. With the margin of a piece
(``sent_sound.MARGIN_S``) it is less than a loudspeaker keeps ready, or the end of the reference would not be there."""

RINGS_S = BLOCK * PARTITIONS / SAMPLE_RATE_HZ
"""After so long nothing of a sound is left to be taken out."""

NOTED_S, NOTED = 1.0, 600
"""How often, and how many times, the distance between the two devices' clocks is noted: over minutes that tells how
much faster one crystal is than the other. ``python -m tests.speech.bench_echo`` shows what that is worth."""

FEWEST = 60
"""Notes before that is reckoned: the stamps of the first seconds are wrong in some sound systems."""

SURE_S = 0.0025
"""They have to be so far apart by then: PulseAudio's stamps move by 1.5 ms in its first ten seconds."""

MOST_DRIFT = 250e-6
"""Two crystals at the ends of what is sold as 100 ppm, and a little more; what is above is the stamps' fault."""

JUMP_S = 0.005
"""So far from where the stamps put it, sound was lost somewhere: the echo is looked for there."""

LOUD = 300
"""Peak of what was sent in a chunk by which the echo can be found again after a silence, of 32,767."""

LOOKS = 10
"""Chunks in which it is looked for then; after that, the room is taken to be another one."""

LIKE = 0.6
"""Correlation from which it is found: with less, the next period of a vowel is taken for it now and then."""


HEARD_CHUNKS = 8
"""Chunks of 80 ms that a word is spread over."""

ONLY_ECHO_DB = 10.0
"""So much taken out over these, nobody spoke but the loudspeaker: a person as loud as it is leaves 3 dB to take
out, one of a ninth of its power 10 dB."""


class EchoShare:
    """How much of what is heard is the loudspeaker, chunk by chunk."""

    def __init__(self) -> None:
        self._powers: deque[tuple[float, float]] = deque(maxlen=HEARD_CHUNKS)

    def chunk(self, heard: Samples, left: Samples) -> None:
        """The next one, and what was left of it."""
        self._powers.append((float(np.square(heard / 32_768).sum()), float(np.square(left / 32_768).sum())))

    def forget(self) -> None:
        """The loudspeaker is silent."""
        self._powers.clear()

    @property
    def removed_db(self) -> float:
        """Over HEARD_CHUNKS; 0 while nothing is."""
        there, left = np.array(self._powers).reshape(-1, 2).sum(axis=0) + 1e-9
        return float(10 * np.log10(there / left))

    @property
    def only_echo(self) -> bool:
        """Whether what sounds like a word there is a remnant of the loudspeaker's."""
        return self.removed_db > ONLY_ECHO_DB


class EchoRemover:
    """One microphone beside one loudspeaker. For one task at a time; 4 ms for a chunk with an echo in it."""

    def __init__(self, sent: Callable[[], SentSound | None]) -> None:
        """``sent``: of the loudspeaker that is open now, None while none is."""
        self._sent_now = sent
        self._sent: SentSound | None = None
        self._recorded: SampleClock | None = None
        self._canceller = EchoCanceller()
        self._shift_s: float | None = None
        self._wrong_s = 0.0
        """What the stamps were wrong by when it was found last."""
        self._began_s = 0.0
        self._apart: deque[tuple[float, float]] = deque(maxlen=NOTED)
        self._drift = 0.0
        self._looks = 0
        self._learned = False
        self._resting = True
        self.share = EchoShare()

    def clean(self, chunk: Samples, began_s: float, recorded: SampleClock) -> Samples:
        """The chunk without the echo in it; as it is while the loudspeaker is silent, or nobody knows when it sounds.
        ``began_s``: where it begins in the recording that ``recorded`` is the clock of. Its length is a multiple of
        BLOCK, as CHUNK_SAMPLES is."""
        sent = self._sent_now()
        if sent is None or not sent.clock.known or not recorded.known:
            return chunk
        if sent is not self._sent or recorded is not self._recorded:
            self._sent, self._recorded, self._shift_s, self._wrong_s = sent, recorded, None, 0.0
        told_s = sent.clock.sound(recorded.at(began_s)) + EARLY_S - began_s
        shift_s = self._followed(told_s + self._wrong_s, began_s)
        if sent.silent_since(began_s + shift_s - RINGS_S):
            self._rest()
            return chunk
        self._resting = False
        played = sent.piece(began_s + shift_s, len(chunk))
        if self._looks and np.abs(played).max() >= LOUD and (late_s := self._late_s(chunk, played)):
            self._wrong_s -= late_s
            self._shift_s = shift_s - late_s
            played = sent.piece(began_s + self._shift_s, len(chunk))
        left = self._canceller.process(chunk, played)
        self.share.chunk(chunk, left)
        return left

    def _followed(self, told_s: float, began_s: float) -> float:
        """From the microphone's seconds to the loudspeaker's. While it sounds: as before, moved by the drift, since the
        stamps' jitter would be learned as a movement of the room. In a silence: as the stamps have it; what they are
        wrong by is looked for when it sounds again, and kept."""
        if self._shift_s is None or abs(told_s - self._shift_s) > JUMP_S:
            log.debug("the echo is looked for anew, %.4f s from one clock to the other", told_s)
            self._apart.clear()
            self._drift, self._shift_s = 0.0, told_s
            self._interrupted()
        elif self._resting:
            self._shift_s = told_s
        else:
            self._shift_s += self._drift * (began_s - self._began_s)
        self._began_s = began_s
        if not self._apart or began_s - self._apart[-1][0] >= NOTED_S:
            self._apart.append((began_s, told_s))
            self._drift = _drift(self._apart)
        return self._shift_s

    def _late_s(self, chunk: Samples, played: Samples) -> float:
        """How much later the echo is than when the loudspeaker sounded last."""
        self._looks -= 1
        samples, likeness = self._canceller.late(chunk, played)
        if likeness < LIKE or abs(samples) == LATEST:  # at the edge: it is beyond it
            if not self._looks:
                self._canceller.forget()
                self._learned, self._wrong_s = False, 0.0
            return 0.0
        self._looks = 0
        return samples / SAMPLE_RATE_HZ

    def _rest(self) -> None:
        if not self._resting:
            log.debug("%.0f dB of the end of the reply were taken out", self.share.removed_db)
            self.share.forget()
            self._resting = self._learned = True
            self._interrupted()

    def _interrupted(self) -> None:
        """What was played before has nothing to do with what comes; the room is the same, as far as it is known."""
        if self._learned:
            self._canceller.rest()
            self._looks = LOOKS
        else:
            self._canceller.forget()


def _drift(apart: Sequence[tuple[float, float]]) -> float:
    """Seconds by which the clocks move apart in one second, from the medians of the first and the last third; 0 as long
    as that is not sure."""
    if len(apart) < FEWEST:
        return 0.0
    third = len(apart) // 3
    noted = np.array(apart)
    at_s, apart_s = np.median(noted[-third:], axis=0) - np.median(noted[:third], axis=0)
    slope = float(apart_s / at_s)
    return slope if abs(apart_s) > SURE_S and abs(slope) < MOST_DRIFT else 0.0
