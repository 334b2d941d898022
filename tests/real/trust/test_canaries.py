"""A secret in every setting, every server hostile, every program failing: nothing of it is written anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trust.provoking import provoke

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(1_200)]


def test_no_secret_is_found_in_anything_that_the_server_wrote_or_answered(tmp_path: Path) -> None:
    searched = provoke(tmp_path)
    assert searched.found == []
    assert searched.canaries > 40
    assert searched.seen_outside > 50
    assert searched.places > 60
