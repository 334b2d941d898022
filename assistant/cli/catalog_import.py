"""``jarvis catalog import``: services that stand described elsewhere, shown first, written with --write."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from assistant.cli.catalog_common import Catalog, IntoOption, folder_for, open_catalog, write_file
from assistant.cli.common import ConfigOption, JsonOption, err, errors_explained, escape, out, run
from assistant.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tools.catalog.found import Found, Proposals
    from tools.settings_house import EngineSettings

WriteOption = Annotated[bool, typer.Option("--write", help="Write the new files; else they are only shown.")]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Its configuration.", exists=True, dir_okay=False)]

import_app = typer.Typer(
    no_args_is_help=True, help="Take services over from Docker, Homer or Gatus. Shows; writes with --write."
)


@import_app.command()
def homer(
    file: FileArgument,
    write: WriteOption = False,
    into: IntoOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Homer's config.yml: name, subtitle, url, logo and group of each item."""
    from tools.catalog.imports.homer import from_homer

    with errors_explained(as_json=as_json):
        catalog = open_catalog(config)
        _offer(catalog, _read(file, from_homer), write=write, into=into, as_json=as_json)


@import_app.command()
def gatus(
    file: FileArgument,
    write: WriteOption = False,
    into: IntoOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Gatus' config.yaml: name, group, address and expected status of each endpoint."""
    from tools.catalog.imports.gatus import from_gatus

    with errors_explained(as_json=as_json):
        catalog = open_catalog(config)
        watchers = [name for name, watcher in catalog.settings.watchers.items() if watcher.kind == "gatus"]
        watcher = watchers[0] if len(watchers) == 1 else None
        found = _read(file, lambda text: from_gatus(text, watcher))
        _offer(catalog, found, write=write, into=into, as_json=as_json)


@import_app.command()
def docker(
    everything: Annotated[bool, typer.Option("--all", help="Containers without a port or an address, too.")] = False,
    write: WriteOption = False,
    into: IntoOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Containers of Docker, Podman and Portainer: labels of homepage, Traefik, images and compose."""
    with errors_explained(as_json=as_json):
        catalog = open_catalog(config)

    async def work() -> int:
        found, reached = await _containers(catalog, everything=everything)
        _offer(catalog, found, write=write, into=into, as_json=as_json)
        return 0 if reached else 1

    run(work(), as_json=as_json)


async def _containers(catalog: Catalog, *, everything: bool) -> tuple[list[Found], bool]:
    """Of every engine that runs containers; whether all of them answered. Raises ConfigError where there is none."""
    from tools.catalog.imports.labels import from_units
    from tools.engines import engines_of
    from tools.engines.port import EngineError

    engines = {n: e for n, e in engines_of(catalog.settings).items() if e.kind in ("docker", "podman", "portainer")}
    if not engines:
        mend = "Name one: `[engines.docker]` with `kind` and `url` in jarvis.toml."
        raise ConfigError("no_engine", "No Docker, Podman or Portainer is at hand.", mend=mend)
    found: list[Found] = []
    reached = True
    for name, engine in engines.items():
        configured = catalog.settings.engines.get(name)
        host, asked_at = _machine(configured)
        try:
            units = await engine.units()
        except EngineError as error:
            err.print(f"[yellow]{escape(name)} could not be asked: {escape(error.reason)}.[/]")
            reached = False
            continue
        own = name if configured is not None else None
        found += from_units(units, host, asked_at, engine=own, everything=everything)
    return found, reached


def _machine(engine: EngineSettings | None) -> tuple[str, str]:
    """(what its machine is called, its address from here)."""
    url = urlsplit(engine.url or "") if engine is not None else urlsplit("")
    if url.scheme in ("http", "https", "tcp") and url.hostname and url.hostname not in ("127.0.0.1", "localhost"):
        return url.hostname, url.hostname
    return socket.gethostname(), "127.0.0.1"


def _read(file: Path, taken: Callable[[str], Iterable[Found]]) -> list[Found]:
    """Raises ConfigError."""
    from tools.catalog.imports.yaml_text import ImportFileError

    try:
        return list(taken(file.read_text(encoding="utf-8-sig")))
    except ImportFileError as error:
        raise ConfigError("unreadable", f"{file}: {error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError("unreadable", f"{file} is not UTF-8 text (byte {error.start}).") from error
    except OSError as error:
        raise ConfigError("unreadable", f"{file} cannot be read: {error.strerror}.") from error


def _offer(catalog: Catalog, found: Iterable[Found], *, write: bool, into: Path | None, as_json: bool) -> None:
    """Show what is new, and write it where that is wanted. Raises ConfigError, StateError."""
    from tools.catalog.found import propose
    from tools.catalog.writing import as_yaml, file_name

    proposals = propose(found, catalog.services)
    texts = {one.name: as_yaml(one.name, one.fields, file_name(one.name), _comments(one)) for one in proposals.new}
    written: dict[str, Path] = {}
    if write and texts:
        folder = folder_for(catalog.settings, into)
        for name, text in texts.items():
            write_file(folder / file_name(name), name, text)
            written[name] = folder / file_name(name)
    if as_json:
        _print_json(proposals, texts, written)
    else:
        _print(proposals, texts, written, write=write)


def _comments(one: Found) -> tuple[str, ...]:
    return (f"Found in {one.where}.", *(f"Note: {note}." for note in one.notes))


def _print(proposals: Proposals, texts: dict[str, str], written: dict[str, Path], *, write: bool) -> None:
    from tools.catalog.writing import file_name

    for name, text in texts.items():
        out.print(f"[bold]{escape(str(written.get(name, file_name(name))))}[/]", soft_wrap=True)
        out.print(f"{text}", markup=False, soft_wrap=True)
    for one, same in proposals.known:
        out.print(f"[dim]{escape(one.name)}: there already{f', as {escape(same)}' if same != one.name else ''}[/]")
    for one, why in proposals.problems:
        out.print(f"[yellow]{escape(one.name)} ({escape(one.where)}) was left out: {escape(why)}[/]", soft_wrap=True)
    if not texts:
        out.print("Nothing is new.")
    elif write:
        out.print(f"{len(written)} written. Next: `jarvis catalog check`.")
    else:
        out.print(f"{len(texts)} new; with --write they are written. Nothing was changed.")


def _print_json(proposals: Proposals, texts: dict[str, str], written: dict[str, Path]) -> None:
    from tools.catalog.writing import file_name

    new = [
        {
            "name": one.name,
            "file": str(written.get(one.name, file_name(one.name))),
            "written": one.name in written,
            "where": one.where,
            "notes": list(one.notes),
            "text": texts[one.name],
        }
        for one in proposals.new
    ]
    known = [{"name": one.name, "where": one.where, "known_as": same} for one, same in proposals.known]
    problems = [{"name": one.name, "where": one.where, "problem": why} for one, why in proposals.problems]
    out.print_json(json.dumps({"new": new, "known": known, "problems": problems}))
