"""The Wyoming door as a client sees it: the library's own client against the real server, fakes behind it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.handle import Handled, NotHandled
from wyoming.info import Describe, Info
from wyoming.intent import Intent, NotRecognized, Recognize
from wyoming.ping import Ping, Pong
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeVoice
from wyoming.wake import Detect, Detection

from assistant.errors import SynthesisError, TranscriptionError
from assistant.ports import SpeechChunk
from assistant.wyoming.admission import Admission
from assistant.wyoming.asking import Asking
from tests.wyoming.rig import Brain, Ears, Rig, all_gone, answer, form, received, tone
from tools.contract import Door


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    made = Rig()
    async with made.open():
        yield made


def utterance(pcm: bytes, rate: int = 16_000, width: int = 2, channels: int = 1, piece: int = 3_200) -> list[Event]:
    chunks = [AudioChunk(rate, width, channels, pcm[at : at + piece]).event() for at in range(0, len(pcm), piece)]
    return [AudioStart(rate, width, channels).event(), *chunks, AudioStop().event()]


def line(kind: str, **fields: object) -> bytes:
    return json.dumps({"type": kind, **fields}).encode() + b"\n"


DESCRIBE = line("describe")


# ── what it offers ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_describe_tells_of_everything_there_is(rig: Rig) -> None:
    async with rig.client() as client:
        await client.write_event(Describe().event())
        [event] = await answer(client, "info")
    info = Info.from_event(event)
    assert [model.languages for model in info.asr[0].models] == [["en"]]
    assert [(voice.name, voice.languages) for voice in info.tts[0].voices] == [("en_US-joe-medium", ["en_US"])]
    assert [(model.name, model.phrase) for model in info.wake[0].models] == [
        ("hey_jarvis", "hey jarvis"),
        ("computer", "computer"),
    ]
    assert info.tts[0].supports_synthesize_streaming
    assert info.handle[0].supports_handled_streaming
    assert info.intent[0].installed
    assert info.satellite is None


async def test_what_is_not_there_is_not_offered() -> None:
    rig = Rig(more={"transcriber": None, "speech": None, "detector": None})
    async with rig.open(), rig.client() as client:
        await client.write_event(Describe().event())
        [event] = await answer(client, "info")
        info = Info.from_event(event)
        assert (info.asr, info.tts, info.wake) == ([], [], [])
        assert len(info.handle) == 1
        await client.write_event(Transcribe().event())
        [error] = await answer(client, "error")
        assert error.data["code"] == "no_ears"


async def test_a_ping_comes_back_and_what_is_unknown_is_passed_over(rig: Rig) -> None:
    async with rig.client() as client:
        await client.write_event(Event("run-satellite"))
        await client.write_event(Ping("hello").event())
        [event] = await answer(client, "pong")
        assert Pong.from_event(event).text == "hello"


# ── ears ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_sound_becomes_a_transcript_without_the_wake_phrase() -> None:
    rig = Rig(ears=Ears("Hey Jarvis, is the backup ok?"))
    async with rig.open(), rig.client() as client:
        await client.write_event(Transcribe(language="en").event())
        for event in utterance(tone(1.0).tobytes()):
            await client.write_event(event)
        [event] = await answer(client, "transcript")
    assert Transcript.from_event(event).text == "is the backup ok?"
    assert np.array_equal(rig.ears.heard[0], tone(1.0))


@pytest.mark.parametrize(("rate", "width", "channels"), [(48_000, 2, 2), (8_000, 2, 1), (44_100, 4, 1), (16_000, 1, 1)])
async def test_other_formats_are_converted(rig: Rig, rate: int, width: int, channels: int) -> None:
    wave = tone(1.0, rate).astype(np.float64)
    as_int = {1: (wave / 256 + 128).astype(np.uint8), 2: wave.astype("<i2"), 4: (wave * 65_536).astype("<i4")}[width]
    pcm = np.repeat(as_int, channels).tobytes()
    async with rig.client() as client:
        for event in utterance(pcm, rate, width, channels, piece=7_001):
            await client.write_event(event)
        await answer(client, "transcript")
    [heard] = rig.ears.heard
    assert abs(len(heard) - 16_000) < 400
    assert np.corrcoef(heard[2_000:14_000].astype(float), tone(1.0)[2_000:14_000].astype(float))[0, 1] > 0.99


async def test_one_utterance_after_another_on_one_connection(rig: Rig) -> None:
    async with rig.client() as client:
        for _ in range(3):
            for event in utterance(tone(0.2).tobytes()):
                await client.write_event(event)
            await answer(client, "transcript")
    assert [len(heard) for heard in rig.ears.heard] == [3_200] * 3


async def test_an_utterance_without_sound_is_silence(rig: Rig) -> None:
    rig.ears.text = ""
    async with rig.client() as client:
        for event in utterance(b""):
            await client.write_event(event)
        [event] = await answer(client, "transcript")
    assert event.data["text"] == ""


async def test_another_language_is_refused_and_not_guessed_at(rig: Rig) -> None:
    async with rig.client() as client:
        await client.write_event(Transcribe(language="en-GB").event())
        await client.write_event(Transcribe(language="de").event())
        [error] = await answer(client, "error")
        assert error.data["code"] == "unknown_language"
        assert await received(client) is None


async def test_ears_that_fail_say_so_and_the_server_lives(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.ears.error = TranscriptionError("whisper_failed", "Whisper failed.")
    async with rig.client() as client:
        for event in utterance(tone(0.2).tobytes()):
            await client.write_event(event)
        [error] = await answer(client, "error")
        assert error.data == {"code": "whisper_failed", "text": "Whisper failed."}
    assert "Whisper failed" in caplog.text
    assert b'"info"' in await rig.raw(DESCRIBE)


async def test_more_sound_than_an_utterance_may_have_ends_the_connection(rig: Rig) -> None:
    async with rig.client() as client:
        await client.write_event(AudioStart(16_000, 2, 1).event())
        for _ in range(11):
            await client.write_event(AudioChunk(16_000, 2, 1, bytes(32_000)).event())
        [error] = await answer(client, "error")
        assert "max_clip_s" in error.data["text"]
    assert rig.ears.heard == []


# ── wake words ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_wake_word_is_told_with_the_clients_own_time() -> None:
    rig = Rig(wakes_at=(3,))
    async with rig.open(), rig.client() as client:
        await client.write_event(Detect(names=["hey_jarvis"]).event())
        await client.write_event(AudioStart(16_000, 2, 1, timestamp=5_000).event())
        await client.write_event(AudioChunk(16_000, 2, 1, tone(1.0).tobytes(), timestamp=5_000).event())
        [event] = await answer(client, "detection")
        found = Detection.from_event(event)
        assert (found.name, found.timestamp) == ("hey_jarvis", 5_240)
        await client.write_event(AudioStop().event())
        await client.write_event(Ping().event())
        [after] = await answer(client, "pong")  # nothing else comes after a detection
        assert after.type == "pong"


async def test_sound_without_a_wake_word_ends_with_not_detected() -> None:
    rig = Rig(wakes_at=())
    async with rig.open(), rig.client() as client:
        await client.write_event(Detect().event())
        for event in utterance(tone(0.5).tobytes()):
            await client.write_event(event)
        await answer(client, "not-detected")
    assert rig.detectors[0].seen == 6  # the last chunk is a short one


async def test_each_client_has_a_detector_of_its_own() -> None:
    rig = Rig(wakes_at=(2,))
    async with rig.open(), rig.client() as one, rig.client() as other:
        for client in (one, other):
            await client.write_event(Detect().event())
            await client.write_event(AudioStart(16_000, 2, 1).event())
        for _ in range(3):
            for client in (one, other):
                await client.write_event(AudioChunk(16_000, 2, 1, bytes(2_560)).event())
        for client in (one, other):
            [event] = await answer(client, "detection")
            assert event.data["timestamp"] == 160
    assert len(rig.detectors) == 2


async def test_an_unknown_wake_word_is_refused_with_those_there_are(rig: Rig) -> None:
    async with rig.client() as client:
        await client.write_event(Detect(names=["alexa"]).event())
        [error] = await answer(client, "error")
        assert "hey_jarvis, computer" in error.data["text"]


async def test_a_detector_that_fails_ends_its_client_only() -> None:
    def broken(words: object) -> None:
        raise TranscriptionError("wake_model_unusable", "The model is broken.")

    rig = Rig(more={"detector": broken})
    async with rig.open(), rig.client() as client:
        await client.write_event(Detect().event())
        await client.write_event(AudioStart(16_000, 2, 1).event())
        [error] = await answer(client, "error")
        assert error.data["code"] == "wake_model_unusable"
        assert await received(client) is None
        assert b'"info"' in await rig.raw(DESCRIBE)


# ── mouth ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_text_becomes_sound(rig: Rig) -> None:
    async with rig.client() as client:
        await client.write_event(Synthesize("All is **well**.", SynthesizeVoice("en_US-joe-medium")).event())
        events = await answer(client, "audio-stop")
    assert [event.type for event in events] == ["audio-start", *["audio-chunk"] * 3, "audio-stop"]
    assert {event.data["rate"] for event in events[:-1]} == {22_050}
    assert rig.mouth.said == ["All is well."]


async def test_text_in_pieces_is_said_sentence_by_sentence_while_it_comes(rig: Rig) -> None:
    async with rig.client() as client:
        await client.write_event(SynthesizeStart().event())
        await client.write_event(SynthesizeChunk("Four of seven are proven. Gi").event())
        events = await answer(client, "audio-chunk")
        assert rig.mouth.said == ["Four of seven are proven."]
        await client.write_event(SynthesizeChunk("tea was never restored.").event())
        await client.write_event(Synthesize("Four of seven are proven. Gitea was never restored.").event())
        await client.write_event(SynthesizeStop().event())
        events += await answer(client, "synthesize-stopped")
    assert rig.mouth.said == ["Four of seven are proven.", "Gitea was never restored."]
    kinds = [event.type for event in events]
    assert (kinds.count("audio-start"), kinds.count("audio-stop")) == (1, 1)
    assert kinds[-2:] == ["audio-stop", "synthesize-stopped"]


async def test_nothing_to_say_is_a_sound_of_no_length(rig: Rig) -> None:
    async with rig.client() as client:
        await client.write_event(Synthesize("  ").event())
        events = await answer(client, "audio-stop")
    assert [event.type for event in events] == ["audio-start", "audio-stop"]


@pytest.mark.parametrize("voice", [SynthesizeVoice("de_DE-thorsten-medium"), SynthesizeVoice(language="de")])
async def test_nobody_is_given_another_voice_than_they_asked_for(rig: Rig, voice: SynthesizeVoice) -> None:
    async with rig.client() as client:
        await client.write_event(Synthesize("Hallo.", voice).event())
        [error] = await answer(client, "error")
        assert error.data["code"] == "unknown_voice"
    assert rig.mouth.said == []


async def test_a_mouth_that_fails_says_so(rig: Rig) -> None:
    rig.mouth.error = SynthesisError("synthesis_failed", "Piper failed.")
    async with rig.client() as client:
        await client.write_event(Synthesize("Hello.").event())
        [error] = await answer(client, "error")
        assert error.data["code"] == "synthesis_failed"


# ── brain ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_text_is_a_turn_whose_reply_comes_in_sentences_and_as_a_whole(rig: Rig) -> None:
    async with rig.client() as client:
        context = {"conversation_id": "01ABC", "satellite_id": "kitchen"}
        await client.write_event(Transcript("is the backup ok", context=context).event())
        events = await answer(client, "handled-stop")
    assert [event.type for event in events] == [
        "handled-start",
        "handled-chunk",
        "handled-chunk",
        "handled",
        "handled-stop",
    ]
    handled = Handled.from_event(events[3])
    assert handled.text == "Four of seven backups are proven. Gitea was never restored."
    assert handled.text == "".join(event.data["text"] for event in events[1:3])
    assert handled.context == context
    [(text, caller, conversation)] = rig.brain.asked
    assert text == "is the backup ok"
    assert (caller.door, caller.role, caller.name) == (Door.SATELLITE, "member", "wyoming 127.0.0.1")
    assert conversation == "wyoming 127.0.0.1/01ABC"


async def test_the_role_is_the_configured_one() -> None:
    rig = Rig(more={"role": "guest"})
    async with rig.open(), rig.client() as client:
        await client.write_event(Transcript("hello").event())
        await answer(client, "handled")
    assert rig.brain.asked[0][1].role == "guest"


@pytest.mark.parametrize("context", [None, {}, {"conversation_id": 7}, {"conversation_id": "x" * 201}])
async def test_what_a_client_does_not_name_is_one_conversation(rig: Rig, context: dict[str, object] | None) -> None:
    for _ in range(2):
        async with rig.client() as client:
            await client.write_event(Transcript("hello", context=context).event())
            await answer(client, "handled")
    assert [asked[2] for asked in rig.brain.asked] == ["wyoming 127.0.0.1/unnamed"] * 2


async def test_a_turn_that_fails_is_not_handled_and_says_why(rig: Rig) -> None:
    rig.brain.sentences = ()
    async with rig.client() as client:
        await client.write_event(Transcript("think").event())
        [event] = await answer(client, "not-handled")
    assert NotHandled.from_event(event).text == "I can't think now."


async def test_recognizing_says_what_is_meant_and_does_nothing(rig: Rig) -> None:
    async with rig.client() as client:
        await client.write_event(Recognize("shut down windows", context={"a": 1}).event())
        [event] = await answer(client, "intent")
        found = Intent.from_event(event)
        assert found.name == "vm_power"
        assert {entity.name: entity.value for entity in found.entities} == {"vm": "windows", "action": "shutdown"}
        assert found.context == {"a": 1}
        await client.write_event(Recognize("blah").event())
        [event] = await answer(client, "not-recognized")
        assert NotRecognized.is_type(event.type)
    assert rig.brain.asked == []


# ── several clients, and those who go away ────────────────────────────────────────────────────────────────────────


async def test_a_slow_client_holds_nobody_up() -> None:
    rig = Rig(ears=Ears(hold=asyncio.Event()))
    async with rig.open(), rig.client() as slow, rig.client() as quick:
        for event in utterance(tone(0.2).tobytes()):
            await slow.write_event(event)
        await quick.write_event(Transcript("hello").event())
        await answer(quick, "handled")
        assert rig.ears.hold is not None
        rig.ears.hold.set()
        await answer(slow, "transcript")


async def test_who_goes_away_while_it_is_transcribed_frees_the_place() -> None:
    rig = Rig(ears=Ears(hold=asyncio.Event()))
    async with rig.open():
        async with rig.client() as client:
            for event in utterance(tone(0.2).tobytes()):
                await client.write_event(event)
            await rig.ears.listening.wait()
        await all_gone()
    assert rig.ears.given_up == 1


async def test_an_order_is_carried_out_when_its_client_goes_away() -> None:
    rig = Rig()
    rig.brain.hold = asyncio.Event()
    async with rig.open():
        async with rig.client() as client:
            await client.write_event(Transcript("turn off the light").event())
        await all_gone()
        rig.brain.hold.set()
        assert (await rig.brain.turns[0].outcome()).error is None


async def test_so_many_turns_may_be_under_way_whoever_has_gone_since() -> None:
    brain = Brain(hold=asyncio.Event())
    rig = Rig(brain=brain, more={"ask": Asking(brain.ask, most=2)})
    async with rig.open():
        for _ in range(2):
            await rig.raw(line("transcript", data={"text": "turn off the light"}))
        async with rig.client() as client:
            await client.write_event(Transcript("and the other").event())
            [error] = await answer(client, "error")
            assert error.data["code"] == "busy"
        assert brain.hold is not None
        brain.hold.set()
        for turn in brain.turns:
            await turn.outcome()
        async with rig.client() as client:
            await client.write_event(Transcript("and the other").event())
            await answer(client, "handled")


async def test_so_many_may_be_connected_and_a_place_that_is_free_is_given_again() -> None:
    rig = Rig(limits={"max_connections": 2})
    async with rig.open():
        async with rig.client() as one, rig.client() as two:
            for client in (one, two):
                await client.write_event(Ping().event())
                await answer(client, "pong")
            assert await rig.raw(DESCRIBE) == b""
        await all_gone()
        assert b'"info"' in await rig.raw(DESCRIBE)


async def test_who_may_not_connect_is_told_nothing_and_the_log_says_it_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Admission, "admits", lambda self, address: False)
    rig = Rig()
    async with rig.open():
        assert await rig.raw(DESCRIBE) == b""
        assert await rig.raw(DESCRIBE) == b""
    assert [record.message for record in caplog.records if "may not connect" in record.message] == [
        "Wyoming: 127.0.0.1 may not connect; allow_clients in [wyoming] names who may"
    ]


async def test_a_client_that_says_nothing_is_forgotten() -> None:
    rig = Rig(limits={"idle_s": 0.05})
    async with rig.open() as server, rig.client() as client:
        assert await received(client) is None
        assert server.connections == 0


async def test_who_takes_nothing_is_forgotten_with_the_rest_of_the_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.wyoming.connection.SEND_S", 0.05)
    monkeypatch.setattr("assistant.wyoming.server.CLOSE_S", 0.05)
    made = 0

    async def endless(text: str) -> AsyncGenerator[SpeechChunk, None]:
        nonlocal made
        while True:
            made += 1
            yield SpeechChunk(bytes(1_000_000), 22_050)

    rig = Rig(more={"speech": endless})
    async with rig.open(), rig.client() as client:
        await client.write_event(Synthesize("for ever").event())
        await answer(client, "audio-start")
        await all_gone()
        async with asyncio.timeout(5):
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while await client.read_event() is not None:
                    pass
    assert made < 50


async def test_closing_the_door_ends_every_connection() -> None:
    rig = Rig(ears=Ears(hold=asyncio.Event()))
    async with rig.open() as server, rig.client() as client:
        for event in utterance(tone(0.2).tobytes()):
            await client.write_event(event)
        await rig.ears.listening.wait()
        await server.close()
        assert await received(client) is None


# ── what is no event ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "no JSON"),
        (b"[1, 2]\n", "no event"),
        (b'{"type": 7}\n', "no event"),
        (b"[" * 50_000 + b"\n", "no JSON"),
        (b"x" * 200_000, "a line without an end"),
        (line("describe", data_length=10**9), "data length of 1000000000"),
        (line("audio-chunk", data=form(), payload_length=2_000_001), "payload length of 2000001"),
        (line("audio-chunk", data=form(), payload_length=-1), "payload length of -1"),
        (line("audio-chunk", data=form(), payload_length=100) + b"half", "half an event"),
        (line("audio-start", data=form(rate=10**9)), "sample rate"),
        (line("audio-start", data=form(width="two")), "does not say its format"),
        (line("audio-chunk"), "does not say its format"),
        (line("transcript"), "without text"),
        (line("transcript", data={"text": ["a"]}), "without text"),
        (line("transcript", data={"text": "x" * 4_001}), "more than 4000 characters"),
        (line("transcript", data={"text": "hi", "context": "x"}), "no object"),
        (line("transcript", data={"text": "\ud800"}), "no Unicode"),
        (line("detect", data={"names": "hey_jarvis"}), "no names"),
        (line("synthesize-chunk", data={"text": "x"}), "has not begun"),
        (line("synthesize-stop"), "has not begun"),
        (line("synthesize", data={"text": "x", "voice": 5}), "no object"),
        (
            line("audio-start", data=form()) + line("audio-chunk", data=form(rate=8_000)),
            "changes its format",
        ),
    ],
)  # fmt: skip
async def test_what_cannot_be_understood_ends_the_connection_with_a_reason_and_nothing_else(
    rig: Rig, caplog: pytest.LogCaptureFixture, sent: bytes, why: str
) -> None:
    await rig.raw(sent)
    assert why in caplog.text
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
    assert b'"info"' in await rig.raw(DESCRIBE)


async def test_an_end_of_sound_that_never_began_is_an_error(rig: Rig) -> None:
    async with rig.client() as client:
        await client.write_event(AudioStop().event())
        [error] = await answer(client, "error")
        assert error.data["code"] == "no_sound"


FIELDS = st.dictionaries(
    st.sampled_from(["rate", "width", "channels", "text", "names", "voice", "context", "language", "timestamp"]),
    st.none() | st.integers(-10, 50_000) | st.text(max_size=5) | st.lists(st.text(max_size=3), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=1) | st.floats(allow_nan=False),
)  # fmt: skip
KINDS = st.sampled_from(
    [
        *("describe", "ping", "transcribe", "detect", "audio-start", "audio-chunk", "audio-stop", "transcript"),
        *("recognize", "synthesize", "synthesize-start", "synthesize-chunk", "synthesize-stop", "select-program"),
    ]
)
FRAMES = st.lists(
    st.builds(
        lambda kind, data, payload, lie: line(kind, data=data, payload_length=len(payload) + lie) + payload,
        KINDS,
        FIELDS,
        st.binary(max_size=40),
        st.sampled_from([0, 0, 0, 0, 1, -1]),
    )
    | st.binary(max_size=60),
    max_size=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=FRAMES)
def test_no_bytes_break_the_server(frames: list[bytes], caplog: pytest.LogCaptureFixture) -> None:
    async def send() -> None:
        rig = Rig(wakes_at=())
        async with rig.open():
            await rig.raw(b"".join(frames))
            assert b'"info"' in await rig.raw(DESCRIBE)
            await all_gone()

    caplog.clear()
    asyncio.run(send())
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
