"""Somebody else's YAML file: read without building anything but plain values, and bounded. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

MAX_CHARACTERS = 2_000_000
DEEPEST = 50

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class ImportFileError(ValueError):
    """The file cannot be imported; the text says why, with the line where there is one."""


def read_yaml(text: str) -> dict[str, Any]:
    """The table that the file is. Raises ImportFileError."""
    if len(text) > MAX_CHARACTERS:
        raise ImportFileError(f"it has more than {MAX_CHARACTERS} characters.")
    try:
        depth = 0
        for token in yaml.scan(text, Loader=_LOADER):
            depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
            if depth > DEEPEST:
                raise ImportFileError(f"line {token.start_mark.line + 1}: it is nested too deep.")
        read = yaml.load(text, Loader=_LOADER)  # noqa: S506 - both are safe loaders
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = f"line {mark.line + 1}: " if mark else ""
        raise ImportFileError(f"{at}it is no YAML: {error.problem or 'it cannot be read'}.") from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ImportFileError("it is no YAML that can be read.") from error
    if not isinstance(read, dict):
        raise ImportFileError("it is no table of settings.")
    return read


def tables(value: Any) -> Iterator[dict[str, Any]]:
    """The tables of a list; whatever else stands there is passed over."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


_OPENING = (yaml.BlockMappingStartToken, yaml.BlockSequenceStartToken, yaml.FlowMappingStartToken,
            yaml.FlowSequenceStartToken)  # fmt: skip
_CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
