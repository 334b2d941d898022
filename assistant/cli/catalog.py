"""``jarvis catalog``: the services of the house; list, show, open, check, import, edit, add."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from shutil import which
from typing import Annotated, Any

import typer
from rich.table import Table

from assistant.cli.catalog_check import check
from assistant.cli.catalog_common import Catalog, ServiceArgument, open_catalog, service_named
from assistant.cli.catalog_edit import add, edit
from assistant.cli.catalog_import import import_app
from assistant.cli.common import ConfigOption, JsonOption, err, errors_explained, escape, out
from assistant.errors import ConfigError, StateError

BROWSERS = ("xdg-open", "open")
"""What opens a URL on Linux's desktops and on macOS."""

catalog_app = typer.Typer(no_args_is_help=True, help="The catalogue: what runs where, who looks after it.")
catalog_app.command()(check)
catalog_app.command()(edit)
catalog_app.command()(add)
catalog_app.add_typer(import_app, name="import")


@catalog_app.command("list")
def list_services(
    group: Annotated[str | None, typer.Option(help="Only this group.", show_default=False)] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Every service: where it runs, what it is for."""
    from tools.catalog.tool import as_data

    with errors_explained(as_json=as_json):
        catalog = open_catalog(config)
        chosen = {name: s for name, s in catalog.services.items() if group is None or _same(s.group, group)}
        if group is not None and not chosen:
            groups = Counter(service.group for service in catalog.services.values() if service.group)
            raise ConfigError("unknown_group", f"No service is in the group {group!r}.", mend=_groups(list(groups)))
    if as_json:
        listed = [{**as_data(name, service), "file": _file(catalog, name)} for name, service in chosen.items()]
        out.print_json(json.dumps({"services": listed}))
        return
    if not chosen:
        out.print("No service is configured. `jarvis catalog import docker` looks for some, `add` makes one.")
        return
    table = Table("service", "host", "port", "address", "what it is", box=None, padding=(0, 2, 0, 0))
    for name, service in chosen.items():
        data = as_data(name, service)
        shown = [data[key] if data[key] is not None else "–" for key in ("host", "port", "address")]
        table.add_row(escape(name), *(escape(str(value)) for value in shown), escape(service.description or "–"))
    out.print(table)


@catalog_app.command()
def show(name: ServiceArgument, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """All that the catalogue has about one service, and in which file."""
    from tools.catalog.place import said
    from tools.catalog.tool import as_data

    with errors_explained(as_json=as_json):
        catalog = open_catalog(config)
        known = service_named(catalog.services, name)
    service, data = catalog.services[known], as_data(known, catalog.services[known])
    if as_json:
        out.print_json(json.dumps({**data, "file": _file(catalog, known)}))
        return
    out.print(escape(said(known, service)), style="bold", soft_wrap=True)
    for key in ("address", *(key for key in type(service).model_fields if key in service.model_fields_set)):
        if data[key] not in (None, "", [], {}):
            out.print(f"  {key}: {escape(_shown(data[key]))}", soft_wrap=True)
    out.print(f"  [dim]{escape(_file(catalog, known) or 'in jarvis.toml')}[/]", soft_wrap=True)


@catalog_app.command("open")
def open_service(
    name: ServiceArgument,
    browser: Annotated[bool, typer.Option("--browser", "-b", help="Open it in the browser, too.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """The address that a person opens; alone on its line, for scripts."""
    from tools.catalog.place import address_of

    with errors_explained(as_json=as_json):
        catalog = open_catalog(config)
        known = service_named(catalog.services, name)
        address = address_of(catalog.services[known])
        if address is None:
            mend = f"`jarvis catalog edit {known!r}` adds one."
            raise ConfigError("no_address", f"The catalogue has no `url` and no `dns` for {known}.", mend=mend)
        if browser:
            _browse(address)
    if as_json:
        out.print_json(json.dumps({"name": known, "address": address, "opened": browser}))
    else:
        out.print(address, markup=False, soft_wrap=True)


def _browse(address: str) -> None:
    """Raises StateError where this machine has no screen for it."""
    program = next((found for name in BROWSERS if (found := which(name))), None)
    if program is None:
        raise StateError(
            "no_browser", f"There is no {' or '.join(BROWSERS)} on this machine.", mend="Open it yourself."
        )
    try:
        ended = subprocess.run([program, address], stdout=subprocess.DEVNULL, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StateError("no_browser", f"{program} could not open {address}.") from error
    if ended.returncode:
        err.print(f"[yellow]{escape(program)} ended with code {ended.returncode}.[/]")


def _file(catalog: Catalog, name: str) -> str | None:
    path = catalog.files.get(name)
    return str(path) if path is not None else None


def _same(group: str | None, said: str) -> bool:
    return group is not None and group.casefold() == said.casefold()


def _groups(groups: list[str]) -> str:
    return f"Groups are: {', '.join(groups)}." if groups else "No service has a `group`."


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {item}" for key, item in value.items())
    return str(value)
