"""The keys of the voice benchmark's JSON as a page: ``python -m assistant.bench.report_page``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from assistant.bench.voice_report import VoiceReport


def markdown() -> str:
    """A table for each object, the whole report first; objects in the order in which they are met."""
    pages: dict[type[BaseModel], str] = {}
    waiting: list[type[BaseModel]] = [VoiceReport]
    while waiting:
        model = waiting.pop(0)
        if model in pages:
            continue
        pages[model] = _table(model)
        waiting += [part for field in model.model_fields.values() for part in _models(field.annotation)]
    return "\n".join(pages.values())


def _table(model: type[BaseModel]) -> str:
    about = " ".join((model.__doc__ or "").split())
    rows = (
        f"| `{name}` | {_type(field.annotation)} | {field.description or ''} |"
        for name, field in model.model_fields.items()
    )
    head = f"### {model.__name__}\n" + (f"\n{about}\n" if about else "")
    return f"{head}\n| key | type | what it is |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return " or ".join(_type(argument) for argument in arguments)
    if origin is Literal:
        return ", ".join(f"`{argument}`" for argument in arguments)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"{_type(arguments[1])} by {_type(arguments[0])}"
    if annotation is NoneType:
        return "null"
    names = {str: "text", int: "integer", float: "number", bool: "true or false"}
    return names.get(annotation) or str(annotation.__name__)


if __name__ == "__main__":
    sys.stdout.write(markdown())
