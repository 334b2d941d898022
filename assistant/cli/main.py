"""``jarvis``: the command line. Commands import what they need when they run, so that --help is quick."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from assistant import egress
from assistant.cli.ask import ask
from assistant.cli.common import (
    ConfigOption,
    JsonOption,
    SmallOption,
    err,
    errors_explained,
    escape,
    furnished,
    out,
    read_house,
    run,
)
from assistant.cli.config import config_app
from assistant.cli.demo import demo
from assistant.cli.digest import digest
from assistant.cli.doctor import doctor
from assistant.cli.listen import listen
from assistant.cli.repl import repl
from assistant.cli.satellites import satellites
from assistant.cli.say import say
from assistant.cli.status import status
from assistant.cli.token import token_app
from assistant.cli.tools import tools_app
from assistant.cli.turns import turns
from assistant.cli.wake import wake

EXIT_BUG = 70
"""EX_SOFTWARE of sysexits.h."""

app = typer.Typer(
    name="jarvis",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A voice and chat assistant that lives on your home server. Nothing leaves the house.",
)
for command in (demo, ask, repl, listen, say, wake, turns, digest, status, satellites, doctor):
    app.command()(command)
app.add_typer(tools_app, name="tools")
app.add_typer(config_app, name="config")
app.add_typer(token_app, name="token")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to bind instead of the configured one.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port instead of the configured one.")] = None,
    small: SmallOption = False,
    config: ConfigOption = None,
) -> None:
    """Serve POST /command for phones and /mcp for chat pages, until Ctrl-C."""
    with errors_explained():
        house = read_house(config, small=small)

    async def work() -> None:
        from assistant.server.run import serve as serve_until_stopped

        async with furnished(house) as settings:
            await serve_until_stopped(settings, host=host, port=port)

    run(work())


@app.command()
def mcp(config: ConfigOption = None) -> None:
    """The tools as an MCP server over stdio, for Claude Desktop and the like."""
    with errors_explained():
        house = read_house(config)

    async def work() -> None:
        from assistant.server.run import mcp_stdio

        server = house.running_server()
        if server is not None:
            await mcp_stdio(house.settings, server)
            return
        async with furnished(house) as settings:
            await mcp_stdio(settings, None)

    run(work())


@app.command()
def version(as_json: JsonOption = False) -> None:
    """The version of this installation."""
    from assistant.app import app_version

    if as_json:
        out.print_json(data={"version": app_version()})
    else:
        out.print(app_version())


def _guard_models(ctx: typer.Context) -> None:
    """Only pulling goes out."""
    if ctx.invoked_subcommand != "pull":
        egress.install()


def _guard_service(ctx: typer.Context) -> None:
    """What looks up the hosts that are allowed is guarded once it knows them."""
    if ctx.invoked_subcommand not in ("install", "refresh"):
        egress.install()


def _add_heavier_commands() -> None:
    """Sub-commands whose modules are only needed by themselves."""
    from assistant.cli.access import access
    from assistant.cli.audit import audit_app
    from assistant.cli.backups import backups_app
    from assistant.cli.bench import bench_app
    from assistant.cli.catalog import catalog_app
    from assistant.cli.evaluate import evaluate
    from assistant.cli.models import models_app
    from assistant.cli.service import service_app
    from assistant.cli.soak import soak
    from assistant.cli.state import state_app

    app.add_typer(models_app, name="models", callback=_guard_models)
    app.command("eval")(evaluate)
    app.command()(access)
    app.command()(soak)
    app.add_typer(bench_app, name="bench")
    app.add_typer(backups_app, name="backups")
    app.add_typer(audit_app, name="audit")
    app.add_typer(catalog_app, name="catalog")
    app.add_typer(state_app, name="state")
    app.add_typer(service_app, name="service", callback=_guard_service)


_add_heavier_commands()


@app.callback()
def root(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="jarvis.toml to use; else the usual places.", show_default=False),
    ] = None,
) -> None:
    """Options of every command; the egress guard stands before any of them but `models pull`."""
    if config is not None:
        os.environ["JARVIS_CONFIG"] = str(config)
    if ctx.invoked_subcommand not in ("models", "service"):
        egress.install()


def main() -> None:
    """Entry point of the ``jarvis`` command: a bug of ours is one message, and a traceback with JARVIS_DEBUG=1."""
    try:
        app()
    except Exception as error:
        if os.environ.get("JARVIS_DEBUG") == "1":
            raise
        err.print(f"[bold red]This is a bug in Jarvis:[/] {type(error).__name__}: {escape(str(error))}")
        err.print("The same command with JARVIS_DEBUG=1 shows where; please report it.")
        sys.exit(EXIT_BUG)
