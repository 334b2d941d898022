"""ONNX models cut into parts: a VITS voice into what makes the frames of a sentence, and what makes sound of frames.

Piper's models are one graph, so that the sound of a whole sentence comes at once. The second half of it, the HiFi-GAN
vocoder, is nothing but convolutions over frames: given a stretch of frames (and a few on either side) it makes the
samples of that stretch. Cut in two, the graph can be run for the first words of a sentence before the rest. What the
wake words hear with is cut, too (:mod:`assistant.speech.wake_embedding`).

The file is protocol buffers; as only nodes and initializers are sorted into two heaps, its fields are walked as bytes
and nothing but their names is decoded. Field numbers are those of ``onnx.proto`` (ONNX 1.20). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

VOCODER_WEIGHT = "dec.conv_pre.weight"
"""Weight of the vocoder's first convolution, by its name in VITS' ``SynthesizerTrn`` and in every export of it."""

SPEAKER = "sid"
"""Input with the speaker's number, in a voice of several."""

_GRAPH = 7
_NODE, _INITIALIZER, _INPUT, _OUTPUT, _VALUE_INFO = 1, 5, 11, 12, 13
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR = 1, 2, 4
_TENSOR_NAME, _VALUE_NAME = 8, 1
_FLOAT = 1
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class Halves:
    """``front`` has the inputs of the whole and gives the tensor ``joint``; ``back`` takes it, and of the inputs of
    the whole those in ``back_inputs`` (the speaker's number, in a voice of several), and gives the output."""

    front: bytes
    back: bytes
    joint: str
    back_inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """One operation. ``raw``: its field in the file."""

    raw: bytes
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """A model in pieces. ``head``, ``rest``: what every part of it has, too; the mappings: name → content."""

    head: bytes
    rest: bytes
    nodes: tuple[Node, ...]
    inputs: Mapping[str, memoryview]
    outputs: Mapping[str, memoryview]
    weights: Mapping[str, memoryview]

    @classmethod
    def read(cls, model: bytes) -> Graph:
        """Raises ValueError, with the reason, for what is no ONNX model or gives nothing."""
        head, graph = _parts(model)
        fields = list(_fields(graph))

        def named(wanted: int, name: int) -> dict[str, memoryview]:
            return {_name(body, name): body for number, body, _ in fields if number == wanted}

        apart = (_NODE, _INITIALIZER, _INPUT, _OUTPUT, _VALUE_INFO)
        outputs = named(_OUTPUT, _VALUE_NAME)
        if not outputs:
            raise ValueError("no model: it gives nothing")
        return cls(
            head,
            b"".join(raw for number, _, raw in fields if number not in apart),
            tuple(_node(body) for number, body, _ in fields if number == _NODE),
            named(_INPUT, _VALUE_NAME),
            outputs,
            named(_INITIALIZER, _TENSOR_NAME),
        )

    def part(self, wanted: list[str], given: list[str]) -> tuple[bytes, list[str]]:
        """A model that makes ``wanted`` of ``given`` and those inputs of the whole, named too, that it needs
        besides; without ``given``, of all of them."""
        kept, needed = _needed(self.nodes, wanted, frozenset(given))
        fed = [name for name in self.inputs if name in needed or not given]
        body = b"".join(
            [
                self.rest,
                *(node.raw for node in kept),
                *(_field(_INITIALIZER, bytes(body)) for name, body in self.weights.items() if name in needed),
                *(_field(_INPUT, bytes(self.inputs[name])) for name in fed),
                *(_field(_INPUT, _float_tensor(name)) for name in given),
                *(_field(_OUTPUT, bytes(self.outputs.get(name) or _float_tensor(name))) for name in wanted),
            ]
        )
        return self.head + _field(_GRAPH, body), fed


def cut_before_vocoder(model: bytes) -> Halves:
    """Cut a VITS voice. Raises ValueError, with the reason, for anything that is not built like one."""
    graph = Graph.read(model)
    joint = next((node.inputs[0] for node in graph.nodes if VOCODER_WEIGHT in node.inputs), None)
    if joint is None:
        raise ValueError(f"no vocoder: there is no weight {VOCODER_WEIGHT}")
    front, _ = graph.part([joint], [])
    back, fed = graph.part(list(graph.outputs)[:1], [joint])
    if set(fed) - {SPEAKER}:
        raise ValueError(f"the vocoder wants {', '.join(fed)} besides its frames")
    return Halves(front, back, joint, tuple(fed))


def _needed(nodes: Sequence[Node], wanted: Iterable[str], given: frozenset[str]) -> tuple[list[Node], set[str]]:
    """The nodes behind ``wanted``, in order, and all names that they read. ONNX lists nodes in topological order."""
    names = set(wanted)
    kept = []
    for node in reversed(nodes):
        if names.intersection(node.outputs):
            kept.append(node)
            names.update(name for name in node.inputs if name not in given)
    return kept[::-1], names


def _parts(model: bytes) -> tuple[bytes, memoryview]:
    """Everything but the graph, as it stands, and the graph."""
    head = bytearray()
    graph: memoryview | None = None
    for number, body, raw in _fields(memoryview(model)):
        if number == _GRAPH:
            graph = body
        else:
            head += raw
    if graph is None:
        raise ValueError("no ONNX model: there is no graph in it")
    return bytes(head), graph


def _node(body: memoryview) -> Node:
    names: dict[int, list[str]] = {_NODE_INPUT: [], _NODE_OUTPUT: [], _NODE_OPERATOR: []}
    for number, value, _ in _fields(body):
        if number in names:
            names[number].append(_text(value))
    operator = next(iter(names[_NODE_OPERATOR]), "")
    return Node(_field(_NODE, bytes(body)), operator, tuple(names[_NODE_INPUT]), tuple(names[_NODE_OUTPUT]))


def _name(body: memoryview, field: int) -> str:
    return next((_text(value) for number, value, _ in _fields(body) if number == field), "")


def _text(value: memoryview) -> str:
    return bytes(value).decode("utf-8", "replace")


def _float_tensor(name: str) -> bytes:
    """ValueInfoProto of a float tensor of any shape."""
    return _field(1, name.encode()) + _field(2, _field(1, bytes([1 << 3 | _VARINT, _FLOAT])))


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Number, content and whole of each field. Raises ValueError where the bytes are no protocol buffer."""
    position = 0
    while position < len(data):
        start = position
        key, position = _varint(data, position)
        number, kind = key >> 3, key & 7
        if kind == _BYTES:
            length, position = _varint(data, position)
        elif kind == _VARINT:
            length = _varint(data, position)[1] - position
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError("no ONNX model: not a protocol buffer")
        end = position + length
        if end > len(data) or number == 0:
            raise ValueError("no ONNX model: cut short")
        yield number, data[position:end], data[start:end]
        position = end


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(data) and shift < 64:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError("no ONNX model: cut short")


def _field(number: int, body: bytes) -> bytes:
    """A length-delimited field."""
    return _encoded(number << 3 | _BYTES) + _encoded(len(body)) + body


def _encoded(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
