"""The names of the home in a file, so that they are known while Home Assistant is away."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tools.home.port import Entity, Place
from tools.home.registry import clean
from tools.home.states import is_entity_id

log = logging.getLogger(__name__)

MAX_FILE_BYTES = 32 * 2**20
_FORM = 1


@dataclass(frozen=True, slots=True)
class Names:
    """Entities and places by id; no states."""

    entities: Mapping[str, Entity] = field(default_factory=dict)
    areas: Mapping[str, Place] = field(default_factory=dict)
    floors: Mapping[str, Place] = field(default_factory=dict)


def keep(path: Path, home: str, names: Names) -> None:
    """Write the file (0600) whole or not at all; ``home``: whose names they are. Raises OSError."""
    kept = {
        "form": _FORM,
        "home": home,
        "entities": [asdict(entity) for entity in names.entities.values()],
        "areas": [asdict(place) for place in names.areas.values()],
        "floors": [asdict(place) for place in names.floors.values()],
    }
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".partial")
    try:
        # A lone surrogate, which JSON can carry and UTF-8 cannot, becomes the JSON escape that it came from.
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            json.dump(kept, file, ensure_ascii=False, separators=(",", ":"))
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def remembered(path: Path, home: str, *, exposed_only: bool = False) -> Names:
    """What was kept of that home; nothing where there is no such file, or not a readable one."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError("it is too long")
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["form"] != _FORM or raw["home"] != home:
            return Names()
        return Names(
            {found.id: found for found in map(_entity, raw["entities"]) if found.exposed or not exposed_only},
            {place.id: place for place in map(_place, raw["areas"])},
            {place.id: place for place in map(_place, raw["floors"])},
        )
    except FileNotFoundError:
        return Names()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        log.warning(
            "the names of the home in %s cannot be read (%s); they are asked for anew", path, type(error).__name__
        )
        return Names()


def _entity(raw: Mapping[str, Any]) -> Entity:
    if not is_entity_id(raw["id"]):
        raise ValueError("no entity")
    return Entity(
        id=raw["id"],
        name=clean(raw["name"]),
        area=_text(raw["area"]),
        aliases=tuple(clean(alias) for alias in raw["aliases"]),
        device_class=_text(raw["device_class"]),
        features=int(raw["features"]),
        exposed=bool(raw["exposed"]),
    )


def _place(raw: Mapping[str, Any]) -> Place:
    return Place(
        id=str(raw["id"]),
        name=clean(raw["name"]),
        aliases=tuple(clean(alias) for alias in raw["aliases"]),
        floor=_text(raw["floor"]),
    )


def _text(raw: object) -> str | None:
    return raw if isinstance(raw, str) else None
