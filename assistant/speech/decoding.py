"""Clips that people upload → samples, decoded in a limited child process."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

from assistant.errors import AudioError
from assistant.ports import SAMPLE_RATE_HZ, Samples

TIMEOUT_S = 20.0
MAX_FILE_BYTES = 200_000_000
COMPLAINTS_BYTES = 100_000
_KEPT_ENVIRONMENT = ("LD_LIBRARY_PATH", "PYTHONPATH")
"""What Python and FFmpeg may need to be found; the child forgets these, too, before it reads the clip."""
_MEND = "Send a recording: wav, mp3, m4a, ogg, webm, flac, amr or 3gp."


async def decode_clip(data: bytes, *, max_clip_s: float, timeout_s: float = TIMEOUT_S) -> Samples:
    """Mono int16 at 16 kHz, shape (n,).

    Raises AudioError: empty_clip, not_audio, clip_too_long, decoder_timeout, decoder_crashed.
    """
    if not data:
        raise AudioError("empty_clip", "The clip is empty.", mend=_MEND)
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "assistant.speech.decode_child",
        str(max_clip_s),
        env={key: os.environ[key] for key in _KEPT_ENVIRONMENT if key in os.environ},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(timeout_s):
            pcm, complaints = await _exchange(child, data, int((max_clip_s + 2) * SAMPLE_RATE_HZ) * 2)
    except TimeoutError as error:
        raise AudioError("decoder_timeout", f"Decoding took longer than {timeout_s:g} s.", mend=_MEND) from error
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()  # wait() alone waits for ever when a pipe is full
    if child.returncode:
        raise _refusal(complaints, child.returncode)
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], dtype="<i2").astype(np.int16)
    if len(samples) > (max_clip_s + 1) * SAMPLE_RATE_HZ:
        raise AudioError("clip_too_long", f"The clip is longer than {max_clip_s:g} seconds.")
    return samples


async def _exchange(child: asyncio.subprocess.Process, data: bytes, limit: int) -> tuple[bytes, bytes]:
    """The clip in, PCM and complaints out, both bounded: whatever a clip makes of its decoder, it stays in the child.

    Raises AudioError decoder_crashed when more comes out than a decoder would give.
    """

    async def feed() -> bytes:
        if child.stdin is not None:
            with suppress(ConnectionError):  # a decoder that has seen enough
                child.stdin.write(data)
                await child.stdin.drain()
            child.stdin.close()
        return b""

    async def bounded(stream: asyncio.StreamReader | None, most: int) -> bytes:
        kept = bytearray()
        while stream is not None and (piece := await stream.read(65536)):
            kept += piece
            if len(kept) > most:
                raise AudioError("decoder_crashed", "The decoder gave more than the clip can hold.", mend=_MEND)
        return bytes(kept)

    parts = [
        asyncio.create_task(part)
        for part in (bounded(child.stdout, limit), bounded(child.stderr, COMPLAINTS_BYTES), feed())
    ]
    try:
        pcm, complaints, _ = await asyncio.gather(*parts)
    finally:
        for part in parts:
            part.cancel()
        await asyncio.wait(parts)
    await child.wait()
    return pcm, complaints


async def read_clip(path: Path, *, max_clip_s: float, timeout_s: float = TIMEOUT_S) -> Samples:
    """The same for a file. Raises AudioError: also clip_unreadable."""
    try:
        data = await asyncio.to_thread(_read, path)
    except OSError as error:
        raise AudioError("clip_unreadable", f"{path} cannot be read: {error.strerror}.") from error
    return await decode_clip(data, max_clip_s=max_clip_s, timeout_s=timeout_s)


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise AudioError("clip_too_large", f"{path} is larger than {MAX_FILE_BYTES // 1_000_000} MB.")
    return path.read_bytes()


def _refusal(complaints: bytes, code: int) -> AudioError:
    last = complaints.strip().rsplit(b"\n", 1)[-1]
    try:
        said = json.loads(last)
        return AudioError(str(said["code"]), str(said["detail"]), mend=_MEND)
    except (ValueError, KeyError, TypeError):
        return AudioError("decoder_crashed", f"The decoder ended with code {code} on this clip.", mend=_MEND)
