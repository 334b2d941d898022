"""The network of the wake words fed as a stream: what it made of a frame is kept, not made again ten times.

An embedding sees 76 frames of the melspectrogram and the next one 68 of them again. The network is nothing but
convolutions and pools, none of which fills up in time, so each stretch of a layer can be made of the stretch before
it. Cut after its pools, each stage is given the new frames and the last few that it had; the embeddings are those of
the whole network to the last bit, for a third of its time.
"""

from __future__ import annotations

import logging
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.errors import WakeWordError
from assistant.speech.onnx_cut import Graph
from assistant.speech.onnx_session import one_thread_session, one_thread_session_of

log = logging.getLogger(__name__)

Frames = NDArray[np.float32]

MEL_FRAMES, MEL_BANDS = 76, 32
"""What one embedding sees."""

FRAMES_PER_CHUNK = 8
"""What is new to the next."""

LENGTHS = (36, 32, 14, 10, 1)
"""Frames that the stages make of MEL_FRAMES; the last is the embedding."""

KEPT = (4, 4, 4, 4, 8)
"""Frames that each stage needs from before: two convolutions over three each take four; the last sees all of its ten,
two of which are new."""


class WholeEmbedding:
    """The network as it is shipped, over all frames each time."""

    def __init__(self, file: Path) -> None:
        """Raises WakeWordError."""
        self._session = one_thread_session(file, WakeWordError, "wake_model_unusable")
        self._frames = np.zeros((MEL_FRAMES, MEL_BANDS), dtype=np.float32)

    def feed(self, frames: Frames) -> Frames:
        """The embedding, (1, 96), after FRAMES_PER_CHUNK more frames, (n, 32)."""
        self._frames = np.concatenate([self._frames[len(frames) :], frames])
        made: Frames = self._session.run(None, {"input_1": self._frames[np.newaxis, :, :, np.newaxis]})[0]
        return made.reshape(1, -1)


class StreamedEmbedding:
    """The same numbers, stage by stage over what is new."""

    def __init__(self, file: Path) -> None:
        """Raises WakeWordError, and ValueError where the network is another one."""
        self._stages = [
            (given, one_thread_session_of(model, file, WakeWordError, "wake_model_unusable"))
            for given, model in stages(file.read_bytes())
        ]
        self._kept: list[Frames] = []
        made = np.zeros((1, 1, MEL_FRAMES, MEL_BANDS), dtype=np.float32)
        for (given, session), kept, length in zip(self._stages, KEPT, LENGTHS, strict=True):
            self._kept.append(made[:, :, -kept:])
            made = _run(session, given, made)
            if made.shape[2] != length:
                raise ValueError(f"a stage makes {made.shape[2]} frames, not {length}")

    def feed(self, frames: Frames) -> Frames:
        """The embedding, (1, 96), after FRAMES_PER_CHUNK more frames, (n, 32)."""
        made = frames[np.newaxis, np.newaxis]
        for number, (given, session) in enumerate(self._stages):
            heard = np.concatenate([self._kept[number], made], axis=2)
            self._kept[number] = heard[:, :, -KEPT[number] :]
            made = _run(session, given, heard)
        return made.reshape(1, -1)


def load_embedding(file: Path) -> StreamedEmbedding | WholeEmbedding:
    """Streamed where the network is the one that we know. Raises WakeWordError."""
    try:
        return StreamedEmbedding(file)
    except (ValueError, OSError) as reason:  # what is wrong with a file is told where the whole of it is loaded
        log.info("the wake words' features are not streamed: %s", reason)
        return WholeEmbedding(file)


def stages(model: bytes) -> list[tuple[str, bytes]]:
    """The network cut after each pool but its last: name of what a stage is given, and the stage. Raises ValueError,
    with the reason, for a network that is not built like it."""
    graph = Graph.read(model)
    shaped = [node.outputs[0] for node in graph.nodes if node.operator == "Reshape"]
    pooled = [node.outputs[0] for node in graph.nodes if node.operator == "MaxPool"]
    joints = [*shaped[:1], *pooled[:-1], *list(graph.outputs)[:1]]
    if len(joints) != len(LENGTHS) + 1:
        raise ValueError(f"it has {len(pooled)} pools, not {len(LENGTHS)}")
    found = []
    for given, wanted in pairwise(joints):
        part, fed = graph.part([wanted], [given])
        if fed:
            raise ValueError(f"a stage wants {', '.join(fed)} besides its frames")
        found.append((given, part))
    return found


def _run(session: Any, given: str, frames: Frames) -> Frames:
    made: Frames = session.run(None, {given: frames})[0]
    return made
