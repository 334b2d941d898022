"""What runs services: Docker, Podman, Portainer, systemd and launchd behind one port (``docs/engines.md``)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from tools.engines.docker import DOCKER_SOCKET, Docker, Podman
from tools.engines.launchd import Launchd
from tools.engines.port import Engine
from tools.engines.portainer import Portainer
from tools.engines.systemd import Systemd
from tools.settings import ToolSettings
from tools.settings_house import EngineSettings

BOOTED_WITH_SYSTEMD = Path("/run/systemd/system")
"""Is there where systemd runs the machine: sd_booted(3)."""


def make(name: str, settings: EngineSettings) -> Engine:
    """The engine that these settings describe. Touches nothing; what is wrong is said when it is asked."""
    if settings.kind == "docker":
        return Docker(name, settings)
    if settings.kind == "podman":
        return Podman(name, settings)
    if settings.kind == "portainer":
        return Portainer(name, settings)
    if settings.kind == "systemd":
        return Systemd(name, settings)
    return Launchd(name, settings)


def engines_of(settings: ToolSettings) -> Mapping[str, Engine]:
    """By name: those that are configured; where none is, what this machine has, under the name of its kind, unless
    ``local_engines`` says no."""
    found = settings.engines or (at_hand() if settings.local_engines else {})
    return {name: make(name, engine) for name, engine in found.items()}


def at_hand(
    platform: str = sys.platform, booted: Path = BOOTED_WITH_SYSTEMD, docker: Path = DOCKER_SOCKET
) -> dict[str, EngineSettings]:
    """What runs services on this machine without being configured."""
    found: dict[str, EngineSettings] = {}
    if docker.is_socket():
        found["docker"] = EngineSettings(kind="docker", url=f"unix://{docker}")
    if booted.is_dir():
        found["systemd"] = EngineSettings(kind="systemd")
    if platform == "darwin":
        found["launchd"] = EngineSettings(kind="launchd", user=True)
    return found
