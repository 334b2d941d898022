"""A real Alertmanager posts to Jarvis, with the receiver of docs/messages.md: told once, and when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from assistant.app import App, open_app
from assistant.config import Settings
from assistant.server.auth import Authenticator
from assistant.server.http import http_app
from tests.real.prometheus import alertmanager
from tests.server.conftest import listening
from tools.background import running
from tools.contract import Door

pytestmark = pytest.mark.real_server

TOKEN = "the-webhooks-own-token"
ROOT = Path(__file__).resolve().parents[3]


def receiver(url: str, token_file: Path) -> dict[str, Any]:
    """The snippet of docs/messages.md, with this test's address and shorter waits."""
    page = (ROOT / "docs" / "messages.md").read_text(encoding="utf-8")
    snippet = page.split("```yaml\n", 1)[1].split("```", 1)[0]
    text = snippet.replace("http://jarvis.lan:8765", url).replace("/etc/alertmanager/jarvis.token", str(token_file))
    found: dict[str, Any] = yaml.safe_load(text)
    found["route"] |= {"group_wait": "1s", "group_interval": "1s", "repeat_interval": "3s"}
    return found


@asynccontextmanager
async def jarvis(folder: Path) -> AsyncIterator[tuple[App, str]]:
    settings = Settings.model_validate(
        {
            "announcements": {"webhook_token_file": folder / "token", "group_s": 1},
            "state_dir": folder / "state",
            "engine": "sentences",
        }
    )
    async with (
        open_app(settings) as app,
        running(app.house.listening),
        listening(http_app(app, Authenticator({}))) as url,
    ):
        yield app, url


async def announced(app: App, enough: Callable[[list[str]], bool], seconds: float = 30.0) -> list[str]:
    said: list[str] = []
    async with asyncio.timeout(seconds):
        while not enough(said):
            if (one := await app.announcement(Door.MICROPHONE)) is not None:
                said.append(one.text)
            await asyncio.sleep(0.1)
    return said


def alert(name: str, severity: str, summary: str, ends: datetime) -> dict[str, Any]:
    labels = {"alertname": name, "severity": severity, "instance": "nas"}
    return {"labels": labels, "annotations": {"summary": summary}, "endsAt": ends.isoformat()}


async def test_what_a_real_alertmanager_posts_is_said_once_and_when_it_is_over(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n", encoding="utf-8")
    async with jarvis(tmp_path) as (app, url):
        with alertmanager(tmp_path / "alertmanager", receiver(url, token)) as manager:
            later = datetime.now(UTC) + timedelta(hours=1)
            async with httpx.AsyncClient(trust_env=False) as client:

                async def post(ends: datetime) -> None:
                    alerts = [
                        alert("DiskFull", "critical", "The disk of nas is full.", ends),
                        alert("Slow", "warning", "Gitea is slow.", ends),
                    ]
                    (await client.post(f"{manager}/api/v2/alerts", json=alerts)).raise_for_status()

                await post(later)
                said = await announced(app, bool)
                assert said == ["Two alerts: The disk of nas is full; Gitea is slow."]

                with pytest.raises(TimeoutError):  # it is repeated every three seconds, and not said again
                    await announced(app, bool, seconds=8.0)

                await post(datetime.now(UTC))
                over = " ".join(
                    await announced(app, lambda said: "slow" in " ".join(said) and "full" in " ".join(said))
                )
                assert "over: The disk of nas is full" in over
                assert "over: Gitea is slow" in over
