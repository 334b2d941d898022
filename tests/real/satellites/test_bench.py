"""A short form of the measure: three satellites, and bounds that only a real fault breaks on a busy machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.satellites.bench import measure

pytestmark = pytest.mark.real_server

SLACK = 3.0
"""Other tests and programs share the cores; `python -m tests.real.satellites.bench` asserts the bounds themselves."""


def test_three_rooms_at_once_are_all_served_and_none_waits_for_ever(tmp_path: Path) -> None:
    measured = measure(tmp_path, 3, 1)
    assert len(measured.together_s) == len(measured.apart_s) == 3
    assert max(measured.together_s) <= SLACK * measured.bound_s, measured.table()
    assert measured.apart_p95_s <= SLACK * 2 * measured.alone_s, measured.table()
