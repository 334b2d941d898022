"""Finding and reading ``jarvis.toml``, the environment over it, and saying what is wrong with either.

In the file, paths are relative to the file's own folder and ``~`` is the user's home; in variables they are relative to
the working folder. ``assistant.config_pages`` prints settings for people.
"""

from __future__ import annotations

import difflib
import json
import os
import tomllib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from assistant.config import Settings
from assistant.config_catalog import check_not_in_both, read_catalog
from assistant.config_paths import with_paths
from assistant.errors import ConfigError
from tools.settings import ServiceSettings

FILE_NAME = "jarvis.toml"
PREFIX = "JARVIS_"
SPECIAL = frozenset({"JARVIS_CONFIG", "JARVIS_STATE", "JARVIS_MODELS", "JARVIS_DEBUG"})
"""Variables with a meaning of their own; all others with the prefix are settings: JARVIS_SERVER__PORT=8765."""


STANDING_FOR = {"JARVIS_STATE": "state_dir", "JARVIS_MODELS": "models_dir"}
"""Special variables that say where a folder is when no setting does (JARVIS_STATE_DIR is the setting's own)."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, the file they came from (None: none was found), and the variables that changed them.

    ``origins``: dotted setting → ``file``, the variable's name, or the catalogue's file; what is not in it is at its
    default.
    """

    settings: Settings
    file: Path | None
    variables: tuple[str, ...]
    origins: Mapping[str, str] = field(default_factory=dict)


def places() -> Iterator[Path]:
    """Where the file is looked for, in order."""
    if named := os.environ.get("JARVIS_CONFIG"):
        yield Path(named)
        return
    yield Path(FILE_NAME)
    yield Path(platformdirs.user_config_dir("jarvis")) / FILE_NAME
    yield Path("/etc/jarvis") / FILE_NAME


def load(
    path: Path | None = None, environment: Mapping[str, str] | None = None, *, with_catalog: bool = True
) -> Loaded:
    """The settings. A file that was named must exist. Raises ConfigError naming file, key and mend.

    ``with_catalog=False``: without the services of the catalogue's files, for whoever mends these.
    """
    variables = os.environ if environment is None else environment
    named = path is not None or bool(os.environ.get("JARVIS_CONFIG"))
    file = path or next((place for place in places() if place.is_file()), None)
    if file is None and named:
        file = next(places())
    raw = _read(file) if file is not None else {}
    origins = dict.fromkeys(_leaves(raw), "file")
    by_variable = _from_variables(variables)
    if with_catalog:
        origins |= _add_catalog(raw, by_variable.get("catalog"), file)
    for dotted, (variable, value) in by_variable.items():
        if variable in STANDING_FOR and dotted in origins:
            continue
        _put(raw, dotted, value, variable)
        origins = {known: origin for known, origin in origins.items() if not f"{known}.".startswith(f"{dotted}.")}
        origins[dotted] = variable
    settings = _validated(raw, str(file) if file else "the environment", origins)
    _check_secret_files(settings)
    used = {variable for variable, _ in by_variable.values()} & set(origins.values())
    return Loaded(settings, file, tuple(sorted(used)), origins)


def _read(file: Path) -> dict[str, Any]:
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError("unreadable", f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError("not_toml", f"{file} is not UTF-8 text (byte {error.start}).") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("not_toml", f"{file} is no TOML: {error}.", mend="Mend that line.") from error
    meant: dict[str, Any] = with_paths(raw, Settings, file.resolve().parent)
    return meant


def _add_catalog(raw: dict[str, Any], by_variable: tuple[str, Any] | None, file: Path | None) -> dict[str, str]:
    """Put the catalogue's services beside those of the file; where each of their settings comes from."""
    folder = by_variable[1] if by_variable is not None else raw.get("catalog")
    if not isinstance(folder, str) or not folder:
        return {}
    entries = read_catalog(Path(folder))
    check_not_in_both(entries, raw.get("services", {}), file)
    services = raw.setdefault("services", {})
    origins: dict[str, str] = {}
    if isinstance(services, dict):  # else the settings say what is wrong with it
        for name, (entry, path) in entries.items():
            services[name] = with_paths(entry.raw, ServiceSettings, path.resolve().parent)
            origins |= dict.fromkeys(_leaves({"services": {name: entry.raw}}), str(path))
    return origins


def _from_variables(environment: Mapping[str, str]) -> dict[str, tuple[str, Any]]:
    """Dotted setting → (variable, value): JARVIS_SERVER__PORT=8765 is server.port, an empty value is *not set*."""
    found: dict[str, tuple[str, Any]] = {}
    for variable in sorted((name for name in environment if name.startswith(PREFIX)), key=_settings_last):
        text = environment[variable]
        if variable in STANDING_FOR and text.strip():
            found[STANDING_FOR[variable]] = (variable, text)
        elif variable not in SPECIAL:
            dotted = variable[len(PREFIX) :].lower().replace("__", ".")
            found[dotted] = (variable, _value_of(dotted, text))
    return found


def _settings_last(variable: str) -> tuple[bool, str]:
    """JARVIS_STATE_DIR is looked at after JARVIS_STATE, and wins."""
    return variable not in STANDING_FOR, variable


def _value_of(dotted: str, text: str) -> Any:
    """JSON for lists and tables (a list also by commas); None for nothing; else text, which pydantic reads."""
    if not text:
        return [] if _takes(dotted, tuple) else None
    if text[0] in "[{":
        try:
            return json.loads(text)
        except ValueError:
            return text
    return [part.strip() for part in text.split(",")] if _takes(dotted, tuple) else text


def _put(raw: dict[str, Any], dotted: str, value: Any, variable: str) -> None:
    *sections, key = dotted.split(".")
    target = raw
    for section in sections:
        inner = target.setdefault(section, {})
        if not isinstance(inner, dict):
            raise ConfigError("not_a_section", f"{variable}: `{section}` is no section.")
        target = inner
    target[key] = value


def _leaves(raw: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in raw.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _validated(raw: Mapping[str, Any], where: str, origins: Mapping[str, str]) -> Settings:
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        problems = [_explained(problem, origins) for problem in error.errors()]
        raise ConfigError(
            "invalid_settings",
            f"{where}: " + " ".join(problems),
            mend="`jarvis config schema` and docs/configuration.md list every setting.",
        ) from error


def _explained(problem: Any, origins: Mapping[str, str]) -> str:
    """The key, the variable that set it where one did, and what is wrong; never the value, which may be a secret."""
    parts = [str(part) for part in problem["loc"]]
    key = ".".join(part for part in parts if part != "[key]") or "the file"
    origin = origins.get(key, "file")
    at = f"`{key}`" if origin == "file" else f"`{key}` ({origin})"
    if problem["type"] == "extra_forbidden":
        near = nearest(key)
        return f"{at} is not a setting" + (f"; did you mean `{near}`?" if near else ".")
    if "[key]" in parts:
        return f"{at}: this name cannot be used; small letters, digits and _ only."
    said = problem["msg"].removeprefix("Value error, ")
    return f"{at}: {said[:1].lower()}{said[1:]}."


def nearest(key: str) -> str | None:
    """The known setting or section that an unknown one was probably meant to be.

    First a name beside it that is a slip of the fingers away, then the one place where a setting of exactly that name
    exists, then similar names beside it, then anywhere.
    """
    *section, last = key.split(".")
    names = [name for name, _, _ in every_setting()]
    inside = [name.split(".") for name in names if _same_section(name, section, whole=False)]
    beside = [parts[len(section)] for parts in inside]
    if section and (slip := difflib.get_close_matches(last, beside, n=1, cutoff=0.85)):
        return ".".join([*section, slip[0]])
    same = [name for name in names if name.rsplit(".", 1)[-1] == last and "NAME" not in name]
    if len(same) == 1:
        return same[0]
    if near := difflib.get_close_matches(last, beside, n=1, cutoff=0.5):
        return ".".join([*section, near[0]])
    anywhere = difflib.get_close_matches(key, names, n=1, cutoff=0.6)
    return anywhere[0] if anywhere else None


def _same_section(name: str, section: list[str], *, whole: bool = True) -> bool:
    """Whether a setting stands in that section; ``whole=False``: or in a section of it."""
    parts = name.split(".")[:-1]
    return (len(parts) == len(section) if whole else len(parts) >= len(section)) and all(
        part.isupper() or part == said for part, said in zip(parts, section, strict=False)
    )


def _takes(dotted: str, kind: type) -> bool:
    """Whether a setting's type is, or may be, ``kind``."""
    *section, last = dotted.split(".")
    for name, field_info, _ in every_setting():
        if name.rsplit(".", 1)[-1] == last and _same_section(name, section):
            annotation = field_info.annotation
            parts = (annotation, typing.get_origin(annotation), *typing.get_args(annotation))
            return kind in parts
    return False


def _check_secret_files(settings: Settings) -> None:
    for key, file in _secret_files(settings).items():
        if file is not None and not os.access(file, os.R_OK):
            raise ConfigError("secret_unreadable", f"`{key}`: {file} does not exist or cannot be read.")


def _secret_files(settings: Settings) -> dict[str, Path | None]:
    return {
        "model.api_key_file": settings.model.api_key_file,
        "server.tokens_file": settings.server.tokens_file,
        "access.user_jwt_secret_file": settings.access.user_jwt_secret_file,
        "access.pin_file": settings.access.pin_file,
        **{f"mcp_servers.{name}.token_file": s.token_file for name, s in settings.mcp_servers.items()},
    }


def warnings(settings: Settings) -> Iterator[str]:
    """What can be lived with and should be mended: files that only one backup needs, secrets that others may read."""
    files = {f"backups.{name}.password_file": job.password_file for name, job in settings.backups.items()}
    for key, file in files.items():
        if file is not None and not os.access(file, os.R_OK):
            yield f"`{key}`: {file} does not exist or cannot be read."
    for key, file in {**files, **_secret_files(settings)}.items():
        if file is not None and file.exists() and file.stat().st_mode & 0o077:
            yield f"`{key}`: others can read {file}; `chmod 600 {file}` mends it."


def every_setting() -> Iterator[tuple[str, FieldInfo, type[BaseModel]]]:
    """(dotted name, field, model it stands in); NAME stands for a key that the user chooses."""
    yield from _walk(Settings, "")


def _walk(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldInfo, type[BaseModel]]]:
    for name, known in model.model_fields.items():
        section, by_name = _section_of(known.annotation)
        if section is None:
            yield prefix + name, known, model
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
