"""A question back over HTTP: answered by a yes of the same caller in the same conversation, once, within its time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from assistant.app import App, open_app
from assistant.config import Settings
from assistant.server.auth import Authenticator
from assistant.server.http import http_app
from assistant.tokens import hashed

ANNA, BEN = {"Authorization": "Bearer token-of-anna-0001"}, {"Authorization": "Bearer token-of-ben-00001"}
ORDER = {"text": "shut down windows", "conversation_id": "sofa"}
YES = {"text": "yes", "conversation_id": "sofa"}


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[App]:
    """One virtual machine, whose calls are planned and recorded, and never made."""
    settings = Settings.model_validate(
        {
            "hypervisors": {"lab": {"kind": "libvirt", "url": "test:///default"}},
            "vms": {"windows": {"hypervisor": "lab"}},
            "state_dir": tmp_path / "state",
            "engine": "sentences",
        }
    )
    async with open_app(settings, record=True) as opened:
        yield opened


@pytest.fixture
async def phones(house: App) -> AsyncIterator[httpx.AsyncClient]:
    names = {hashed(who["Authorization"].split()[1]): name for who, name in ((ANNA, "anna"), (BEN, "ben"))}
    transport = httpx.ASGITransport(app=http_app(house, Authenticator(names)), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as opened:
        yield opened


async def asked(phones: httpx.AsyncClient) -> None:
    body = (await phones.post("/command", json=ORDER, headers=ANNA)).json()
    assert body["confirmation"]["tool"] == "vm_power", body
    assert body["confirmation"]["expires_s"] == 300
    assert body["reply"].endswith("?")


async def test_a_yes_in_the_same_conversation_is_the_callers(phones: httpx.AsyncClient) -> None:
    await asked(phones)
    done = (await phones.post("/command", json=YES, headers=ANNA)).json()
    assert done["matched"] == "confirmation"
    (call,) = done["tools"]
    assert (call["name"], call["ok"]) == ("vm_power", True)
    again = (await phones.post("/command", json=YES, headers=ANNA)).json()
    assert again["tools"] == []


async def test_nobody_elses_yes_does_anything(phones: httpx.AsyncClient) -> None:
    await asked(phones)
    assert (await phones.post("/command", json=YES, headers=BEN)).json()["tools"] == []
    assert (await phones.post("/command", json={**YES, "conversation_id": "bed"}, headers=ANNA)).json()["tools"] == []
    done = (await phones.post("/command", json=YES, headers=ANNA)).json()
    assert done["tools"][0]["ok"]


async def test_a_no_closes_the_question(phones: httpx.AsyncClient) -> None:
    await asked(phones)
    await phones.post("/command", json={**YES, "text": "no"}, headers=ANNA)
    assert (await phones.post("/command", json=YES, headers=ANNA)).json()["tools"] == []


async def test_looking_at_the_page_closes_no_question(phones: httpx.AsyncClient) -> None:
    await asked(phones)
    for path in ("tasks", "vms", "services"):
        await phones.get(f"/api/{path}", headers=ANNA)
    assert (await phones.post("/command", json=YES, headers=ANNA)).json()["tools"][0]["ok"]


async def test_a_retry_of_the_yes_acts_once(phones: httpx.AsyncClient, house: App) -> None:
    await asked(phones)
    key = {"Idempotency-Key": "yes-1", **ANNA}
    first, again = [(await phones.post("/command", json=YES, headers=key)).json() for _ in range(2)]
    assert first == again
    assert [turn["tools"] for turn in house.traces.turns()].count([{"name": "vm_power", "ok": True}]) == 1


async def test_a_yes_that_comes_too_late_does_nothing(
    phones: httpx.AsyncClient, house: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asked(phones)
    now = house.house.path._confirmations._clock()
    monkeypatch.setattr(house.house.path._confirmations, "_clock", lambda: now + 301)
    late = (await phones.post("/command", json=YES, headers=ANNA)).json()
    assert not any(call["ok"] for call in late["tools"])
