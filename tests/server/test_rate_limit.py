"""So many requests a minute, by address and by identity."""

from __future__ import annotations

import httpx
import pytest
from starlette.requests import Request

from assistant.app import App
from assistant.server.answers import RequestError
from assistant.server.auth import Authenticator
from assistant.server.http import http_app
from assistant.server.identity import Identity
from assistant.server.rate_limit import MOST_ADDRESSES, RateLimit
from assistant.tokens import hashed


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


def test_how_long_to_wait_is_said_and_waiting_so_long_is_enough(ticks: Ticks) -> None:
    for a_minute in (1, 7, 20, 300):
        limit = RateLimit(a_minute, ticks)
        for _ in range(a_minute):
            limit.take("phone")
        with pytest.raises(RequestError) as refused:
            limit.take("phone")
        wait_s = int(refused.value.answer.headers["retry-after"])
        assert 1 <= wait_s <= 60
        ticks.now += wait_s
        limit.take("phone")


def test_asking_on_does_not_make_it_later(ticks: Ticks) -> None:
    limit = RateLimit(6, ticks)
    for _ in range(6):
        limit.take("phone")
    for _ in range(99):
        ticks.now += 0.1
        with pytest.raises(RequestError):
            limit.take("phone")
    ticks.now += 0.2
    limit.take("phone")


def test_nought_is_no_limit(ticks: Ticks) -> None:
    limit = RateLimit(0, ticks)
    assert all(asked(limit) for _ in range(1000))
    assert not limit._left


async def test_each_identity_has_its_own_minute_and_wrong_tokens_theirs(app: App) -> None:
    server = app.settings.server.model_copy(update={"requests_a_minute": 3, "wrong_tokens_a_minute": 2})
    app.settings = app.settings.model_copy(update={"server": server})
    names = {hashed(name): Identity(name, "guest", counted=True) for name in ("phone", "tablet")}
    transport = httpx.ASGITransport(app=http_app(app, Authenticator(names).with_local("local")))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:

        async def statuses(token: str, times: int) -> list[int]:
            headers = {"Authorization": f"Bearer {token}"}
            return [(await client.get("/api/me", headers=headers)).status_code for _ in range(times)]

        assert await statuses("wrong", 4) == [401, 401, 429, 429]
        assert await statuses("phone", 5) == [200, 200, 200, 429, 429]
        assert await statuses("tablet", 3) == [200] * 3
        assert await statuses("local", 9) == [200] * 9
        refused = await client.get("/v1/models", headers={"Authorization": "Bearer phone"})
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "20")
        assert refused.json()["error"]["type"] == "rate_limit_error"
