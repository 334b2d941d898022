"""A real Docker engine: what it says of containers, their logs, and starting, stopping and restarting by the tools."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.engines.docker_engine import RealDocker, docker_engine
from tools.contract import Caller, PlannedCall, Speech, ToolResult
from tools.engines.docker import Docker
from tools.engines.port import EngineError, Unit
from tools.names import NameIndex
from tools.server import ToolHouse
from tools.services.logs import ServiceLogs
from tools.services.power import ServicePower
from tools.settings import ToolSettings
from tools.settings_house import EngineSettings

pytestmark = pytest.mark.real_server

SLEEP = "trap 'exit 0' TERM; while :; do sleep 0.1; done"
"""Ends at once when it is asked to."""


@pytest.fixture(scope="module")
def started() -> Iterator[RealDocker]:
    with docker_engine() as engine:
        yield engine


@pytest.fixture
def docker(started: RealDocker) -> Iterator[RealDocker]:
    yield started
    started.remove_all()


@pytest.fixture
def engine(docker: RealDocker) -> Docker:
    return Docker("docker", EngineSettings(kind="docker", url=f"unix://{docker.socket}"))


async def power(engine: Docker, action: str, name: str, **service: Any) -> ToolResult:
    settings = ToolSettings.model_validate({"services": {name: service}})
    tool = ServicePower(settings, NameIndex.from_settings(settings), {"docker": engine})
    return await tool.execute(PlannedCall(tool=tool.name, arguments={"service": name, "action": action}))


async def logs(engine: Docker, name: str) -> ToolResult:
    settings = ToolSettings.model_validate({"services": {name: {}}})
    tool = ServiceLogs(settings, NameIndex.from_settings(settings), {"docker": engine})
    return await tool.execute(PlannedCall(tool=tool.name, arguments={"service": name}))


async def until(engine: Docker, name: str, what: Any) -> Unit:
    """The unit once it is so; the engine takes a moment to see it."""
    deadline = time.monotonic() + 20.0
    while not what(unit := await engine.find(name)):
        assert time.monotonic() < deadline, unit
    return unit


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_it_tells_of_each_container_what_it_does_and_since_when(docker: RealDocker, engine: Docker) -> None:
    begun = time.time()
    docker.run("jellyfin", SLEEP, Labels={"com.docker.compose.service": "media"})
    docker.run("broken", "exit 3")
    docker.wait("broken")
    docker.create("never", SLEEP)
    units = {unit.name: unit for unit in await engine.units()}

    assert set(units) == {"jellyfin", "broken", "never"}
    runs, broken, never = units["jellyfin"], units["broken"], units["never"]
    assert (runs.running, runs.exit_code, runs.restarts, runs.said, runs.image) == (True, None, 0, "running", "box")
    assert runs.labels["com.docker.compose.service"] == "media"
    assert runs.since is not None
    assert begun - 1 <= runs.since <= time.time() + 1
    assert (broken.running, broken.exit_code, broken.said) == (False, 3, "exited")
    assert (never.running, never.exit_code, never.said) == (False, None, "created")


async def test_a_health_check_is_told_as_it_stands(docker: RealDocker, engine: Docker) -> None:
    check = {"Interval": 100_000_000, "Timeout": 5_000_000_000, "Retries": 1}
    docker.run("sick", SLEEP, Healthcheck={"Test": ["CMD", "/bin/false"], **check})
    docker.run("well", SLEEP, Healthcheck={"Test": ["CMD", "/bin/true"], **check})
    docker.run("slow", SLEEP, Healthcheck={"Test": ["CMD", "/bin/true"], **check, "Interval": 3_600_000_000_000})
    await until(engine, "sick", lambda unit: unit.health == "unhealthy")
    await until(engine, "well", lambda unit: unit.health == "healthy")

    assert {unit.name: unit.health for unit in await engine.units()} == {
        "sick": "unhealthy", "well": "healthy", "slow": "starting",
    }  # fmt: skip
    docker.create("slower", SLEEP, Healthcheck={"Test": ["CMD", "/bin/true"], **check, "Interval": 3_600_000_000_000})
    begun = time.monotonic()
    assert (await power(engine, "start", "slower")).spoken == "Slower is running. It's still starting up."
    assert time.monotonic() - begun < 5.0
    assert (await power(engine, "start", "slower")).spoken == "Slower is starting already."


async def test_a_container_is_found_by_its_name_its_compose_service_and_never_by_half_an_id(
    docker: RealDocker, engine: Docker
) -> None:
    docker.run("stack-web-1", SLEEP, Labels={"com.docker.compose.service": "web"})

    assert (await engine.find("stack-web-1")).name == (await engine.find("web")).name == "stack-web-1"
    half = str(docker.inspect("stack-web-1")["Id"])[:6]
    for unknown in (half, "web2"):
        with pytest.raises(EngineError) as caught:
            await engine.find(unknown)
        assert caught.value.unknown


async def test_stop_and_start_by_the_tool_say_what_is_true_then(docker: RealDocker, engine: Docker) -> None:
    docker.run("jellyfin", SLEEP)

    assert (await power(engine, "start", "jellyfin")).spoken == "Jellyfin is running already."
    assert (await power(engine, "stop", "jellyfin")).spoken == "Jellyfin is stopped."
    assert docker.inspect("jellyfin")["State"]["Status"] == "exited"
    assert (await power(engine, "stop", "jellyfin")).spoken == "Jellyfin is stopped already."
    begun = time.monotonic()
    started = await power(engine, "start", "jellyfin")
    assert time.monotonic() - begun < 5.0
    assert started.spoken.startswith("Jellyfin is running, ")
    assert started.data["as_wanted"] is True
    assert docker.inspect("jellyfin")["State"]["Status"] == "running"


async def test_a_restart_is_over_when_the_service_answers_again(docker: RealDocker, engine: Docker) -> None:
    port = free_port()
    docker.run("web", f"trap 'exit 0' TERM; sleep 1; echo hello >/www/index.html; httpd -f -p {port} -h /www & wait")
    before = docker.inspect("web")["State"]["StartedAt"]
    told = await power(engine, "restart", "web", url=f"http://127.0.0.1:{port}/", timeout_s=1)

    assert told.spoken.startswith("Web is running again, after ")
    assert (told.data["answers"], told.findings) == (True, ())
    assert told.data["took_s"] >= 1.0
    assert docker.inspect("web")["State"]["StartedAt"] != before


async def test_one_that_falls_over_again_is_said_with_its_exit_code(docker: RealDocker, engine: Docker) -> None:
    docker.run("broken", "exit 3")
    docker.wait("broken")
    told = await power(engine, "restart", "broken")

    assert told.spoken == "Broken did not come back: it ended with exit code three."
    assert (told.data["exit_code"], told.data["as_wanted"]) == (3, False)
    assert [finding.subject for finding in told.findings] == ["broken"]


async def test_one_that_keeps_restarting_is_not_said_to_run(docker: RealDocker, engine: Docker) -> None:
    docker.run("loop", "exit 1", HostConfig={"RestartPolicy": {"Name": "always"}})
    await until(engine, "loop", lambda unit: (unit.restarts or 0) >= 3)
    told = await power(engine, "start", "loop")

    assert told.data["as_wanted"] is False
    assert told.spoken == "Loop keeps restarting: it ended with exit code one."


async def test_one_that_does_not_answer_is_not_said_to_be_back(docker: RealDocker, engine: Docker) -> None:
    docker.create("deaf", SLEEP)
    told = await power(engine, "start", "deaf", tcp=f"127.0.0.1:{free_port()}")

    assert told.spoken == "Deaf is running, but it does not answer yet: the connection is refused."
    assert told.data["as_wanted"] is False


async def test_an_order_that_the_engine_cannot_carry_out_is_said_in_words(docker: RealDocker, engine: Docker) -> None:
    docker.create("lost", "true", Entrypoint=["/bin/nothing"])
    told = await power(engine, "start", "lost")

    assert told.spoken == "I couldn't start lost: a file or program that it needs is not there."


async def test_only_the_container_of_a_stack_that_was_meant_is_touched(docker: RealDocker, engine: Docker) -> None:
    for service in ("db", "web"):
        labels = {"com.docker.compose.service": service, "com.docker.compose.project": "photos"}
        docker.run(f"photos-{service}-1", SLEEP, Labels=labels)
    assert (await power(engine, "stop", "web")).spoken == "Web is stopped."

    assert docker.inspect("photos-db-1")["State"]["Running"]
    assert not docker.inspect("photos-web-1")["State"]["Running"]


async def test_through_the_whole_call_path_a_stop_wants_a_yes_and_a_start_does_not(
    docker: RealDocker, tmp_path: Path
) -> None:
    docker.run("jellyfin", SLEEP)
    settings = ToolSettings.model_validate(
        {"services": {"jellyfin": {}}, "engines": {"box": {"kind": "docker", "url": f"unix://{docker.socket}"}}}
    )
    me = Caller(speech=Speech.ORDER, conversation="c1", turn_id="t1")
    with ToolHouse(settings, tmp_path) as house:
        asked = await house.path.call("service_power", {"service": "jelly fin", "action": "stop"}, me)
        assert (asked.error, asked.spoken) == ("needs_confirmation", "Shall I stop jellyfin?")
        assert docker.inspect("jellyfin")["State"]["Running"]

        assert asked.confirmation is not None
        yes = me.model_copy(update={"confirmation": asked.confirmation.nonce, "turn_id": "t2"})
        done = await house.path.call("service_power", {"service": "jellyfin", "action": "stop"}, yes)
        assert (done.ok, done.spoken) == (True, "Jellyfin is stopped.")
        assert not docker.inspect("jellyfin")["State"]["Running"]

        started = await house.path.call("service_power", {"service": "jellyfin", "action": "start"}, me)
        assert started.spoken.startswith("Jellyfin is running, ")
        assert docker.inspect("jellyfin")["State"]["Running"]


async def test_what_two_containers_could_be_is_not_touched(docker: RealDocker, engine: Docker) -> None:
    for project in ("photos", "books"):
        labels = {"com.docker.compose.service": "db", "com.docker.compose.project": project}
        docker.run(f"{project}-db-1", SLEEP, Labels=labels)
    told = await power(engine, "stop", "db")

    assert told.spoken.startswith("More than one thing could be db: ")
    assert all(unit.running for unit in await engine.units())


async def test_the_log_of_both_streams_is_read_with_its_times(docker: RealDocker, engine: Docker) -> None:
    docker.run("app", "echo starting; echo 'ERROR disk is full token=abc123' >&2; echo done; exit 1")
    docker.wait("app")
    lines = await engine.logs(await engine.find("app"), 100)

    assert {(line.text, line.error) for line in lines} == {  # which of two streams comes first nobody says
        ("starting", False), ("ERROR disk is full token=abc123", True), ("done", False),
    }  # fmt: skip
    assert all(line.at is not None and abs(line.at - time.time()) < 30 for line in lines)
    told = await logs(engine, "app")
    assert told.spoken == (
        "App is not running: it ended with exit code one. Its last error, just now: disk is full token=[hidden]."
    )
    assert told.tainted
    assert "abc123" not in told.model_dump_json()


async def test_the_log_of_a_container_with_a_terminal_is_read_too(docker: RealDocker, engine: Docker) -> None:
    docker.run("term", "seq 1 50; echo; echo the end", Tty=True)
    docker.wait("term")
    lines = await engine.logs(await engine.find("term"), 10)

    assert [line.text for line in lines][-3:] == ["50", "", "the end"]
    assert len(lines) == 10


async def test_a_user_who_may_not_open_the_socket_is_told_what_would_help(docker: RealDocker, engine: Docker) -> None:
    docker.socket.parent.chmod(0o755)
    docker.socket.chmod(0o600)
    assert list(await engine.units()) == []
    os.seteuid(65_534)
    try:
        with pytest.raises(EngineError) as caught:
            await engine.units()
    finally:
        os.seteuid(0)
    assert caught.value.reason == "its socket may not be opened by this user; who may, is in the group docker"


async def test_sixty_containers_are_read_within_half_a_second(docker: RealDocker, engine: Docker) -> None:
    for at in range(60):
        docker.create(f"c{at}", "true")
    taken = []
    for _ in range(5):
        begun = time.perf_counter()
        units = await engine.units()
        taken.append(time.perf_counter() - begun)

    assert len(units) == 60
    assert all(unit.restarts == 0 for unit in units)  # each was inspected
    print(f"60 containers: {sorted(taken)[2] * 1000:.0f} ms (median of 5)")  # noqa: T201
    assert sorted(taken)[2] < 0.5
