"""``jarvis catalog edit`` and ``add``: files of the catalogue by hand, checked before they count."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.cli.catalog_common import (
    NO_FOLDER,
    IntoOption,
    ServiceArgument,
    folder_for,
    open_catalog,
    service_named,
    write_file,
)
from assistant.cli.common import ConfigOption, JsonOption, errors_explained, escape, out
from assistant.errors import ConfigError, StateError

EDITORS = ("VISUAL", "EDITOR")
FALLBACK = "vi"
"""The editor that POSIX has everywhere."""


def edit(name: ServiceArgument, config: ConfigOption = None) -> None:
    """Open a service's file in $VISUAL or $EDITOR. It takes the old one's place only when it can be read."""
    with errors_explained():
        path = _file_of(name, config)
        draft = path.with_name(f".{path.stem}.draft.yaml")  # hidden, and an editor still knows what it is
        before = _text(path)
        _write(draft, before)
        try:
            _until_it_can_be_read(draft, path, _others(path, config))
            if _text(draft) == before:
                out.print("Nothing was changed.")
                return
            draft.chmod(path.stat().st_mode & 0o777)
            draft.replace(path)
        except OSError as error:
            raise StateError("unwritable", f"{path} cannot be written: {error.strerror}.") from error
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        out.print(f"{path} is changed.", markup=False, soft_wrap=True)


def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call it.")],
    url: Annotated[str | None, typer.Option(help="Its address, http(s)://…; it is asked there.")] = None,
    tcp: Annotated[str | None, typer.Option(help="host:port that has to take a connection.")] = None,
    host: Annotated[str | None, typer.Option(help="Machine that it runs on.")] = None,
    ip: Annotated[str | None, typer.Option(help="Address of that machine.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Its port.")] = None,
    dns: Annotated[str | None, typer.Option(help="Name under which people reach it.")] = None,
    alias: Annotated[list[str] | None, typer.Option(help="Another name for it; more than one may be given.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    owner: Annotated[str | None, typer.Option(help="Who looks after it.")] = None,
    group: Annotated[str | None, typer.Option(help="What it belongs to.")] = None,
    restore: Annotated[str | None, typer.Option(help="How it is restored, in a sentence or two.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the file; write nothing.")] = False,
    into: IntoOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Write a new service. What has no option here is written by hand: `jarvis catalog edit NAME`."""
    from tools.catalog.found import same_as, without_empty
    from tools.catalog.reading import CatalogError, read_entry
    from tools.catalog.writing import as_yaml, file_name

    fields = without_empty(
        url=url, tcp=tcp, host=host, ip=ip, port=port, dns=dns, aliases=alias, description=description, owner=owner,
        group=group, restore=restore,
    )  # fmt: skip
    with errors_explained(as_json=as_json):
        catalog = open_catalog(config)
        try:
            entry = read_entry(as_yaml(name, fields, file_name(name)), file_name(name))
        except CatalogError as error:
            raise ConfigError("invalid_catalog", _without_line(error)) from error
        same = same_as(entry.name, entry.settings, catalog.services)
        text = as_yaml(name, fields, catalog.files[same].name if same and same in catalog.files else file_name(name))
        if same is not None and not (force and same in catalog.files):
            where = catalog.files.get(same, "jarvis.toml")
            raise ConfigError("exists", f"That is {same} already, in {where}.", mend="--force writes over its file.")
        path: Path | None = None
        if not dry_run:
            path = catalog.files[same] if same is not None else folder_for(catalog.settings, into) / file_name(name)
            write_file(path, name, text, force=force)
        if as_json:
            _print_json(name, text, path)
        else:
            out.print(f"{path} is written." if path else text.rstrip(), markup=False, soft_wrap=True)


def _print_json(name: str, text: str, path: Path | None) -> None:
    shown: dict[str, Any] = {"name": name, "text": text, "file": str(path) if path else None}
    out.print_json(json.dumps(shown))


def _without_line(error: Exception) -> str:
    """What was typed has no lines."""
    return str(error).split(": ", 1)[-1]


# ── editing ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _file_of(said: str, config: Path | None) -> Path:
    """Also of a file that cannot be read as it is: by its name. Raises ConfigError."""
    from assistant.config_file import load
    from tools.catalog.writing import file_name

    folder = load(config, with_catalog=False).settings.catalog
    if folder is None:
        raise NO_FOLDER
    direct = folder / file_name(said)
    if direct.is_file():
        return direct
    catalog = open_catalog(config)
    known = service_named(catalog.services, said)
    if known not in catalog.files:
        raise ConfigError("not_in_catalog", f"{known} stands in jarvis.toml.", mend="Change it there.")
    return catalog.files[known]


def _others(path: Path, config: Path | None) -> dict[str, str]:
    """Every other service, and where it stands, as far as that can be read. Raises ConfigError."""
    from assistant.config_catalog import read_file
    from assistant.config_file import load

    found = {name.casefold(): "jarvis.toml" for name in load(config, with_catalog=False).settings.services}
    for other in sorted(path.parent.glob("[!.]*.y*ml")):
        with suppress(ConfigError):
            if other != path:
                found[read_file(other).name.casefold()] = str(other)
    return found


def _until_it_can_be_read(draft: Path, path: Path, others: dict[str, str]) -> None:
    """The editor again and again, where somebody is there to say so. Raises ConfigError, StateError."""
    from tools.catalog.reading import CatalogError, read_entry

    while True:
        _edit(draft)
        try:
            name = read_entry(_text(draft), path.name).name
            if name.casefold() in others:
                raise CatalogError(path.name, None, f"{name!r} stands in {others[name.casefold()]} already.")
        except CatalogError as error:
            if not sys.stdin.isatty():
                raise ConfigError("invalid_catalog", f"{error} The file is as it was.") from error
            out.print(f"[red]{escape(str(error))}[/]", soft_wrap=True)
            if not typer.confirm("Edit it again? Else it stays as it was.", default=True):
                raise ConfigError("invalid_catalog", "The file is as it was.") from error
        else:
            return


def _edit(path: Path) -> None:
    """Raises StateError."""
    command = next((os.environ[name] for name in EDITORS if os.environ.get(name)), FALLBACK)
    try:
        ended = subprocess.run([*shlex.split(command), str(path)], check=False)
    except (OSError, ValueError) as error:
        mend = "Set EDITOR to an editor that is installed."
        raise StateError("no_editor", f"The editor {command!r} cannot be started.", mend=mend) from error
    if ended.returncode:
        raise StateError("no_editor", f"The editor ended with code {ended.returncode}; the file is as it was.")


def _text(path: Path) -> str:
    """Raises StateError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StateError("unreadable", f"{path} cannot be read.") from error


def _write(path: Path, text: str) -> None:
    """Raises StateError."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StateError("unwritable", f"{path} cannot be written: {error.strerror}.") from error
