"""Bombs and lying headers against the real server: bounded in time and memory, and it answers afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trust.bombs import LIMIT_MB, bombard

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(1_200)]


def test_every_bomb_is_answered_or_closed_and_takes_no_memory(tmp_path: Path) -> None:
    outcome = bombard(tmp_path)
    assert [one for one in outcome.fired if not one.in_time] == []
    assert outcome.grown_mb <= LIMIT_MB
    assert outcome.well
    refused = [one for one in outcome.fired if one.name.startswith(("JSON", "form", "chunks", "length", "headers"))]
    assert all(one.status.split(" ")[1][0] == "4" for one in refused), refused
