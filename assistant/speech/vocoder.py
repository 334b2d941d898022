"""The back of a voice that was cut in two: sound of frames, stretch by stretch. Blocking; for one thread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.speech.clauses import stretches
from assistant.speech.onnx_cut import Halves

Frames = NDArray[np.float32]
"""Shape (1, channels, n): what the front makes of a sentence."""

Sound = NDArray[np.float32]
"""Mono, shape (n,), at the voice's rate; as loud as the model makes it, within −1 and 1."""

CONTEXT_FRAMES = 16
"""Frames that the vocoder sees on either side of a stretch.

Its reach follows from the kernels of HiFi-GAN: 10 frames in Piper's medium voices, 13 in the high ones. Measured on a
medium voice: with 8 frames samples differ by 5e-4, with 10 by 3e-7, with 16 by nothing. ``Vocoder.check`` looks.
"""

FIRST_S = 0.3
"""Length of the first stretch: it plays while the next, half as long again, is made in a tenth of that time."""

MOST_S = 1.0
"""Longest stretch: what is made in vain when the reply is interrupted."""

CHECKED_FRAMES = 100

INAUDIBLE = 1e-4
"""Below this, −80 dBFS, a difference is not heard beside speech."""


class Vocoder:
    """``session`` runs the back of ``halves``."""

    def __init__(self, session: Any, halves: Halves, sample_rate_hz: int) -> None:
        self._session = session
        self._halves = halves
        self._rate_hz = sample_rate_hz
        self.samples_per_frame = 256
        """Piper's hop length, until ``check`` has looked."""

    def whole(self, frames: Frames, inputs: dict[str, Any]) -> Sound:
        """The sound of all frames at once. ``inputs``: what the front was given."""
        given = {name: inputs[name] for name in self._halves.back_inputs}
        made = self._session.run(None, {self._halves.joint: np.ascontiguousarray(frames), **given})
        sound: Sound = made[0].reshape(-1)
        return sound

    def stretch(self, frames: Frames, start: int, end: int, inputs: dict[str, Any]) -> Sound:
        """The same samples as in the whole for frames ``start`` to ``end``."""
        before = min(start, CONTEXT_FRAMES)
        sound = self.whole(frames[:, :, start - before : end + CONTEXT_FRAMES], inputs)
        return sound[before * self.samples_per_frame : (before + end - start) * self.samples_per_frame]

    def stretches(self, frames: Frames, inputs: dict[str, Any]) -> Iterator[Sound]:
        """The sound of all frames, a short stretch first."""
        per_s = self._rate_hz / self.samples_per_frame
        for start, end in stretches(frames.shape[2], max(1, int(FIRST_S * per_s)), max(1, int(MOST_S * per_s))):
            yield self.stretch(frames, start, end, inputs)

    def check(self, frames: Frames, inputs: dict[str, Any]) -> None:
        """Learn the hop length. Raises ValueError where stretches would not make the whole.

        The first CHECKED_FRAMES of the frames are enough for it, and as many are never decoded at once otherwise:
        onnxruntime keeps the memory of its greatest run.
        """
        frames = frames[:, :, :CHECKED_FRAMES]
        whole = self.whole(frames, inputs)
        count = frames.shape[2]
        self.samples_per_frame, rest = divmod(len(whole), count)
        if rest or not self.samples_per_frame:
            raise ValueError(f"{len(whole)} samples of {count} frames")
        parts = (0, count // 2), (count // 2, count)
        joined = np.concatenate([self.stretch(frames, start, end, inputs) for start, end in parts])
        if len(joined) != len(whole) or np.abs(joined - whole).max() > INAUDIBLE:
            raise ValueError(f"its vocoder reaches further than {CONTEXT_FRAMES} frames")
