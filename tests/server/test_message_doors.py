"""The doors of messages over HTTP: answers from the phone, Alertmanager's webhook, announcements for pages."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from assistant.app import App, open_app
from assistant.config import Settings
from assistant.server.auth import Authenticator
from assistant.server.http import http_app
from assistant.server.message_doors import ALERTS_A_MINUTE, CONFIRMS_A_MINUTE
from tests.fakes_tools import BreakTool
from tests.server.conftest import listening
from tools.contract import Caller, Door, PlannedCall
from tools.notify.port import Outgoing
from tools.outbox import Outbox
from tools.policy import CallPath
from tools.store import Store

PHONE = {"Authorization": "Bearer phone-token-0123456789"}
TOKENS = Authenticator({hashlib.sha256(b"phone-token-0123456789").digest(): "phone"})
HOUSE = Caller(name="house", door=Door.SCHEDULE, room="kitchen")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Phone:
    """A push service that keeps the links."""

    name: str = "ntfy"
    links: list[str] = field(default_factory=list)

    async def push(self, message: Outgoing) -> str:
        assert message.link is not None
        self.links.append(message.link)
        return "id"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    (tmp_path / "webhook.token").write_text("alertmanagers-own-token\n")
    settings = Settings.model_validate(
        {
            "ntfy": {"url": "http://127.0.0.1:9", "confirm_url": "http://jarvis.lan:8765"},
            "announcements": {"webhook_token_file": tmp_path / "webhook.token", "group_s": 0},
            "state_dir": tmp_path / "state",
            "engine": "sentences",
        }
    )
    async with open_app(settings) as opened:
        yield opened


@pytest.fixture
async def client(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """Another machine: it knows the server by the name of confirm_url, and has no token."""
    transport = httpx.ASGITransport(app=http_app(app, TOKENS), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://jarvis.lan:8765") as opened:
        yield opened


@pytest.fixture
async def breaking(app: App, tmp_path: Path) -> AsyncIterator[BreakTool]:
    """In place of the house's tools."""
    tool = BreakTool()
    with Store(tmp_path / "things.db") as store:
        app.house.path = CallPath([tool], store, Outbox(tmp_path / "things"))
        del app.house.questions  # made anew over this path
        app.house.questions.served = True
        yield tool


@pytest.fixture
async def link(app: App, breaking: BreakTool) -> str:
    """Path of an open question's link: shall I break lamp?"""
    phone, caller = Phone(), Caller(name="<webui>", role="member", door=Door.MCP, conversation="c1")
    app.house.questions._services = [phone]
    outcome = await app.house.path.call("break", {"thing": "lamp"}, caller)
    planned = app.house.path.plan("break", {"thing": "lamp"})
    assert isinstance(planned, PlannedCall)
    assert outcome.confirmation is not None
    assert await app.house.questions.ask(planned, caller, outcome.confirmation)
    assert phone.links[0].startswith("http://jarvis.lan:8765/confirm/")
    return phone.links[0].removeprefix("http://jarvis.lan:8765")


async def test_the_phones_button_does_it_once(client: httpx.AsyncClient, link: str, breaking: BreakTool) -> None:
    first = await client.post(link, content="answer=yes", headers=FORM)
    assert (first.status_code, first.json()) == (200, {"link": "open", "done": True, "text": "Done."})
    again = await client.post(link, content="answer=yes", headers=FORM)
    assert (again.status_code, again.json()["link"]) == (410, "answered")
    assert len(breaking.executed) == 1


async def test_a_link_that_is_only_fetched_does_nothing(
    client: httpx.AsyncClient, link: str, breaking: BreakTool
) -> None:
    for method in ("GET", "HEAD", "GET"):
        page = await client.request(method, link)
        assert page.status_code == 200
    assert "Shall I break lamp?" in page.text
    assert re.findall(r'value="(\w+)"', page.text) == ["yes", "no"]
    assert page.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert breaking.executed == []

    pressed = await client.post(
        link, content="answer=no", headers={**FORM, "Accept": "text/html", "Origin": "http://jarvis.lan:8765"}
    )
    assert "All right, nothing was changed." in pressed.text
    assert "was answered already" in (await client.get(link)).text
    assert breaking.executed == []


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_forged_link_is_refused(client: httpx.AsyncClient, link: str, breaking: BreakTool, method: str) -> None:
    for path in (
        link[:-1] + ("B" if link[-1] == "A" else "A"),
        "/confirm/x",
        f"/confirm/{'A' * 5000}",
        "/confirm/%00",
        "/confirm/%F0%9F%92%A5.1.a",
    ):
        answer = await client.request(method, path, content="answer=yes", headers=FORM)
        assert answer.status_code == 404
    assert breaking.executed == []


@pytest.mark.parametrize("body", ["", "answer=", "answer=maybe", "yes", "answer=no&" + "x" * 5000, "answer=YES"])
async def test_an_answer_that_is_none_uses_nothing_up(
    client: httpx.AsyncClient, link: str, breaking: BreakTool, body: str
) -> None:
    refused = await client.post(link, content=body, headers=FORM)
    assert refused.status_code in (400, 413)
    assert (await client.post(link, content="answer=yes", headers=FORM)).json()["done"]


async def test_another_sites_page_may_not_answer(client: httpx.AsyncClient, link: str, breaking: BreakTool) -> None:
    for origin in ("http://evil.example", "null"):
        refused = await client.post(link, content="answer=yes", headers={**FORM, "Origin": origin})
        assert refused.status_code == 403
    assert breaking.executed == []


async def test_whoever_tries_many_links_has_to_wait(client: httpx.AsyncClient) -> None:
    codes = [(await client.get("/confirm/x")).status_code for _ in range(2 * CONFIRMS_A_MINUTE)]
    assert codes[:CONFIRMS_A_MINUTE] == [404] * CONFIRMS_A_MINUTE
    assert 429 in codes


async def test_nothing_else_is_open_without_a_token(client: httpx.AsyncClient) -> None:
    for path in ("/announcements", "/confirm", "/confirmed/x", "/command", "/mcp"):
        assert (await client.get(path)).status_code == 401


def alerts(*names: str, status: str = "firing") -> bytes:
    """In the form of Alertmanager's webhook, version 4."""
    found = [
        {
            "status": status,
            "labels": {"alertname": name, "severity": "critical"},
            "annotations": {},
            "fingerprint": name,
        }
        for name in names
    ]
    return json.dumps({"version": "4", "status": status, "alerts": found}).encode()


ALERTMANAGER = {"Authorization": "Bearer alertmanagers-own-token", "Content-Type": "application/json"}


async def test_alertmanagers_alerts_become_an_announcement(app: App, client: httpx.AsyncClient) -> None:
    for _ in range(2):  # it repeats itself
        answer = await client.post("/alerts", content=alerts("DiskFull", "UpsOnBattery"), headers=ALERTMANAGER)
        assert answer.status_code == 200
    assert answer.json() == {"new": 0}
    (announcer,) = [part for part in app.house.listening if part.name == "announcer"]
    await asyncio.to_thread(announcer.look)  # type: ignore[attr-defined]
    assert await app.announcement(Door.MICROPHONE) == ("Two alerts: Ups on battery; Disk full.", False)
    assert await app.announcement(Door.MICROPHONE) is None


async def test_the_webhook_has_its_own_token(client: httpx.AsyncClient) -> None:
    for wrong in ({}, PHONE, {"Authorization": "Bearer x"}):
        assert (await client.post("/alerts", content=alerts("A"), headers=wrong)).status_code == 401
    for raw in (b"", b"<html>", b"[]"):
        refused = await client.post("/alerts", content=raw, headers=ALERTMANAGER)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "no_alerts")
    assert (await client.post("/alerts", content=b"x" * 1_100_000, headers=ALERTMANAGER)).status_code == 413


async def test_without_a_webhook_token_there_is_no_webhook(tmp_path: Path) -> None:
    settings = Settings.model_validate({"state_dir": tmp_path / "state", "engine": "sentences"})
    async with open_app(settings) as app:
        transport = httpx.ASGITransport(app=http_app(app, Authenticator({})))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as client:
            assert (await client.post("/alerts", content=alerts("A"), headers=ALERTMANAGER)).status_code == 404
            assert (await client.get("/alerts")).status_code in (404, 405)


async def test_a_webhook_token_that_cannot_be_read_is_said_without_its_path(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    (tmp_path / "webhook.token").unlink()
    answer = await client.post("/alerts", content=alerts("A"), headers=ALERTMANAGER)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "webhook_token_unreadable")
    assert str(tmp_path) not in answer.text


async def test_alerts_that_flood_are_slowed_down(client: httpx.AsyncClient) -> None:
    codes = [(await client.post("/alerts")).status_code for _ in range(3 * ALERTS_A_MINUTE)]
    assert codes[0] == 401
    assert 429 in codes


async def test_a_page_asks_what_was_announced_since(app: App, client: httpx.AsyncClient) -> None:
    app.house.messages.add("Before.", HOUSE)
    first = (await client.get("/announcements", headers=PHONE)).json()
    assert first["announcements"] == []
    app.house.messages.add("An alert: disk full.", HOUSE, title="Messages", priority=5)
    app.house.messages.add("For tom.", Caller(name="tom", door=Door.MICROPHONE))

    found = (await client.get("/announcements", params={"after": first["after"]}, headers=PHONE)).json()
    (one,) = found["announcements"]
    assert (one["text"], one["title"], one["priority"], one["room"]) == (
        "An alert: disk full.",
        "Messages",
        5,
        "kitchen",
    )
    assert await app.announcement(Door.SATELLITE, "kitchen") == ("Before.", False)  # the page took nothing


@pytest.mark.parametrize("after", ["-1", "x", "9" * 30, "١"])
async def test_an_id_that_is_none_is_now(client: httpx.AsyncClient, after: str) -> None:
    found = await client.get("/announcements", params={"after": after}, headers=PHONE)
    assert (found.status_code, found.json()["announcements"]) == (200, [])


async def test_a_stream_shows_them_as_they_come_and_ends_with_the_server(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.server.message_doors.LOOK_EVERY_S", 0.02)
    web = http_app(app, TOKENS)
    headers = {**PHONE, "Accept": "text/event-stream", "Last-Event-ID": "0"}
    async with listening(web) as url, httpx.AsyncClient() as client:
        app.house.messages.add("One.", HOUSE)
        async with client.stream("GET", f"{url}/announcements", headers=headers) as answer:
            lines = answer.aiter_lines()
            seen: list[str] = []
            async for line in lines:
                if line.startswith("data: "):
                    seen.append(json.loads(line.removeprefix("data: "))["text"])
                    if len(seen) == 2:
                        break
                    app.house.messages.add("Two.", HOUSE)
            web.state.messages.end_streams()
            assert [line async for line in lines if line] == []
    assert seen == ["One.", "Two."]
