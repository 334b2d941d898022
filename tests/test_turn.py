"""The turn: whole lists of events, on fakes and a clock that ticks when it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from assistant.conversation import Conversation
from assistant.errors import (
    ChatError,
    EndpointingError,
    JarvisError,
    Stage,
    SynthesisError,
    TranscriptionError,
    WakeWordError,
)
from assistant.events import (
    AudioReady,
    ModelDelta,
    ReplySentence,
    SentenceMatched,
    SpeechEnded,
    SpeechStarted,
    ToolCalled,
    ToolReturned,
    Transcribed,
    TurnEvent,
    TurnFailed,
    TurnFinished,
    WakeDetected,
)
from assistant.ports import ReplyEvent
from assistant.turn import Stages, TurnRequest, run_turn
from tests.fakes import (
    FakeClock,
    FakeListener,
    FakePlayer,
    FakeReplier,
    FakeSource,
    FakeSynthesizer,
    FakeTranscriber,
)
from tools.contract import Caller, Level

MATCHED: Sequence[ReplyEvent] = (
    SentenceMatched(template="check_backups", tool="check_backups", took_ms=1.0),
    ToolCalled(tool="check_backups", arguments={}, source="sentence"),
    ToolReturned(
        tool="check_backups",
        arguments={},
        ok=True,
        level=Level.READ,
        spoken="Photos is ok.",
        result={},
        took_ms=12.5,
    ),
    ReplySentence(text="Photos is ok.", spoken="Photos is ok."),
)
HEARD = (
    WakeDetected(word="hey_jarvis", score=0.98, audio_ms=880),
    SpeechStarted(audio_ms=960),
    SpeechEnded(audio_ms=2700, speech_end_ms=2000, reason="silence"),
)


def request(utterance: Any = "is the backup ok?", **options: Any) -> TurnRequest:
    return TurnRequest(turn_id="t1", utterance=utterance, caller=Caller(), **options)


async def run(req: TurnRequest, stages: Stages) -> list[TurnEvent]:
    return [event async for event in run_turn(req, stages, Conversation(), FakeClock())]


def unstamped(events: Sequence[TurnEvent]) -> list[TurnEvent]:
    plain: list[TurnEvent] = []
    for event in events:
        bare = replace(event, turn_id="", at_ms=0.0)
        plain.append(replace(bare, timings_ms={}) if isinstance(bare, TurnFinished | TurnFailed) else bare)
    return plain


async def test_a_typed_utterance_skips_ears_and_mouth() -> None:
    events = await run(request(), Stages(replier=FakeReplier(MATCHED)))
    assert unstamped(events) == [
        Transcribed(text="is the backup ok?"),
        *MATCHED,
        TurnFinished(reply="Photos is ok.", spoken="Photos is ok.", matched="sentence"),
    ]


async def test_a_spoken_utterance_goes_through_every_stage_in_order() -> None:
    player = FakePlayer()
    stages = Stages(
        replier=FakeReplier(MATCHED),
        listener=FakeListener(HEARD),
        transcriber=FakeTranscriber("Hey Jarvis, is the backup ok?"),
        synthesizer=FakeSynthesizer(),
        player=player,
    )
    events = await run(request(FakeSource(), wake=True), stages)
    assert [e.kind for e in events] == [
        "wake_detected",
        "speech_started",
        "speech_ended",
        "transcribed",
        "sentence_matched",
        "tool_called",
        "tool_returned",
        "reply_sentence",
        "audio_ready",
        "audio_ready",
        "audio_ready",
        "turn_finished",
    ]
    assert [e.first for e in events if isinstance(e, AudioReady)] == [True, False, False]
    assert player.played == [b"Photos", b"is", b"ok."]
    assert player.drained == 1


async def test_the_wake_phrase_is_taken_off_the_transcript() -> None:
    replier = FakeReplier(MATCHED)
    stages = Stages(
        replier=replier, listener=FakeListener(HEARD), transcriber=FakeTranscriber("Hey Jarvis, what's down?")
    )
    await run(request(FakeSource(), wake=True), stages)
    assert replier.asked[0][0].lower().startswith("what's down")


async def test_every_event_carries_the_turn_id_and_time_never_runs_backwards() -> None:
    events = await run(request(), Stages(replier=FakeReplier(MATCHED)))
    assert {e.turn_id for e in events} == {"t1"}
    times = [e.at_ms for e in events]
    assert times == sorted(times)


async def test_timings_say_what_the_documentation_says() -> None:
    stages = Stages(
        replier=FakeReplier(MATCHED),
        listener=FakeListener(HEARD),
        transcriber=FakeTranscriber("is the backup ok?"),
        synthesizer=FakeSynthesizer(),
    )
    finished = (await run(request(FakeSource(), wake=True), stages))[-1]
    assert isinstance(finished, TurnFinished)
    timings = finished.timings_ms
    assert timings["wake"] == 880
    assert timings["endpoint"] == 700
    assert timings["tools"] == 12.5
    for stage in ("transcript", "decision", "first_audio", "total"):
        value = timings[stage]
        assert value is not None
        assert value >= 0


async def test_the_caller_reaches_the_reply_with_the_turn_id() -> None:
    replier = FakeReplier(MATCHED)
    await run(request(engine="sentences"), Stages(replier=replier))
    _, caller, engine = replier.asked[0]
    assert caller.turn_id == "t1"
    assert engine == "sentences"


@pytest.mark.parametrize(
    ("listener", "transcriber", "stage"),
    [
        (FakeListener((), WakeWordError("no_wake_word", "none")), FakeTranscriber(), Stage.WAKE),
        (FakeListener((), EndpointingError("nothing_heard", "none")), FakeTranscriber(), Stage.ENDPOINT),
        (FakeListener(HEARD), FakeTranscriber(error=TranscriptionError("whisper_failed", "x")), Stage.TRANSCRIPT),
        (FakeListener(HEARD), FakeTranscriber("Hey Jarvis."), Stage.TRANSCRIPT),
    ],
)
async def test_a_failing_ear_is_named_and_spoken(
    listener: FakeListener, transcriber: FakeTranscriber, stage: Stage
) -> None:
    mouth = FakeSynthesizer()
    stages = Stages(replier=FakeReplier(), listener=listener, transcriber=transcriber, synthesizer=mouth)
    events = await run(request(FakeSource(), wake=True), stages)
    failed = events[-1]
    assert isinstance(failed, TurnFailed)
    assert failed.stage == stage
    assert failed.spoken
    assert mouth.said == [failed.spoken]


async def test_what_was_found_before_a_failure_is_still_said() -> None:
    mouth = FakeSynthesizer()
    replier = FakeReplier((*MATCHED, ChatError("model_died", "gone")))
    events = await run(request(), Stages(replier=replier, synthesizer=mouth))
    failed = events[-1]
    assert isinstance(failed, TurnFailed)
    assert failed.stage == Stage.MODEL
    assert mouth.said == ["Photos is ok.", failed.spoken]


async def test_a_failing_mouth_leaves_the_reply_on_the_screen() -> None:
    mouth = FakeSynthesizer(error=SynthesisError("voice_failed", "no voice"))
    events = await run(request(), Stages(replier=FakeReplier(MATCHED), synthesizer=mouth))
    failed = events[-1]
    assert isinstance(failed, TurnFailed)
    assert failed.stage == Stage.SYNTHESIS
    assert any(isinstance(e, ReplySentence) for e in events)


async def test_a_bug_is_a_failed_turn_and_not_an_exception(caplog: pytest.LogCaptureFixture) -> None:
    events = await run(request(), Stages(replier=FakeReplier((ZeroDivisionError("secret words"),))))
    failed = events[-1]
    assert isinstance(failed, TurnFailed)
    assert failed.code == "internal_error"
    assert "secret words" not in failed.detail
    assert "failed inside" in caplog.text


async def test_audio_at_a_door_without_ears_fails_with_the_reason() -> None:
    failed = (await run(request(FakeSource()), Stages(replier=FakeReplier())))[-1]
    assert isinstance(failed, TurnFailed)
    assert failed.code == "no_ears"


async def test_speech_begins_while_the_model_is_still_answering() -> None:
    script: tuple[ReplyEvent, ...] = (
        ReplySentence(text="One.", spoken="One."),
        *(ModelDelta(text=str(n)) for n in range(20)),
        ReplySentence(text="Two.", spoken="Two."),
    )
    mouth = FakeSynthesizer()
    events = await run(request(), Stages(replier=FakeReplier(script), synthesizer=mouth))
    assert mouth.said == ["One.", "Two."]
    assert isinstance(events[-1], TurnFinished)


@pytest.mark.parametrize("error", [ChatError("model_server_down", "x"), JarvisError("odd", "x")])
async def test_exactly_one_last_event(error: JarvisError) -> None:
    events = await run(request(), Stages(replier=FakeReplier((error,))))
    assert [isinstance(e, TurnFinished | TurnFailed) for e in events].count(True) == 1
    assert isinstance(events[-1], TurnFailed)
