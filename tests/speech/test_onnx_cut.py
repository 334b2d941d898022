"""A voice cut in two makes what the whole makes; what is no such voice is refused with the reason."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.speech.onnx_cut import cut_before_vocoder
from tests.speech.tiny_voice import model, node, tensor, tiny_model, value

FLOAT = 1


def run(data: bytes, inputs: Mapping[str, object]) -> np.ndarray:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    made: np.ndarray = session.run(None, dict(inputs))[0]
    return made


@pytest.mark.parametrize("speakers", [1, 3])
def test_front_and_back_together_are_the_whole(speakers: int) -> None:
    data = tiny_model(speakers=speakers)
    inputs = {
        "input": np.arange(30, dtype=np.int64).reshape(1, -1),
        "input_lengths": np.array([30], dtype=np.int64),
        "scales": np.array([0.6, 1, 0.8], dtype=np.float32),
    }
    speaker = {"sid": np.array([2], dtype=np.int64)} if speakers > 1 else {}
    halves = cut_before_vocoder(data)
    assert halves.back_inputs == tuple(speaker)
    frames = run(halves.front, inputs | speaker)
    whole = run(data, inputs | speaker)
    assert np.array_equal(run(halves.back, {halves.joint: frames, **speaker}), whole)
    assert np.abs(whole).max() > 0.1


def test_each_half_holds_only_its_own_weights() -> None:
    halves = cut_before_vocoder(tiny_model())
    assert (b"dec.conv_pre.weight" in halves.front, b"spread" in halves.front) == (False, True)
    assert (b"dec.conv_pre.weight" in halves.back, b"spread" in halves.back) == (True, False)


def test_a_model_without_a_vocoder_is_refused() -> None:
    with pytest.raises(ValueError, match="no vocoder"):
        cut_before_vocoder(tiny_model(weight="something.else"))


def test_a_vocoder_that_reads_the_text_besides_its_frames_is_refused() -> None:
    data = model(
        node("Relu", ["scales"], "frames"),
        node("Mul", ["frames", "dec.conv_pre.weight"], "raw"),
        node("Add", ["raw", "scales"], "output"),
        tensor("dec.conv_pre.weight", np.ones(3, np.float32)),
        value(11, "scales", FLOAT),
        value(12, "output", FLOAT),
    )
    with pytest.raises(ValueError, match="scales"):
        cut_before_vocoder(data)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_model_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        cut_before_vocoder(data)


@given(st.integers(0, len(tiny_model()) - 1))
def test_a_model_cut_short_is_refused_or_has_lost_nothing_that_counts(length: int) -> None:
    try:
        halves = cut_before_vocoder(tiny_model()[:length])
    except ValueError:
        return
    assert halves.joint == "frames"
