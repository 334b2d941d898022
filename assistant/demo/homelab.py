"""The demo homelab of ``homelab.yaml``, from real parts, in a state folder of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, HttpUrl

from assistant.config import Settings
from assistant.demo.backups import JOBS, DemoBackups
from assistant.demo.services import State, demo_services
from assistant.state import StateFolder
from tools.settings import BackupKind, ServiceSettings

YAML = Path(__file__).with_name("homelab.yaml")
BUILD_WAIT_S = 60.0
"""Another process may be making the backups; that takes a few seconds."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DemoService(_Strict):
    """One service as ``homelab.yaml`` has it; ``port`` is the one it has in a real house."""

    aliases: tuple[str, ...] = ()
    state: State
    port: int


class DemoBackup(_Strict):
    """One job as ``homelab.yaml`` has it."""

    kind: BackupKind
    aliases: tuple[str, ...] = ()
    verdict: str


class Homelab(_Strict):
    """The whole file. Machines and the home come with the tools that need them."""

    services: dict[str, DemoService]
    backups: dict[str, DemoBackup]
    vms: dict[str, Any] = {}
    home: dict[str, Any] = {}
    home_aliases: dict[str, str] = {}


def read_homelab(path: Path = YAML) -> Homelab:
    """Raises OSError, yaml.YAMLError, pydantic.ValidationError."""
    return Homelab.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def demo_state(folder: Path) -> Path:
    """The assistant's state folder within the demo's own folder."""
    return folder / "state"


@asynccontextmanager
async def demo_homelab(
    folder: Path, base: Settings | None = None, say: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Settings]:
    """Build it below ``folder``, run its services, and yield settings that describe it. Raises StateError.

    ``base``: settings for everything that is not the house (ears, mouth, model, …). Two processes that build at the
    same time wait for each other; the services are each process's own.
    """
    homelab = read_homelab()
    state = demo_state(folder)
    aliases = {job: homelab.backups[job].aliases for job in JOBS}
    backups = DemoBackups(folder / "backups", aliases)
    prepared = StateFolder.prepared(folder)
    with ExitStack() as building:
        await asyncio.to_thread(building.enter_context, prepared.owned(BUILD_WAIT_S))
        await backups.build(state, say)
    async with demo_services({name: service.state for name, service in homelab.services.items()}) as ports:
        services = {
            name: ServiceSettings(url=HttpUrl(f"http://127.0.0.1:{ports[name]}/"), aliases=service.aliases)
            for name, service in homelab.services.items()
        }
        yield (base or Settings()).model_copy(
            update={
                "services": services,
                "backups": backups.settings(),
                "state_dir": state,
                "local_engines": False,  # the demo's services are not those of the machine that it runs on
            }
        )
