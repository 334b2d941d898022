"""Evaluation sets: the form of their lines (``tests/eval/README.md``), and the houses they are about."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from assistant.errors import ConfigError
from tools.contract import JsonObject
from tools.settings import ToolSettings

NOWHERE = "http://127.0.0.1:9"
"""Address of every service of a rehearsal (discard, RFC 863): nothing is ever asked there."""

BAD_LINES_NAMED = 10


class ExpectedCall(BaseModel):
    """A call with canonical arguments."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tool: str = Field(min_length=1)
    arguments: JsonObject = Field(default_factory=dict)


class ExpectedTurn(BaseModel):
    """One utterance, typed or as a clip (``wav``), and what must come of it.

    ``expect`` is None where a line only forbids; ``any_of`` are acceptable lists in its place.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    text: str | None = Field(default=None, min_length=1)
    wav: Path | None = None
    expect: tuple[ExpectedCall, ...] | None = None
    any_of: tuple[tuple[ExpectedCall, ...], ...] | None = Field(default=None, alias="any")
    confirm: bool = False
    forbid: tuple[str, ...] = ()

    @property
    def acceptable(self) -> tuple[tuple[ExpectedCall, ...], ...]:
        """The lists of calls of which one must be made."""
        return self.any_of or (self.expect or (),)

    @property
    def words(self) -> str:
        """What to call the turn by: its text, else its clip."""
        return self.text or (self.wav.name if self.wav else "")


class Line(ExpectedTurn):
    """One line of a set: an utterance, or a conversation of several.

    ``source`` is the set's file, beside which the clips stand, and ``set_name`` what to call it.
    """

    id: str = Field(min_length=1)
    turns: tuple[ExpectedTurn, ...] = ()
    tags: tuple[str, ...] = ()
    source: Path = Path()
    set_name: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Line:
        for turn in self.turns or (self,):
            if (turn.text is None) == (turn.wav is None):
                raise ValueError("a turn has either text or wav")
            if turn.expect is None and turn.any_of is None and not turn.forbid:
                raise ValueError("it is not said what is expected: expect, any or forbid")
            if turn.any_of == ():
                raise ValueError("any is an empty list; nothing could be right")
        return self

    def each(self) -> tuple[tuple[str, ExpectedTurn], ...]:
        """The turns with their ids: the line's own, or ``id.1``, ``id.2``, … in a conversation."""
        return tuple((f"{self.id}.{n}", turn) for n, turn in enumerate(self.turns, 1)) or ((self.id, self),)


def read_sets(paths: Sequence[Path]) -> list[Line]:
    """The lines of several sets, each called by its file's name, or by its path where two have the same name.

    Raises ConfigError.
    """
    names = Counter(path.name for path in dict.fromkeys(paths))
    lines = [(path, line) for path in dict.fromkeys(paths) for line in read_lines(path)]
    return [
        line.model_copy(update={"set_name": path.name if names[path.name] == 1 else str(path)}) for path, line in lines
    ]


def read_lines(path: Path) -> list[Line]:
    """The lines of a set; clips stand beside it. Raises ConfigError naming every bad line by file and number."""
    try:
        rows = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("eval_unreadable", f"{path} cannot be read: {error}.") from error
    lines: list[Line] = []
    bad: list[str] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, 1):
        if not row.strip():
            continue
        try:
            line = Line.model_validate_json(row)
        except ValidationError as error:
            bad.append(f"{path}:{number}: {_problem(error)}")
            continue
        if line.id in seen:
            bad.append(f"{path}:{number}: id: {line.id!r} is the id of line {seen[line.id]}, too.")
        seen[line.id] = number
        lines.append(line.model_copy(update={"source": path, "set_name": path.name}))
    if bad:
        more = [f"and {len(bad) - BAD_LINES_NAMED} more"] if len(bad) > BAD_LINES_NAMED else []
        raise ConfigError("eval_invalid", [*bad[:BAD_LINES_NAMED], *more])
    if not lines:
        raise ConfigError("eval_empty", f"{path} has no lines.")
    return lines


def _problem(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}." if where else f"{first['msg']}."


def homelab_settings(path: Path) -> ToolSettings:
    """The names of a homelab file with made-up addresses: nothing of it will be asked. Raises ConfigError."""
    try:
        house = _mapping(yaml.safe_load(path.read_text(encoding="utf-8")), "the file")
        return ToolSettings.model_validate(
            {
                "services": {name: {"url": NOWHERE, **_own(entry)} for name, entry in _part(house, "services")},
                "backups": {name: {"kind": "report", **_own(entry)} for name, entry in _part(house, "backups")},
                "vms": {name: _own(entry) for name, entry in _part(house, "vms")},
                "areas": {
                    name: {"lights": entry.get("lights") or (), "devices": entry.get("others") or (), **_own(entry)}
                    for name, entry in _part(house, "home")
                },
                "home_aliases": dict(_mapping(house.get("home_aliases") or {}, "home_aliases")),
            }
        )
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError, ValidationError) as error:
        raise ConfigError("homelab_invalid", f"{path} is no homelab file: {error}") from error


def _part(house: Mapping[str, Any], key: str) -> list[tuple[str, Mapping[str, Any]]]:
    entries = _mapping(house.get(key) or {}, key)
    return [(str(name), _mapping(entry or {}, f"{key}: {name}")) for name, entry in entries.items()]


def _own(entry: Mapping[str, Any]) -> JsonObject:
    """What a name of a house may say of itself, as the settings have it."""
    aliases = entry.get("aliases") or []
    if not isinstance(aliases, list):
        raise TypeError(f"aliases should be a list, and is {aliases!r}")
    own: JsonObject = {"aliases": [str(alias) for alias in aliases]}
    return own | ({"protected": entry["protected"]} if "protected" in entry else {})


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{what} should be a table of names, and is {json.dumps(value, default=str)[:60]}")
    return value
