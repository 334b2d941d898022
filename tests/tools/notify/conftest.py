"""Fixtures of the tests of messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.notify.fakes import Clock
from tools.notify.listening.inbox import Inbox
from tools.notify.messages import Messages
from tools.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "jarvis.db") as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def messages(store: Store, clock: Clock) -> Messages:
    return Messages(store, clock)


@pytest.fixture
def inbox(store: Store, clock: Clock) -> Inbox:
    return Inbox(store, clock)
