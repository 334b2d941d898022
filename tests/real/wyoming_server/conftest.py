"""One Jarvis and one Home Assistant for all tests of the Wyoming door."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assistant.models import ModelStore
from tests.real.wyoming_server.assist import House, house
from tests.real.wyoming_server.jarvis import Jarvis, jarvis


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory, model_store: ModelStore) -> Iterator[Jarvis]:
    with jarvis(tmp_path_factory.mktemp("jarvis"), model_store.models_dir) as started:
        yield started


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory, ours: Jarvis) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house"), ours.port) as started:
        yield started
