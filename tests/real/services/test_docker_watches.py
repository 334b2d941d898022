"""``check_services`` with a real Docker engine: what runs, what has ended, and what fails its own health check."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.daemons import free_port
from tests.real.engines.docker_engine import RealDocker, docker_engine
from tools.contract import PlannedCall
from tools.names import NameIndex
from tools.services.tool import CheckServices
from tools.settings import ToolSettings
from tools.store import Store

pytestmark = pytest.mark.real_server

SLEEP = "trap 'exit 0' TERM; while :; do sleep 0.1; done"
SECOND_NS = 1_000_000_000
WAIT_S = 20.0


@pytest.fixture(scope="module")
def docker() -> Iterator[RealDocker]:
    with docker_engine() as engine:
        yield engine
        engine.remove_all()


async def says(docker: RealDocker, folder: Path, services: dict[str, dict[str, Any]]) -> dict[str, str]:
    """What is said of each service."""
    settings = ToolSettings.model_validate(
        {"services": services, "engines": {"docker": {"kind": "docker", "url": f"unix://{docker.socket}"}}}
    )
    with Store(folder / "jarvis.db") as store:
        tool = CheckServices(settings, NameIndex.from_settings(settings), store)
        return {
            name: (await tool.execute(PlannedCall(tool=tool.name, arguments={"service": name}))).spoken
            for name in services
        }


async def test_what_docker_knows_of_containers_is_why_services_are_up_or_down(
    docker: RealDocker, tmp_path: Path
) -> None:
    docker.run("gitea", SLEEP)
    docker.run("code-media-1", SLEEP, Labels={"com.docker.compose.service": "media"})
    docker.run("box-7", SLEEP)
    docker.run("broken", "exit 3")
    docker.wait("broken")
    check = {"Test": ["CMD-SHELL", "exit 1"], "Interval": SECOND_NS, "Retries": 1}
    docker.run("sick", SLEEP, Healthcheck=check)
    deadline = time.monotonic() + WAIT_S
    while docker.inspect("sick")["State"]["Health"]["Status"] != "unhealthy":
        assert time.monotonic() < deadline, docker.inspect("sick")["State"]
        await asyncio.sleep(0.2)
    said = await says(
        docker,
        tmp_path,
        {
            "gitea": {"url": f"http://127.0.0.1:{free_port()}/"},
            "media": {},
            "broken": {},
            "sick": {},
            "the other": {"unit": "box-7"},
            "nowhere": {},
        },
    )
    assert said == {
        "gitea": "Gitea is down: its container runs, but the connection is refused.",
        "media": "Media is up.",
        "broken": "Broken is down: its container ended with code 3.",
        "sick": "Sick is down: its health check fails.",
        "the other": "The other is up.",
        "nowhere": "I can't tell whether nowhere is up: nothing that I can ask watches it.",
    }


async def test_an_engine_that_is_not_there_is_said_by_name(tmp_path: Path) -> None:
    services: dict[str, dict[str, Any]] = {"gitea": {}}
    engines = {"docker": {"kind": "docker", "url": f"unix://{tmp_path}/none.sock"}}
    settings = ToolSettings.model_validate({"services": services, "engines": engines})
    with Store(tmp_path / "jarvis.db") as store:
        tool = CheckServices(settings, NameIndex.from_settings(settings), store)
        said = (await tool.execute(PlannedCall(tool=tool.name, arguments={"service": "gitea"}))).spoken
    assert said.startswith("I can't tell whether gitea is up: nothing that I can ask watches it.")
    assert "docker" in said.casefold()
