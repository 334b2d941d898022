"""Proxmox VE by its REST API and an API token: virtual machines and containers of all nodes, or of one.

Shapes from the API's documentation (``pvesh``, "API viewer"): ``cluster/resources``, ``nodes/{node}/{type}/{vmid}/…``,
and tasks, which every act is.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from typing import Any
from urllib.parse import quote

from tools.settings_house import HypervisorSettings
from tools.vms.port import HypervisorError, Machine, VmState
from tools.vms.printable import printable
from tools.web import WebError, ask_json, client, secret

SNAPSHOT_TIMEOUT_S = 300.0
TASK_PAUSE_S = 0.3
"""Between two looks at a task that runs."""

STATES = {
    "running": VmState.RUNNING,
    "stopped": VmState.OFF,
    "paused": VmState.PAUSED,
    "prelaunch": VmState.PAUSED,
    "suspended": VmState.ASLEEP,
    "shutdown": VmState.SHUTTING_DOWN,
    "internal-error": VmState.CRASHED,
    "io-error": VmState.PAUSED,
    "guest-panicked": VmState.CRASHED,
}
"""``status`` and ``qmpstatus``, the latter in QEMU's own words (RunState)."""

KEY = re.compile(r"^[\w.-]+/(qemu|lxc)/\d+$")
MAX_MACHINES = 500


class Proxmox:
    """Implements :class:`tools.vms.port.Hypervisor`. A machine's key is ``node/type/vmid``."""

    def __init__(self, name: str, settings: HypervisorSettings) -> None:
        self.name = name
        self._settings = settings
        self._base = f"{settings.url.rstrip('/')}/api2/json"

    async def machines(self) -> list[Machine]:
        """See the port. ``cluster/resources`` calls a paused machine running, so each node is asked as well."""
        told = _rows(await self._ask("GET", "/cluster/resources", params={"type": "vm"}))
        listed = [machine for one in told[:MAX_MACHINES] if not one.get("template") and (machine := _listed(one))]
        wanted = [one for one in listed if self._settings.node in (None, one.key.split("/")[0])]
        nodes = sorted({machine.key.split("/")[0] for machine in wanted if "/qemu/" in machine.key})
        states = dict(chain.from_iterable(await asyncio.gather(*(self._states(node) for node in nodes))))
        return [replace(one, state=states[one.key], since=_since(one, states)) if one.key in states else one
                for one in wanted]  # fmt: skip

    async def find(self, key: str) -> Machine:
        """See the port."""
        told, config = await asyncio.gather(
            self._ask("GET", f"{_path(key)}/status/current"), self._ask("GET", f"{_path(key)}/config")
        )
        if not isinstance(told, dict) or not isinstance(config, dict) or "status" not in told:
            raise HypervisorError("its answer is not one of Proxmox's")
        state = STATES.get(str(told.get("qmpstatus") or told.get("status")), VmState.UNKNOWN)
        return Machine(
            key=key,
            name=str(told.get("name") or key.rpartition("/")[2]),
            state=state,
            since=_started(told) if state is VmState.RUNNING else None,
            autostart=bool(config.get("onboot")),
            why="its disk has an error" if told.get("qmpstatus") == "io-error" else "",
        )

    async def start(self, key: str) -> VmState:
        """See the port."""
        asleep = (await self.find(key)).state in (VmState.PAUSED, VmState.ASLEEP)
        return await self._act(key, "resume" if asleep else "start")

    async def shutdown(self, key: str) -> VmState:
        """See the port. Its task ends when the machine is off, or gives up: it is not waited for."""
        await self._ask("POST", f"{_path(key)}/status/shutdown")
        return (await self.find(key)).state

    async def reboot(self, key: str) -> VmState:
        """See the port."""
        await self._ask("POST", f"{_path(key)}/status/reboot")
        return (await self.find(key)).state

    async def force_off(self, key: str) -> VmState:
        """See the port."""
        return await self._act(key, "stop")

    async def snapshot(self, key: str, label: str) -> None:
        """See the port."""
        task = await self._ask("POST", f"{_path(key)}/snapshot", body={"snapname": label})
        await self._done(key, task, SNAPSHOT_TIMEOUT_S)

    async def _states(self, node: str) -> list[tuple[str, VmState]]:
        """QEMU's own word on the machines of a node that run; none where the node does not answer."""
        try:
            told = _rows(await self._ask("GET", f"/nodes/{quote(node)}/qemu", params={"full": "1"}))
        except HypervisorError:
            return []
        return [
            (f"{node}/qemu/{one.get('vmid')}", STATES.get(str(one["qmpstatus"]), VmState.UNKNOWN))
            for one in told
            if one.get("qmpstatus")
        ]

    async def _act(self, key: str, what: str) -> VmState:
        task = await self._ask("POST", f"{_path(key)}/status/{what}")
        await self._done(key, task, self._settings.timeout_s)
        return (await self.find(key)).state

    async def _done(self, key: str, task: Any, timeout_s: float) -> None:
        """Wait for a task. Raises HypervisorError when it failed, or was not done in time."""
        if not isinstance(task, str) or not task.startswith("UPID:"):
            raise HypervisorError("its answer is not one of Proxmox's")
        path = f"/nodes/{quote(key.split('/')[0])}/tasks/{quote(task, safe='')}/status"
        try:
            async with asyncio.timeout(timeout_s):
                exit_status = await self._exit_status(path)
        except TimeoutError as error:
            raise HypervisorError("it was not done in time") from error
        if exit_status != "OK" and not exit_status.startswith("WARNINGS"):
            raise HypervisorError("its task failed", printable(exit_status))

    async def _exit_status(self, path: str) -> str:
        while True:
            told = await self._ask("GET", path)
            if not isinstance(told, dict):
                raise HypervisorError("its answer is not one of Proxmox's")
            if told.get("status") != "running":
                return str(told.get("exitstatus", ""))
            await asyncio.sleep(TASK_PAUSE_S)

    async def _ask(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, body: Mapping[str, str] | None = None
    ) -> Any:
        settings = self._settings
        if settings.token_file is None:
            raise HypervisorError("no token_file is configured for it")
        try:
            token = await secret(settings.token_file)
            async with client(verify_tls=settings.verify_tls, timeout_s=settings.timeout_s) as http:
                told = await ask_json(
                    http,
                    method,
                    self._base + path,
                    timeout_s=settings.timeout_s,
                    headers={"Authorization": f"PVEAPIToken={token}"},
                    params=params,
                    body=body,
                )
        except WebError as error:
            raise HypervisorError(str(error)) from error
        if not isinstance(told, dict) or "data" not in told:
            raise HypervisorError("its answer is not one of Proxmox's")
        return told["data"]


def _rows(told: Any) -> list[dict[str, Any]]:
    if not isinstance(told, list):
        raise HypervisorError("its answer is not one of Proxmox's")
    return [one for one in told if isinstance(one, dict)]


def _listed(one: Mapping[str, Any]) -> Machine | None:
    """One of ``cluster/resources``; None for what has no address."""
    key = f"{one.get('node')}/{one.get('type')}/{one.get('vmid')}"
    if not KEY.match(key):
        return None
    state = STATES.get(str(one.get("status")), VmState.UNKNOWN)
    since = _started(one) if state is VmState.RUNNING else None
    return Machine(key=key, name=str(one.get("name") or one.get("vmid")), state=state, since=since)


def _started(told: Mapping[str, Any]) -> float | None:
    """Unix seconds, from the uptime."""
    uptime = told.get("uptime")
    return time.time() - uptime if isinstance(uptime, int | float) and uptime > 0 else None


def _since(machine: Machine, states: Mapping[str, VmState]) -> float | None:
    return machine.since if states[machine.key] is VmState.RUNNING else None


def _path(key: str) -> str:
    """Of one machine. Raises HypervisorError: not a key of ours."""
    if not KEY.match(key):
        raise HypervisorError("the machine is gone")
    return f"/nodes/{key}"
