"""``jarvis tools``: list them, call one."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.table import Table

from assistant.cli.common import ConfigOption, House, JsonOption, err, errors_explained, escape, out, read_house, run
from assistant.cli.completion import complete_argument, complete_tool, remember_tools
from assistant.outside_servers import OutsideHealth

tools_app = typer.Typer(no_args_is_help=True, help="The MCP tools: list them, call one.")


@tools_app.command("list")
def list_tools(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Every tool with its arguments."""
    with errors_explained(as_json=as_json):
        house = read_house(config)
    run(_list(house, as_json=as_json), as_json=as_json)


@tools_app.command()
def call(
    name: Annotated[str, typer.Argument(help="Tool, e.g. check_backups.", autocompletion=complete_tool)],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUE…", help="Arguments; names as people say them.", autocompletion=complete_argument
        ),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Call a tool directly, without a turn. Exit code 1 when it was refused or failed."""
    with errors_explained(as_json=as_json):
        house = read_house(config)
        values = read_arguments(arguments or [])
    run(_call(house, name, values, as_json=as_json), as_json=as_json)


def read_arguments(pairs: list[str]) -> dict[str, object]:
    """key=value → arguments; numbers, true and false are read as such, everything else is text."""
    values: dict[str, object] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise typer.BadParameter(f"{pair!r} is not KEY=VALUE.")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        values[key] = text if isinstance(value, dict | list | None) else value
    return values


async def _list(house: House, *, as_json: bool) -> None:
    from assistant.cli.session import open_session
    from tools.contract import Door

    async with open_session(house, Door.CLI) as session:
        tools, outside = await session.tools(), await session.outside()
    remember_tools(house.state_dir, {tool.name: list(tool.input_schema.get("properties", {})) for tool in tools})
    if as_json:
        listed = [
            {"name": t.name, "description": t.description, "read_only": t.read_only, "input_schema": t.input_schema}
            for t in tools
        ]
        out.print_json(json.dumps(listed))
        return
    table = Table("tool", "arguments", "changes", "what it is for", box=None, padding=(0, 2, 0, 0))
    for tool in tools:
        parameters = ", ".join(tool.input_schema.get("properties", {})) or "–"
        table.add_row(tool.name, parameters, "nothing" if tool.read_only else "something", escape(tool.description))
    out.print(table)
    _show(outside)


def _show(outside: OutsideHealth) -> None:
    """What stands beside the table: what tools of outside servers cost, which are left out, who is sick."""
    for server in outside.servers:
        if not server.ok:
            out.print(f"[red]{escape(server.name)}[/]: {escape(server.detail or 'it has not answered yet')}")
        for tool in server.tools:
            out.print(f"[dim]{escape(tool.name)}: {tool.level}, about {tool.tokens} tokens[/]")
        for reason in server.left_out:
            out.print(f"[yellow]left out of {escape(server.name)}[/]: {escape(reason)}")
    if outside.servers:
        out.print(f"Outside tools cost about {outside.tokens} of {outside.budget} tokens (outside_tokens).")


async def _call(house: House, name: str, values: dict[str, object], *, as_json: bool) -> int:
    from assistant.cli.session import open_session
    from tools.contract import Door

    async with open_session(house, Door.CLI) as session:
        outcome = await session.call(name, values)
    if as_json:
        out.print_json(outcome.model_dump_json())
    else:
        out.print(escape(outcome.spoken), style="bold")
        if outcome.detail:
            err.print(f"[dim]{escape(outcome.detail)}[/]")
        for finding in outcome.result.findings if outcome.result else ():
            out.print(f"  {finding.severity.value:<9} {escape(finding.message)}")
    return 0 if outcome.ok else 1
