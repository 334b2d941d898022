"""What a service has to reach on the disk, drawn from its settings: the rest is hidden or read-only.

Read are the program itself, the models, the configuration and every file or folder that it names; written are the state
folder, the places where backups go, the scratch of restore tests and the other folders that something is kept in. What
a command of yours (``before``, ``command``) or a program with a configuration of its own (borgmatic, rclone) writes is
not known here: ``--read-write`` names it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import assistant
from assistant.config import Settings

HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
"""What ProtectHome hides (systemd.exec(5))."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Absolute paths, sorted, none within another of the same kind. ``secrets``: files that hold one."""

    read: tuple[Path, ...]
    write: tuple[Path, ...]
    secrets: tuple[Path, ...]


def needs(settings: Settings, *, file: Path | None, models: Path, more: tuple[Path, ...] = ()) -> Needs:
    """Of these settings, read from ``file``; ``models``: the cache; ``more``: to be written besides.

    What is read and hidden by nothing is left out. The state folder is the caller's, who knows whose it is.
    """
    named = list(_paths(settings))
    secrets = [path for key, path in named if _is_secret(key)]
    read = [*program(), models, *(path for _, path in named), *_backed_up(settings)]
    write = [*more, *_places(settings)]
    for path in (settings.wake.inbox, settings.restore_scratch, settings.digest.notes):
        write += [path] if path is not None else []
    read += [file] if file is not None else []
    return Needs(_outermost(filter(in_a_home, read)), _outermost(write), tuple(sorted(set(secrets))))


def program() -> tuple[Path, ...]:
    """Where this installation's code stands: its environment, the interpreter, and a checkout that it runs from."""
    return tuple(Path(path) for path in (sys.prefix, sys.base_prefix, *(str(root) for root in _checkout())))


def in_a_home(path: Path) -> bool:
    """Whether ProtectHome hides it."""
    return any(path.is_relative_to(home) for home in HOMES)


def _checkout() -> Iterator[Path]:
    """The folder of the packages, where it is not in the environment; data stands beside them."""
    folder = Path(assistant.__file__).resolve().parents[1]
    if not folder.is_relative_to(sys.prefix):
        yield folder


def _paths(model: BaseModel, prefix: str = "") -> Iterator[tuple[str, Path]]:
    """Every path in the settings, with its dotted key."""
    for name in type(model).model_fields:
        yield from _found(getattr(model, name), prefix + name)


def _found(value: Any, key: str) -> Iterator[tuple[str, Path]]:
    if isinstance(value, Path):
        yield key, value
    elif isinstance(value, BaseModel):
        yield from _paths(value, f"{key}.")
    elif isinstance(value, dict):
        for inner, item in value.items():
            yield from _found(item, f"{key}.{inner}")
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _found(item, key)


def _is_secret(key: str) -> bool:
    parts = key.split(".")
    return (parts[-1].endswith(("_file", "ssh_key")) and parts[-1] != "config_file") or "credentials" in parts


def _backed_up(settings: Settings) -> Iterator[Path]:
    for job in settings.backups.values():
        yield from (Path(path) for path in job.paths if path.startswith("/"))


def _places(settings: Settings) -> Iterator[Path]:
    """Destinations on this machine: what begins with ``/``; the rest are URLs and remotes."""
    for job in settings.backups.values():
        named = (job.repository, *(place.repository for place in job.also))
        yield from (Path(place) for place in named if place is not None and place.startswith("/"))
        yield from (place for place in (job.mount, *(place.mount for place in job.also)) if place is not None)


def _outermost(paths: Iterable[Path]) -> tuple[Path, ...]:
    kept: list[Path] = []
    for path in sorted({path for path in paths if path.is_absolute()}):
        if not any(path.is_relative_to(other) for other in kept):
            kept.append(path)
    return tuple(kept)
