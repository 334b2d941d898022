"""What the commands of ``jarvis catalog`` share: the folder, a service by the name that was typed, its file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.completion import complete_service
from assistant.errors import ConfigError, StateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assistant.config import Settings
    from tools.settings import ServiceSettings

ServiceArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the service.", autocompletion=complete_service)
]
IntoOption = Annotated[
    Path | None,
    typer.Option("--into", metavar="DIR", help="Folder to write into; else `catalog` of jarvis.toml."),
]

NO_FOLDER = ConfigError(
    "no_catalog",
    "There is no catalogue folder.",
    mend='Put `catalog = "catalog"` at the top of jarvis.toml and make that folder, or say --into DIR.',
)


@dataclass(frozen=True, slots=True)
class Catalog:
    """The services in force, and the files of those that have one."""

    services: Mapping[str, ServiceSettings]
    files: Mapping[str, Path]
    settings: Settings


def open_catalog(config: Path | None) -> Catalog:
    """Raises ConfigError."""
    from assistant.cli.common import read_house
    from assistant.config_catalog import read_catalog

    settings = read_house(config).settings
    entries = read_catalog(settings.catalog) if settings.catalog is not None else {}
    return Catalog(settings.services, {name: path for name, (_, path) in entries.items()}, settings)


def service_named(services: Mapping[str, ServiceSettings], said: str) -> str:
    """The service's own name for what was typed, aliases too. Raises ConfigError."""
    from tools.names import NameIndex, Resolved

    if said in services:
        return said
    index = NameIndex({"service": {name: service.aliases for name, service in services.items()}})
    found = index.resolve("service", said)
    if isinstance(found, Resolved):
        return found.name
    there = ", ".join(services) or "none"
    raise ConfigError("unknown_service", f"There is no service {said!r}.", mend=f"Services are: {there}.")


def folder_for(settings: Settings, into: Path | None) -> Path:
    """Where new files go, made when it is not there. Raises ConfigError, StateError."""
    folder = into or settings.catalog
    if folder is None:
        raise NO_FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StateError("unwritable", f"{folder} cannot be made: {error.strerror}.") from error
    return folder


def write_file(path: Path, name: str, text: str, *, force: bool = False) -> None:
    """Raises ConfigError when it is there already, StateError."""
    from tools.catalog.writing import write_new

    try:
        write_new(path, text, force=force)
    except FileExistsError as error:
        mend = f"`jarvis catalog edit {name!r}` changes it."
        raise ConfigError("exists", f"{path} is there already.", mend=mend) from error
    except OSError as error:
        raise StateError("unwritable", f"{path} cannot be written: {error.strerror}.") from error
