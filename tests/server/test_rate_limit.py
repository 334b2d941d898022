"""So many requests a minute, by address."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from assistant.server.answers import RequestError
from assistant.server.rate_limit import MOST_ADDRESSES, RateLimit


class Ticks:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


def asked(limit: RateLimit, address: str = "192.168.1.20") -> bool:
    try:
        limit.count(Request({"type": "http", "headers": [], "client": (address, 4711)}))
    except RequestError as error:
        return error.answer.status_code != 429
    return True


def test_after_so_many_one_has_to_wait_and_then_a_little_is_free_again(ticks: Ticks) -> None:
    limit = RateLimit(10, ticks)
    assert [asked(limit) for _ in range(12)] == [True] * 10 + [False] * 2
    ticks.now = 7.0
    assert [asked(limit) for _ in range(2)] == [True, False]
    ticks.now = 600.0
    assert [asked(limit) for _ in range(11)] == [True] * 10 + [False]


def test_one_address_does_not_use_up_anothers(ticks: Ticks) -> None:
    limit = RateLimit(1, ticks)
    assert asked(limit)
    assert not asked(limit)
    assert asked(limit, "192.168.1.21")


def test_addresses_without_end_take_no_memory(ticks: Ticks) -> None:
    limit = RateLimit(1, ticks)
    for number in range(2 * MOST_ADDRESSES):
        assert asked(limit, f"10.0.{number // 256}.{number % 256}")
    assert len(limit._left) == MOST_ADDRESSES
