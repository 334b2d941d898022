"""A Piper voice of a few hundred weights, written byte by byte: the real phonemes, the real runtime, no model file.

It has the shape of a VITS export: numbers of phonemes → frames (one for each number) → a vocoder of convolutions that
makes ``HOP`` samples of each frame. What it says is noise, but always the same noise for the same phonemes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

HOP = 256
RATE_HZ = 22_050
_FLOAT, _INT64 = 1, 7


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def block(field: int, body: bytes | str) -> bytes:
    data = body.encode() if isinstance(body, str) else body
    return varint(field << 3 | 2) + varint(len(data)) + data


def node(kind: str, inputs: Sequence[str], output: str, **attributes: int | Sequence[int]) -> bytes:
    body = b"".join(block(1, name) for name in inputs) + block(2, output) + block(3, output) + block(4, kind)
    for name, value in attributes.items():
        if isinstance(value, int):
            body += block(5, block(1, name) + number(3, value) + number(20, 2))
        else:
            body += block(5, block(1, name) + b"".join(number(8, item) for item in value) + number(20, 7))
    return block(1, body)


def tensor(name: str, values: np.ndarray) -> bytes:
    kind = _INT64 if values.dtype == np.int64 else _FLOAT
    dims = b"".join(number(1, size) for size in values.shape)
    return block(5, dims + number(2, kind) + block(8, name) + block(9, values.tobytes()))


def value(field: int, name: str, kind: int) -> bytes:
    return block(field, block(1, name) + block(2, block(1, number(1, kind))))


def model(*parts: bytes) -> bytes:
    graph = b"".join(parts) + block(2, "voice")
    return number(1, 8) + block(7, graph) + block(8, block(1, "") + number(2, 13))


def tiny_model(*, reach: int = 1, speakers: int = 1, weight: str = "dec.conv_pre.weight") -> bytes:
    """``reach``: frames that the vocoder sees on either side; ``weight``: by which a vocoder is known."""
    noise = np.random.default_rng(7)
    wide = noise.normal(0, 0.3 / (2 * reach + 1) ** 0.5, (4, 2, 2 * reach + 1)).astype(np.float32)
    rises = noise.normal(0, 0.3, (4, 1, HOP)).astype(np.float32)
    spread = noise.normal(0, 0.1, (2, 1, 1)).astype(np.float32)
    parts = [
        node("Cast", ["input"], "numbers", to=_FLOAT),
        node("Cast", ["input_lengths"], "length", to=_FLOAT),
        node("Mul", ["length", "zero"], "nothing"),
        node("ReduceSum", ["scales"], "scale", keepdims=0),
        node("Mul", ["scale", "zero"], "nothing_more"),
        node("Add", ["numbers", "nothing"], "sums"),
        node("Add", ["sums", "nothing_more"], "row"),
        node("Unsqueeze", ["row", "second"], "column"),
        node("Conv", ["column", "spread"], "frames"),
        node("Conv", ["frames", weight], "wide", pads=[reach, reach]),
        tensor("zero", np.zeros(1, np.float32)),
        tensor("second", np.array([1], np.int64)),
        tensor("spread", spread),
        tensor(weight, wide),
        tensor("rises", rises),
        value(11, "input", _INT64),
        value(11, "input_lengths", _INT64),
        value(11, "scales", _FLOAT),
    ]
    voiced = "wide"
    if speakers > 1:
        parts += [value(11, "sid", _INT64), node("Cast", ["sid"], "who", to=_FLOAT), node("Add", ["wide", "who"], "of")]
        voiced = "of"
    parts += [
        node("ConvTranspose", [voiced, "rises"], "raw", strides=[HOP]),
        node("Tanh", ["raw"], "output"),
        value(12, "output", _FLOAT),
    ]
    return model(*parts)


def tiny_voice(folder: Path, *, reach: int = 1, speakers: int = 1, weight: str = "dec.conv_pre.weight") -> Path:
    """The voice's .onnx, with its .json beside it."""
    file = folder / "tiny.onnx"
    file.write_bytes(tiny_model(reach=reach, speakers=speakers, weight=weight))
    config = {
        "audio": {"sample_rate": RATE_HZ},
        "espeak": {"voice": "en-us"},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_id_map": DEFAULT_PHONEME_ID_MAP,
        "num_symbols": 256,
        "num_speakers": speakers,
        "default_speaker_id": 1 if speakers > 1 else 0,
    }
    file.with_name("tiny.onnx.json").write_text(json.dumps(config), encoding="utf-8")
    return file
