"""Docker and Podman: containers, over the engine's own HTTP API."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

import httpx

from tools.engines.docker_api import DockerApi, TooMuchError
from tools.engines.docker_said import COMPOSE_SERVICE, inspected, listed
from tools.engines.port import EngineError, LogLine, Unit
from tools.settings_house import EngineSettings

DOCKER_SOCKET = Path("/var/run/docker.sock")
PODMAN_SOCKET = Path("/run/podman/podman.sock")

STOP_GRACE_S = 10
"""What a container gets to end by itself before it is killed: Docker's own default."""

ORDER_TIMEOUT_S = 30.0
"""An order is answered when it is carried out: stopping takes STOP_GRACE_S and then the killing."""

INSPECTED_AT_ONCE = 8

FEWER = 20
"""Of a log with too much in it so many times fewer lines are asked for."""

_MALFORMED = (ValueError, TypeError, KeyError, AttributeError)


class Containers:
    """The containers of an engine that speaks Docker's API below ``prefix``. All but ``units`` may be asked of it by
    the name of a container, or of a compose service that has one container."""

    kind: ClassVar[str]

    def __init__(self, name: str, settings: EngineSettings) -> None:
        self.name = name
        self._settings = settings

    async def _api(self) -> tuple[DockerApi, str]:
        """The API, and the path before ``/containers``. Raises EngineError."""
        raise NotImplementedError

    async def units(self) -> Sequence[Unit]:
        """All containers. Those that cannot be inspected before half the time is over are as the list says."""
        api, prefix = await self._api()
        async with api.open() as http:
            found = await _list(api, http, prefix)
            free = asyncio.Semaphore(INSPECTED_AT_ONCE)

            async def look(at: int) -> None:
                async with free:
                    try:
                        found[at] = await _inspect(api, http, prefix, found[at].id)
                    except (EngineError, httpx.HTTPError, TimeoutError):
                        return  # it may have gone meanwhile: what the list said stands

            try:
                async with asyncio.timeout(self._settings.timeout_s / 2), asyncio.TaskGroup() as group:
                    for at in range(len(found)):
                        group.create_task(look(at))
            except TimeoutError:
                pass
        return found

    async def find(self, name: str) -> Unit:
        """The container of that name, else the only one of that compose service."""
        api, prefix = await self._api()
        async with api.open() as http:
            try:
                unit = await _inspect(api, http, prefix, name)
            except EngineError as error:
                if not error.unknown:
                    raise
            else:
                if name in (unit.name, unit.id):  # the engine also takes the beginning of an id
                    return unit
            wanted = json.dumps({"label": [f"{COMPOSE_SERVICE}={name}"]})
            found = await _list(api, http, prefix, {"filters": wanted})
            if not found:
                raise EngineError(f"it has no container called {name}", unknown=True)
            if len(found) > 1:
                raise EngineError(f"it has several containers of the compose service {name}; name one as unit")
            return await _inspect(api, http, prefix, found[0].id)

    async def start(self, unit: Unit) -> None:
        """Also one that is paused."""
        await self._order(unit, "unpause" if unit.said == "paused" else "start")

    async def stop(self, unit: Unit) -> None:
        """Killed after STOP_GRACE_S."""
        await self._order(unit, "stop", {"t": str(STOP_GRACE_S)})

    async def restart(self, unit: Unit) -> None:
        """Stopped like that, then started."""
        await self._order(unit, "restart", {"t": str(STOP_GRACE_S)})

    async def logs(self, unit: Unit, lines: int) -> Sequence[LogLine]:
        """What it wrote to stdout and stderr."""
        api, prefix = await self._api()
        where = f"{prefix}/containers/{quote(unit.id, safe='')}"
        async with api.open() as http:
            raw = await api.json(http, "GET", f"{where}/json")
            terminal = isinstance(raw, dict) and bool((raw.get("Config") or {}).get("Tty"))
            try:
                return await _log(api, http, f"{where}/logs", lines, terminal)
            except TooMuchError:
                return await _log(api, http, f"{where}/logs", max(lines // FEWER, 1), terminal)

    async def _order(self, unit: Unit, verb: str, params: dict[str, str] | None = None) -> None:
        api, prefix = await self._api()
        path = f"{prefix}/containers/{quote(unit.id, safe='')}/{verb}"
        async with api.open() as http:
            await api.json(http, "POST", path, timeout_s=ORDER_TIMEOUT_S, params=params)


async def _list(
    api: DockerApi, http: httpx.AsyncClient, prefix: str, params: dict[str, str] | None = None
) -> list[Unit]:
    raw: Any = await api.json(http, "GET", f"{prefix}/containers/json", params={"all": "1", **(params or {})})
    try:
        return [listed(one) for one in raw]
    except _MALFORMED as error:
        raise EngineError("its answer is not what a container engine says") from error


async def _inspect(api: DockerApi, http: httpx.AsyncClient, prefix: str, which: str) -> Unit:
    raw: Any = await api.json(http, "GET", f"{prefix}/containers/{quote(which, safe='')}/json")
    try:
        return inspected(raw)
    except _MALFORMED as error:
        raise EngineError("its answer is not what a container engine says") from error


async def _log(api: DockerApi, http: httpx.AsyncClient, path: str, lines: int, terminal: bool) -> list[LogLine]:
    asked = {"stdout": "1", "stderr": "1", "timestamps": "1", "tail": str(lines)}
    return await api.log(http, path, lines=lines, terminal=terminal, params=asked)


class Docker(Containers):
    """Over its socket, or over HTTP where its address is given."""

    kind: ClassVar[str] = "docker"
    _rights: ClassVar[str] = " by this user; who may, is in the group docker"

    async def _api(self) -> tuple[DockerApi, str]:
        url = self._settings.url or f"unix://{self._usual_socket()}"
        socket = urlsplit(url).path if url.startswith("unix:") else None
        return DockerApi(
            url="http://engine" if socket else url.replace("tcp://", "http://", 1).rstrip("/"),
            socket=socket,
            verify_tls=self._settings.verify_tls,
            timeout_s=self._settings.timeout_s,
            rights=self._rights,
        ), ""

    @staticmethod
    def _usual_socket() -> Path:
        return DOCKER_SOCKET


class Podman(Docker):
    """Its service speaks Docker's API (``systemctl enable --now podman.socket``, for a user with ``--user``)."""

    kind: ClassVar[str] = "podman"
    _rights: ClassVar[str] = " by this user; each user has a podman of its own, and a socket for it"

    @staticmethod
    def _usual_socket() -> Path:
        own = Path(os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")) / "podman" / "podman.sock"
        return own if own.exists() else PODMAN_SOCKET
