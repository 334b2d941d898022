"""Whoever is limited to some things, at the doors that tell of the whole house."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import httpx
import pytest

from assistant.app import App
from assistant.server.auth import Authenticator
from assistant.server.http import http_app
from assistant.server.identity import Identity
from tools.contract import Caller, Door

GAMER, ANNA = "gamer-token-gamer", "anna-token-anna"


@pytest.fixture
async def client(app: App) -> AsyncIterator[httpx.AsyncClient]:
    known = {
        hashlib.sha256(GAMER.encode()).digest(): Identity("gamer", "member", only=("vm:windows",)),
        hashlib.sha256(ANNA.encode()).digest(): Identity("anna", "member"),
    }
    transport = httpx.ASGITransport(app=http_app(app, Authenticator(known)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as opened:
        yield opened


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_the_summary_of_the_house_is_not_for_them(client: httpx.AsyncClient) -> None:
    refused = await client.get("/digest?plain=1", headers=bearer(GAMER))
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "limited")
    assert (await client.get("/digest?plain=1", headers=bearer(ANNA))).status_code == 200


async def test_what_is_announced_to_everybody_is_not_for_them_and_their_own_is(
    client: httpx.AsyncClient, app: App
) -> None:
    app.house.messages.add("Gitea is down.", Caller(name="house", door=Door.SCHEDULE), key="a")
    app.house.messages.add("Windows is up.", Caller(name="gamer", door=Door.HTTP), key="b")
    theirs = (await client.get("/announcements?after=0", headers=bearer(GAMER))).json()["announcements"]
    assert [message["text"] for message in theirs] == ["Windows is up."]
    others = (await client.get("/announcements?after=0", headers=bearer(ANNA))).json()["announcements"]
    assert [message["text"] for message in others] == ["Gitea is down."]
