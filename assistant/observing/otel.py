"""Traces to a collector in the house, by OTLP over HTTP. Needs the extra: ``pip install 'jarvis-homeserver[otel]'``.

The provider is ours alone: nothing is registered for the process, so that no library that knows OpenTelemetry (``mcp``
does) sends spans of its own through it. The exporter's connections pass the egress guard like any other.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import urlsplit

from assistant.egress import is_private, is_private_name
from assistant.errors import ConfigError
from assistant.observing.ended import EndedTurn
from assistant.observing.spans import SpanData, TurnSpans, spans_of

log = logging.getLogger(__name__)

SERVICE = "jarvis"
MOST_TOOL_CHARACTERS = 64


class SpanSink(Protocol):
    """Takes the spans of one turn, and returns at once."""

    def take(self, spans: TurnSpans, ended_at: float) -> None:
        """``ended_at``: Unix seconds of the turn's end."""
        ...

    def close(self) -> None:
        """Send what waits, within a few seconds."""
        ...


class Tracer:
    """An observer of turns."""

    def __init__(self, sink: SpanSink) -> None:
        self._sink = sink

    def turn_ended(self, ended: EndedTurn) -> None:
        """Hand its spans on."""
        self._sink.take(spans_of(ended), ended.at)


@contextmanager
def otlp_tracer(url: str, allow_hosts: Collection[str] = ()) -> Iterator[Tracer]:
    """A tracer to the collector at that URL, until the context ends. Raises ConfigError: a host that is neither in the
    house nor in ``allow_hosts``, or the extra is not installed."""
    check_in_the_house(url, allow_hosts)
    sink = OtlpSink(url)
    try:
        yield Tracer(sink)
    finally:
        sink.close()


def check_in_the_house(url: str, allow_hosts: Collection[str]) -> None:
    """Raises ConfigError. The egress guard would refuse each connection; this says so at the start."""
    host = urlsplit(url).hostname or ""
    if not (is_private(host) or is_private_name(host) or host in allow_hosts):
        detail = f"The collector of `telemetry.otlp_url` ({host}) is outside the private network."
        raise ConfigError("otlp_outside", detail, mend="Name one in the house, or add it to `privacy.allow_hosts`.")


class OtlpSink:
    """Implements SpanSink with OpenTelemetry's SDK, which sends in batches from a thread of its own."""

    def __init__(self, url: str) -> None:
        """Raises ConfigError where the extra is not installed."""
        try:
            import requests
            from opentelemetry import trace
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError as error:
            detail = "`telemetry.otlp_url` is set, and OpenTelemetry's SDK is not installed."
            mend = "pip install 'jarvis-homeserver[otel]' into Jarvis's environment, or take the setting out."
            raise ConfigError("otel_missing", detail, mend=mend) from error
        self._trace: Any = trace
        resource = Resource({"service.name": SERVICE})  # and nothing of this machine, as Resource.create() adds
        self._provider: Any = TracerProvider(resource=resource, shutdown_on_exit=False)
        direct: Any = requests.Session()
        direct.trust_env = False  # a proxy of the environment has no business with the house
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url, session=direct)))
        self._tracer: Any = self._provider.get_tracer("jarvis")

    def take(self, spans: TurnSpans, ended_at: float) -> None:
        """Begin and end them at once, at the times that they had."""
        began_at = ended_at - spans.turn.end_ms / 1000
        turn = self._start(spans.turn, began_at, None)
        for stage in spans.stages:
            self._end(self._start(stage, began_at, turn), stage, began_at)
        self._end(turn, spans.turn, began_at)

    def close(self) -> None:
        """Send what waits."""
        self._provider.shutdown()

    def _start(self, span: SpanData, began_at: float, parent: Any) -> Any:
        context = self._trace.set_span_in_context(parent) if parent is not None else self._empty()
        return self._tracer.start_span(
            span.name, context=context, start_time=_ns(began_at, span.start_ms), attributes=_attributes(span)
        )

    def _end(self, started: Any, span: SpanData, began_at: float) -> None:
        if span.failed:
            started.set_status(self._trace.Status(self._trace.StatusCode.ERROR, span.failed))
        started.end(end_time=_ns(began_at, span.end_ms))

    def _empty(self) -> Any:
        """No parent, whatever span the caller is in."""
        return self._trace.set_span_in_context(self._trace.INVALID_SPAN)


def _ns(began_at: float, after_ms: float) -> int:
    return int((began_at + after_ms / 1000) * 1e9)


def _attributes(span: SpanData) -> Mapping[str, Any]:
    return {
        name: value[:MOST_TOOL_CHARACTERS] if isinstance(value, str) else value
        for name, value in span.attributes.items()
    }
