"""A turn as spans, and that they reach a collector by way of OpenTelemetry where its SDK is installed."""

from __future__ import annotations

import importlib.util

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import ConfigError, Stage
from assistant.events import ReplySentence, ToolCalled, ToolReturned, Transcribed, TurnEvent, TurnFinished
from assistant.observing.otel import OtlpSink, Tracer, check_in_the_house
from assistant.observing.spans import TurnSpans, spans_of
from tests.observing.turns import ENDED_AT, SECRET, ended, failed_turn, spoken_turn


def test_a_turn_is_one_span_with_one_below_it_for_each_stage_and_tool() -> None:
    spans = spans_of(ended(*spoken_turn()))
    assert [(one.name, one.start_ms, one.end_ms) for one in (spans.turn, *spans.stages)] == [
        ("turn", 0, 7_500),
        ("utterance", 5_200, 6_500),
        ("transcript", 6_450, 6_600),
        ("decision", 6_600, 7_000),
        ("tool", 7_000, 7_250),
        ("speech", 7_400, 7_400),
    ]
    tool = next(one for one in spans.stages if one.name == "tool")
    assert tool.attributes == {"jarvis.tool": "check_services", "jarvis.ok": True, "jarvis.level": "read"}
    assert spans.turn.attributes["jarvis.matched"] == "model"
    assert SECRET not in repr(spans)


def test_what_failed_says_so_by_its_code() -> None:
    spans = spans_of(ended(*failed_turn(Stage.MODEL, "model_slow")))
    assert spans.turn.failed == "model_slow"
    assert spans.turn.attributes["jarvis.stage"] == "model"
    unknown = spans_of(ended(*spoken_turn(tool=SECRET, ok=False)))
    (tool,) = [one for one in unknown.stages if one.name == "tool"]
    assert (tool.attributes["jarvis.tool"], tool.failed) == ("other", "unknown_tool")
    assert SECRET not in repr(unknown)


times = st.floats(0, 10_000)


@given(st.lists(st.tuples(times, times), max_size=5), times)
def test_no_span_goes_beyond_its_turn_or_ends_before_it_begins(calls: list[tuple[float, float]], end: float) -> None:
    events: list[TurnEvent] = [Transcribed(turn_id="t", at_ms=end / 2, text="", engine="whisper", took_ms=end)]
    for at, took in calls:
        events.append(ToolCalled(turn_id="t", at_ms=at, tool="check_vms", arguments={}, source="model"))
        events.append(
            ToolReturned(
                turn_id="t", at_ms=at, tool="check_vms", arguments={}, ok=True, level=None, spoken="", result={},
                took_ms=took,
            )
        )  # fmt: skip
    events += [
        ReplySentence(turn_id="t", at_ms=end, text="", spoken=""),
        TurnFinished(turn_id="t", at_ms=end, reply="", spoken="", matched="none"),
    ]
    spans = spans_of(ended(*events))
    for one in spans.stages:
        assert 0 <= one.start_ms <= one.end_ms <= spans.turn.end_ms


def test_a_tracer_hands_the_spans_of_each_turn_to_its_sink() -> None:
    class Sink:
        def __init__(self) -> None:
            self.taken: list[tuple[TurnSpans, float]] = []

        def take(self, spans: TurnSpans, ended_at: float) -> None:
            self.taken.append((spans, ended_at))

        def close(self) -> None: ...

    sink = Sink()
    Tracer(sink).turn_ended(ended(*spoken_turn()))
    assert sink.taken == [(spans_of(ended(*spoken_turn())), ENDED_AT)]


@pytest.mark.parametrize("url", ["http://tempo.lan:4318/v1/traces", "http://10.0.0.7:4318", "http://localhost:4318"])
def test_a_collector_in_the_house_will_do(url: str) -> None:
    check_in_the_house(url, ())


def test_one_outside_of_it_will_not_unless_it_is_named() -> None:
    url = "https://otlp.example.com/v1/traces"
    with pytest.raises(ConfigError, match="outside the private network"):
        check_in_the_house(url, ())
    check_in_the_house(url, ("otlp.example.com",))


def test_without_the_extra_it_says_what_to_install() -> None:
    if importlib.util.find_spec("opentelemetry.sdk") is not None:  # somebody's own environment has it
        OtlpSink("http://127.0.0.1:1/v1/traces").close()
        return
    with pytest.raises(ConfigError, match="not installed") as missing:
        OtlpSink("http://127.0.0.1:1/v1/traces")
    assert "jarvis-homeserver[otel]" in missing.value.mend
