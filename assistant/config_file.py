"""Finding, reading and explaining ``jarvis.toml``; the environment over it; the generated example."""

from __future__ import annotations

import difflib
import json
import os
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from assistant.config import Settings
from assistant.errors import ConfigError

FILE_NAME = "jarvis.toml"
PREFIX = "JARVIS_"
SPECIAL = frozenset({"JARVIS_CONFIG", "JARVIS_STATE", "JARVIS_MODELS", "JARVIS_DEBUG"})
"""Variables with a meaning of their own; all others with the prefix are settings: JARVIS_SERVER__PORT=8765."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, the file they came from (None: none was found), and the variables that changed them."""

    settings: Settings
    file: Path | None
    variables: tuple[str, ...]


def places() -> Iterator[Path]:
    """Where the file is looked for, in order."""
    if named := os.environ.get("JARVIS_CONFIG"):
        yield Path(named)
        return
    yield Path(FILE_NAME)
    yield Path(platformdirs.user_config_dir("jarvis")) / FILE_NAME
    yield Path("/etc/jarvis") / FILE_NAME


def load(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Loaded:
    """The settings. A file that was named must exist. Raises ConfigError naming file, key and mend."""
    named = path is not None or bool(os.environ.get("JARVIS_CONFIG"))
    file = path or next((place for place in places() if place.is_file()), None)
    if file is None and named:
        file = next(places())
    raw = _read(file) if file is not None else {}
    variables = _overlay(raw, os.environ if environment is None else environment)
    where = str(file) if file else "the environment"
    settings = _validated(raw, where)
    _check_secret_files(settings)
    return Loaded(settings, file, tuple(variables))


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError("unreadable", f"{file} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("not_toml", f"{file} is no TOML: {error}.", mend="Mend that line.") from error


def _overlay(raw: dict[str, Any], environment: Mapping[str, str]) -> list[str]:
    """Put JARVIS_A__B=value at raw["a"]["b"]; values are JSON where they can be read as such. Returns the variables."""
    used = sorted(name for name in environment if name.startswith(PREFIX) and name not in SPECIAL)
    for name in used:
        *sections, key = name[len(PREFIX) :].lower().split("__")
        target = raw
        for section in sections:
            inner = target.setdefault(section, {})
            if not isinstance(inner, dict):
                raise ConfigError("not_a_section", f"{name}: `{section}` is no section.")
            target = inner
        target[key] = _json_or_text(environment[name])
    return used


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _validated(raw: Mapping[str, Any], where: str) -> Settings:
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        problems = [_explained(problem) for problem in error.errors()]
        raise ConfigError(
            "invalid_settings",
            f"{where}: " + " ".join(problems),
            mend="`jarvis config schema` and docs/configuration.md list every setting.",
        ) from error


def _explained(problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"]) or "the file"
    if problem["type"] == "extra_forbidden":
        near = nearest(key)
        return f"`{key}` is not a setting" + (f"; did you mean `{near}`?" if near else ".")
    said = problem["msg"].removeprefix("Value error, ")
    return f"`{key}`: {said[:1].lower()}{said[1:]}."


def nearest(key: str) -> str | None:
    """The known setting that an unknown one was probably meant to be."""
    *section, last = key.split(".")
    siblings = {name.rsplit(".", 1)[-1]: name for name, _, _ in every_setting() if _same_section(name, section)}
    near = difflib.get_close_matches(last, siblings, n=1, cutoff=0.5)
    if near:
        return ".".join([*section, near[0]])
    anywhere = difflib.get_close_matches(key, [name for name, _, _ in every_setting()], n=1, cutoff=0.6)
    return anywhere[0] if anywhere else None


def _same_section(name: str, section: list[str]) -> bool:
    parts = name.split(".")[:-1]
    return len(parts) == len(section) and all(
        part.isupper() or part == said for part, said in zip(parts, section, strict=True)
    )


def _check_secret_files(settings: Settings) -> None:
    files = {
        "model.api_key_file": settings.model.api_key_file,
        "server.tokens_file": settings.server.tokens_file,
        **{f"mcp_servers.{name}.token_file": s.token_file for name, s in settings.mcp_servers.items()},
    }
    for key, file in files.items():
        if file is not None and not os.access(file, os.R_OK):
            raise ConfigError("secret_unreadable", f"`{key}`: {file} does not exist or cannot be read.")


def every_setting() -> Iterator[tuple[str, FieldInfo, type[BaseModel]]]:
    """(dotted name, field, model it stands in); NAME stands for a key that the user chooses."""
    yield from _walk(Settings, "")


def _walk(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldInfo, type[BaseModel]]]:
    for name, field in model.model_fields.items():
        section, by_name = _section_of(field.annotation)
        if section is None:
            yield prefix + name, field, model
        else:
            yield from _walk(section, f"{prefix}{name}.NAME." if by_name else f"{prefix}{name}.")


def _section_of(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The model of a section, and whether it is a table of named ones (dict)."""
    if typing.get_origin(annotation) is dict:
        inner = typing.get_args(annotation)[1]
        return (inner, True) if isinstance(inner, type) and issubclass(inner, BaseModel) else (None, False)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    return None, False


def as_toml(value: Any) -> str:
    """A value as TOML (JSON's forms are TOML's for what settings hold)."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if isinstance(value, tuple | list | set):
        return "[" + ", ".join(as_toml(item) for item in value) + "]"
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return json.dumps(str(value), ensure_ascii=False)


_HEAD = """\
# Jarvis: every setting with its default. Copy to jarvis.toml (here, or ~/.config/jarvis/), keep what you change.
# Any of them can be an environment variable: JARVIS_SERVER__PORT=8765. `jarvis config check` says what is wrong.
# This file is generated: `jarvis config example`.
"""

_EXAMPLES = {
    "services": '[services.jellyfin]\nurl = "http://127.0.0.1:8096/health"\naliases = ["the media server"]',
    "backups": '[backups.photos]\nkind = "restic"\nrepository = "/mnt/backup/photos"\n'
    'password_file = "/etc/jarvis/photos.password"\naliases = ["the photo library", "pictures"]',
    "mcp_servers": '[mcp_servers.notes]\ncommand = ["notes-mcp", "--read-only"]',
}


def example() -> str:
    """``jarvis.example.toml``: valid as it stands, everything at its default and commented out but the headings."""
    lines = [_HEAD]
    sections: dict[str, list[tuple[str, FieldInfo]]] = {}
    for name, field, _ in every_setting():
        section, _, key = name.rpartition(".")
        sections.setdefault(section, []).append((key, field))
    for section, fields in sorted(sections.items(), key=lambda item: bool(item[0])):  # TOML wants the top level first
        if section:
            top = section.split(".")[0]
            lines.append(f"# [{section}]" if "NAME" in section else f"[{section}]")
            lines.extend(
                f"# {line}" for line in ("for example:", *_EXAMPLES.get(top, "").splitlines()) if "NAME" in section
            )
        for key, field in fields:
            lines.append(f"# {field.description}")
            lines.append(f"# {key} = {_default_of(field) or '…  # not set'}")
        lines.append("")
    return "\n".join(lines)


def _default_of(field: FieldInfo) -> str:
    default = field.default
    if default is PydanticUndefined:
        default = field.default_factory() if field.default_factory else None  # type: ignore[call-arg]
        if default is None:
            return "…  # required"
    return "" if default is None else as_toml(default)


def markdown() -> str:
    """``docs/configuration.md``'s table: every setting, its default and what it is."""
    rows = ["| setting | type | default | what it is |", "|---|---|---|---|"]
    for name, field, _ in every_setting():
        default = _default_of(field)
        shown = "required" if "required" in default else f"`{default}`" if default else "not set"
        rows.append(f"| `{name}` | {_type_name(field.annotation)} | {shown} | {field.description} |")
    return "\n".join(rows) + "\n"


def _type_name(annotation: Any) -> str:
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return " \\| ".join(f"`{value}`" for value in typing.get_args(annotation))
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type_name(part) for part in typing.get_args(annotation) if part is not type(None))
    if origin is tuple:
        return "list of " + _type_name(typing.get_args(annotation)[0])
    if origin is typing.Annotated:
        return _type_name(typing.get_args(annotation)[0])
    names = {"str": "text", "int": "whole number", "float": "number", "bool": "true/false", "Path": "path"}
    return names.get(getattr(annotation, "__name__", ""), "URL")
