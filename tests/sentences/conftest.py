"""The demo homelab to plan in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.planned import Planner, planner


@pytest.fixture(scope="session")
def homelab() -> Iterator[Planner]:
    """Plans and judges calls over the demo homelab."""
    with planner() as made:
        yield made
