"""Files of the catalogue: made from what was found or typed, checked before they count, never written over."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from tools.catalog.reading import NAME, name_of_file, read_entry
from tools.settings import ServiceSettings

MODE = 0o644
"""Nothing in a file of the catalogue is a secret: passwords stand in files of their own."""

_FIRST = ("url", "tcp", "host", "ip", "port", "dns", "aliases", "description", "owner", "group", "icon", "restore")
"""What people look for in a file, in this order; the rest as the settings have it."""


def file_name(name: str) -> str:
    """ "home assistant" → "home-assistant.yaml"; only letters, digits, dots and hyphens are left."""
    stem = re.sub(r"[^\w.]+", "-", name.casefold()).strip("-.") or "service"
    return f"{stem.encode()[:120].decode(errors='ignore')}.yaml"


def as_yaml(name: str, fields: Mapping[str, Any], file: str, comments: tuple[str, ...] = ()) -> str:
    """The text of a file. Raises CatalogError for what would be no service."""
    head = {} if name_of_file(file) == name else {NAME: name}
    order = [key for key in (*_FIRST, *ServiceSettings.model_fields) if key in fields]
    body = {key: _plain(fields[key]) for key in dict.fromkeys([*order, *fields])}
    lines = [f"# {_comment(comment)}" for comment in comments]
    text = yaml.dump({**head, **body}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    whole = "\n".join([*lines, text])
    read_entry(whole, file)
    return whole


def write_new(path: Path, text: str, *, force: bool = False) -> None:
    """Whole or not at all; what is there already stays, but with ``force``. Raises FileExistsError, OSError."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, MODE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if force:
            part.replace(path)
        else:
            _take_place(part, path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


class _Dumper(yaml.SafeDumper):
    """Unicode's own line breaks are escaped: plain and single-quoted ones are read back as spaces."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if set(text) & _BREAKS else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_BREAKS = frozenset("\x85\u2028\u2029\ufeff")
_Dumper.add_representer(str, _text)


def _take_place(part: Path, path: Path) -> None:
    """A link fails when the name is taken, which a rename would not; some network folders know no links."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        part.rename(path)


def _plain(value: Any) -> Any:
    """What YAML has a form for."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _comment(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
