"""``GET /digest``: the house in at most five sentences, for whoever may use the other doors."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from assistant.app import App, open_app
from assistant.cli.session import RemoteSession
from assistant.config import Settings
from assistant.errors import StateError
from assistant.server.auth import read_tokens
from assistant.server.http import http_app
from assistant.state import RunningServer
from tests.tools.digest.made import GITEA_DOWN as GITEA
from tests.tools.digest.made import VMS
from tools.contract import Severity
from tools.digest.facts import Digest, digest_of, phrased

AT = "2026-05-13T07:30:00+02:00"
TOKEN = "correct-horse-battery"


def running(url: str) -> RunningServer:
    return RunningServer(pid=1, url=url, token=TOKEN, version="1", started=time.time())


async def test_it_is_the_digest_as_json(client: httpx.AsyncClient) -> None:
    answer = await client.get("/digest", params={"plain": "1"})
    assert answer.status_code == 200
    made = Digest.model_validate_json(answer.content)
    assert made.severity is Severity.CRITICAL
    assert made.sentences[0].startswith("Gitea is down")


async def test_whoever_brings_no_token_gets_none(app: App, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"phone:{TOKEN}")
    file.chmod(0o600)
    transport = httpx.ASGITransport(app=http_app(app, read_tokens(file)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as client:
        assert (await client.get("/digest")).status_code == 401
        answer = await client.get("/digest?plain=1", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200


async def test_the_command_asks_the_server_that_runs(url: str, app: App) -> None:
    made = await RemoteSession(running(url)).digest(plain=True)
    assert [finding.subject for finding in made.findings] == ["gitea"]


async def test_a_server_that_is_gone_is_an_error_that_says_so() -> None:
    with pytest.raises(StateError, match="gives no digest"):
        await RemoteSession(running("http://127.0.0.1:1")).digest()


async def test_the_apps_model_is_asked_for_its_words(tmp_path: Path) -> None:
    """There is none in this house, which is the reason that is given."""
    settings = Settings.model_validate(
        {"state_dir": tmp_path / "state", "models_dir": tmp_path / "none", "model": {"discover": False}}
    )
    async with open_app(settings) as app:
        made = await phrased(digest_of([GITEA, VMS], AT), [GITEA, VMS], app.house.phrase_digest)
    assert made.by == "facts"
    assert made.reason.startswith("the model failed")
