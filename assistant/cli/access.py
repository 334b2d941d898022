"""``jarvis access``: who may do what in this house, as the policy decides it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from assistant.cli.common import ConfigOption, errors_explained, escape, out, read_house
from tools.contract import Door
from tools.settings import ToolSettings

BEGIN = "<!-- generated: jarvis access --markdown -->\n"
END = "<!-- end of what is generated -->\n"
"""Of ``docs/access.md``."""

EXAMPLE = {
    "roles": {"switcher": {"may": "operate"}},
}
"""What the page shows beside the roles that are always there."""


def access(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="The tables of docs/access.md, for no house in particular.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """What each role may do at each door, with this configuration."""
    if markdown:
        typer.echo(page(), nl=False)
        return
    with errors_explained():
        settings = read_house(config).settings
    out.print(_table(settings))
    for name, role in settings.roles.items():
        if role.only:
            out.print(f"{escape(name)} is limited to {escape(', '.join(role.only))}.", soft_wrap=True)
    for room, at_most in settings.access.rooms.items():
        out.print(f"In the {escape(room)} everybody is at most {escape(at_most)}.", soft_wrap=True)


def page() -> str:
    """The generated part of ``docs/access.md``: without a PIN, and with one."""
    from tools.access_table import markdown

    settings = ToolSettings.model_validate(EXAMPLE)
    with_pin = "With a spoken PIN (`access.pin_file`):"
    return f"{markdown(settings, pin=False)}\n{with_pin}\n\n{markdown(settings, pin=True)}"


def _table(settings: ToolSettings) -> Table:
    from tools.access_table import COLUMNS, rows

    table = Table(box=None, padding=(0, 1, 0, 0))
    for heading in ("role", "at the door", *COLUMNS):
        table.add_column(heading)
    for row in rows(settings, pin=settings.access.pin_file is not None):
        doors = ", ".join(door.value for door in row.doors) if len(row.doors) < len(Door) else "every door"
        table.add_row(row.role, doors, *row.cells)
    return table
