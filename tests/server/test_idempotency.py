"""A phone that asks again never acts twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from assistant.app import App
from assistant.broadcast import RunningTurn
from assistant.server.auth import Authenticator
from assistant.server.bodies import Command
from assistant.server.http import http_app
from assistant.server.idempotency import KEPT_S, Requests
from tests.fakes import FakeReplier
from tools.contract import Caller

QUESTION = {"text": "is gitea up?"}
KEY = {"Idempotency-Key": "9f2c"}


def another_start(app: App) -> httpx.AsyncClient:
    """As after a restart: the same state folder, nothing in memory."""
    transport = httpx.ASGITransport(app=http_app(app, Authenticator({})), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765")


async def test_the_same_key_is_the_same_turn(app: App, client: httpx.AsyncClient) -> None:
    first = await client.post("/command", json=QUESTION, headers=KEY)
    again = await client.post("/command", files={"text": (None, "is gitea up?")}, headers=KEY)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert len(app.house.audit_lines()) == 1
    other = await client.post("/command", json=QUESTION, headers={"Idempotency-Key": "other"})
    assert other.json()["turn_id"] != first.json()["turn_id"]
    assert (await client.post("/command", json=QUESTION)).json()["turn_id"] != first.json()["turn_id"]


async def test_a_retry_while_the_first_is_under_way_waits_for_it(
    app: App, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = FakeReplier()
    monkeypatch.setattr(app, "replier", asked)
    answers = await asyncio.gather(*(client.post("/command", json=QUESTION, headers=KEY) for _ in range(5)))
    assert len({answer.json()["turn_id"] for answer in answers}) == 1
    assert len(asked.asked) == 1


async def test_the_same_key_for_something_else_is_refused(client: httpx.AsyncClient) -> None:
    await client.post("/command", json=QUESTION, headers=KEY)
    other = await client.post("/command", json={"text": "is immich up?"}, headers=KEY)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "key_reused")


async def test_a_restart_in_between_makes_no_second_turn(app: App, client: httpx.AsyncClient) -> None:
    await client.post("/command", json=QUESTION, headers=KEY)
    async with another_start(app) as later:
        again = await later.post("/command", json=QUESTION, headers=KEY)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "taken_before")
    assert len(app.house.audit_lines()) == 1
    assert b"gitea" not in (app.state.path / "requests.db").read_bytes()


async def test_a_request_that_never_became_a_turn_may_come_again(client: httpx.AsyncClient) -> None:
    for _ in range(2):
        answer = await client.post("/command", content=b"no audio", headers={**KEY, "Content-Type": "audio/wav"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "not_audio")


@pytest.mark.parametrize("key", [b"", b"x" * 300, b"a\x85b"])
async def test_a_key_that_is_none_is_refused(client: httpx.AsyncClient, key: bytes) -> None:
    answer = await client.post("/command", json=QUESTION, headers={b"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_idempotency_key")


async def test_where_it_cannot_be_told_nothing_is_done(app: App, client: httpx.AsyncClient) -> None:
    (app.state.path / "requests.db").mkdir()
    answer = await client.post("/command", json=QUESTION, headers=KEY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "requests_unusable")
    assert app.house.audit_lines() == []


async def test_keys_are_each_ones_own_and_forgotten_after_a_day(app: App, tmp_path: Path) -> None:
    now = 1_000_000.0
    requests = Requests(tmp_path / "requests.db", lambda: now)
    turns: list[RunningTurn] = []

    async def start() -> RunningTurn:
        turns.append(app.start_turn("is gitea up?", caller=Caller()))
        return turns[-1]

    def find(turn_id: str) -> RunningTurn | None:
        return next((turn for turn in turns if turn.turn_id == turn_id), None)

    command = Command("is gitea up?", None, "http", None)
    for owner in ("anna", "anna", "tom"):
        await requests.once("key", owner, command, start, find)
    assert len(turns) == 2
    now += KEPT_S + 1
    await requests.once("key", "anna", command, start, find)
    assert len(turns) == 3
    requests.close()
    await asyncio.gather(*(turn.outcome() for turn in turns))
