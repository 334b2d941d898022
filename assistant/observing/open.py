"""What observes an app, opened from its settings: recordings to debug with, traces, a line in the log for each turn."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from assistant.config import Settings
from assistant.observing.ended import EndedTurn
from assistant.observing.recorder import DebugRecorder
from assistant.outcome import matched_by

log = logging.getLogger("assistant.turns")

Observer = Callable[[EndedTurn], None]
"""Is told of every turn when it is over, in the event loop: it returns at once and raises nothing."""


@contextmanager
def observers(settings: Settings) -> Iterator[list[Observer]]:
    """Those that the configuration wants, until the context ends. Raises ConfigError."""
    found: list[Observer] = [log_turn]
    if settings.telemetry.otlp_url is None:
        yield found
        return
    from assistant.observing.otel import otlp_tracer

    with otlp_tracer(settings.telemetry.otlp_url, settings.privacy.allow_hosts) as tracer:
        found.append(tracer.turn_ended)
        yield found


def debug_recorder(settings: Settings) -> DebugRecorder | None:
    """None where the configuration names no folder. Raises ConfigError."""
    wanted = settings.debug_recording
    return DebugRecorder(wanted) if wanted.folder is not None else None


def log_turn(ended: EndedTurn) -> None:
    """One line, without anything that was said."""
    failure, total = ended.failure, ended.total_ms
    facts = {
        "turn_id": ended.turn_id,
        "door": ended.caller.door.value,
        "matched": matched_by(ended.events),
        "outcome": ended.outcome,
        "total_ms": total,
        "stage": failure.stage.value if failure is not None else None,
        "code": failure.code if failure is not None else None,
    }
    failed = f" ({failure.stage.value}: {failure.code})" if failure is not None else ""
    took = f" in {total:.0f} ms" if total is not None else ""
    log.info("turn %s %s%s%s", ended.turn_id, ended.outcome, failed, took, extra=facts)
