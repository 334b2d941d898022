"""Turn events survive their JSON round trip, whatever they carry."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from assistant import events
from assistant.errors import Stage
from assistant.events import (
    Announcement,
    AudioReady,
    ConfirmationAsked,
    FellBack,
    ModelDelta,
    Narrowed,
    PartialTranscript,
    Phrased,
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
    TurnInterrupted,
    WakeDetected,
    from_json,
    to_json,
)
from tools.contract import Level

text = st.text(alphabet=st.characters(codec="utf-8"), max_size=40)
ms = st.floats(min_value=0, max_value=1e7, allow_nan=False)
arguments = st.dictionaries(text, st.one_of(text, st.integers(-(2**53), 2**53), st.booleans(), st.none()), max_size=3)
stamps: dict[str, Any] = {"turn_id": text, "at_ms": ms}
timings = st.dictionaries(st.sampled_from(["wake", "total"]), st.none() | ms)

every_event: st.SearchStrategy[TurnEvent] = st.one_of(
    st.builds(WakeDetected, word=text, score=st.floats(0, 1), audio_ms=ms, **stamps),
    st.builds(SpeechStarted, audio_ms=ms, **stamps),
    st.builds(
        SpeechEnded,
        audio_ms=ms,
        speech_end_ms=ms,
        reason=st.sampled_from(["silence", "max_length", "end_of_audio"]),
        **stamps,
    ),
    st.builds(PartialTranscript, text=text, **stamps),
    st.builds(Transcribed, text=text, engine=text, language=text, took_ms=ms, **stamps),
    st.builds(SentenceMatched, template=text, tool=text, arguments=arguments, took_ms=ms, **stamps),
    st.builds(FellBack, instead_of=text, model=text, code=text, detail=text, **stamps),
    st.builds(ModelDelta, text=text, **stamps),
    st.builds(
        ToolCalled,
        tool=text,
        arguments=arguments,
        source=st.sampled_from(["sentence", "signals", "model", "confirmation"]),
        **stamps,
    ),
    st.builds(
        ToolReturned,
        tool=text,
        arguments=arguments,
        ok=st.booleans(),
        level=st.none() | st.sampled_from(Level),
        spoken=text,
        result=arguments,
        took_ms=ms,
        **stamps,
    ),
    st.builds(ConfirmationAsked, tool=text, arguments=arguments, spoken=text, expires_s=ms, **stamps),
    st.builds(
        Narrowed,
        decided=st.booleans(),
        candidates=st.lists(arguments, max_size=2).map(tuple),
        signals=arguments,
        took_ms=ms,
        **stamps,
    ),
    st.builds(Phrased, spoken=st.booleans(), reason=text, took_ms=ms, **stamps),
    st.builds(ReplySentence, text=text, spoken=text, **stamps),
    st.builds(AudioReady, pcm=st.binary(max_size=64), sample_rate_hz=st.integers(8000, 48000), **stamps),
    st.builds(TurnInterrupted, reason=text, **stamps),
    st.builds(Announcement, text=text, **stamps),
    st.builds(
        TurnFinished,
        reply=text,
        spoken=text,
        matched=st.sampled_from(["sentence", "signals", "model", "confirmation", "none"]),
        timings_ms=timings,
        **stamps,
    ),
    st.builds(
        TurnFailed,
        stage=st.sampled_from(Stage),
        code=text,
        spoken=text,
        detail=text,
        mend=text,
        timings_ms=timings,
        **stamps,
    ),
)


@given(every_event)
def test_an_event_survives_its_json_round_trip(event: TurnEvent) -> None:
    assert from_json(to_json(event)) == event


@given(every_event)
def test_the_json_form_is_one_line_with_its_kind(event: TurnEvent) -> None:
    encoded = to_json(event)
    assert b"\n" not in encoded
    assert json.loads(encoded)["kind"] == event.kind


def test_every_kind_of_event_is_generated_above() -> None:
    declared = {
        cls.__name__
        for cls in vars(events).values()
        if isinstance(cls, type) and cls.__module__ == events.__name__ and not cls.__name__.startswith("_")
    }
    generated = {
        "WakeDetected", "SpeechStarted", "SpeechEnded", "PartialTranscript", "Transcribed", "SentenceMatched",
        "Narrowed", "FellBack", "Phrased",
        "ModelDelta", "ToolCalled", "ToolReturned", "ConfirmationAsked", "ReplySentence", "AudioReady",
        "TurnInterrupted", "Announcement", "TurnFinished", "TurnFailed",
    }  # fmt: skip
    assert declared == generated


@pytest.mark.parametrize("line", [b"{}", b'{"kind": "no_such_event"}', b'{"kind": "model_delta"}', b"[", b""])
def test_anything_else_is_refused(line: bytes) -> None:
    with pytest.raises(ValidationError):
        from_json(line)


def test_events_cannot_be_changed() -> None:
    event = ModelDelta(text="a")
    with pytest.raises(AttributeError):
        event.text = "b"  # type: ignore[misc]
