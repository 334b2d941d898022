"""The limited child that decodes an uploaded clip: ``python -m assistant.speech.decode_child MAX_SECONDS``.

Standard input: the clip's bytes. Standard output: mono int16 little-endian PCM at 16 kHz. It reads from memory only, so
no container can make it open a file or a connection. Before it reads the first byte it gives up what a decoder never
needs: no file can be written, no file or socket opened (RLIMIT_NOFILE at those that are open), no process or thread
started (RLIMIT_NPROC, for whoever is not root), its folder is ``/``, its environment is empty, and nothing it executes
could gain rights (PR_SET_NO_NEW_PRIVS); memory and processor time are bounded. On failure it prints one JSON line
``{"code": …, "detail": …}`` on standard error and exits with 1.
"""

from __future__ import annotations

import ctypes
import io
import json
import os
import struct
import sys
from contextlib import suppress

import av
import av.error

SAMPLE_RATE_HZ = 16_000
MEMORY_BYTES = 1_500_000_000
CPU_SECONDS = 20
OPEN_FILES = 3
"""Standard input, output and error: with these open, none more can be."""

_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38
"""linux/prctl.h."""

CONTAINERS = frozenset(
    {"wav", "w64", "aiff", "flac", "mp3", "ogg", "matroska", "webm", "mov", "mp4", "m4a", "3gp", "aac", "amr", "caf"}
)
"""What phones and browsers record, by FFmpeg's demuxer names."""


FENCE = {"format_whitelist": ",".join(sorted(CONTAINERS)), "protocol_whitelist": "none"}
"""FFmpeg's own options, in force while it looks at the first bytes: a play list or a session description would
otherwise open the files and sockets that it names before anybody asked what it is."""


class ClipError(Exception):
    """Not a clip that can be decoded."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def confine() -> None:
    """Give up what a decoder does not need. Where a limit does not exist (macOS: memory) the rest still holds."""
    import resource  # not on Windows, where this child is not run

    os.chdir("/")
    os.environ.clear()
    for name, value in (
        ("RLIMIT_AS", MEMORY_BYTES),
        ("RLIMIT_CPU", CPU_SECONDS),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_NOFILE", OPEN_FILES),
        ("RLIMIT_NPROC", 0),
    ):
        with suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, name), (value, value))
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            libc = ctypes.CDLL(None)
            libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)  # nobody else's process may look into a clip


def import_all() -> None:
    """Decode a silent wav: what PyAV imports only then is there before no file can be opened any more."""
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 356, b"WAVE", b"fmt ", 16, 1, 1, 8_000, 16_000, 2, 16)
    decode(head + struct.pack("<4sI", b"data", 320) + bytes(320), 1.0)


def quieten() -> None:
    """FFmpeg writes nothing of its own: what it says of a clip could carry the clip's own words."""
    av.logging.set_level(None)


def decode(data: bytes, max_s: float) -> bytes:
    """PCM of the first audio stream. What can be decoded of a truncated clip is kept. Raises ClipError."""
    if not data:
        raise ClipError("empty_clip", "The clip is empty.")
    try:
        with av.open(io.BytesIO(data), mode="r", metadata_errors="ignore", container_options=FENCE) as container:
            names = set(container.format.name.split(","))
            if not names & CONTAINERS:
                raise ClipError("not_audio", f"The clip is {container.format.name}, not a recording.")
            if not container.streams.audio:
                raise ClipError("not_audio", "There is no sound in the clip.")
            pcm = _decode_stream(container, max_s)
    except ClipError:
        raise
    except (av.error.FFmpegError, ValueError, OSError, MemoryError) as error:
        raise ClipError("not_audio", f"The clip is no recording that can be read ({_brief(error)}).") from error
    if not pcm:
        raise ClipError("empty_clip", "The clip has no sound in it.")
    return pcm


def _decode_stream(container: av.container.InputContainer, max_s: float) -> bytes:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
    limit = int(max_s * SAMPLE_RATE_HZ) * 2
    pcm = bytearray()
    frames = container.decode(audio=0)
    while True:
        try:
            frame = next(frames)
        except StopIteration:
            break
        except av.error.FFmpegError as error:
            if pcm:
                break  # truncated or damaged further on: what came before is kept
            raise ClipError("not_audio", f"The sound cannot be decoded ({_brief(error)}).") from error
        frame.pts = None
        for resampled in resampler.resample(frame):
            pcm += resampled.to_ndarray().tobytes()
        if len(pcm) > limit:
            raise ClipError("clip_too_long", f"The clip is longer than {max_s:g} seconds.")
    for resampled in resampler.resample(None):
        pcm += resampled.to_ndarray().tobytes()
    return bytes(pcm)


def _brief(error: BaseException) -> str:
    return (getattr(error, "strerror", None) or type(error).__name__)[:100]


def main() -> int:
    """See the module."""
    quieten()
    import_all()
    confine()
    try:
        pcm = decode(sys.stdin.buffer.read(), float(sys.argv[1]))
    except ClipError as error:
        sys.stderr.write(json.dumps({"code": error.code, "detail": error.detail}) + "\n")
        return 1
    sys.stdout.buffer.write(pcm)
    return 0


if __name__ == "__main__":
    sys.exit(main())
