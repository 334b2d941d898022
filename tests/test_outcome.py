"""The outcome is a fold over the events, complete or cut off."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import Stage
from assistant.events import (
    AudioReady,
    ModelDelta,
    ReplySentence,
    SentenceMatched,
    SpeechEnded,
    ToolCalled,
    ToolReturned,
    Transcribed,
    TurnEvent,
    TurnFailed,
    TurnFinished,
    WakeDetected,
)
from assistant.outcome import TurnOutcome, matched_by, timings
from tests.test_events import every_event
from tools.contract import Level


@given(st.lists(every_event, max_size=12))
def test_any_list_of_events_folds_into_a_documented_object(events: list[TurnEvent]) -> None:
    outcome = TurnOutcome.from_events(events)
    assert TurnOutcome.model_validate_json(outcome.model_dump_json()) == outcome


@given(st.lists(every_event, max_size=12))
def test_no_timing_is_negative(events: list[TurnEvent]) -> None:
    assert all(value is None or value >= 0 for value in timings(events).model_dump().values())


def test_a_failed_turn_keeps_what_had_been_said_and_says_why() -> None:
    outcome = TurnOutcome.from_events(
        [
            Transcribed(text="is it up?", turn_id="t"),
            ReplySentence(text="Jellyfin is up.", spoken="Jellyfin is up.", turn_id="t"),
            TurnFailed(turn_id="t", stage=Stage.SYNTHESIS, code="voice_failed", spoken="My voice is gone.", detail="d"),
        ]
    )
    assert outcome.reply == "Jellyfin is up."
    assert outcome.error is not None
    assert (outcome.error.stage, outcome.error.code) == (Stage.SYNTHESIS, "voice_failed")


def test_a_turn_that_said_nothing_answers_with_its_failure() -> None:
    outcome = TurnOutcome.from_events([TurnFailed(stage=Stage.WAKE, code="no_wake_word", spoken="I heard no name.")])
    assert outcome.reply == outcome.spoken == "I heard no name."


def test_tools_are_listed_in_the_order_of_their_answers_with_canonical_arguments() -> None:
    outcome = TurnOutcome.from_events(
        [
            ToolCalled(tool="check_services", arguments={"service": "jelly fin"}, source="model"),
            ToolReturned(
                tool="check_services",
                arguments={"service": "jellyfin"},
                ok=True,
                level=Level.READ,
                spoken="Jellyfin is up.",
                result={"spoken": "Jellyfin is up."},
            ),
        ]
    )
    assert [(t.name, t.arguments, t.ok) for t in outcome.tools] == [("check_services", {"service": "jellyfin"}, True)]


def test_who_decided() -> None:
    assert matched_by([Transcribed(text="x"), SentenceMatched(template="a", tool="b")]) == "sentence"
    assert matched_by([ToolCalled(tool="b", arguments={}, source="model")]) == "model"
    assert matched_by([ModelDelta(text="Hello")]) == "model"
    assert matched_by([ReplySentence(text="x", spoken="x")]) == "none"


def test_first_audio_counts_from_the_last_word() -> None:
    measured = timings(
        [
            WakeDetected(word="w", score=1, audio_ms=900, at_ms=30),
            SpeechEnded(audio_ms=3000, speech_end_ms=2300, reason="silence", at_ms=100),
            Transcribed(text="x", engine="whisper", took_ms=400, at_ms=500),
            ReplySentence(text="y", spoken="y", at_ms=520),
            AudioReady(pcm=b"", sample_rate_hz=16000, first=True, at_ms=700),
            TurnFinished(reply="y", spoken="y", matched="none", at_ms=900),
        ]
    )
    assert measured.model_dump() == {
        "wake": 900.0,
        "endpoint": 700.0,
        "transcript": 400.0,
        "decision": 20.0,
        "tools": None,
        "first_audio": 1300.0,
        "total": 900.0,
    }
