"""Sound and the speech protocols: clips that are uploaded, wavs that servers send, frames of Wyoming."""

# ruff: noqa: PT017 - a refusal is one of two right outcomes, and has to be as documented
from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
from wyoming.event import Event

from assistant.satellites.about import read_about
from assistant.speech.decode_child import ClipError, decode, quieten
from assistant.speech.wav_stream import NoWav, WavStream
from assistant.speech.wyoming_link import BadEvent, services, voices
from assistant.wyoming.connection import Connection
from tests.fuzz.target import Target, finished, pieces

FIXTURES = Path(__file__).parents[2] / "audio_fixtures"
MAX_S = 5.0


def clip_seeds() -> list[bytes]:
    """Every container that phones and browsers record, short, so that a mutation often meets a header."""
    from tests.speech.clips import encoded, float_wav, tone, wav

    short = tone(0.08)
    forms = (
        ("flac", "flac", 16_000),
        ("mp3", "libmp3lame", 44_100),
        ("ogg", "libopus", 48_000),
        ("webm", "libopus", 48_000),
        ("ipod", "aac", 44_100),
        ("adts", "aac", 44_100),
        ("amr", "libopencore_amrnb", 8_000),
        ("3gp", "libopencore_amrnb", 8_000),
        ("caf", "pcm_s16le", 16_000),
        ("aiff", "pcm_s16be", 16_000),
        ("w64", "pcm_s16le", 16_000),
    )
    recorded = (FIXTURES / "is_the_media_server_up.wav").read_bytes()[:6_000]
    return [wav(short), float_wav(short), recorded, *(encoded(short, *form) for form in forms)]


def run_clip(data: bytes) -> None:
    """In this process, where memory errors would be seen; the limits of the child are tried elsewhere."""
    quieten()
    try:
        pcm = decode(data, MAX_S)
    except ClipError as refused:
        assert refused.code in {"empty_clip", "not_audio", "clip_too_long"}, refused.code
        assert len(refused.detail) < 400
        assert refused.detail.isprintable()
    else:
        assert 0 < len(pcm) <= (MAX_S + 2) * 32_000


def run_wav(data: bytes) -> None:
    """However it was cut, the same sound comes out, never more than went in."""
    cuts, wav = data[:4], data[4:]

    def fed(parts: Sequence[bytes]) -> tuple[bytes, bool]:
        stream, sound = WavStream(), bytearray()
        try:
            for part in parts:
                for _, piece in stream.feed(part):
                    sound += piece
        except NoWav:
            return bytes(sound), False
        return bytes(sound), True

    whole, cut = fed([wav]), fed(pieces(wav, cuts))
    assert len(whole[0]) <= len(wav)
    assert cut == whole or not whole[1] or not cut[1], "it depends on how it was cut"


def wyoming_seeds() -> list[bytes]:
    def frame(kind: str, data: dict[str, object] | None = None, payload: bytes = b"") -> bytes:
        told = json.dumps(data or {}).encode()
        head = {"type": kind, "data_length": len(told), "payload_length": len(payload)}
        return json.dumps(head).encode() + b"\n" + told + payload

    sound = np.zeros(160, np.int16).tobytes()
    form: dict[str, object] = {"rate": 16_000, "width": 2, "channels": 1}
    return [
        frame("describe"),
        frame("transcribe", {"language": "en"}) + frame("audio-start", form) + frame("audio-chunk", form, sound),
        frame("audio-stop") + b'{"type": "ping", "data": {"text": "a"}}\n',
        frame("info", {"asr": [{"name": "a", "installed": True}], "tts": [{"voices": [{"name": "v"}]}]}),
        frame("info", {"satellite": {"name": "s", "area": "Kitchen"}, "mic": [{"mic_format": form}]}),
        b'{"type": "audio-chunk", "payload_length": 4294967295}\nabc',
        b'{"type": "x", "data_length": -1, "payload_length": 1e99}\n',
        b'{"type": "transcript", "data": {"text": "is the backup ok"}}\n',
    ]


def run_wyoming(data: bytes) -> None:
    """Frames with lying lengths: BadEvent or an event within the limits, whatever the other side says of itself."""
    finished(_read_frames(data))


async def _read_frames(data: bytes) -> None:
    reader = asyncio.StreamReader(limit=65_536)
    reader.feed_data(data)
    reader.feed_eof()
    connection = Connection("fuzz", reader, cast(asyncio.StreamWriter, None), idle_s=10)  # nothing is written
    while True:
        try:
            event: Event | None = await connection.receive()
        except BadEvent as refused:
            assert len(str(refused)) < 200
            return
        if event is None:
            return
        services(event)
        voices(event)
        read_about(event.data)


def run_wyoming_server(data: bytes) -> None:
    """The whole server with fake ears and mouth: the connection ends, nobody else's does, and nothing is left of it."""
    finished(_serve(data))


async def _serve(data: bytes) -> None:
    from tests.wyoming.rig import Rig, all_gone

    rig = Rig(limits={"idle_s": 5.0, "linger_s": 0.02})
    async with rig.open() as server:
        await rig.raw(data)
        await all_gone()
        assert server.connections == 0
        assert b'"info"' in await rig.raw(b'{"type": "describe"}\n')


TARGETS = (
    Target("clips", "a clip becomes sound of bounded length or a ClipError", run_clip, clip_seeds, 60),
    Target(
        "wav-streams",
        "a wav that a server streams gives no more sound than it has, however it was cut",
        run_wav,
        lambda: [b"\x03\x10\x01\x40" + seed for seed in clip_seeds()[:3]],
        80,
    ),
    Target("wyoming-frames", "a frame is an event within the limits, or BadEvent", run_wyoming, wyoming_seeds, 150),
    Target(
        "wyoming-server",
        "whatever a client sends, its connection ends and the server answers the next one",
        run_wyoming_server,
        wyoming_seeds,
        4,
    ),
)
