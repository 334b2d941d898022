"""What is soaked: the demo homelab, with an engine that counts, a scripted model, tokens and a satellite; as a
``jarvis.toml`` for a server of its own."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.config import Settings
from assistant.demo.homelab import demo_homelab, demo_state, read_homelab
from assistant.soak.engine import CountingEngine
from assistant.soak.satellite import Satellite, satellite
from assistant.soak.scripted_model import scripted_model
from assistant.soak.serving import application

ENGINE, SATELLITE, ROOM = "lab", "soak", "office"
ROLES = ("owner", "member", "guest")
OF_THE_MACHINE = ("models_dir", "transcriber", "synthesizer", "wake", "endpoint")
"""What a person's own jarvis.toml says of ears and mouth counts in the soak, too."""


@dataclass(frozen=True, slots=True)
class House:
    """``tokens``: by role; ``wyoming``: port of that door; ``states``: what is true of each service."""

    config: Path
    state: Path
    engine: CountingEngine
    device: Satellite
    tokens: Mapping[str, str]
    wyoming: int
    states: Mapping[str, str]


@asynccontextmanager
async def soaked_house(
    folder: Path, base: Settings, containers: int, say: Callable[[str], None] = lambda _: None
) -> AsyncIterator[House]:
    """Build it below ``folder``, run it, and write its configuration. ``containers``: so many services are run by
    the engine. Raises StateError."""
    homelab = read_homelab()
    states = {name: service.state for name, service in homelab.services.items()}
    engine = CountingEngine([name for name, state in states.items() if state == "up"][:containers])
    tokens = {role: secrets.token_urlsafe(24) for role in ROLES}
    own = Settings(**{name: getattr(base, name) for name in OF_THE_MACHINE})
    socket = folder / "engine.sock"
    async with (
        demo_homelab(folder, own, say) as demo,
        application(engine.app, path=socket),
        application(scripted_model()) as model,
        satellite(SATELLITE) as device,
    ):
        wyoming = free_port()
        settings = demo.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
        settings |= {
            "engines": {ENGINE: {"kind": "docker", "url": f"unix://{socket}"}},
            "model": {"base_url": f"http://127.0.0.1:{model}/v1", "discover": False},
            "server": {
                "tokens_file": str(_tokens_file(folder, tokens)),
                "requests_a_minute": 0,
                "wrong_tokens_a_minute": 10_000,
            },
            "satellites": {SATELLITE: {"url": f"tcp://127.0.0.1:{device.port}", "room": ROOM}},
            "wyoming": {"enabled": True, "port": wyoming},
        }
        config = folder / "jarvis.toml"
        config.write_text(toml(settings), encoding="utf-8")
        yield House(config, demo_state(folder), engine, device, tokens, wyoming, states)


def toml(settings: Mapping[str, Any]) -> str:
    """One ``key = value`` a line; tables inline. JSON's strings, numbers and booleans are TOML's, too."""
    return "".join(f"{json.dumps(key)} = {_value(value)}\n" for key, value in settings.items())


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {_value(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _tokens_file(folder: Path, tokens: Mapping[str, str]) -> Path:
    path = folder / "tokens.txt"
    path.touch(mode=0o600)
    path.write_text("".join(f"soak {role}:{role}:{token}\n" for role, token in tokens.items()), encoding="utf-8")
    return path


def free_port() -> int:
    """One of loopback that nobody listens on now."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
