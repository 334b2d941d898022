"""/api/*: how things are, as JSON, by the one call path and as whoever asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from assistant.app import App
from assistant.server import api
from assistant.server.auth import Authenticator
from assistant.server.http import http_app
from assistant.server.identity import Identity
from assistant.tokens import hashed
from tools.contract import Caller, CallOutcome, Door


async def test_each_part_of_the_page_is_what_its_tool_says(client: httpx.AsyncClient, app: App) -> None:
    for path, tool in api.SHOWN_BY.items():
        answer = await client.get(f"/api/{path}")
        assert answer.status_code == 200
        assert CallOutcome.model_validate(answer.json()).tool == tool
        assert answer.headers["cache-control"] == "no-store"
    services = (await client.get("/api/services")).json()
    assert services["spoken"] == "Gitea is down."
    audited = app.house.audit_lines()
    assert [(line["tool"], line["door"], line["who"]) for line in audited][-1] == ("check_services", "http", "owner")


async def test_a_task_is_cancelled_by_the_id_it_is_listed_with(client: httpx.AsyncClient) -> None:
    for minutes in (5, 10):
        await client.post("/command", json={"text": f"set a timer for {minutes} minutes"})
    first, second = (await client.get("/api/tasks")).json()["result"]["data"]["scheduled"]
    cancelled = await client.delete(f"/api/tasks/{first['id']}")
    assert (cancelled.status_code, cancelled.json()["ok"]) == (200, True)
    left = (await client.get("/api/tasks")).json()["result"]["data"]["scheduled"]
    assert [one["id"] for one in left] == [second["id"]]
    again = (await client.delete(f"/api/tasks/{first['id']}")).json()
    assert (again["ok"], again["error"]) == (False, "unavailable")


async def test_showing_tasks_uses_up_no_news_and_closes_no_question(client: httpx.AsyncClient, app: App) -> None:
    app.house.messages.add("The washing is done.", Caller(door=Door.HTTP))
    for _ in range(2):
        assert "The washing is done" in (await client.get("/api/tasks")).json()["spoken"]
    await client.post("/command", json={"text": "what did I miss?"})
    assert "The washing is done" not in (await client.get("/api/tasks")).json()["spoken"]


async def test_turns_are_listed_with_their_words_while_they_are_in_memory(client: httpx.AsyncClient) -> None:
    asked = (await client.post("/command", json={"text": "is gitea up?"})).json()
    (turn,) = (await client.get("/api/turns")).json()["turns"]
    assert (turn["id"], turn["door"], turn["caller"]) == (asked["turn_id"], "http", "owner")
    assert (turn["transcript"], turn["reply"]) == ("is gitea up?", asked["reply"])
    assert turn["tools"] == [{"name": "check_services", "ok": True}]
    assert turn["timings_ms"]["total"] > 0


async def test_the_rooms_are_those_with_a_loudspeaker(client: httpx.AsyncClient, app: App) -> None:
    assert (await client.get("/api/rooms")).json() == {"rooms": []}

    class Speaker:
        async def play(self, speech: Any) -> None: ...

    app.rooms.add("Kitchen", "satellite", Speaker())
    assert (await client.get("/api/rooms")).json() == {"rooms": ["Kitchen"]}


async def test_the_scorecard_and_histories_are_there_without_backups(client: httpx.AsyncClient) -> None:
    card = (await client.get("/api/scorecard")).json()
    assert card["classes"] == []
    assert card["spoken"]
    assert (await client.get("/api/backups/history")).json()["destinations"] == []


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "9" * 50, "²"])
async def test_a_number_that_is_none_is_refused(client: httpx.AsyncClient, limit: str) -> None:
    answer = await client.get("/api/turns", params={"limit": limit})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_number")


async def test_too_many_calls_at_once_are_told_to_come_back(
    client: httpx.AsyncClient, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()

    async def slow(*_: Any) -> CallOutcome:
        begun.set()
        await gate.wait()
        return CallOutcome(ok=True, spoken="At last.", tool="check_vms")

    monkeypatch.setattr(app.toolbox, "call", slow)
    monkeypatch.setattr(api, "MOST_CALLS", 1)
    first = asyncio.create_task(client.get("/api/vms"))
    await begun.wait()
    second = await client.get("/api/vms")
    gate.set()
    assert (second.status_code, second.json()["error"]["code"]) == (503, "busy")
    assert (await first).json()["spoken"] == "At last."


@pytest.fixture
async def family(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """An owner and a guest, each with a token."""
    known = {hashed("token-of-olga-0001"): Identity("olga"), hashed("token-of-gus-00001"): Identity("gus", "guest")}
    transport = httpx.ASGITransport(app=http_app(app, Authenticator(known)), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as opened:
        yield opened


OLGA, GUS = {"Authorization": "Bearer token-of-olga-0001"}, {"Authorization": "Bearer token-of-gus-00001"}


async def test_a_guest_sees_own_turns_and_the_owner_all_but_only_own_words(family: httpx.AsyncClient) -> None:
    for who in (OLGA, GUS):
        await family.post("/command", json={"text": "is gitea up?"}, headers=who)
    (own,) = (await family.get("/api/turns", headers=GUS)).json()["turns"]
    assert (own["caller"], own["transcript"]) == ("gus", "is gitea up?")
    everybodys = (await family.get("/api/turns", headers=OLGA)).json()["turns"]
    assert [(turn["caller"], turn["transcript"]) for turn in everybodys] == [("gus", None), ("olga", "is gitea up?")]


async def test_the_audit_is_the_owners_and_goes_on_from_an_id(family: httpx.AsyncClient) -> None:
    refused = await family.get("/api/audit", headers=GUS)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "owner_only")
    await family.get("/api/services", headers=GUS)
    first = (await family.get("/api/audit", headers=OLGA)).json()
    assert [(line["who"], line["tool"]) for line in first["lines"]][-1] == ("gus", "check_services")
    await family.get("/api/vms", headers=OLGA)
    more = (await family.get("/api/audit", params={"after": first["after"]}, headers=OLGA)).json()
    assert [line["tool"] for line in more["lines"]] == ["check_vms"]
    assert more["after"] > first["after"]


async def test_a_guest_cancels_nothing(family: httpx.AsyncClient) -> None:
    await family.post("/command", json={"text": "set a timer for 5 minutes"}, headers=OLGA)
    (timer,) = (await family.get("/api/tasks", headers=OLGA)).json()["result"]["data"]["scheduled"]
    refused = (await family.delete(f"/api/tasks/{timer['id']}", headers=GUS)).json()
    assert (refused["ok"], refused["error"]) == (False, "refused")
    assert len((await family.get("/api/tasks", headers=OLGA)).json()["result"]["data"]["scheduled"]) == 1
