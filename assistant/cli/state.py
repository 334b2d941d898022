"""``jarvis state``: what is kept and how it is, the folder in one file and back, and the way back from an upgrade."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from assistant.cli.common import ConfigOption, House, JsonOption, errors_explained, escape, out, read_house
from assistant.errors import StateError
from tools.contract import JsonObject

if TYPE_CHECKING:
    from assistant.state_backup import Extra

state_app = typer.Typer(no_args_is_help=True, help="The state folder: what is in it, a backup of it, the way back.")


@state_app.command()
def info(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Where the folder is, what fills it, and how its databases are. Changes nothing; works while the server runs."""
    with errors_explained(as_json=as_json):
        house = read_house(config)
        told = _told(house)
        if as_json:
            out.print_json(json.dumps(told))
            return
        out.print(f"{told['path']}, {_size(told['bytes'])}", highlight=False)
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for name, size in sorted(told["parts"].items(), key=lambda part: -part[1]):
            table.add_row(escape(name), _size(size))
        out.print(table)
        for one in told["databases"]:
            problem = f": {one['problem']}" if one["problem"] else ""
            out.print(f"{one['name']}: schema {one['schema']}, {one['state']}{escape(problem)}", soft_wrap=True)
        for copy in told["copies"]:
            before = f", before the upgrade to schema {copy['before']}" if copy["before"] else ""
            out.print(f"copy of {_moment(copy['at'])}, schema {copy['schema']}{before}")
        for name in told["set_aside"]:
            out.print(f"[bold red]damaged, kept:[/] {escape(name)}")


@state_app.command()
def backup(
    file: Annotated[Path | None, typer.Argument(help="A new file; else jarvis-state-TIME.tar.gz here.")] = None,
    with_secrets: Annotated[
        bool, typer.Option("--with-secrets", help="Also the files with tokens and passwords: keep it as you keep them.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """The folder and the configuration in one file, for this user only. The server may run meanwhile."""
    from assistant.state_backup import back_up

    with errors_explained(as_json=as_json):
        house = read_house(config)
        if not house.state_dir.is_dir():
            raise StateError("nothing_there", f"There is no {house.state_dir} yet.", mend="Start Jarvis first.")
        target = file or Path(f"jarvis-state-{datetime.now():%Y%m%dT%H%M%S}.tar.gz")
        manifest = back_up(
            house.state_dir,
            target,
            version=_version(),
            config=_configuration(house, config),
            secrets=_secrets(house),
            with_secrets=with_secrets,
        )
        if as_json:
            out.print_json(json.dumps({"file": str(target), **manifest.model_dump(mode="json")}))
            return
        size = target.stat().st_size
        out.print(f"{len(manifest.files)} files are in {escape(str(target))}, {_size(size)}.", soft_wrap=True)
        left_out = "" if with_secrets else " Nor are files with secrets: --with-secrets takes them."
        out.print(f"Models are not in it.{left_out}", soft_wrap=True)


@state_app.command("restore")
def restore_command(
    file: Annotated[Path, typer.Argument(help="What `jarvis state backup` wrote.")],
    check: Annotated[bool, typer.Option("--check", help="Only say what is in it.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Put a backup in the place of the folder, which is kept beside it. Not while the server runs."""
    from assistant.state_backup import read_manifest, restore

    with errors_explained(as_json=as_json):
        house = read_house(config)
        if check:
            manifest = read_manifest(file)
            told: JsonObject = manifest.model_dump(mode="json")
            words = [f"Of {_moment(manifest.made)}, by version {manifest.version}, with {len(manifest.files)} files."]
        else:
            done = restore(file, house.state_dir)
            told = asdict(done) | {"manifest": None, "old": _text(done.old), "config": _text(done.config)}
            told |= {"secrets": _text(done.secrets), "files": len(done.manifest.files), "made": done.manifest.made}
            words = [f"{house.state_dir} is as it was at {_moment(done.manifest.made)}."]
            if done.old is not None:
                words.append(f"The folder from before is {done.old}; remove it when all is well.")
            if done.revoked:
                words.append(f"{done.revoked} tokens that were revoked since then stay revoked.")
            if done.config is not None:
                words.append(f"The configuration of then is in {done.config}; it was not put in force.")
            if done.secrets is not None:
                words.append(f"The files with secrets are in {done.secrets}: put them where jarvis.toml names them.")
        if as_json:
            out.print_json(json.dumps(told))
            return
        for line in words:
            out.print(escape(line), soft_wrap=True)


@state_app.command()
def rollback(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Go back to jarvis.db from before the last upgrade, for the version of then. Not while the server runs."""
    import sqlite3

    from assistant.state import StateFolder
    from tools.database import DatabaseError
    from tools.keeping.returned import before_upgrade, roll_back

    with errors_explained(as_json=as_json):
        house = read_house(config)
        copy = before_upgrade(house.state_dir)
        if copy is None:
            mend = "`jarvis state info` lists the copies; `jarvis state restore` takes a backup."
            detail = "There is no copy from before an upgrade that this version can read."
            raise StateError("no_copy", detail, mend=mend)
        try:
            with StateFolder(house.state_dir).owned(wait_s=0.5):
                aside = roll_back(house.state_dir, copy, time.time())
        except (OSError, sqlite3.Error, DatabaseError) as error:
            raise StateError("rollback_failed", f"Nothing was changed: {error}.", mend="See the disk.") from error
        if as_json:
            out.print_json(json.dumps({"copy": str(copy.path), "at": copy.at, "aside": str(aside)}))
            return
        out.print(f"jarvis.db is as it was at {_moment(copy.at)}, before schema {copy.before}.")
        out.print(escape(f"What it was until now is {aside}."), soft_wrap=True)


def _told(house: House) -> JsonObject:
    from tools.keeping import health
    from tools.keeping.copies import copies_of
    from tools.keeping.retention import JARVIS_DB, measured

    state = house.state_dir
    parts = measured(state)
    return {
        "path": str(state),
        "bytes": sum(parts.values()),
        "parts": parts,
        "databases": [asdict(one) for one in health.databases(state)],
        "copies": [asdict(copy) | {"path": str(copy.path)} for copy in copies_of(state / JARVIS_DB)],
        "set_aside": health.set_aside(state),
    }


def _configuration(house: House, named: Path | None) -> list[Extra]:
    """jarvis.toml as it is in force, and the files of the catalogue."""
    from assistant.config_file import places
    from assistant.state_backup import Extra

    file = named or next((place for place in places() if place.is_file()), None)
    found = [Extra("jarvis.toml", file)] if file is not None else []
    catalog = house.settings.catalog
    if catalog is not None and catalog.is_dir():
        found += [Extra(f"catalog/{path.name}", path) for path in sorted(catalog.glob("*.y*ml")) if path.is_file()]
    return found


def _secrets(house: House) -> list[Extra]:
    """Files that the settings name for a secret; two of the same name get a number."""
    from assistant.cli.doctor_access import secrets_of
    from assistant.state_backup import Extra

    found = sorted(path for path in set(secrets_of(house.settings)) if path.is_file())
    return [Extra(f"{number:02d}-{path.name}", path) for number, path in enumerate(found, 1)]


def _version() -> str:
    """Of the installed package; without loading the app."""
    try:
        return version("jarvis-homeserver")
    except PackageNotFoundError:
        return "0+checkout"


def _text(path: Path | None) -> str | None:
    return str(path) if path is not None else None


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M")


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
