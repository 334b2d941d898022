"""Transcripts from servers, OpenAI-compatible and Wyoming, with every fault of theirs."""

from __future__ import annotations

import io
import json
import logging
import socket
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI

from assistant import egress
from assistant.errors import ConfigError, EgressError, TranscriptionError
from assistant.ports import SAMPLE_RATE_HZ, Samples
from assistant.speech.server_errors import SpeechServer, shown
from assistant.speech.transcription_servers import OpenAITranscriber, filtered, read_answer
from assistant.speech.wyoming_client import WyomingTranscriber
from tests.fakes_speech_servers import Answer, SpeechHttpServer, WyomingServer, event, info, program, refuses, says
from tests.speech.clips import tone

SPEECH: Samples = tone(1.3)


def transcriber(server: SpeechHttpServer, **options: Any) -> OpenAITranscriber:
    return OpenAITranscriber(server.url, "small", **{"timeout_s": 5.0, **options})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# ── OpenAI's transcriptions ───────────────────────────────────────────────────────────────────────────────────────


async def test_the_audio_goes_out_as_a_16_khz_wav_with_the_names_as_prompt_and_the_words_come_back() -> None:
    async with SpeechHttpServer(answers=[says("  Is the backup OK? ")]) as server:
        ears = transcriber(server, api_key="sk-1", names=["Jellyfin", "gitea"], language="de")
        transcript = await ears.transcribe(SPEECH)
        form = server.form()
    assert transcript.text == "Is the backup OK?"
    assert transcript.language == "de"
    assert transcript.engine == f"small at {server.url}"
    assert server.heads[0].startswith("POST /v1/audio/transcriptions ")
    assert "authorization: bearer sk-1" in server.heads[0].lower()
    assert (form["model"], form["language"], form["response_format"]) == (b"small", b"de", b"verbose_json")
    assert b"Jellyfin" in form["prompt"]
    with wave.open(io.BytesIO(form["file"])) as sent:
        assert (sent.getframerate(), sent.getnchannels(), sent.getsampwidth()) == (SAMPLE_RATE_HZ, 1, 2)
        assert sent.readframes(10**6) == SPEECH.tobytes()


async def test_the_request_is_the_one_that_openais_own_client_sends() -> None:
    async with SpeechHttpServer(answers=[says("yes")]) as server:
        await transcriber(server, names=["Jellyfin"]).transcribe(SPEECH)
        sent = server.form()
        async with AsyncOpenAI(base_url=server.url, api_key="sk-1") as official:
            answer = await official.audio.transcriptions.create(
                file=("utterance.wav", sent["file"]),
                model="small",
                language="en",
                prompt=sent["prompt"].decode(),
                response_format="verbose_json",
                temperature=0,
            )
    assert answer.text == "yes"
    assert {name: value for name, value in server.form().items() if name != "temperature"} == {
        name: value for name, value in sent.items() if name != "temperature"
    }
    assert float(sent["temperature"]) == float(server.form()["temperature"]) == 0.0
    assert server.heads[0].splitlines()[0] == server.heads[1].splitlines()[0]


async def test_a_server_that_does_not_know_the_long_form_is_asked_for_the_short_one_from_then_on() -> None:
    refusal = refuses(400, {"error": {"message": "response_format 'verbose_json' is not compatible with this model"}})
    async with SpeechHttpServer(answers=[refusal, says("one"), says("two")]) as server:
        ears = transcriber(server)
        assert (await ears.transcribe(SPEECH)).text == "one"
        assert (await ears.transcribe(SPEECH)).text == "two"
        asked = [server.form(index)["response_format"] for index in range(3)]
    assert asked == [b"verbose_json", b"json", b"json"]


async def test_less_than_a_word_of_audio_is_nothing_and_is_not_sent() -> None:
    async with SpeechHttpServer() as server:
        assert (await transcriber(server).transcribe(SPEECH[:1_000])).text == ""
        assert server.heads == []


@pytest.mark.parametrize(
    "answer",
    [
        says("Thank you.", segments=[{"no_speech_prob": 0.9, "avg_logprob": -0.4}]),
        says("Turn on the light", segments=[{"no_speech_prob": 0.9, "avg_logprob": -1.4}]),
        says("Thank you."),
        says("Thanks for watching!"),
        says("Jellyfin, gitea, Grafana."),
        says(" . "),
    ],
)
async def test_what_was_never_said_is_nothing(answer: Answer) -> None:
    async with SpeechHttpServer(answers=[answer]) as server:
        ears = transcriber(server, names=["Jellyfin", "gitea", "Grafana"])
        assert (await ears.transcribe(SPEECH)).text == ""


async def test_a_phrase_that_the_server_is_sure_of_was_said() -> None:
    sure = says("Thank you.", segments=[{"no_speech_prob": 0.01, "avg_logprob": -0.1}])
    async with SpeechHttpServer(answers=[sure]) as server:
        transcript = await transcriber(server).transcribe(SPEECH)
    assert transcript.text == "Thank you."
    assert (transcript.no_speech_probability, transcript.average_log_probability) == (0.01, -0.1)


HTML = Answer([b"<html>Welcome to nginx!</html>"], content_type="text/html")
FAULTS: list[tuple[Answer, str, str]] = [
    (HTML, "server_nonsense", "text/html"),
    (Answer([b"<html>no such page</html>"], 404, "text/html"), "server_nonsense", "/v1"),
    (refuses(404, {"detail": "Not Found"}), "server_nonsense", "/v1"),
    (refuses(401, {"error": "no"}), "server_refused_key", "401"),
    (refuses(403, {}), "server_refused_key", "403"),
    (
        refuses(404, {"detail": "Model 'small' is not installed locally."}),
        "server_model_missing",
        "small",
    ),
    (
        refuses(400, {"error": {"message": "The model `small` does not exist"}}),
        "server_model_missing",
        "does not exist",
    ),
    (refuses(422, {"detail": [{"loc": ["body", "file"], "msg": "field required"}]}), "server_error", "field required"),
    (refuses(500, {"error": {"message": "out of\nmemory"}}), "server_error", "out of memory"),
    (Answer([b""], 500, "text/plain"), "server_error", "500"),
    (Answer([], 302, "text/plain", "Location: http://example.com/\r\n"), "server_nonsense", "elsewhere"),
    (Answer([b"not json"]), "server_nonsense", "JSON"),
    (Answer([b"[" * 100_000]), "server_nonsense", "JSON"),
    (Answer([b'{"text": "half an ans'], break_off=True), "server_nonsense", "broke off"),
    (Answer([b'{"text": "half an answer"']), "server_nonsense", "JSON"),
    (Answer([b'["a list"]']), "server_nonsense", "no transcript"),
    (says(None), "server_nonsense", "no transcript"),
    (says(["words"]), "server_nonsense", "no transcript"),
    (says("word " * 10_000), "server_nonsense", "no transcript"),
    (Answer([b"x" * 100_000] * 12), "server_nonsense", "longer than"),
    (Answer([b"\x1f\x8b"], headers="Content-Encoding: gzip\r\n"), "server_nonsense", "packed"),
    (Answer([b"+OK POP3 server ready\r\n"], raw=True), "server_nonsense", "broke off"),
    (Answer([], raw=True), "server_nonsense", "broke off"),
    (Answer([b'{"text": "hal'], hang_after=1), "server_slow", "0.3 s"),
    (Answer([], hang_after=0), "server_slow", "0.3 s"),
    (Answer([], raw=True, hang_after=0), "server_slow", "0.3 s"),
]


@pytest.mark.parametrize(("answer", "code", "fact"), FAULTS)
async def test_every_fault_is_an_error_with_its_code_its_facts_and_a_mend(answer: Answer, code: str, fact: str) -> None:
    timeout_s = 0.3 if code == "server_slow" else 5.0
    async with SpeechHttpServer(answers=[answer]) as server:
        with pytest.raises(TranscriptionError) as failed:
            await transcriber(server, timeout_s=timeout_s, api_key="sk-secret").transcribe(SPEECH)
    assert failed.value.code == code
    assert fact in failed.value.detail
    assert server.url in failed.value.detail
    assert failed.value.mend
    assert "sk-secret" not in str(failed.value)


async def test_a_server_that_is_not_there_is_said() -> None:
    with pytest.raises(TranscriptionError) as failed:
        await OpenAITranscriber(f"http://127.0.0.1:{free_port()}/v1", "small").transcribe(SPEECH)
    assert failed.value.code == "server_down"
    assert "[transcriber]" in failed.value.mend


async def test_an_answer_that_drips_for_ever_is_too_slow() -> None:
    async with SpeechHttpServer(answers=[Answer([b" "], endless=True)]) as server:
        with pytest.raises(TranscriptionError) as failed:
            await transcriber(server, timeout_s=0.3).transcribe(SPEECH)
    assert failed.value.code in ("server_slow", "server_nonsense")


async def test_loading_lets_the_server_hear_silence() -> None:
    async with SpeechHttpServer(answers=[says("")]) as server:
        await transcriber(server).load()
        with wave.open(io.BytesIO(server.form()["file"])) as sent:
            assert not any(sent.readframes(10**6))


async def test_a_server_outside_the_house_is_refused_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(egress, "_guard", None)
    guard = egress.install()
    for ears in (
        OpenAITranscriber("http://api.openai.com/v1", "whisper-1"),
        OpenAITranscriber("http://8.8.8.8:8000/v1", "whisper-1"),
        WyomingTranscriber("tcp://8.8.8.8:10300"),
        WyomingTranscriber("tcp://stt.example.com:10300"),
    ):
        with pytest.raises(EgressError):
            await ears.transcribe(SPEECH)
    assert set(guard.refused) == {"api.openai.com", "8.8.8.8", "stt.example.com"}


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://x/v1", "http://", "http://[::1/v1", "http://x:99999/v1"])
def test_what_is_no_address_is_refused_when_it_is_configured(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        OpenAITranscriber(url, "small")
    assert refused.value.code == "bad_server_url"
    assert "[transcriber]" in refused.value.mend


@settings(max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["text", "segments", "no_speech_prob", "avg_logprob"]), inner)
        ),
    )
)
def test_any_json_is_a_transcript_or_none(said: Any) -> None:
    heard = read_answer(json.loads(json.dumps(said)))
    if heard is not None:
        transcript = filtered(heard, "en", "x", (), ())
        assert 0.0 <= transcript.no_speech_probability <= 1.0
        assert np.isfinite(transcript.average_log_probability)


def test_a_password_in_the_url_is_not_shown() -> None:
    server = SpeechServer(TranscriptionError, "http://me:hunter2@nas.lan:8000/v1?token=abc")
    assert shown(server.url) == "http://nas.lan:8000/v1"
    assert "hunter2" not in str(server.down())


async def test_nothing_that_was_said_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with SpeechHttpServer(answers=[says("the secret plan")]) as server:
        await transcriber(server, names=["Jellyfin"]).transcribe(SPEECH)
    assert "secret" not in caplog.text
    assert "Jellyfin" not in caplog.text


# ── Wyoming ───────────────────────────────────────────────────────────────────────────────────────────────────────


def writes(text: Any, *before: bytes) -> dict[str, Answer]:
    return {"audio-stop": Answer([*before, event("transcript", {"text": text})])}


async def test_wyoming_audio_goes_out_in_order_and_the_words_come_back() -> None:
    other = event("transcript-start", {"language": "en"}) + event("transcript-chunk", {"text": "Is the"})
    async with WyomingServer(answers=writes(" Is the backup OK?", other)) as server:
        ears = WyomingTranscriber(server.url, names=["Jellyfin"])
        transcript = await ears.transcribe(SPEECH)
    assert transcript.text == "Is the backup OK?"
    assert [heard.type for heard in server.events[:2]] == ["transcribe", "audio-start"]
    assert server.events[0].data == {"language": "en", "transcript_names": ["Jellyfin"]}
    assert server.events[1].data["rate"] == SAMPLE_RATE_HZ
    assert b"".join(chunk.payload or b"" for chunk in server.heard("audio-chunk")) == SPEECH.tobytes()


async def test_wyoming_over_a_unix_socket(tmp_path: Path) -> None:
    async with WyomingServer(answers=writes("yes"), path=str(tmp_path / "stt.sock")) as server:
        assert (await WyomingTranscriber(server.url).transcribe(SPEECH)).text == "yes"
    with pytest.raises(TranscriptionError) as gone:
        await WyomingTranscriber(f"unix://{tmp_path}/other.sock").transcribe(SPEECH)
    assert gone.value.code == "server_down"


WYOMING_FAULTS: list[tuple[Answer, str, str]] = [
    (Answer([event("error", {"text": "CUDA out of memory"})]), "server_error", "CUDA"),
    (Answer([event("error")]), "server_error", "without saying"),
    (Answer([b"HTTP/1.1 400 Bad Request\r\n\r\n"]), "server_nonsense", "no JSON"),
    (Answer([b"[" * 50_000 + b"\n"]), "server_nonsense", "no JSON"),
    (Answer([b"[1]\n"]), "server_nonsense", "no event"),
    (Answer([b'{"data": {}}\n']), "server_nonsense", "no event"),
    (Answer([b'{"type": "transcript", "data": [1]}\n']), "server_nonsense", "no event"),
    (Answer([b"x" * 200_000]), "server_nonsense", "without an end"),
    (Answer([event("transcript", {"text": 7})]), "server_nonsense", "no transcript"),
    (Answer([event("transcript", {"text": "x" * 900_000})]), "server_nonsense", "no transcript"),
    (Answer([event("transcript")]), "server_nonsense", "no transcript"),
    (Answer([event("transcript", data_length=10**12)]), "server_nonsense", "data length"),
    (Answer([event("transcript", payload_length=10**12)]), "server_nonsense", "payload length"),
    (Answer([event("transcript", data_length=-5)]), "server_nonsense", "data length"),
    (Answer([event("transcript", data_length="many")]), "server_nonsense", "data length"),
    (Answer([event("transcript", data_length=True)]), "server_nonsense", "data length"),
    (Answer([event("transcript", {"text": "half"})[:-4]], break_off=True), "server_nonsense", "broke off"),
    (Answer([], break_off=True), "server_nonsense", "broke off"),
    (Answer([event("transcript", {"text": "half"})[:-4]], hang_after=1), "server_slow", "0.3 s"),
    (Answer([], hang_after=0), "server_slow", "0.3 s"),
    (Answer([event("ping")], endless=True), "server_slow", "0.3 s"),
]


@pytest.mark.parametrize(("answer", "code", "fact"), WYOMING_FAULTS)
async def test_every_fault_of_a_wyoming_server_is_an_error_with_its_code(answer: Answer, code: str, fact: str) -> None:
    timeout_s = 0.3 if code == "server_slow" else 5.0
    async with WyomingServer(answers={"audio-stop": answer}) as server:
        with pytest.raises(TranscriptionError) as failed:
            await WyomingTranscriber(server.url, timeout_s=timeout_s).transcribe(SPEECH)
    assert failed.value.code == code
    assert fact in failed.value.detail
    assert failed.value.mend


async def test_a_wyoming_server_that_is_not_there_is_said() -> None:
    with pytest.raises(TranscriptionError) as failed:
        await WyomingTranscriber(f"tcp://127.0.0.1:{free_port()}").load()
    assert failed.value.code == "server_down"


async def test_loading_sees_what_a_wyoming_server_is() -> None:
    async with WyomingServer(answers={"describe": info(asr=[program("faster-whisper")])}) as server:
        ears = WyomingTranscriber(server.url)
        await ears.load()
        server.answers |= writes("yes")
        assert (await ears.transcribe(SPEECH)).engine == f"faster-whisper at {server.url}"


@pytest.mark.parametrize(
    ("described", "offers"),
    [
        (info(tts=[program("piper")], asr=[]), "speech"),
        (info(wake=[program("openwakeword")]), "wake words"),
        (info(asr=[program("off", installed=False)]), "nothing"),
        (info(asr="all of it", satellite={"name": "kitchen"}), "a satellite"),
        (info(), "nothing"),
    ],
)
async def test_a_wyoming_server_of_another_kind_is_refused(described: Answer, offers: str) -> None:
    async with WyomingServer(answers={"describe": described}) as server:
        with pytest.raises(TranscriptionError) as refused:
            await WyomingTranscriber(server.url).load()
    assert refused.value.code == "wrong_kind"
    assert f"it offers {offers}." in refused.value.detail


@pytest.mark.parametrize("url", ["http://x:1", "tcp://x", "tcp://:10300", "unix://", "stdio://", "tcp://x:0"])
def test_what_is_no_address_of_a_wyoming_server_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        WyomingTranscriber(url)
    assert refused.value.code == "bad_server_url"
