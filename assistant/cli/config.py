"""``jarvis config``: show it, check it, its schema, an example."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from assistant.cli.common import ConfigOption, JsonOption, err, errors_explained, out
from tools.known_secrets import KNOWN

config_app = typer.Typer(no_args_is_help=True, help="The configuration: show, check, schema, example.")


@config_app.command()
def show(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Every setting in force and where it comes from; secrets stand in files and are never shown."""
    from assistant.config_file import load
    from assistant.config_pages import as_toml, hidden, in_force

    with errors_explained(as_json=as_json):
        loaded = load(config)
    if as_json:
        KNOWN.learn(loaded.settings)
        out.print_json(json.dumps(KNOWN.hide_in(hidden(loaded.settings.model_dump(mode="json")))))
        return
    out.print(f"# {loaded.file or 'There is no jarvis.toml: the defaults.'}", markup=False, soft_wrap=True)
    for setting, value, origin in in_force(loaded):
        shown = "(not set)" if value is None else as_toml(value) if not isinstance(value, dict) else "(none)"
        where = "" if origin == "default" else f"   # from {origin if origin != 'file' else 'the file'}"
        out.print(f"{setting} = {shown}{where}", markup=False, soft_wrap=True)


@config_app.command()
def check(config: ConfigOption = None) -> None:
    """Say what is wrong with the configuration. Exit code 3 when it cannot be used."""
    from assistant.config_file import load, warnings

    with errors_explained():
        loaded = load(config)
    house = loaded.settings
    what = f"{len(house.services)} services, {len(house.backups)} backups, {len(house.mcp_servers)} outside MCP servers"
    found = list(warnings(house))
    verdict = "it can be used, but" if found else "ok"
    out.print(f"{loaded.file or 'No jarvis.toml; the defaults'}: {verdict} ({what}).", markup=False, soft_wrap=True)
    for warning in found:
        out.print(f"  {warning}", markup=False, soft_wrap=True)


@config_app.command()
def schema() -> None:
    """The JSON schema of jarvis.toml, for editors."""
    from assistant.config import Settings

    sys.stdout.write(json.dumps(Settings.model_json_schema(), indent=2) + "\n")


@config_app.command()
def example(
    markdown: Annotated[bool, typer.Option("--markdown", help="The table of docs/configuration.md.")] = False,
) -> None:
    """A jarvis.toml with every setting and its default, to start from."""
    from assistant.config_pages import example as example_file
    from assistant.config_pages import markdown as table

    sys.stdout.write(table() if markdown else example_file())
    if sys.stdout.isatty():
        err.print("[dim]`jarvis config example > jarvis.toml` keeps it.[/]")
