"""Portainer (CE 2.x): the containers of one of its environments, and its stacks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

from tools import web
from tools.engines.docker import ORDER_TIMEOUT_S, Containers
from tools.engines.docker_api import DockerApi
from tools.engines.docker_said import COMPOSE_PROJECT
from tools.engines.port import EngineError, LogLine, Unit
from tools.settings_house import EngineSettings

DOCKER_ENVIRONMENTS = frozenset({1, 2, 4})
"""Types of environment with Docker behind them: Docker, Docker agent, Docker edge agent. The others are Kubernetes."""

STACK = "stack:"
"""Begins the id of a unit that is a stack."""

_ACTIVE = 1


class Portainer(Containers):
    """With an API key (``X-API-Key``). A name that no container has may be a stack's."""

    kind: ClassVar[str] = "portainer"

    def __init__(self, name: str, settings: EngineSettings) -> None:
        super().__init__(name, settings)
        self._endpoint = settings.endpoint

    async def _api(self) -> tuple[DockerApi, str]:
        api = await self._portainer()
        if self._endpoint is None:
            self._endpoint = await self._first(api)
        return api, f"/api/endpoints/{self._endpoint}/docker"

    async def _portainer(self) -> DockerApi:
        if not self._settings.url or self._settings.token_file is None:
            raise EngineError("it needs url and token_file in the configuration")
        try:
            key = await web.secret(self._settings.token_file, "API key")
        except web.WebError as error:
            raise EngineError(str(error)) from error
        return DockerApi(
            url=self._settings.url.rstrip("/"),
            socket=None,
            verify_tls=self._settings.verify_tls,
            timeout_s=self._settings.timeout_s,
            headers={"X-API-Key": key},
        )

    @staticmethod
    async def _first(api: DockerApi) -> int:
        async with api.open() as http:
            raw: Any = await api.json(http, "GET", "/api/endpoints")
        try:
            return min(int(one["Id"]) for one in raw if one["Type"] in DOCKER_ENVIRONMENTS)
        except (ValueError, TypeError, KeyError) as error:  # min() of none is a ValueError
            raise EngineError("it shows me no environment with Docker") from error

    async def find(self, name: str) -> Unit:
        """A container, else a stack."""
        try:
            return await super().find(name)
        except EngineError as error:
            if not error.unknown:
                raise
        for stack in await self._stacks():
            if stack.name == name:
                return stack
        raise EngineError(f"it has no container or stack called {name}", unknown=True)

    async def _stacks(self) -> list[Unit]:
        api, _ = await self._api()
        async with api.open() as http:
            raw: Any = await api.json(http, "GET", "/api/stacks")
        try:
            return [
                Unit(
                    id=f"{STACK}{int(one['Id'])}",
                    name=str(one["Name"]),
                    running=one["Status"] == _ACTIVE,
                    said="active" if one["Status"] == _ACTIVE else "inactive",
                )
                for one in raw or ()
                if one["EndpointId"] == self._endpoint
            ]
        except (ValueError, TypeError, KeyError) as error:
            raise EngineError("its list of stacks cannot be understood") from error

    async def start(self, unit: Unit) -> None:
        """A stack as a whole."""
        await (self._order_stack(unit, "start") if unit.id.startswith(STACK) else super().start(unit))

    async def stop(self, unit: Unit) -> None:
        """A stack as a whole."""
        await (self._order_stack(unit, "stop") if unit.id.startswith(STACK) else super().stop(unit))

    async def restart(self, unit: Unit) -> None:
        """Portainer has no order for it: stopped, then started."""
        if not unit.id.startswith(STACK):
            await super().restart(unit)
            return
        if unit.running:
            await self._order_stack(unit, "stop")
        await self._order_stack(unit, "start")

    async def _order_stack(self, unit: Unit, verb: str) -> None:
        api, _ = await self._api()
        path = f"/api/stacks/{unit.id.removeprefix(STACK)}/{verb}"
        async with api.open() as http:
            await api.json(http, "POST", path, timeout_s=ORDER_TIMEOUT_S, params={"endpointId": str(self._endpoint)})

    async def logs(self, unit: Unit, lines: int) -> Sequence[LogLine]:
        """Of a stack: those of its containers, by time."""
        if not unit.id.startswith(STACK):
            return await super().logs(unit, lines)
        members = [one for one in await self.units() if one.labels.get(COMPOSE_PROJECT) == unit.name]
        found = await asyncio.gather(*(super(Portainer, self).logs(one, lines) for one in members))
        together = sorted((line for lines_ in found for line in lines_), key=lambda line: line.at or 0.0)
        return together[-lines:]
