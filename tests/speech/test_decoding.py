"""Whatever a phone records is decoded; whatever is no recording is refused with the reason, in a limited child."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import AudioError
from assistant.speech.decode_child import ClipError, decode
from assistant.speech.decoding import decode_clip, read_clip
from tests.speech.clips import RATE_HZ, encoded, float_wav, heard_frequency, tone, wav

SECOND = tone(1.0)
ON_LINUX = sys.platform == "linux"
CLIPS = {
    "16 bit wav": wav(SECOND),
    "8 bit wav": wav(SECOND, width=1),
    "24 bit wav": wav(SECOND, width=3),
    "float wav": float_wav(SECOND),
    "stereo 48 kHz wav": wav(tone(1.0, 48_000), rate_hz=48_000, channels=2),
    "8 kHz wav": wav(tone(1.0, 8_000), rate_hz=8_000),
    "flac": encoded(SECOND, "flac", "flac", 16_000),
    "mp3": encoded(SECOND, "mp3", "libmp3lame", 44_100),
    "ogg opus": encoded(SECOND, "ogg", "libopus", 48_000),
    "webm opus": encoded(SECOND, "webm", "libopus", 48_000),
    "m4a aac": encoded(SECOND, "ipod", "aac", 44_100),
    "3gp aac": encoded(SECOND, "3gp", "aac", 44_100),
    "aac": encoded(SECOND, "adts", "aac", 44_100),
    "amr": encoded(SECOND, "amr", "libopencore_amrnb", 8_000),
    "3gp amr": encoded(SECOND, "3gp", "libopencore_amrnb", 8_000),
}
AMR_WB = b"#!AMR-WB\n" + (b"\x04" + b"\0" * 17) * 50
"""RFC 4867 section 5: a second of frames of 20 ms at 6.6 kbit/s, which nothing here can encode."""


@pytest.mark.parametrize("name", CLIPS)
def test_every_kind_of_recording_becomes_16_khz_mono(name: str) -> None:
    samples = np.frombuffer(decode(CLIPS[name], 10.0), dtype="<i2")
    assert len(samples) == pytest.approx(RATE_HZ, rel=0.15)
    assert heard_frequency(samples) == pytest.approx(440, abs=5)
    assert np.abs(samples).max() > 6_000


def test_wide_band_amr_is_read_too() -> None:
    assert len(decode(AMR_WB, 10.0)) == 2 * RATE_HZ


async def test_the_child_gives_what_the_decoder_gives() -> None:
    samples = await decode_clip(CLIPS["stereo 48 kHz wav"], max_clip_s=10)
    assert samples.dtype == np.int16
    assert samples.tobytes() == decode(CLIPS["stereo 48 kHz wav"], 10.0)


def test_a_truncated_wav_is_kept_as_far_as_it_goes() -> None:
    samples = np.frombuffer(decode(CLIPS["16 bit wav"][:16_000], 10.0), dtype="<i2")
    assert 7_000 < len(samples) <= 8_000


@pytest.mark.parametrize("claimed", [0, 10, 0xFFFFFFFF, 2**31])
def test_a_wav_that_lies_about_its_length_is_bounded_by_its_bytes(claimed: int) -> None:
    lying = bytearray(CLIPS["16 bit wav"])
    lying[40:44] = struct.pack("<I", claimed)
    try:
        assert len(decode(bytes(lying), 10.0)) <= len(lying)
    except ClipError as refused:
        assert refused.code == "empty_clip"  # noqa: PT017 - both ends are honest: what is there, or that it is empty


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.wav", CLIPS["16 bit wav"])
    return buffer.getvalue()


SESSION = b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 45678 RTP/AVP 0\n"


@pytest.mark.usefixtures("unmeasured")
def test_a_clip_that_names_files_or_sockets_opens_none(tmp_path: Path) -> None:
    """Under strace, because FFmpeg opens them itself; where there is none (macOS) only the refusal is seen."""
    named = tmp_path / "named.wav"
    named.write_bytes(CLIPS["16 bit wav"])
    for clip in (SESSION, f"ffconcat version 1.0\nfile '{named}'\n".encode()):
        trace = tmp_path / "trace"
        trace.touch()
        command = ["strace", "-f", "-e", "trace=socket,openat,bind,connect", "-o", str(trace)] if ON_LINUX else []
        child = [sys.executable, "-m", "assistant.speech.decode_child", "2"]
        done = subprocess.run([*command, *child], input=clip, capture_output=True, check=False, timeout=60)
        assert done.returncode == 1
        assert json.loads(done.stderr.splitlines()[-1])["code"] == "not_audio"
        seen = trace.read_text()
        assert bool(seen) == ON_LINUX
        assert "AF_INET" not in seen
        assert named.name not in seen


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_clip"),
        (SESSION, "not_audio"),
        (b"this is no recording", "not_audio"),
        (b"RIFF\0\0\0\0WAVE", "not_audio"),
        (CLIPS["16 bit wav"][:44], "empty_clip"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "not_audio"),
        (zipped(), "not_audio"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n", "not_audio"),
        (b"ffconcat version 1.0\nfile '/etc/passwd'\n", "not_audio"),
        (wav(tone(3.0)), "clip_too_long"),
    ],
)
async def test_what_is_no_recording_is_refused_with_the_reason(data: bytes, code: str) -> None:
    with pytest.raises(AudioError) as refused:
        await decode_clip(data, max_clip_s=2.0)
    assert refused.value.code == code
    assert refused.value.detail


async def test_a_small_file_that_unpacks_to_hours_is_stopped() -> None:
    silence = encoded(np.zeros(RATE_HZ * 600, dtype=np.int16), "flac", "flac", 16_000)
    assert len(silence) < 200_000
    with pytest.raises(AudioError) as refused:
        await decode_clip(silence, max_clip_s=60)
    assert refused.value.code == "clip_too_long"


async def test_a_decoder_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(slow))
    with pytest.raises(AudioError) as refused:
        await decode_clip(b"x", max_clip_s=1, timeout_s=0.3)
    assert refused.value.code == "decoder_timeout"


@pytest.mark.parametrize("where", ["1", "2"])
async def test_a_decoder_that_floods_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    flooding = tmp_path / "python"
    flooding.write_text(f"#!/bin/sh\ncat >/dev/null\nexec cat /dev/zero >&{where}\n")
    flooding.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(flooding))
    with pytest.raises(AudioError) as refused:
        await decode_clip(b"x", max_clip_s=1)
    assert refused.value.code == "decoder_crashed"


async def test_a_decoder_that_reads_nothing_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = tmp_path / "python"
    deaf.write_text("#!/bin/sh\nexec sleep 60\n")
    deaf.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(deaf))
    with pytest.raises(AudioError) as refused:
        await decode_clip(bytes(5_000_000), max_clip_s=1, timeout_s=0.3)
    assert refused.value.code == "decoder_timeout"


async def test_a_decoder_that_dies_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dying = tmp_path / "python"
    dying.write_text("#!/bin/sh\ncat >/dev/null\nkill -SEGV $$\n")
    dying.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dying))
    with pytest.raises(AudioError) as refused:
        await decode_clip(b"x", max_clip_s=1)
    assert refused.value.code == "decoder_crashed"


async def test_a_child_sees_no_secret_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = tmp_path / "seen"
    spy = tmp_path / "python"
    spy.write_text(f"#!/bin/sh\ncat >/dev/null\nenv > {seen}\nexit 1\n")
    spy.chmod(0o755)
    monkeypatch.setenv("RESTIC_PASSWORD", "hunter2")
    monkeypatch.setattr(sys, "executable", str(spy))
    with pytest.raises(AudioError):
        await decode_clip(b"x", max_clip_s=1)
    assert "hunter2" not in seen.read_text()


async def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="cannot be read"):
        await read_clip(tmp_path / "none.wav", max_clip_s=1)


@given(data=st.binary(max_size=400))
@settings(max_examples=150)
def test_no_bytes_crash_the_decoder(data: bytes) -> None:
    _decode_or_refuse(data)


@given(
    name=st.sampled_from(sorted(CLIPS)),
    cut=st.integers(0, 4_000),
    place=st.integers(0, 300),
    patch=st.binary(min_size=1, max_size=8),
)
@settings(max_examples=150)
def test_no_damaged_recording_crashes_the_decoder(name: str, cut: int, place: int, patch: bytes) -> None:
    damaged = bytearray(CLIPS[name][: len(CLIPS[name]) - cut])
    damaged[place : place + len(patch)] = patch
    _decode_or_refuse(bytes(damaged))


def _decode_or_refuse(data: bytes) -> None:
    try:
        pcm = decode(data, 5.0)
    except ClipError as refused:
        assert refused.code in {"empty_clip", "not_audio", "clip_too_long"}  # noqa: PT017 - either outcome is right
    else:
        assert 0 < len(pcm) <= 7 * RATE_HZ * 2
