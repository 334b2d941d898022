"""What every command shares: settings (or the demo homelab), the egress guard, and errors that name the mend."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from json import dumps, loads
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from assistant import egress
from assistant.config import Settings
from assistant.config_file import load
from assistant.errors import JarvisError
from assistant.observing.logs import set_up
from assistant.state import RunningServer, StateFolder, default_state_dir
from tools.known_secrets import KNOWN

SMALL_MODEL = "qwen2.5-coder-0.5b"
INTERRUPTED = 130


class _Console(Console):
    """JSON that holds what would steer a terminal (C1 controls, marks of direction) is written as ASCII."""

    def print_json(self, json: str | None = None, *, data: Any = None, **options: Any) -> None:
        """As Rich's."""
        text = dumps(data, ensure_ascii=False) if json is None else json
        # as it is parsed: an escape in it is a character again
        plain = dumps(loads(text), ensure_ascii=False).isprintable()
        super().print_json(json, data=data, **{"ensure_ascii": not plain, **options})


out = _Console(highlight=False)
err = Console(stderr=True, highlight=False)

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="jarvis.toml to use; else the usual places.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object (docs/json-output.md).")]
SmallOption = Annotated[bool, typer.Option("--small", help="The smaller embedded model (0.5B).")]


@dataclass(frozen=True, slots=True)
class House:
    """What is configured, or that nothing is and the demo stands in."""

    settings: Settings
    demo: bool

    @property
    def state_dir(self) -> Path:
        """Where this house keeps its state."""
        if self.demo:
            from assistant.demo.homelab import demo_state

            return demo_state(self.demo_dir)
        return self.settings.state_dir or default_state_dir()

    @property
    def demo_dir(self) -> Path:
        """The demo homelab's own folder: removing it costs nothing else."""
        return (self.settings.state_dir or default_state_dir()) / "demo"

    def running_server(self) -> RunningServer | None:
        """The ``jarvis serve`` of this house, if it runs."""
        return StateFolder(self.state_dir).running_server()


def read_house(config: Path | None, *, small: bool = False) -> House:
    """Settings from the file and the environment, and the guard installed over them. Raises ConfigError."""
    loaded = load(config)
    settings = loaded.settings
    if small:
        settings = settings.model_copy(
            update={"model": settings.model.model_copy(update={"embedded": SMALL_MODEL, "discover": False})}
        )
    KNOWN.learn(settings)
    set_up(settings.log_level, settings.logging.format)
    egress.install(settings.privacy.allow_hosts)
    return House(settings, demo=not settings.connected)


@asynccontextmanager
async def furnished(house: House) -> AsyncIterator[Settings]:
    """The settings to open the app with; the demo homelab runs meanwhile where nothing is configured."""
    if not house.demo:
        yield house.settings
        return
    from assistant.demo.homelab import demo_homelab

    err.print("[dim]Nothing is configured (no jarvis.toml): this is the demo homelab.[/]")
    async with demo_homelab(house.demo_dir, house.settings, lambda text: err.print(f"[dim]  {text} …[/]")) as settings:
        yield settings


def run(work: Coroutine[Any, Any, int | None], *, as_json: bool = False) -> None:
    """Run a command to its exit code; a JarvisError is one clear message, with JARVIS_DEBUG=1 a traceback."""
    with errors_explained(as_json=as_json):
        code = asyncio.run(work)
        if code:
            raise typer.Exit(code)


class errors_explained:  # noqa: N801 - reads as what it does
    """Context manager: JarvisError, alone or in a task group's → message and exit code; Ctrl-C → 130."""

    def __init__(self, *, as_json: bool = False) -> None:
        self._as_json = as_json

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, KeyboardInterrupt):
            raise typer.Exit(INTERRUPTED) from None
        error = ours(error)
        if error is None or os.environ.get("JARVIS_DEBUG") == "1":
            return
        if self._as_json:
            out.print_json(json.dumps({"error": {"code": error.code, "detail": error.detail, "mend": error.mend}}))
        err.print(
            f"[bold red]{type(error).__name__.removesuffix('Error')} error:[/] {escape(error.detail)}", soft_wrap=True
        )
        if error.mend:
            err.print(f"[bold]What to do:[/] {escape(error.mend)}", soft_wrap=True)
        raise typer.Exit(error.exit_code) from None


def ours(error: BaseException | None) -> JarvisError | None:
    """The error of ours in an exception: task groups wrap what is raised inside them."""
    if isinstance(error, BaseExceptionGroup):
        return next((found for inner in error.exceptions if (found := ours(inner)) is not None), None)
    return error if isinstance(error, JarvisError) else None


def escape(text: str) -> str:
    """Text that is data, not Rich markup, without control characters."""
    return "".join(c for c in text if c.isprintable() or c == "\n").replace("[", r"\[")
