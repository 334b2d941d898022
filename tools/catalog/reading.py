"""One file of the catalogue: YAML → the settings of a service, or what is wrong with it, in which line. Pure.

YAML as version 1.2 reads it ("on" and "12:30" are text), without anchors, tags and keys that stand there twice. What is
text in the settings is taken as it is written: ``owner: 007`` is "007".
"""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from tools.settings import ServiceSettings, ToolSettings

SUFFIXES = (".yaml", ".yml")
MAX_CHARACTERS = 65_536
"""Of one file; a service needs a few hundred."""

DEEPEST = 8
"""Levels of nesting; settings have three."""

NAME = "name"
"""The key that names the service where the file's name does not."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where it was built in: ten times as quick."""

_OPENING = (yaml.BlockMappingStartToken, yaml.BlockSequenceStartToken, yaml.FlowMappingStartToken,
            yaml.FlowSequenceStartToken)  # fmt: skip
_CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)

_NULL = re.compile(r"^(?:null|Null|NULL|~|)$")
_BOOL = re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")
_INT = re.compile(r"^[-+]?[0-9]+$")
_FLOAT = re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$")
"""YAML 1.2.2, 10.3.2 (core schema), without octals, hexadecimals and infinities, which no setting takes."""


class CatalogError(ValueError):
    """A file that is no service. The text names file, line and key, and the nearest known key; never a value."""

    def __init__(self, file: str, line: int | None, problem: str, key: str = "") -> None:
        at = f"{file}, line {line}" if line else file
        super().__init__(f"{at}: {problem}")
        self.file = file
        self.line = line
        self.key = key


@dataclass(frozen=True, slots=True)
class Entry:
    """``raw`` as it stands in the file, to be merged into the configuration; ``settings`` what it comes to."""

    name: str
    file: str
    raw: Mapping[str, Any]
    settings: ServiceSettings


def read_entry(text: str, file: str) -> Entry:
    """The service of one file; ``file`` is its name. Raises CatalogError."""
    if len(text) > MAX_CHARACTERS:
        raise CatalogError(file, None, f"it has more than {MAX_CHARACTERS} characters, so it is no service.")
    root = _composed(text, file)
    lines: dict[tuple[str, ...], int] = {}
    raw = _mapping(root, file, lines)
    name = _named(raw, file, lines)
    try:
        settings = ServiceSettings.model_validate(raw)
    except ValidationError as error:
        raise _explained(error, file, lines) from error
    return Entry(name, file, raw, settings)


def name_of_file(file: str) -> str:
    """ "home-assistant.yaml" → "home assistant"."""
    stem = file.rsplit("/", 1)[-1]
    for suffix in SUFFIXES:
        stem = stem.removesuffix(suffix)
    return stem.replace("-", " ")


def _named(raw: dict[str, Any], file: str, lines: Mapping[tuple[str, ...], int]) -> str:
    said = raw.pop(NAME, None)
    line = lines.get((NAME,))
    if said is not None and not isinstance(said, str):
        raise CatalogError(file, line, "`name` has to be a word or a few.", NAME)
    name = name_of_file(file) if said is None else said
    try:
        ToolSettings(services={name: ServiceSettings()})
    except ValidationError as error:
        problem = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise CatalogError(file, line, f"{problem}.", NAME) from error
    return name


# ── YAML ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _composed(text: str, file: str) -> yaml.MappingNode:
    try:
        _check_tokens(text, file)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = (error.problem or "it cannot be read").strip()
        raise CatalogError(file, mark.line + 1 if mark else None, f"it is no YAML: {said}.") from error
    except yaml.YAMLError as error:
        raise CatalogError(file, None, "it is no YAML: it has characters that no text has.") from error
    if root is None:
        raise CatalogError(file, None, "it is empty; `jarvis catalog add` shows what a service has.")
    if not isinstance(root, yaml.MappingNode):
        raise CatalogError(file, root.start_mark.line + 1, "it has to be a table of `key: value` lines.")
    return root


def _check_tokens(text: str, file: str) -> None:
    """Before anything is built: what could grow or nest without end is refused. Raises CatalogError, YAMLError."""
    depth = 0
    for token in yaml.scan(text, Loader=_LOADER):
        line = token.start_mark.line + 1
        if isinstance(token, yaml.AliasToken | yaml.AnchorToken | yaml.TagToken):
            raise CatalogError(file, line, "anchors, aliases and tags are not read here.")
        if isinstance(token, _OPENING):
            depth += 1
        elif isinstance(token, _CLOSING):
            depth -= 1
        if depth > DEEPEST:
            raise CatalogError(file, line, "it is nested too deep.")


def _mapping(node: yaml.MappingNode, file: str, lines: dict[tuple[str, ...], int]) -> dict[str, Any]:
    """The top level: each key with the type that the settings have for it."""
    found: dict[str, Any] = {}
    for key, value in node.value:
        name = _key(key, file, found)
        lines[(name,)] = key.start_mark.line + 1
        known = ServiceSettings.model_fields.get(name)
        annotation = str if name == NAME else known.annotation if known is not None else None
        found[name] = _value(value, annotation, file, lines, (name,))
    return found


def _value(node: yaml.Node, kind: Any, file: str, lines: dict[tuple[str, ...], int], at: tuple[str, ...]) -> Any:
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            lines[(*at, str(number))] = item.start_mark.line + 1
        return [_value(item, kind, file, lines, (*at, str(number))) for number, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = _key(key, file, found)
            lines[(*at, name)] = key.start_mark.line + 1
            found[name] = _value(value, _inner(kind, name), file, lines, (*at, name))
        return found
    return _scalar(node, kind)


def _key(node: yaml.Node, file: str, found: Mapping[str, Any]) -> str:
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.ScalarNode):
        raise CatalogError(file, line, "its keys have to be words.")
    if node.value in found:
        raise CatalogError(file, line, f"`{_shown(node.value)}` stands there twice.", node.value)
    return str(node.value)


def _scalar(node: yaml.Node, kind: Any) -> Any:
    text = str(node.value)
    if getattr(node, "style", None) in ("'", '"', "|", ">"):
        return text
    if _NULL.match(text):
        return None
    if _is_text(kind):
        return text
    if _BOOL.match(text):
        return text.lower() == "true"
    if _INT.match(text) and len(text) < 20:
        return int(text)
    return float(text) if _FLOAT.match(text) else text


def _is_text(kind: Any) -> bool:
    """Whether a setting takes text, alone or in a list, and nothing that is a number or a truth."""
    kinds = _kinds(kind)
    return bool(kinds & {"str", "Path", "HttpUrl"}) and not kinds & {"int", "float", "bool"}


def _kinds(kind: Any) -> set[str]:
    inner = typing.get_args(kind)
    if inner:
        return set().union(*(_kinds(part) for part in inner))
    return {getattr(kind, "__name__", "")}


def _inner(kind: Any, name: str) -> Any:
    """The type of a key of a table within a service: of a section's setting, or the table's values."""
    for part in (kind, *typing.get_args(kind)):
        if isinstance(part, type) and issubclass(part, BaseModel):
            field = part.model_fields.get(name)
            return field.annotation if field is not None else None
    return kind


# ── what is wrong ─────────────────────────────────────────────────────────────────────────────────────────────────


def _explained(error: ValidationError, file: str, lines: Mapping[tuple[str, ...], int]) -> CatalogError:
    """The first problem: the others are seen when this one is mended."""
    problem = error.errors()[0]
    at = tuple(str(part) for part in problem["loc"])
    line = next((lines[at[:end]] for end in range(len(at), 0, -1) if at[:end] in lines), None)
    key = ".".join(_shown(part) for part in at)
    if problem["type"] == "extra_forbidden":
        near = nearest_key(at)
        return CatalogError(
            file, line, f"`{key}` is no setting of a service" + (f"; did you mean `{near}`?" if near else "."), key
        )
    said = problem["msg"].removeprefix("Value error, ")
    return CatalogError(file, line, f"`{key}`: {said[:1].lower()}{said[1:]}.", key)


def nearest_key(at: Sequence[str]) -> str | None:
    """The key that an unknown one was probably meant to be, in its own section."""
    model: type[BaseModel] = ServiceSettings
    for part in at[:-1]:
        field = model.model_fields.get(part)
        kinds = (field.annotation, *typing.get_args(field.annotation)) if field is not None else ()
        inner = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if inner is None:
            return None
        model = inner
    known = [*model.model_fields, *([NAME] if len(at) == 1 else [])]
    near = difflib.get_close_matches(at[-1].casefold(), known, n=1, cutoff=0.5)
    return ".".join([*at[:-1], near[0]]) if near else None


def _shown(text: str) -> str:
    """A key of somebody's, for a message."""
    return "".join(character if character.isprintable() else "?" for character in text)[:60]
