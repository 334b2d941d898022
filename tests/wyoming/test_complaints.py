"""A client that misbehaves is complained about, and cannot fill the log."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.wyoming.complaints import EVERY_S, KNOWN, Complaints


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.warnings: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            self.warnings.append(record.getMessage())


def _complaints(moments: list[float]) -> tuple[Complaints, list[str]]:
    log, kept = logging.Logger("test"), _Kept()
    log.addHandler(kept)
    return Complaints(log, lambda: moments[-1]), kept.warnings


@given(st.lists(st.floats(0, 20), max_size=60))
def test_one_client_is_warned_of_once_a_minute_at_most(waits: list[float]) -> None:
    moments = [0.0]
    complaints, warnings = _complaints(moments)
    for wait in waits:
        moments.append(moments[-1] + wait)
        complaints.about("192.168.1.9", "%s sends %s", "nonsense")
    assert len(warnings) <= 1 + moments[-1] / EVERY_S
    assert bool(warnings) is bool(waits)


def test_another_client_is_another_warning() -> None:
    complaints, warnings = _complaints([0.0])
    for client in ("192.168.1.9", "192.168.1.10", "192.168.1.9"):
        complaints.about(client, "%s sends nonsense")
    assert warnings == ["192.168.1.9 sends nonsense", "192.168.1.10 sends nonsense"]


@pytest.mark.parametrize("later_s", [1.0, EVERY_S + 1.0])
def test_many_clients_are_remembered_for_a_minute_and_no_longer(later_s: float) -> None:
    moments = [0.0]
    complaints, warnings = _complaints(moments)
    for number in range(KNOWN):
        complaints.about(f"client {number}", "%s sends nonsense")
    moments.append(later_s)
    complaints.about("one more", "%s sends nonsense")
    assert len(warnings) == KNOWN + (later_s > EVERY_S)
