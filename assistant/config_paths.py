"""Paths in a configuration file are meant from that file's folder, and ``~`` is the user's home. Pure."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel


def with_paths(value: Any, kind: Any, folder: Path) -> Any:
    """``value`` as the file has it, for a setting of type ``kind``; every path in it absolute. What does not fit the
    type stays as it is: the settings say what is wrong with it."""
    if isinstance(value, Mapping):
        return {key: with_paths(item, _inner(kind, str(key)), folder) for key, item in value.items()}
    if isinstance(value, list):
        return [with_paths(item, _items(kind), folder) for item in value]
    if isinstance(value, str) and value and Path in _alternatives(kind):
        return str(folder / Path(value).expanduser())
    return value


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """``X | None`` → X and None; ``Annotated[X, …]`` → X."""
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return _alternatives(typing.get_args(kind)[0])
    if origin in (None, tuple, list, dict):
        return (kind,)
    return tuple(part for argument in typing.get_args(kind) for part in _alternatives(argument))


def _inner(kind: Any, key: str) -> Any:
    """The type of a key of a section, or of the values of a table."""
    for part in _alternatives(kind):
        if isinstance(part, type) and issubclass(part, BaseModel) and key in part.model_fields:
            return part.model_fields[key].annotation
        if typing.get_origin(part) is dict:
            return typing.get_args(part)[1]
    return None


def _items(kind: Any) -> Any:
    for part in _alternatives(kind):
        if typing.get_origin(part) in (tuple, list):
            return typing.get_args(part)[0]
    return None
