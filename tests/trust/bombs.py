"""Bombs and lying headers against the real ``jarvis serve``: small inputs that would like to become large or endless.

Each says what it is, sends itself, and gets an answer or a closed connection within its time; the server's peak of
memory (VmHWM of /proc) is read before and after.
"""

from __future__ import annotations

import gzip
import io
import json
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from tests.serving import serving
from tests.speech.clips import encoded

LIMIT_MB = 200.0
"""By which the peak of the server may grow, over all of them together."""

ANSWER_S = 60.0
"""For what is sent whole; the slow ones have the server's own limits (BODY_TIMEOUT_S, IDLE_S)."""

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Bomb:
    """``fire`` gives what came back, empty where the connection was closed."""

    name: str
    fire: Callable[[Address, Address], bytes]
    within_s: float = ANSWER_S
    prepare: Callable[[], object] = lambda: None
    """Makes what is sent, before the clock runs."""


@dataclass(frozen=True, slots=True)
class Fired:
    """What came of one."""

    name: str
    seconds: float
    status: str
    in_time: bool


def exchanged(where: Address, pieces: Iterator[bytes] | list[bytes], within_s: float) -> bytes:
    """Send the pieces, and read until the other side is done, closes, or the time is over (TimeoutError)."""
    ends = time.monotonic() + within_s
    came = bytearray()
    with socket.create_connection(where, timeout=within_s) as line:
        with suppress(ConnectionError):
            for piece in pieces:
                line.settimeout(max(0.1, ends - time.monotonic()))
                line.sendall(piece)
        with suppress(ConnectionError):
            while True:
                line.settimeout(max(0.1, ends - time.monotonic()))
                piece = line.recv(65_536)
                came += piece
                if not piece or whole(came):
                    break
    return bytes(came)


def whole(answer: bytearray) -> bool:
    """Whether an HTTP answer of a known length is all there."""
    head, end, body = bytes(answer).partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if end and line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return False


def post(path: str, body: bytes, *headers: str, length: int | None = None) -> list[bytes]:
    """A request, cut into pieces of 64 kB. ``length``: what it says of itself, where that is not the truth."""
    told = "".join(f"{line}\r\n" for line in headers)
    size = len(body) if length is None else length
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {size}\r\n{told}\r\n".encode()
    return [head, *(body[at : at + 65_536] for at in range(0, len(body), 65_536))]


def over_http(name: str, path: str, body: Callable[[], bytes], *headers: str) -> Bomb:
    """A body that is sent whole."""
    made = cache(body)
    return Bomb(name, lambda http, _: exchanged(http, post(path, made(), *headers), ANSWER_S), prepare=made)


def lying_wav() -> bytes:
    """A second of sound that says it is 4 GiB."""
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 0xFFFFFFFF, b"WAVE", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    return head + struct.pack("<4sI", b"data", 0xFFFFFFFF) + bytes(32_000)


def silence(container: str, codec: str, rate_hz: int) -> bytes:
    """Ten minutes of nothing, in some kilobytes."""
    return encoded(np.zeros(16_000 * 600, dtype=np.int16), container, codec, rate_hz)


def moov_bomb() -> bytes:
    """An m4a whose tables say that they have four thousand million entries, 200 boxes deep."""
    table = struct.pack(">I4sII", 0xFFFFFFF0, b"stsz", 0, 0) + struct.pack(">I", 0xFFFFFFFF) + bytes(64)
    box = table
    for _ in range(200):
        box = struct.pack(">I4s", len(box) + 8, b"trak") + box
    return struct.pack(">I4s4sI4s", 20, b"ftyp", b"M4A ", 0, b"M4A ") + struct.pack(">I4s", len(box) + 8, b"moov") + box


def multipart(parts: int) -> bytes:
    one = b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nx\r\n'
    return one * parts + b"--b--\r\n"


def _compressed(kind: str) -> bytes:
    """100 MB of blanks; brotli and zstd, which Python 3.11 cannot write, as bytes that begin like them."""
    text = b'{"text": "' + b" " * 100_000_000 + b'"}'
    if kind == "gzip":
        return gzip.compress(text)
    return zlib.compress(text) if kind == "deflate" else b"\x28\xb5\x2f\xfd" + bytes(10_000)


def slow_request(http: Address, _: Address) -> bytes:
    """A body of which a byte comes every second: given up by the server, not by us."""

    def pieces() -> Iterator[bytes]:
        yield f"POST /command HTTP/1.1\r\nHost: 127.0.0.1\r\n{JSON}\r\nContent-Length: 500\r\n\r\n".encode()
        for _second in range(50):
            time.sleep(1)
            yield b" "

    return exchanged(http, pieces(), 90)


def slow_headers(http: Address, _: Address) -> bytes:
    """Two hundred connections that begin a request and do not go on; then one that does is answered."""
    held = []
    try:
        for _client in range(200):
            line = socket.create_connection(http, timeout=10)
            line.sendall(b"POST /command HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
            held.append(line)
        return exchanged(http, [b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"], ANSWER_S)
    finally:
        for line in held:
            line.close()


def wyoming_header(_: Address, wyoming: Address) -> bytes:
    """A line that never ends: closed after 64 kB."""
    return exchanged(wyoming, [b'{"type": "' + b"a" * 65_536] * 50, ANSWER_S)


def wyoming_lengths(_: Address, wyoming: Address) -> bytes:
    """A payload that says it is 4 GiB."""
    told = json.dumps({"type": "audio-chunk", "data_length": 0, "payload_length": 2**32}).encode()
    return exchanged(wyoming, [told + b"\n" + bytes(65_536)], ANSWER_S)


def wyoming_crowd(_: Address, wyoming: Address) -> bytes:
    """More clients than are served, each with half an event; those that are too many are closed at once, and when the
    others have gone the next one is answered."""
    held = []
    closed = 0
    try:
        for _client in range(60):
            line = socket.create_connection(wyoming, timeout=10)
            held.append(line)
            line.sendall(b'{"type": "audio-')
        for line in held[40:]:
            line.settimeout(10)
            try:
                closed += line.recv(1) == b""
            except ConnectionError:
                closed += 1
    finally:
        for line in held:
            line.close()
    ends = time.monotonic() + ANSWER_S
    while time.monotonic() < ends:
        with suppress(OSError), socket.create_connection(wyoming, timeout=5) as line:
            line.sendall(b'{"type": "describe"}\n')
            if answer := line.recv(100):
                return b"%d closed, then " % closed + answer
        time.sleep(0.2)
    return b"nobody is answered any more"


CLIP = "Content-Type: application/octet-stream"
JSON = "Content-Type: application/json"
FORM = "Content-Type: multipart/form-data; boundary=b"
MCP = "Accept: application/json, text/event-stream"


def _keys(count: int) -> bytes:
    out = io.StringIO()
    out.write("{")
    for number in range(count):
        out.write(f'"k{number}":1,')
    out.write('"text":"x"}')
    return out.getvalue().encode()


def _endless(path: str) -> Iterator[bytes]:
    """300 MB in chunks, without a length."""
    told = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{JSON}\r\n{MCP}\r\nTransfer-Encoding: chunked\r\n\r\n"
    yield told.encode()
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    for _ in range(4_600):
        yield chunk
    yield b"0\r\n\r\n"


BOMBS = (
    *(
        over_http(f"{name} body of 100 MB", "/command", partial(_compressed, name), JSON, f"Content-Encoding: {name}")
        for name in ("gzip", "deflate", "br", "zstd")
    ),
    over_http("gzip body to /mcp", "/mcp", partial(_compressed, "gzip"), JSON, MCP, "Content-Encoding: gzip"),
    over_http("wav that says it is 4 GiB", "/command", lying_wav, "Content-Type: audio/wav"),
    over_http("flac of ten minutes", "/command", partial(silence, "flac", "flac", 16_000), CLIP),
    over_http("ogg of ten minutes", "/command", partial(silence, "ogg", "libopus", 48_000), CLIP),
    over_http("m4a with a moov bomb", "/command", moov_bomb, CLIP),
    over_http("JSON 100,000 deep", "/command", lambda: b'{"text": ' + b"[" * 100_000 + b"]" * 100_000, JSON),
    over_http("JSON 100,000 deep to /v1", "/v1/chat/completions", lambda: b"[" * 100_000, JSON),
    over_http("JSON 100,000 deep to /mcp", "/mcp", lambda: b'{"a":' * 100_000, JSON, MCP),
    over_http("JSON of a million keys", "/command", partial(_keys, 1_000_000), JSON),
    over_http("JSON of 60,000 keys", "/v1/chat/completions", partial(_keys, 60_000), JSON),
    over_http("JSON of a million keys to /mcp", "/mcp", partial(_keys, 1_000_000), JSON, MCP),
    over_http("form of 100,000 parts", "/command", partial(multipart, 100_000), FORM),
    Bomb(
        "length of 15 digits",
        lambda http, _: exchanged(http, post("/command", b"{}", JSON, length=999_999_999_999_999), ANSWER_S),
    ),
    Bomb("chunks without end", lambda http, _: exchanged(http, _endless("/command"), ANSWER_S)),
    Bomb("chunks without end to /mcp", lambda http, _: exchanged(http, _endless("/mcp"), ANSWER_S)),
    Bomb(
        "headers of 1 MB",
        lambda http, _: exchanged(http, [b"GET / HTTP/1.1\r\n", b"X: " + b"a" * 1_000_000], ANSWER_S),
    ),
    Bomb("200 half requests", slow_headers),
    Bomb("Wyoming line without end", wyoming_header),
    Bomb("Wyoming payload of 4 GiB", wyoming_lengths),
    Bomb("60 Wyoming clients", wyoming_crowd),
    Bomb("body of a byte a second", slow_request, 90),
)


def peak_mb(pid: int) -> float:
    """The most memory that a process ever had, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmHWM")


def fire(bomb: Bomb, http: Address, wyoming: Address) -> Fired:
    """One of them, and how the server took it."""
    bomb.prepare()
    began = time.monotonic()
    try:
        came = bomb.fire(http, wyoming)
        in_time = True
    except TimeoutError:
        came, in_time = b"", False
    took = time.monotonic() - began
    first = came.split(b"\r\n", 1)[0][:80].decode("utf-8", "replace")
    return Fired(bomb.name, took, first or "closed", in_time and took <= bomb.within_s)


HOUSE = """engine = "sentences"
local_engines = false
[services.gitea]
tcp = "127.0.0.1:1"
[wyoming]
enabled = true
port = PORT
zeroconf = false
[transcriber]
engine = "openai"
url = "http://127.0.0.1:1/v1"
[synthesizer]
engine = "openai"
url = "http://127.0.0.1:1/v1"
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of all of them."""

    fired: tuple[Fired, ...]
    grown_mb: float
    well: bool
    """It answers afterwards, as it did before."""


def bombard(folder: Path, bombs: Sequence[Bomb] = BOMBS) -> Outcome:
    """All of them against one server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        wyoming = ("127.0.0.1", int(free.getsockname()[1]))
    with serving(folder, HOUSE.replace("PORT", str(wyoming[1]))) as served:
        said = served.process.stderr
        assert said is not None
        http = ("127.0.0.1", int(served.url.rpartition(":")[2]))
        reading = threading.Thread(target=said.read, daemon=True)
        reading.start()
        first = exchanged(http, post("/command", b'{"text": "is gitea up?"}', JSON), ANSWER_S)
        before = peak_mb(served.process.pid)
        fired = tuple(fire(bomb, http, wyoming) for bomb in bombs)
        grown = peak_mb(served.process.pid) - before
        last = exchanged(http, post("/command", b'{"text": "is gitea up?"}', JSON), ANSWER_S)
        return Outcome(fired, grown, b" 200 " in first[:20] and b" 200 " in last[:20])
