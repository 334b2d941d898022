"""The catalogue as part of the configuration: the folder ``catalog``, one YAML file a service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from assistant.errors import ConfigError
from tools.catalog.reading import SUFFIXES, CatalogError, Entry, read_entry

MOST_FILES = 2_000
"""Services of one house; more is some other folder."""

MEND = "Mend that line; `jarvis catalog edit NAME` checks it before it counts, docs/catalog.md has every key."


def read_catalog(folder: Path) -> dict[str, tuple[Entry, Path]]:
    """The services of a folder by name, each with its file, in the order of the files' names. Raises ConfigError."""
    found: dict[str, tuple[Entry, Path]] = {}
    for path in _files(folder):
        entry = read_file(path)
        known = next((other for other in found if other.casefold() == entry.name.casefold()), None)
        if known is not None:
            first = found[known][1]
            raise ConfigError(
                "invalid_catalog",
                f"{path} and {first} both describe the service {entry.name!r}.",
                mend="Take one of them away, or give it another `name`.",
            )
        found[entry.name] = (entry, path)
    return found


def read_file(path: Path) -> Entry:
    """Raises ConfigError."""
    try:
        return read_entry(path.read_text(encoding="utf-8-sig"), str(path))
    except OSError as error:
        raise ConfigError("unreadable", f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError("invalid_catalog", f"{path} is not UTF-8 text (byte {error.start}).") from error
    except CatalogError as error:
        raise ConfigError("invalid_catalog", str(error), mend=MEND) from error


def check_not_in_both(entries: Mapping[str, tuple[Entry, Path]], services: object, file: Path | None) -> None:
    """A service stands in one place. Raises ConfigError."""
    if not isinstance(services, dict):
        return
    for name in services:
        known = next((other for other in entries if other.casefold() == str(name).casefold()), None)
        if known is not None:
            raise ConfigError(
                "invalid_catalog",
                f"The service {name!r} stands in {file or 'the configuration'} and in {entries[known][1]}.",
                mend="Keep it in one of them.",
            )


def _files(folder: Path) -> Iterator[Path]:
    """Hidden ones are somebody's own: an editor's, or a file that is being written."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    except OSError as error:
        mend = f"`mkdir -p {folder}` makes it; `catalog` in jarvis.toml names it."
        raise ConfigError(
            "unreadable", f"The catalogue folder {folder} cannot be read: {error.strerror}.", mend=mend
        ) from error
    if len(paths) > MOST_FILES:
        raise ConfigError("invalid_catalog", f"{folder} has more than {MOST_FILES} files, so it is no catalogue.")
    yield from (path for path in paths if not path.name.startswith(".") and path.is_file())
