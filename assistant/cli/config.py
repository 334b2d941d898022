"""``jarvis config``: show it, check it, its schema, an example."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from assistant.cli.common import ConfigOption, JsonOption, err, errors_explained, out

config_app = typer.Typer(no_args_is_help=True, help="The configuration: show, check, schema, example.")


@config_app.command()
def show(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """The settings in force; secrets stand in files and are never shown."""
    from assistant.config_file import as_toml, load

    with errors_explained(as_json=as_json):
        loaded = load(config)
    values = loaded.settings.model_dump(mode="json", exclude_none=True)
    if as_json:
        out.print_json(json.dumps(values))
        return
    changed_by = f", changed by {', '.join(loaded.variables)}" if loaded.variables else ""
    out.print(f"# from {loaded.file or 'the defaults: there is no jarvis.toml'}{changed_by}", soft_wrap=True)
    for line in _toml_lines(values, "", as_toml):
        out.print(line, markup=False, soft_wrap=True)


@config_app.command()
def check(config: ConfigOption = None) -> None:
    """Say what is wrong with the configuration. Exit code 3 when anything is."""
    from assistant.config_file import load

    with errors_explained():
        loaded = load(config)
    house = loaded.settings
    what = f"{len(house.services)} services, {len(house.backups)} backups, {len(house.mcp_servers)} outside MCP servers"
    out.print(f"{loaded.file or 'No jarvis.toml; the defaults'}: ok ({what}).", soft_wrap=True)


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
    from assistant import config_file

    sys.stdout.write(config_file.markdown() if markdown else config_file.example())
    if sys.stdout.isatty():
        err.print("[dim]`jarvis config example > jarvis.toml` keeps it.[/]")


def _toml_lines(values: dict[str, object], section: str, render) -> list[str]:  # type: ignore[no-untyped-def]
    """Plain values first, then the sections, as TOML wants it."""
    plain = [f"{_key(key)} = {render(value)}" for key, value in values.items() if not isinstance(value, dict)]
    lines = [f"\n[{section}]", *plain] if section and plain else plain
    for key, value in values.items():
        if isinstance(value, dict):
            name = f"{section}.{_key(key)}" if section else _key(key)
            lines += _toml_lines(value, name, render)
    return lines


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else json.dumps(key)
