"""Speech from servers, OpenAI-compatible and Wyoming, with every fault of theirs."""

from __future__ import annotations

import asyncio
import struct
from contextlib import aclosing, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI

from assistant import egress
from assistant.errors import ConfigError, EgressError, SynthesisError
from assistant.phrases import load, spoken_for
from assistant.ports import SpeechChunk
from assistant.speech.pcm import PcmFormat
from assistant.speech.speech_chunks import SpeechChunks, TooLong
from assistant.speech.speech_servers import OpenAISpeech, pcm_format
from assistant.speech.wav_stream import NoWav, WavStream
from assistant.speech.wyoming_client import WyomingSpeech
from tests.fakes_speech_servers import (
    Answer,
    SpeechHttpServer,
    WyomingServer,
    event,
    info,
    program,
    refuses,
    sound,
    wav_header,
)
from tests.speech.clips import tone, wav

TONE = tone(0.5, 24_000)


def mouth(server: SpeechHttpServer, **options: Any) -> OpenAISpeech:
    return OpenAISpeech(server.url, "kokoro", "af_heart", **{"timeout_s": 5.0, **options})


async def spoken(engine: OpenAISpeech | WyomingSpeech, text: str = "The backup is fine.") -> list[SpeechChunk]:
    return [chunk async for chunk in engine.synthesize(text)]


def pcm(chunks: list[SpeechChunk]) -> bytes:
    return b"".join(chunk.pcm for chunk in chunks)


# ── OpenAI's speech ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_sentence_goes_out_and_the_sound_comes_back_at_the_rate_of_its_header() -> None:
    async with SpeechHttpServer(answers=[sound([wav(tone(0.5, 22_050), rate_hz=22_050)])]) as server:
        chunks = await spoken(mouth(server, api_key="sk-1"))
    assert pcm(chunks) == tone(0.5, 22_050).tobytes()
    assert {chunk.sample_rate_hz for chunk in chunks} == {22_050}
    assert server.heads[0].startswith("POST /v1/audio/speech ")
    assert "authorization: bearer sk-1" in server.heads[0].lower()
    assert server.requests == [
        {"model": "kokoro", "voice": "af_heart", "input": "The backup is fine.", "response_format": "wav"}
    ]


async def test_the_request_is_the_one_that_openais_own_client_sends() -> None:
    async with SpeechHttpServer(answers=[sound([wav(TONE, rate_hz=24_000)])]) as server:
        await spoken(mouth(server, api_key="sk-1", speed=1.5), "Yes.")
        async with AsyncOpenAI(base_url=server.url, api_key="sk-1") as official:
            await official.audio.speech.create(
                model="kokoro", voice="af_heart", input="Yes.", response_format="wav", speed=1.5
            )
    assert server.requests[0] == server.requests[1]
    ours, theirs = (head.lower().splitlines() for head in server.heads)
    assert ours[0] == theirs[0]
    assert [line for line in ours if line.startswith("authorization")] == ["authorization: bearer sk-1"]


async def test_the_first_chunk_is_there_before_the_rest_was_made() -> None:
    """The server hangs after the first second, as one does that is still synthesizing."""
    first = TONE.tobytes()
    half = sound([wav_header() + first, b"never"], hang_after=1)
    async with (
        SpeechHttpServer(answers=[half]) as server,
        aclosing(mouth(server).synthesize("A long story.")) as chunks,
    ):
        assert await anext(chunks) == SpeechChunk(first, 24_000)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, 2_000_000_000, 99_000_000, len(TONE) * 2])
async def test_a_length_that_the_server_cannot_know_is_not_believed(size: int) -> None:
    pieces = [wav_header(size)[:10], wav_header(size)[10:], TONE.tobytes()[:1_001], TONE.tobytes()[1_001:]]
    async with SpeechHttpServer(answers=[sound(pieces)]) as server:
        assert pcm(await spoken(mouth(server))) == TONE.tobytes()


async def test_one_wav_after_another_is_all_of_the_speech() -> None:
    twice = [wav(TONE, rate_hz=24_000), wav(TONE, rate_hz=24_000)]
    async with SpeechHttpServer(answers=[sound(twice)]) as server:
        assert pcm(await spoken(mouth(server))) == TONE.tobytes() * 2


async def test_pcm_is_24_khz_unless_its_type_says_otherwise() -> None:
    plain = sound([TONE.tobytes()], "audio/pcm")
    other = sound([TONE.tobytes()], "audio/pcm; rate=16000")
    async with SpeechHttpServer(answers=[plain, other]) as server:
        voice = mouth(server, response_format="pcm")
        assert {chunk.sample_rate_hz for chunk in await spoken(voice)} == {24_000}
        assert {chunk.sample_rate_hz for chunk in await spoken(voice)} == {16_000}
    assert server.requests[0]["response_format"] == "pcm"


async def test_pcm_whose_bytes_come_odd_loses_none() -> None:
    data = TONE.tobytes()
    pieces = [data[:1], data[1:4], data[4:7], data[7:12_001], data[12_001:]]
    async with SpeechHttpServer(answers=[sound(pieces, "audio/pcm")]) as server:
        assert pcm(await spoken(mouth(server, response_format="pcm"))) == data


async def test_a_wav_in_place_of_the_pcm_that_was_asked_for_is_a_wav() -> None:
    async with SpeechHttpServer(answers=[sound([wav(TONE, rate_hz=16_000)], "audio/pcm")]) as server:
        chunks = await spoken(mouth(server, response_format="pcm"))
    assert pcm(chunks) == TONE.tobytes()
    assert {chunk.sample_rate_hz for chunk in chunks} == {16_000}


@pytest.mark.parametrize(("magic", "name"), [(b"ID3\x04", "MP3"), (b"OggS", "Ogg"), (b"<!DOCTYPE", "a web page")])
async def test_other_things_are_not_played_as_pcm(magic: bytes, name: str) -> None:
    async with SpeechHttpServer(answers=[sound([magic + bytes(9_000)], "application/octet-stream")]) as server:
        with pytest.raises(SynthesisError, match=name):
            await spoken(mouth(server, response_format="pcm"))


async def test_a_server_that_has_no_wav_is_asked_for_pcm_from_then_on() -> None:
    refusal = refuses(422, {"detail": "response_format must be one of mp3, pcm"})
    async with SpeechHttpServer(answers=[refusal, sound([TONE.tobytes()], "audio/pcm")]) as server:
        voice = mouth(server)
        assert pcm(await spoken(voice)) == TONE.tobytes()
        assert pcm(await spoken(voice)) == TONE.tobytes()
    assert [request["response_format"] for request in server.requests] == ["wav", "pcm", "pcm"]


async def test_speed_is_the_servers_and_volume_is_ours() -> None:
    async with SpeechHttpServer(answers=[sound([wav(TONE, rate_hz=24_000)])]) as server:
        chunks = await spoken(mouth(server, speed=1.5, volume=0.5))
    assert server.requests[0]["speed"] == 1.5
    assert np.abs(np.frombuffer(pcm(chunks), dtype="<i2")).max() == pytest.approx(6_000, abs=2)


async def test_text_without_words_is_not_sent() -> None:
    async with SpeechHttpServer() as server:
        assert await spoken(mouth(server), " … ") == []
        assert server.heads == []


async def test_loading_lets_the_server_say_a_word() -> None:
    async with SpeechHttpServer(answers=[sound([wav(TONE)])]) as server:
        await mouth(server).load()
    assert server.requests[0]["input"] == "Yes."


NO_VOICE = ("server_voice_missing",)
FAULTS: list[tuple[Answer, str, str]] = [
    (Answer([b"<html>Welcome to nginx!</html>"], content_type="text/html"), "server_nonsense", "a web page"),
    (sound([b"ID3\x04\0\0\0\0\0\0\0\0\0"], "audio/mpeg"), "server_nonsense", "MP3"),
    (sound([b"ID3\x04\0\0\0\0\0\0\0\0\0"], "application/octet-stream"), "server_nonsense", "MP3"),
    (sound([b"OggS\0\0\0\0\0\0\0\0\0\0\0\0"]), "server_nonsense", "Ogg"),
    (sound([b"fLaC\0\0\0\0\0\0\0\0\0\0\0\0"]), "server_nonsense", "FLAC"),
    (Answer([b'{"error": "no GPU"}']), "server_nonsense", "JSON"),
    (sound([b"RIFF\0\0\0\0AVI LIST\0\0\0\0"]), "server_nonsense", "RIFF"),
    (sound([wav_header(rate_hz=0) + TONE.tobytes()]), "server_nonsense", "sample rate of 0"),
    (sound([wav_header(rate_hz=2**31) + TONE.tobytes()]), "server_nonsense", "sample rate of 2147483648"),
    (sound([wav_header(rate_hz=200_000) + TONE.tobytes()]), "server_nonsense", "200000 Hz"),
    (sound([wav_header(channels=0) + TONE.tobytes()]), "server_nonsense", "channel count of 0"),
    (sound([wav_header(bits=12) + TONE.tobytes()]), "server_nonsense", "12 bits"),
    (sound([wav_header(tag=0x55) + TONE.tobytes()]), "server_nonsense", "encoded"),
    (sound([b"RIFF\xff\xff\xff\xffWAVEdata\xff\xff\xff\xff" + TONE.tobytes()]), "server_nonsense", "format"),
    (sound([b"RIFF\xff\xff\xff\xffWAVELIST\xff\xff\xff\xff" + bytes(70_000)]), "server_nonsense", "without sound"),
    (sound([b"RIFF\xff\xff\xff\xffWAVEfmt \x02\0\0\0\x01\0"]), "server_nonsense", "format"),
    (sound([]), "server_nonsense", "no sound"),
    (sound([wav_header()]), "server_nonsense", "no sound"),
    (sound([b"RI"]), "server_nonsense", "no sound"),
    (sound([b"\0"], "audio/pcm"), "server_nonsense", "no sound"),
    (sound([wav_header() + bytes(1_000_000)] + [bytes(1_000_000)] * 9), "server_nonsense", "does not end"),
    (sound([wav_header() + TONE.tobytes()], break_off=True), "server_nonsense", "broke off"),
    (sound([b"x"], headers="Content-Encoding: br\r\n"), "server_nonsense", "packed"),
    (sound([wav_header() + TONE.tobytes()], hang_after=1), "server_slow", "0.3 s"),
    (sound([wav_header()], hang_after=0), "server_slow", "0.3 s"),
    (refuses(401, {}), "server_refused_key", "401"),
    (refuses(400, {"error": {"message": "Voice 'af_heart' not found. There are: bella"}}), *NO_VOICE, "bella"),
    (refuses(422, {"detail": [{"loc": ["body", "voice"], "msg": "Field required"}]}), *NO_VOICE, "Field required"),
    (refuses(404, {"error": {"message": "model kokoro not found"}}), "server_model_missing", "kokoro"),
    (refuses(400, {"detail": {"message": "Unsupported model: kokoro"}}), "server_model_missing", "kokoro"),
    (refuses(400, {"detail": "input is too long"}), "server_error", "too long"),
    (refuses(503, {"detail": "loading"}), "server_error", "loading"),
    (Answer([], 404, "text/plain"), "server_nonsense", "/v1"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "code", "fact"), FAULTS)
async def test_every_fault_is_an_error_with_its_code_its_facts_and_a_mend(answer: Answer, code: str, fact: str) -> None:
    timeout_s = 0.3 if code == "server_slow" else 5.0
    async with SpeechHttpServer(answers=[answer]) as server:
        with pytest.raises(SynthesisError) as failed:
            await spoken(mouth(server, timeout_s=timeout_s, api_key="sk-secret"))
    assert failed.value.code == code
    assert fact in failed.value.detail
    assert failed.value.mend
    assert "sk-secret" not in str(failed.value)
    assert spoken_for(failed.value) == load().errors[f"synthesis.{code}"]


async def test_the_time_that_the_player_takes_is_not_the_servers() -> None:
    pieces = [wav_header() + TONE.tobytes(), TONE.tobytes()]
    async with SpeechHttpServer(answers=[sound(pieces)]) as server:
        heard = b""
        async for chunk in mouth(server, timeout_s=0.2).synthesize("Two sentences."):
            heard += chunk.pcm
            await asyncio.sleep(0.3)
    assert heard == TONE.tobytes() * 2


async def test_a_server_outside_the_house_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "_guard", None)
    egress.install()
    for engine in (OpenAISpeech("https://api.openai.com/v1", "tts-1"), WyomingSpeech("tcp://8.8.8.8:10200")):
        with pytest.raises(EgressError):
            await spoken(engine)


def test_what_is_no_address_is_refused_when_it_is_configured() -> None:
    for make in (lambda: OpenAISpeech("localhost:8880", "tts-1"), lambda: WyomingSpeech("localhost:10200")):
        with pytest.raises(ConfigError) as refused:
            make()
        assert "[synthesizer]" in refused.value.mend


# ── the forms that sound comes in ─────────────────────────────────────────────────────────────────────────────────


@given(
    data=st.binary(max_size=600),
    rate_hz=st.sampled_from([8_000, 44_100]),
    channels=st.integers(1, 3),
    bits=st.sampled_from([8, 16, 24, 32]),
    size=st.sampled_from([None, 0, 0xFFFFFFFF]),
    cuts=st.lists(st.integers(0, 700), max_size=8),
)
def test_a_wav_is_read_the_same_however_the_network_cut_it(
    data: bytes, rate_hz: int, channels: int, bits: int, size: int | None, cuts: list[int]
) -> None:
    whole = wav_header(len(data) if size is None else size, rate_hz, channels, bits) + data
    edges = [0, *sorted(cut for cut in cuts if cut < len(whole)), len(whole)]
    stream = WavStream()
    heard = [part for start, end in pairwise(edges) for part in stream.feed(whole[start:end])]
    form = PcmFormat(rate_hz, bits // 8, channels)
    frames = len(data) // form.frame_bytes * form.frame_bytes
    assert {said for said, _ in heard} <= {form}
    assert b"".join(piece for _, piece in heard) == data[:frames]


@given(st.lists(st.binary(max_size=80), max_size=12), st.booleans())
def test_no_bytes_break_the_reader(pieces: list[bytes], as_wav: bool) -> None:
    stream = WavStream()
    with suppress(NoWav):
        for piece in [b"RIFF\0\0\0\0WAVE", *pieces] if as_wav else pieces:
            for form, frames in stream.feed(piece):
                assert len(frames) % form.frame_bytes == 0


def test_what_stands_before_and_after_the_sound_is_passed_over() -> None:
    data = wav(TONE, rate_hz=24_000)
    note = b"LIST" + struct.pack("<I", 5) + b"hello\0"
    stream = WavStream()
    heard = list(stream.feed(data[:12] + note + data[12:] + note + b"rubbish that is no chunk"))
    assert b"".join(piece for _, piece in heard) == TONE.tobytes()


def test_extensible_and_floating_wavs_are_read() -> None:
    floats = (TONE / 32_768).astype("<f4").tobytes()
    body = struct.pack("<HHIIHH", 0xFFFE, 1, 24_000, 96_000, 4, 32) + struct.pack("<HHI", 22, 32, 0)
    body += struct.pack("<H", 3) + bytes(14)
    head = b"RIFF\xff\xff\xff\xffWAVEfmt " + struct.pack("<I", len(body)) + body + b"data\xff\xff\xff\xff"
    [(form, heard)] = list(WavStream().feed(head + floats))
    assert (form.floating, form.rate_hz) == (True, 24_000)
    assert heard == floats


def test_small_pieces_are_put_together_for_the_player_and_nothing_is_lost() -> None:
    form = PcmFormat(24_000)
    chunks = SpeechChunks()
    data = TONE.tobytes()
    made = [chunk for start in range(0, len(data), 100) for chunk in chunks.feed(form, data[start : start + 100])]
    made += chunks.finish()
    assert pcm(made) == data
    assert all(len(chunk.pcm) >= 0.04 * 48_000 for chunk in made[:-1])


def test_stereo_of_24_bits_becomes_mono_of_16() -> None:
    frames = b"".join(struct.pack("<i", value << 8)[:3] for value in (1_000, 3_000) * 4_800)
    [chunk] = SpeechChunks().feed(PcmFormat(48_000, 3, 2), frames)
    assert set(np.frombuffer(chunk.pcm, dtype="<i2").tolist()) == {2_000}


def test_speech_without_an_end_is_refused() -> None:
    chunks = SpeechChunks()
    second = PcmFormat(8_000), bytes(16_000)
    for _ in range(180):
        list(chunks.feed(*second))
    with pytest.raises(TooLong, match="180 s"):
        list(chunks.feed(*second))


@pytest.mark.parametrize(
    ("content_type", "asked", "rate_hz"),
    [
        ("audio/pcm", "wav", 24_000),
        ("Audio/PCM;Rate=22050;channels=2", "pcm", 22_050),
        ("audio/pcm;rate=nan", "pcm", 24_000),
        ("audio/pcm;rate=9999999999", "pcm", 24_000),
        ("application/octet-stream", "pcm", 24_000),
        ("application/octet-stream", "wav", None),
        ("", "pcm", 24_000),
        ("audio/wav", "pcm", None),
        ("text/html", "pcm", None),
    ],
)
def test_what_a_content_type_says(content_type: str, asked: Any, rate_hz: int | None) -> None:
    form = pcm_format(content_type, asked)
    assert (form.rate_hz if form else None) == rate_hz


# ── Wyoming ───────────────────────────────────────────────────────────────────────────────────────────────────────

FORM = {"rate": 24_000, "width": 2, "channels": 1}


def says(*pieces: bytes, **form: Any) -> dict[str, Answer]:
    said = {**FORM, **form}
    chunks = [event("audio-chunk", said, piece) for piece in pieces]
    return {"synthesize": Answer([event("audio-start", said), *chunks, event("audio-stop", {})])}


async def test_wyoming_speech_comes_back_as_it_was_said() -> None:
    async with WyomingServer(answers=says(TONE.tobytes(), TONE.tobytes())) as server:
        chunks = await spoken(WyomingSpeech(server.url, "en_US-joe-medium"))
    assert pcm(chunks) == TONE.tobytes() * 2
    assert {chunk.sample_rate_hz for chunk in chunks} == {24_000}
    [asked] = server.events
    assert asked.data == {"text": "The backup is fine.", "voice": {"name": "en_US-joe-medium"}}


async def test_wyoming_without_a_voice_leaves_it_to_the_server_and_works_over_a_unix_socket(tmp_path: Path) -> None:
    async with WyomingServer(answers=says(TONE.tobytes()), path=str(tmp_path / "tts.sock")) as server:
        assert pcm(await spoken(WyomingSpeech(server.url))) == TONE.tobytes()
    assert "voice" not in server.events[0].data


async def test_the_first_wyoming_chunk_is_there_before_the_rest_was_made() -> None:
    first = event("audio-start", FORM) + event("audio-chunk", FORM, TONE.tobytes())
    async with (
        WyomingServer(answers={"synthesize": Answer([first], hang_after=1)}) as server,
        aclosing(WyomingSpeech(server.url).synthesize("A long story.")) as chunks,
    ):
        assert (await anext(chunks)).pcm == TONE.tobytes()


async def test_text_without_words_is_not_sent_to_wyoming() -> None:
    async with WyomingServer() as server:
        assert await spoken(WyomingSpeech(server.url), "…") == []
    assert server.events == []


STOP = event("audio-stop", {})
WYOMING_FAULTS: list[tuple[Answer, str, str]] = [
    (Answer([event("error", {"text": "no such voice", "code": "x"})]), "server_error", "no such voice"),
    (Answer([STOP]), "server_nonsense", "no sound"),
    (Answer([event("audio-chunk", FORM), STOP]), "server_nonsense", "no sound"),
    (Answer([event("audio-chunk", {}, b"\0\0"), STOP]), "server_nonsense", "sample rate of 0"),
    (Answer([event("audio-chunk", {**FORM, "rate": "fast"}, b"\0\0")]), "server_nonsense", "sample rate of fast"),
    (Answer([event("audio-chunk", {**FORM, "rate": float("nan")}, b"\0\0")]), "server_nonsense", "sample rate of nan"),
    (Answer([event("audio-chunk", {**FORM, "rate": 300_000}, b"\0\0")]), "server_nonsense", "300000 Hz"),
    (Answer([event("audio-chunk", {**FORM, "width": 9}, b"\0\0")]), "server_nonsense", "sample width of 9"),
    (Answer([event("audio-chunk", {**FORM, "channels": 0}, b"\0\0")]), "server_nonsense", "channel count of 0"),
    (Answer([event("audio-chunk", FORM, bytes(500_000))], endless=True), "server_nonsense", "does not end"),
    (Answer([event("audio-chunk", FORM, payload_length=10**10)]), "server_nonsense", "payload length"),
    (Answer([event("audio-chunk", FORM, TONE.tobytes())], break_off=True), "server_nonsense", "broke off"),
    (Answer([event("audio-chunk", FORM, TONE.tobytes())], hang_after=1), "server_slow", "0.3 s"),
    (Answer([b"SSH-2.0-OpenSSH_9.2p1\r\n"]), "server_nonsense", "no JSON"),
]


@pytest.mark.parametrize(("answer", "code", "fact"), WYOMING_FAULTS)
async def test_every_fault_of_a_wyoming_server_is_an_error_with_its_code(answer: Answer, code: str, fact: str) -> None:
    timeout_s = 0.3 if code == "server_slow" else 5.0
    async with WyomingServer(answers={"synthesize": answer}) as server:
        with pytest.raises(SynthesisError) as failed:
            await spoken(WyomingSpeech(server.url, timeout_s=timeout_s))
    assert failed.value.code == code
    assert fact in failed.value.detail
    assert failed.value.mend


PIPER = program("piper", voices=[program("en_US-joe-medium"), program("de_DE-thorsten-high")])


async def test_loading_sees_that_a_wyoming_server_has_the_voice() -> None:
    async with WyomingServer(answers={"describe": info(tts=[PIPER])}) as server:
        await WyomingSpeech(server.url).load()
        await WyomingSpeech(server.url, "de_DE-thorsten-high").load()
        with pytest.raises(SynthesisError) as refused:
            await WyomingSpeech(server.url, "en_GB-alan-low").load()
    assert refused.value.code == "server_voice_missing"
    assert "The nearest of its 2: en_US-joe-medium" in refused.value.detail


@pytest.mark.parametrize("voices", [None, 7, "all", [None], [{"no": "name"}]])
async def test_a_list_of_voices_that_cannot_be_read_refuses_no_voice(voices: Any) -> None:
    async with WyomingServer(answers={"describe": info(tts=[program("piper", voices=voices)])}) as server:
        await WyomingSpeech(server.url, "en_US-joe-medium").load()


async def test_a_wyoming_server_that_only_hears_is_refused() -> None:
    async with WyomingServer(answers={"describe": info(asr=[program("faster-whisper")])}) as server:
        with pytest.raises(SynthesisError) as refused:
            await WyomingSpeech(server.url).load()
    assert refused.value.code == "wrong_kind"
    assert "speech recognition" in refused.value.detail
