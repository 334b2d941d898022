"""GET /metrics: who gets it, and that it tells of the turns of this app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from assistant.app import App, open_app
from assistant.config import Settings
from assistant.server.auth import Authenticator
from assistant.server.http import http_app
from assistant.server.identity import Identity
from assistant.tokens import hashed

SCRAPER = Identity("prometheus", "guest", only=("tool:metrics",))
KNOWN = {
    "olga-00000000000001": Identity("olga"),
    "limited-owner-00001": Identity("tom", "owner", only=("vm:windows",)),
    "limited-both-000001": Identity("both", "owner", only=("vm:windows", "tool:metrics")),
    "gus-000000000000001": Identity("gus", "guest"),
    "anna-00000000000001": Identity("anna", "member"),
    "prometheus-00000001": SCRAPER,
}


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    settings = Settings.model_validate(
        {
            "services": {"gitea": {"url": "http://127.0.0.1:1/"}},
            "backups": {"photos": {"kind": "report", "report": tmp_path / "none.json", "data_class": "pictures"}},
            "state_dir": tmp_path / "state",
            "engine": "sentences",
        }
    )
    async with open_app(settings) as opened:
        yield opened


@pytest.fixture
async def client(app: App) -> AsyncIterator[httpx.AsyncClient]:
    web = http_app(app, Authenticator({hashed(token): who for token, who in KNOWN.items()}))
    transport = httpx.ASGITransport(app=web, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as opened:
        yield opened


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


ANSWERS = {
    "olga-00000000000001": 200,
    "prometheus-00000001": 200,
    "limited-both-000001": 200,
    "limited-owner-00001": 403,
    "gus-000000000000001": 403,
    "anna-00000000000001": 403,
    "wrong-0000000000001": 401,
}


async def test_the_owner_and_a_scraper_get_it_and_nobody_else(client: httpx.AsyncClient) -> None:
    for token, status in ANSWERS.items():
        answer = await client.get("/metrics", headers=bearer(token))
        assert (token, answer.status_code) == (token, status)
        if status == 200:
            assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
            assert answer.headers["cache-control"] == "no-store"
        if status == 403:
            assert answer.json()["error"]["code"] == "owner_only"


async def test_a_scraper_s_token_does_nothing_else(client: httpx.AsyncClient) -> None:
    scraper = bearer("prometheus-00000001")
    asked = (await client.post("/command", json={"text": "is gitea up?"}, headers=scraper)).json()
    assert [tool["ok"] for tool in asked["tools"]] == [False]
    for path in ("/api/services", "/api/alerts", "/api/backups"):
        assert (await client.get(path, headers=scraper)).json()["ok"] is False
    for path in ("/digest", "/api/audit", "/api/tokens"):
        assert (await client.get(path, headers=scraper)).status_code == 403


async def test_the_turns_of_the_app_are_in_it_and_their_words_are_not(client: httpx.AsyncClient) -> None:
    owner = bearer("olga-00000000000001")
    await client.post("/command", json={"text": "is gitea up?"}, headers=owner)
    text = (await client.get("/metrics", headers=owner)).text
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    asked = ("jarvis_turns_total", ("door", "http"), ("matched", "sentence"), ("outcome", "answered"))
    assert samples[asked] == 1
    assert samples["jarvis_backups", ("data_class", "pictures"), ("verdict", "unknown")] == 1
    assert "gitea" not in text
    assert samples[("jarvis_turns_running",)] == 0
