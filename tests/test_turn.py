"""The turn: whole lists of events, on fakes and a clock that ticks when it is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
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
    PartialTranscript,
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
from assistant.own_voice import RINGING_S, OwnVoice
from assistant.phrases import phrase
from assistant.ports import (
    AudioSource,
    Cue,
    Hearing,
    Paused,
    ReplyEvent,
    Resumed,
    Samples,
    Transcript,
    Utterance,
    Woken,
    Words,
)
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
GIVE_TIME = "give time"
"""In a script: let everything else go on until it has nothing more to do."""


@dataclass
class Scripted(FakeListener):
    """Hears just the script, its own utterance included."""

    steps: Sequence[Hearing | str] = ()

    def __init__(self, steps: Sequence[Hearing | str]) -> None:
        super().__init__()
        self.steps = steps

    async def hear(
        self, source: AudioSource, *, wake: bool, woken: Woken | None = None, start_within_s: float | None = None
    ) -> AsyncGenerator[Hearing, None]:
        for step in self.steps:
            if isinstance(step, str):
                for _ in range(20):
                    await asyncio.sleep(0)
            else:
                yield step


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


# ── pauses: working ahead ─────────────────────────────────────────────────────────────────────────────────────────


def utterance(end_ms: float = 2000.0) -> Utterance:
    return Utterance(audio=np.zeros(1600, dtype=np.int16), wake_heard=True, audio_end_ms=end_ms)


@dataclass
class Told:
    """A pause, and what its words were said to be worth (None: words follow)."""

    words: list[Words | None] = field(default_factory=list)
    pause: Paused = field(init=False)

    def __post_init__(self) -> None:
        self.pause = Paused(utterance(), on_words=self.words.append)


@dataclass
class CountingTranscriber(FakeTranscriber):
    runs: int = 0

    async def transcribe(self, audio: Samples, *, woken: bool = False) -> Transcript:
        self.runs += 1
        return await super().transcribe(audio)


async def test_the_pause_that_was_the_end_is_transcribed_once_and_its_words_are_told() -> None:
    told, ears = Told(), CountingTranscriber("is the backup ok?")
    replier = FakeReplier(MATCHED, words=Words.WHOLE)
    script = (HEARD[0], HEARD[1], told.pause, HEARD[2], utterance())
    events = await run(
        request(FakeSource(), wake=True), Stages(replier=replier, listener=Scripted(script), transcriber=ears)
    )
    assert isinstance(events[-1], TurnFinished)
    assert ears.runs == 1
    assert told.words == [None, Words.WHOLE]
    assert (replier.foreseen, len(replier.asked)) == (["is the backup ok?"], 1)


async def test_a_pause_after_which_the_person_goes_on_is_thrown_away() -> None:
    told, ears = Told(), CountingTranscriber("is the")
    replier = FakeReplier(MATCHED)
    script = (HEARD[0], told.pause, Resumed(2100.0), HEARD[2], utterance(3000.0))
    await run(request(FakeSource(), wake=True), Stages(replier=replier, listener=Scripted(script), transcriber=ears))
    assert len(replier.asked) == 1
    assert ears.runs == 1  # the first one had not begun when it was dropped


async def test_what_was_understood_before_the_person_went_on_is_shown() -> None:
    told = Told()
    script = (HEARD[0], told.pause, GIVE_TIME, Resumed(2100.0), HEARD[2], utterance(3000.0))
    stages = Stages(
        replier=FakeReplier(MATCHED), listener=Scripted(script), transcriber=FakeTranscriber("turn off the")
    )
    events = await run(request(FakeSource(), wake=True), stages)
    assert [event.text for event in events if isinstance(event, PartialTranscript)] == ["turn off the"]


async def test_where_it_shall_not_work_ahead_nothing_is_foreseen_but_at_the_end() -> None:
    told, ears = Told(), CountingTranscriber("is the backup ok?")
    script = (told.pause, HEARD[2], utterance())
    stages = Stages(replier=FakeReplier(MATCHED), listener=Scripted(script), transcriber=ears)
    await run(request(FakeSource(), wake=True, speculate=False), stages)
    assert told.words == []
    assert ears.runs == 1


async def test_nobody_waits_for_the_words_of_a_transcript_that_failed() -> None:
    told = Told()
    ears = FakeTranscriber(error=TranscriptionError("whisper_failed", "broken"))
    stages = Stages(replier=FakeReplier(), listener=Scripted((told.pause, GIVE_TIME, utterance())), transcriber=ears)
    failed = (await run(request(FakeSource(), wake=True), stages))[-1]
    assert isinstance(failed, TurnFailed)
    assert failed.code == "whisper_failed"
    assert told.words == [None, Words.OPEN]


async def test_a_pause_without_words_is_told_so() -> None:
    told = Told()
    stages = Stages(
        replier=FakeReplier(), listener=Scripted((told.pause, GIVE_TIME, utterance())), transcriber=FakeTranscriber("")
    )
    await run(request(FakeSource(), wake=True), stages)
    assert told.words == [None, Words.NONE]


# ── a conversation at the microphone ──────────────────────────────────────────────────────────────────────────────


@dataclass
class FakeCues:
    played: list[str] = field(default_factory=list)

    async def play(self, cue: Cue) -> None:
        self.played.append(cue)


def talking(text: str, *, own: OwnVoice | None = None, cues: FakeCues | None = None, **options: Any) -> Stages:
    return Stages(
        replier=FakeReplier(options.get("script", MATCHED)),
        listener=options.get("listener", FakeListener(HEARD)),
        transcriber=FakeTranscriber(text),
        synthesizer=options.get("mouth", FakeSynthesizer()),
        player=FakePlayer(),
        cues=cues,
        own_voice=own,
    )


async def test_its_own_voice_is_dropped_without_a_word() -> None:
    own = OwnVoice(lambda: 0.0)
    own.saying("Do you mean the kitchen or the bedroom?")
    mouth = FakeSynthesizer()
    events = await run(
        request(FakeSource(), follow_up_s=6.0), talking("the kitchen or the bedroom", own=own, mouth=mouth)
    )
    failed = events[-1]
    assert isinstance(failed, TurnFailed)
    assert (failed.code, failed.spoken, mouth.said) == ("own_voice", "", [])


async def test_what_it_says_is_remembered_as_its_own_until_it_is_silent() -> None:
    now = 0.0
    own = OwnVoice(lambda: now)
    await run(request(FakeSource(), wake=True), talking("is the backup ok?", own=own))
    assert own.since(0.0) == "photos is ok"
    assert own.is_saying("photos")  # the room still rings
    now = RINGING_S + 0.1
    assert not own.is_saying("photos")


async def test_no_answer_to_a_question_is_no_failure_to_speak_of() -> None:
    cues, mouth = FakeCues(), FakeSynthesizer()
    nothing = FakeListener((), EndpointingError("nothing_heard", "none"))
    events = await run(request(FakeSource(), follow_up_s=6.0), talking("", cues=cues, listener=nothing, mouth=mouth))
    failed = events[-1]
    assert isinstance(failed, TurnFailed)
    assert (failed.spoken, mouth.said, cues.played) == ("", [], ["your_turn"])


async def test_woken_and_failed_have_a_sound() -> None:
    cues = FakeCues()
    events = await run(request(FakeSource(), wake=True), talking("Hey Jarvis.", cues=cues))
    assert isinstance(events[-1], TurnFailed)
    assert cues.played == ["listening", "failed"]


@pytest.mark.parametrize("wake", [True, False])
async def test_nothing_after_the_wake_word_is_a_false_wake(wake: bool) -> None:
    listener = FakeListener((), EndpointingError("nothing_heard", "none"))
    await run(request(FakeSource(), wake=wake), talking("", listener=listener))
    assert listener.false_wakes == int(wake)


async def test_a_long_reply_is_said_in_part_and_a_question_always() -> None:
    sentences = [ReplySentence(text=text, spoken=text) for text in ("One.", "Two.", "Three.", "Shall I?")]
    mouth = FakeSynthesizer()
    await run(request(sentences=2), talking("", script=sentences, mouth=mouth))
    assert mouth.said == ["One.", "Two.", f"{phrase('rest_on_screen')} Shall I?"]
