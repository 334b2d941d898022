"""One furnished Home Assistant for all tests of the home; who kills it starts it again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.real.home.house import House, house


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("home") / "config") as started:
        yield started
