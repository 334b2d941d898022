"""``/ready`` says for each part whether it answers, within a second, whatever is the matter with the others."""

from __future__ import annotations

import asyncio
import shutil
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from assistant.app import App, open_app
from assistant.config import Settings
from assistant.readiness import Readiness, readiness
from assistant.server.auth import Authenticator
from assistant.server.http import http_app
from tools.store import StoreError

DISK = 50_000_000_000


@asynccontextmanager
async def an_app(folder: Path, **more: Any) -> AsyncIterator[App]:
    async with open_app(Settings.model_validate({"state_dir": folder / "state", "engine": "sentences", **more})) as app:
        yield app


async def asked(app: App) -> tuple[int, Readiness]:
    transport = httpx.ASGITransport(app=http_app(app, Authenticator({})))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as client:
        answer = await client.get("/ready")
    return answer.status_code, Readiness.model_validate_json(answer.content)


@pytest.fixture
def full_of_people() -> Iterator[str]:
    """A port that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def nobody() -> str:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        return f"127.0.0.1:{gone.getsockname()[1]}"


async def test_a_house_with_little_in_it_is_ready(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        code, found = await asked(app)

    assert (code, found.status, found.sick) == (200, "ready", [])
    assert {name: part.state for name, part in found.parts.items()} == {
        "tools": "ok", "database": "ok", "disk": "ok", "ears": "off", "mouth": "off", "model": "off",
        "home_assistant": "off", "satellites": "off",
    }  # fmt: skip


async def test_an_engine_elsewhere_is_told_with_its_place_and_whether_it_answers(
    tmp_path: Path, full_of_people: str, nobody: str
) -> None:
    elsewhere = {
        "engine": "both",
        "transcriber": {"engine": "openai", "url": f"http://{full_of_people}/v1"},
        "synthesizer": {"engine": "wyoming", "url": f"tcp://{nobody}"},
        "model": {"base_url": f"http://{nobody}/v1", "embedded": str(tmp_path / "none.gguf")},
    }
    async with an_app(tmp_path, **elsewhere) as app:
        app.transcriber, app.synthesizer = object(), object()  # type: ignore[assignment]  # opened; not used for it
        code, found = await asked(app)
        app.transcriber = app.synthesizer = None

    assert (code, found.status) == (200, "degraded")
    assert found.parts["ears"].model_dump() == {"state": "ok", "place": full_of_people, "reason": ""}
    assert found.parts["mouth"].model_dump() == {
        "state": "down", "place": nobody, "reason": f"{nobody} refuses connections."
    }  # fmt: skip
    assert found.parts["model"].state == "down"
    assert found.parts["model"].reason == f"{nobody} refuses connections. There is no other model here."


async def test_a_model_here_stands_in_for_the_server_that_is_away(tmp_path: Path, nobody: str) -> None:
    (tmp_path / "small.gguf").write_bytes(b"GGUF")
    model = {"base_url": f"http://{nobody}/v1", "embedded": str(tmp_path / "small.gguf")}
    async with an_app(tmp_path, engine="both", model=model) as app:
        _, found = await asked(app)

    assert found.parts["model"].state == "degraded"
    assert "answers here in its place" in found.parts["model"].reason


async def test_home_assistant_and_satellites_that_are_away_are_named(tmp_path: Path, nobody: str) -> None:
    home = {"home_assistant": {"url": f"http://{nobody}", "token_file": tmp_path / "token"}}
    (tmp_path / "token").write_text("a-long-lived-token")
    (tmp_path / "token").chmod(0o600)
    async with an_app(tmp_path, **home, satellites={"shelf": {"url": f"tcp://{nobody}", "room": "kitchen"}}) as app:
        await app.house.path.ready()
        async with app.open_satellites():
            code, found = await asked(app)

    assert code == 200
    assert found.parts["home_assistant"].state == "down"
    assert "Home Assistant" in found.parts["home_assistant"].reason
    assert found.parts["satellites"].state == "down"
    assert found.parts["satellites"].reason.startswith("shelf: ")


async def test_a_database_that_cannot_be_read_is_a_part_that_is_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with an_app(tmp_path) as app:

        def broken() -> int:
            raise StoreError("the database disk image is malformed")

        monkeypatch.setattr(app.house.announcements, "newest", broken)
        code, found = await asked(app)

    assert (code, found.status) == (200, "degraded")
    assert "malformed" in found.parts["database"].reason


async def test_little_room_for_the_state_folder_is_told_before_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {}
    async with an_app(tmp_path) as app:
        for free in (40_000_000, 700_000_000, 2_000_000_000):
            usage = shutil._ntuple_diskusage(DISK, DISK - free, free)
            monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
            _, found = await asked(app)
            told[found.parts["disk"].state] = found.status

    assert told == {"down": "degraded", "degraded": "degraded", "ok": "ready"}


async def test_tools_that_hang_are_down_within_a_second_and_no_turn_can_be_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with an_app(tmp_path) as app:

        async def hang() -> tuple[()]:
            await asyncio.Event().wait()
            return ()

        monkeypatch.setattr(app.toolbox, "tools", hang)
        began = time.monotonic()
        found = await readiness(app, "1")
        took_s = time.monotonic() - began
        code, _ = await asked(app)

    assert (code, found.status, found.parts["tools"].state) == (503, "down", "down")
    assert took_s < 1.0
