"""``jarvis doctor``: what is missing on this machine, and the mend."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from assistant.cli.common import ConfigOption, House, JsonOption, escape, out, read_house
from assistant.cli.doctor_check import Check
from assistant.config import Settings
from assistant.errors import ConfigError

_STYLES = {"ok": "green", "warning": "yellow", "broken": "bold red"}


def doctor(
    as_json: JsonOption = False,
    list_only: Annotated[
        bool, typer.Option("--list", help="The checks, and what each looks at; none is made.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Check this machine; nothing is changed. Exit code 1 when something that is needed is broken."""
    if list_only:
        _show_list(as_json=as_json)
        return
    try:
        house = read_house(config)
        checks = list(examine(house))
    except ConfigError as error:  # the doctor goes on: what else is missing is worth knowing, too
        house = House(Settings(), demo=True)
        broken = Check("configuration", "broken", error.detail, error.mend)
        checks = [broken if check.name == broken.name else check for check in examine(house)]
    if as_json:
        out.print_json(json.dumps([asdict(check) for check in checks]))
    else:
        _show(checks)
    if any(check.status == "broken" for check in checks):
        raise typer.Exit(1)


def examine(house: House) -> Iterator[Check]:
    """Every check, in the order in which a person would mend things, each within its deadline."""
    from assistant.cli import doctor_list  # what the checks need is loaded for nobody else

    for check in doctor_list.CHECKS:
        yield check(house)


def _show(checks: list[Check]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for check in checks:
        mend = f"\n→ {escape(check.mend)}" if check.mend and check.status != "ok" else ""
        table.add_row(f"[{_STYLES[check.status]}]{check.status}[/]", check.name, escape(check.detail) + mend)
    out.print(table)
    bad = {status: sum(check.status == status for check in checks) for status in ("broken", "warning")}
    out.print(f"{len(checks)} checks: {bad['broken']} broken, {bad['warning']} to look at.")


def _show_list(*, as_json: bool) -> None:
    from assistant.cli.doctor_list import CHECKS

    if as_json:
        told = [{"name": check.name, "about": check.about, "deadline_s": check.deadline_s} for check in CHECKS]
        out.print_json(json.dumps(told))
        return
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for check in CHECKS:
        table.add_row(check.name, escape(check.about))
    out.print(table)
