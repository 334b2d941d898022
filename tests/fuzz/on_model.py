"""What a language model and its server send: text that looks like calls, deltas in any pieces, bytes for HTTP."""

# ruff: noqa: PT017 - a refusal is one of two right outcomes, and has to be as documented
from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence

from assistant.chat.openai_compatible import OpenAICompatible
from assistant.chat.repair import MAX_CALLS, arguments_from, read_tool_calls
from assistant.chat.streamed import StreamedAnswer
from assistant.errors import ChatError
from assistant.events import ModelDelta
from assistant.ports import ModelReply, ToolDescription
from tests.fuzz.target import Reader, Target, finished, pieces

SWITCH = ToolDescription(
    "home_control",
    "Acts.",
    {"type": "object", "properties": {"target": {"type": "string"}}, "required": ["target"]},
)
LOOK = ToolDescription("check_backups", "Tells.", {"type": "object", "properties": {"job": {"type": "string"}}})
KNOWN = ("home_control", "check_backups")

CALLS = (
    '{"name": "home_control", "arguments": {"target": "all", "action": "off"}}',
    '```json\n{{"name": "check_backups", "parameters": {}}}\n```',
    "<tool_call>\n{'name': 'home_control', 'arguments': '{\"target\": \"x\"'}\n</tool_call>",
    "<function=home_control><parameter=target>garage</parameter></function>",
    'home_control(target="kitchen", action=off)',
    '[TOOL_CALLS][{"name": "home_control", "arguments": {"target": ',
    "<think>I will call home_control</think> The backup is fine {not json}",
    '[{"function": {"name": "home_control", "arguments": "not json"}}]',
    '<|python_tag|>check_backups {"job": null,}',
)


def run_text(data: bytes) -> None:
    """Never raises, never ``{}`` from malformed arguments, bounded, and what it read once it reads again."""
    text = data[1:].decode("utf-8", "replace")
    read = read_tool_calls(text, KNOWN, cut_off=bool(data[:1] and data[0] & 1))
    assert len(read.calls) <= MAX_CALLS
    for call in read.calls:
        assert call.arguments is None or isinstance(call.arguments, dict)
        json.dumps(call.arguments, allow_nan=False).encode()
    assert len(read.rest) <= len(text) + len(read.calls)


def run_arguments(data: bytes) -> None:
    """A native call's arguments: an object that stands there, or None; ``{}`` only where nothing or ``{}`` stands."""
    raw = data[1:].decode("utf-8", "replace")
    flags = data[0] if data else 0
    found = arguments_from(raw, required=bool(flags & 1), cut_off=bool(flags & 2))
    if found == {}:
        inside = re.sub(r"```[\w-]*", "", raw)
        assert not any(character.isalnum() for character in inside), raw
    if found is not None:
        json.dumps(found, allow_nan=False).encode()
    if flags & 2 and raw.strip() and found is not None:
        assert "}" in raw, "half an object was taken for a whole one"


def run_deltas(data: bytes) -> None:
    """The shown pieces together are the reply's text, whatever the pieces; two ways of cutting give one reply."""
    cuts, text = data[:4], data[4:].decode("utf-8", "replace")

    def streamed(parts: Sequence[str]) -> tuple[str, ModelReply]:
        answer = StreamedAnswer([SWITCH, LOOK])
        shown = "".join(answer.add_text(part) for part in parts)
        rest, reply = answer.end()
        assert shown + rest == reply.text
        return shown + rest, reply

    sizes = [size % 7 + 1 for size in cuts] or [3]
    parts: list[str] = []
    at = 0
    while at < len(text):
        size = sizes[len(parts) % len(sizes)]
        parts.append(text[at : at + size])
        at += size
    whole, cut = streamed([text]), streamed(parts)
    assert whole[1].tool_calls == cut[1].tool_calls
    assert whole[0] == cut[0]


def delta_seeds() -> list[bytes]:
    return [b"\x01\x02\x05\x00" + text.encode() for text in (*CALLS, "Four of seven backups are proven. Café ☕.")]


def _chunk(**delta: object) -> bytes:
    told = {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": None}],
    }
    return b"data: " + json.dumps(told).encode() + b"\n\n"


def sse_seeds() -> list[bytes]:
    """Whole HTTP answers: streams, broken streams, pages, errors."""
    call = {"index": 0, "id": "a", "function": {"name": "home_control", "arguments": '{"target": "lamp"}'}}
    end = b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    page = b"<html><body>502 Bad Gateway</body></html>"
    return [
        head + _chunk(content="All good.") + end,
        head + _chunk(tool_calls=[call]) + end,
        head + _chunk(reasoning_content="hm") + b': ping\n\nevent: error\ndata: {"error": {"message": "no"}}\n\n',
        head + b"data: {}\n\ndata: []\n\ndata: null\n\ndata: 1\n\n" + end,
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 41\r\n\r\n" + page,
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\ndata: x",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: text/event-stream\r\n\r\n\x1f\x8b\x08\x00abc",
        b'HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{"error": [1]}',
    ]


def run_sse(data: bytes) -> None:
    """Bytes instead of a model server's answer: a ChatError or exactly one reply, the last thing that comes."""
    finished(_ask_server(data))


async def _ask_server(data: bytes) -> None:
    reader = Reader(data)
    cuts, answer = bytes([reader.byte()]), reader.rest()

    async def serve(incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        try:
            await incoming.readuntil(b"\r\n\r\n")
            for piece in pieces(answer, cuts):
                outgoing.write(piece)
            await outgoing.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            outgoing.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    model = OpenAICompatible(
        f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", "m", first_delta_timeout_s=5, timeout_s=5
    )
    try:
        came = [one async for one in model.complete([{"role": "user", "content": "hi"}], [SWITCH, LOOK])]
        assert [type(one) for one in came] == [ModelDelta] * (len(came) - 1) + [ModelReply]
    except ChatError as refused:
        assert refused.code
        assert refused.detail.isprintable(), refused.detail
        assert len(refused.detail) < 2_000
    finally:
        await model.close()
        server.close()
        await server.wait_closed()


TARGETS = (
    Target(
        "model-text",
        "text that looks like a call is read or stays text; bounded, and never raises",
        run_text,
        lambda: [b"\x00" + text.encode() for text in CALLS] + [b"\x01" + text.encode() for text in CALLS[:3]],
        70,
    ),
    Target(
        "model-arguments",
        "malformed arguments are None and never {}",
        run_arguments,
        lambda: [
            flag + text
            for flag in (b"\0", b"\1", b"\2")
            for text in (b'{"target": "x"}', b"", b"{}", b"```json\n{}\n```", b'{"a": [1, ')
        ],
        70,
    ),
    Target("model-deltas", "the reply does not depend on how it was cut", run_deltas, delta_seeds, 50),
    Target(
        "model-server",
        "whatever a model server answers is one reply or a ChatError",
        run_sse,
        lambda: [b"\xff" + seed for seed in sse_seeds()] + [b"\x03" + seed for seed in sse_seeds()[:2]],
        4,
    ),
)
