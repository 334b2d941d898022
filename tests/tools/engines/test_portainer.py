"""Portainer, spoken to by its documented HTTP API (CE 2.x). The server here is a small one, not the real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.tools.engines.test_docker_said import container, frame
from tests.tools.services.http_server import Answer, Request, Server, always, serving
from tools.engines.port import EngineError
from tools.engines.portainer import Portainer
from tools.settings_house import EngineSettings

KEY = "ptr_not-a-real-key"
ENDPOINTS = [
    {"Id": 5, "Name": "cluster", "Type": 5, "Status": 1},
    {"Id": 2, "Name": "nas", "Type": 1, "Status": 1},
    {"Id": 3, "Name": "nuc", "Type": 2, "Status": 1},
]
STACKS = [
    {"Id": 7, "Name": "photos", "EndpointId": 2, "Status": 1, "Type": 2},
    {"Id": 8, "Name": "games", "EndpointId": 2, "Status": 2, "Type": 2},
    {"Id": 9, "Name": "elsewhere", "EndpointId": 3, "Status": 1, "Type": 2},
]


async def portainer_answers(request: Request) -> Answer:
    if request.headers.get("x-api-key") != KEY:
        return Answer({"message": "Invalid API key", "details": "Unauthorized"}, 401)
    docker = "/api/endpoints/2/docker/containers"
    member = {"Id": "1" * 64, "Names": ["/photos-web-1"], "State": "running", "Status": "Up 1 hour",
              "Labels": {"com.docker.compose.project": "photos"}, "Ports": []}  # fmt: skip
    known: dict[str, Any] = {
        "/api/endpoints": ENDPOINTS,
        "/api/stacks": STACKS,
        f"{docker}/json": [] if "filters" in request.query else [member],
        f"{docker}/jellyfin/json": container(),
        f"{docker}/{'1' * 64}/json": {**container(), "Id": "1" * 64, "Name": "/photos-web-1",
                                      "Config": {"Labels": member["Labels"]}},
        f"{docker}/{'1' * 64}/logs": frame(2, b"2026-11-22T00:00:00Z ERROR no room\n"),
        f"{docker}/{container()['Id']}/restart": b"",
        "/api/stacks/7/stop": STACKS[0],
        "/api/stacks/7/start": STACKS[0],
    }  # fmt: skip
    if request.path not in known:
        return Answer({"message": "No such container: x"}, 404)
    return Answer(known[request.path])


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving(portainer_answers) as started:
        yield started


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    return file


def portainer(server: Server, key: Path, **more: Any) -> Portainer:
    return Portainer("nas", EngineSettings(kind="portainer", url=server.url, token_file=key, **more))


async def test_the_containers_are_those_of_the_first_environment_with_docker(server: Server, key: Path) -> None:
    units = await portainer(server, key).units()

    assert [(unit.name, unit.running, unit.restarts) for unit in units] == [("photos-web-1", True, 2)]
    assert [request.path for request in server.requests[:2]] == [
        "/api/endpoints", "/api/endpoints/2/docker/containers/json",
    ]  # fmt: skip


async def test_the_environment_may_be_named(server: Server, key: Path) -> None:
    with pytest.raises(EngineError):
        await portainer(server, key, endpoint=3).units()
    assert server.requests[0].path == "/api/endpoints/3/docker/containers/json"


async def test_a_container_is_restarted_through_it(server: Server, key: Path) -> None:
    engine = portainer(server, key)
    await engine.restart(await engine.find("jellyfin"))
    assert server.requests[-1].path == f"/api/endpoints/2/docker/containers/{container()['Id']}/restart"


async def test_what_is_no_container_may_be_a_stack_of_that_environment(server: Server, key: Path) -> None:
    engine = portainer(server, key)
    photos, games = await engine.find("photos"), await engine.find("games")

    assert (photos.id, photos.running, photos.said) == ("stack:7", True, "active")
    assert (games.running, games.said) == (False, "inactive")
    with pytest.raises(EngineError) as caught:
        await engine.find("elsewhere")
    assert caught.value.unknown


async def test_a_stack_is_stopped_and_started_as_a_whole(server: Server, key: Path) -> None:
    engine = portainer(server, key)
    unit = await engine.find("photos")
    await engine.stop(unit)
    await engine.restart(unit)
    assert [(one.method, one.path, dict(one.query)) for one in server.requests if one.method == "POST"] == [
        ("POST", f"/api/stacks/7/{verb}", {"endpointId": "2"}) for verb in ("stop", "stop", "start")
    ]


async def test_the_log_of_a_stack_is_that_of_its_containers(server: Server, key: Path) -> None:
    engine = portainer(server, key)
    assert [line.text for line in await engine.logs(await engine.find("photos"), 10)] == ["ERROR no room"]


async def test_a_wrong_key_is_said_and_does_not_stand_in_the_words(server: Server, key: Path) -> None:
    wrong = key.with_name("wrong")
    await asyncio.to_thread(wrong.write_text, "ptr_another")
    with pytest.raises(EngineError) as caught:
        await portainer(server, wrong).units()
    assert caught.value.reason == "it refuses the credentials"
    assert "ptr_" not in repr(caught.value)


async def test_without_a_readable_key_it_is_not_asked(server: Server, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="the file with its API key cannot be read"):
        await portainer(server, tmp_path / "gone").units()
    with pytest.raises(EngineError, match="it needs url and token_file in the configuration"):
        await Portainer("nas", EngineSettings(kind="portainer", url=server.url)).units()
    assert server.requests == []


@pytest.mark.parametrize("body", [[], [{"Id": 1, "Type": 5}], {"message": "?"}, None, [3]])
async def test_one_that_shows_no_environment_with_docker(key: Path, body: Any) -> None:
    async with serving(always(body)) as server:
        with pytest.raises(EngineError, match="it shows me no environment with Docker"):
            await portainer(server, key).units()
