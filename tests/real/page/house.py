"""``jarvis serve`` with the demo homelab, machines of libvirt's test driver, and tokens of three roles."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from anyio.from_thread import start_blocking_portal
from starlette.applications import Starlette

from assistant.demo.homelab import demo_homelab
from assistant.server.page import PageDoor
from tests.serving import Served, serving

LAB = """
<node>
  <domain type='test'><name>endeavour</name><memory>8192</memory><os><type>hvm</type></os></domain>
  <domain type='test'><name>windows</name><memory>8192</memory><os><type>hvm</type></os></domain>
  <domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
    <name>sandbox</name><memory>8192</memory><os><type>hvm</type></os><test:runstate>5</test:runstate>
  </domain>
</node>
"""
TOKENS = {"anna": "owner", "ben": "member", "carla": "guest"}
HOSTILE = '<img src=x onerror="document.title=1">'
"""The name of a service, as somebody might have given it who can write the catalogue."""


def token_of(name: str) -> str:
    """Of one of TOKENS."""
    return f"{name}-0123456789abcdef0123456789abcdef"


@contextmanager
def page_house(folder: Path, models_dir: Path, *, hostile: bool = True) -> Iterator[Served]:
    """The house in that folder; it wants one of TOKENS, and goes by the name house.test, too. ``hostile``: one of its
    services has the name HOSTILE."""
    (folder / "lab.xml").write_text(LAB)
    tokens = folder / "tokens"
    tokens.touch(mode=0o600)
    tokens.write_text("".join(f"{name}:{role}:{token_of(name)}\n" for name, role in TOKENS.items()))
    with (
        start_blocking_portal() as portal,  # the demo's services go on answering in its thread
        portal.wrap_async_context_manager(demo_homelab(folder / "demo")) as settings,
    ):
        made = settings.model_dump(mode="json", include={"services", "backups"}, exclude_defaults=True)
        made |= {
            "engine": "sentences",
            "local_engines": False,
            "server": {"tokens_file": str(tokens), "allowed_hosts": ["house.test"]},
            "hypervisors": {"lab": {"url": f"test://{folder / 'lab.xml'}"}},
            "vms": {"endeavour": {"aliases": ["the main vm"]}, "windows": {}, "sandbox": {}},
        }
        if hostile:
            made["services"][HOSTILE] = {"url": "http://127.0.0.1:1/"}
        configuration = "\n".join(f"{name} = {toml(value)}" for name, value in made.items())
        # The demo's records of restore tests are in its own state folder, so the server takes that one.
        with serving(folder, configuration, JARVIS_STATE=str(settings.state_dir), JARVIS_MODELS=str(models_dir)) as one:
            yield one


@contextmanager
def served_files() -> Iterator[str]:
    """The page's files and nothing behind them; the server is gone afterwards."""
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=PageDoor().routes), log_level="error"))
    with socket.create_server(("127.0.0.1", 0)) as bound, start_blocking_portal() as portal:
        serving_them = portal.start_task_soon(server.serve, [bound])
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            serving_them.result()


def toml(value: object) -> str:
    """JSON's values as TOML's inline ones; what is null is left out."""
    if isinstance(value, Mapping):
        inside = ", ".join(f"{json.dumps(key)} = {toml(one)}" for key, one in value.items() if one is not None)
        return f"{{{inside}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value)
