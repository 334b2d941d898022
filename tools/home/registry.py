"""Names, places and what is exposed, out of Home Assistant's registries. Pure.

Older and newer versions differ: no floors before 2024.4, aliases only in the long form of an entry, lists that a user
who is no administrator does not get. What is missing is left out; what is exposed then follows the defaults that Home
Assistant documents for entities that nobody decided about.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tools.home.port import Entity, Place, State
from tools.home.states import States, is_entity_id

ASSISTANT = "conversation"
"""Assist's name among those that entities are exposed to."""

EXPOSED_DOMAINS = frozenset(
    {"climate", "cover", "fan", "humidifier", "light", "media_player", "scene", "switch", "todo", "vacuum",
     "water_heater"}
)  # fmt: skip
EXPOSED_BINARY_SENSORS = frozenset({"door", "garage_door", "lock", "motion", "opening", "presence", "window"})
EXPOSED_SENSORS = frozenset(
    {"aqi", "carbon_dioxide", "carbon_monoxide", "humidity", "pm10", "pm25", "temperature",
     "volatile_organic_compounds"}
)  # fmt: skip
"""The defaults, as in Home Assistant's ``homeassistant/exposed_entities.py``."""

MAX_NAME = 100
MAX_ALIASES = 32
MAX_PLACES = 2_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One entity of the registry. ``chosen``: whether somebody exposed it, None where nobody decided; ``minor``:
    hidden, or for configuration and diagnosis only."""

    name: str = ""
    area: str | None = None
    aliases: tuple[str, ...] = ()
    chosen: bool | None = None
    minor: bool = False


@dataclass(frozen=True, slots=True)
class Registry:
    """All of it. ``listed``: what is exposed; None where that is not told; ``decides``: Home Assistant's own assistant
    runs there, so that what it does not list is not exposed."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    areas: Mapping[str, Place] = field(default_factory=dict)
    floors: Mapping[str, Place] = field(default_factory=dict)
    listed: frozenset[str] | None = None
    decides: bool = True

    def entity(self, id_: str, state: State) -> Entity:
        """It, as it is called and classed now."""
        entry = self.entries.get(id_, _NOT_REGISTERED)
        device_class = state.attributes.get("device_class")
        features = state.attributes.get("supported_features")
        return Entity(
            id=id_,
            name=clean(state.attributes.get("friendly_name")) or entry.name or id_.partition(".")[2].replace("_", " "),
            area=entry.area if entry.area in self.areas else None,
            aliases=entry.aliases,
            device_class=device_class if isinstance(device_class, str) else None,
            features=features if isinstance(features, int) else 0,
            exposed=self._is_exposed(id_, entry, device_class),
        )

    def entities(self, states: States, *, exposed_only: bool) -> dict[str, Entity]:
        """All that have a state, by id."""
        found = (self.entity(id_, state) for id_ in states if (state := states.get(id_)) is not None)
        return {entity.id: entity for entity in found if entity.exposed or not exposed_only}

    def named_at_length(self, *, exposed_only: bool) -> list[str]:
        """Whose long form is worth asking for: what can be exposed, as far as that is known without its state."""
        if not exposed_only:
            return list(self.entries)
        listed = self.listed or frozenset()
        return [
            id_
            for id_, entry in self.entries.items()
            if entry.chosen or id_ in listed or (entry.chosen is None and not entry.minor and not self._all_listed)
        ]

    @property
    def _all_listed(self) -> bool:
        return self.listed is not None and self.decides

    def _is_exposed(self, id_: str, entry: Entry, device_class: object) -> bool:
        if entry.chosen is not None:
            return entry.chosen
        if self._all_listed or id_ in (self.listed or ()):
            return id_ in (self.listed or ())
        return not entry.minor and _is_exposed_by_default(id_, device_class)


_NOT_REGISTERED = Entry()


def read_registry(
    *,
    entities: object,
    devices: object = None,
    areas: object = None,
    floors: object = None,
    exposed: object = None,
    decides: bool = True,
) -> Registry:
    """The results of the list commands, each None where it was refused."""
    area_of_device = {
        device["id"]: device.get("area_id") for device in _dicts(devices) if isinstance(device.get("id"), str)
    }
    entries = {
        raw["entity_id"]: _entry(raw, area_of_device)
        for raw in _dicts(entities)
        if is_entity_id(raw.get("entity_id")) and raw.get("disabled_by") is None
    }
    return Registry(
        entries=entries,
        areas={place.id: place for place in _places(areas, "area_id")},
        floors={place.id: place for place in _places(floors, "floor_id")},
        listed=listed_in(exposed),
        decides=decides,
    )


def with_aliases(registry: Registry, long_entries: object) -> Registry:
    """With the other names out of the long form of entries (``config/entity_registry/get_entries``)."""
    if not isinstance(long_entries, Mapping):
        return registry
    entries = dict(registry.entries)
    for id_, raw in long_entries.items():
        if id_ in entries and isinstance(raw, Mapping):
            entries[id_] = replace(entries[id_], aliases=_aliases(raw))
    return replace(registry, entries=entries)


def clean(raw: object) -> str:
    """A name fit to be said and shown: one line, no control characters, at most MAX_NAME long; empty for no name."""
    if not isinstance(raw, str):
        return ""
    text = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in raw[: 4 * MAX_NAME])
    return " ".join(text.split())[:MAX_NAME].rstrip()


def _entry(raw: Mapping[str, Any], area_of_device: Mapping[str, Any]) -> Entry:
    device = raw.get("device_id")
    area = raw.get("area_id") or (area_of_device.get(device) if isinstance(device, str) else None)
    options = raw.get("options")
    option = options.get(ASSISTANT) if isinstance(options, Mapping) else None
    chosen = option.get("should_expose") if isinstance(option, Mapping) else None
    return Entry(
        name=clean(raw.get("name")) or clean(raw.get("original_name")),
        area=area if isinstance(area, str) else None,
        aliases=_aliases(raw),
        chosen=chosen if isinstance(chosen, bool) else None,
        minor=raw.get("hidden_by") is not None or raw.get("entity_category") is not None,
    )


def _places(raw: object, key: str) -> Iterable[Place]:
    for place in _dicts(raw)[:MAX_PLACES]:
        id_, name, floor = place.get(key), clean(place.get("name")), place.get("floor_id")
        if isinstance(id_, str) and name:
            is_area = key == "area_id"
            yield Place(
                id=id_, name=name, aliases=_aliases(place), floor=floor if is_area and isinstance(floor, str) else None
            )


def _aliases(raw: Mapping[str, Any]) -> tuple[str, ...]:
    said = raw.get("aliases")
    names = (clean(alias) for alias in (said[:MAX_ALIASES] if isinstance(said, list) else ()))
    return tuple(sorted({name for name in names if name}))


def listed_in(raw: object) -> frozenset[str] | None:
    """What is exposed to Assist, out of ``homeassistant/expose_entity/list``."""
    entities = raw.get("exposed_entities") if isinstance(raw, Mapping) else None
    if not isinstance(entities, Mapping):
        return None
    return frozenset(id_ for id_, to in entities.items() if isinstance(to, Mapping) and to.get(ASSISTANT) is True)


def _is_exposed_by_default(id_: str, device_class: object) -> bool:
    domain = id_.partition(".")[0]
    if domain == "binary_sensor":
        return device_class in EXPOSED_BINARY_SENSORS
    if domain == "sensor":
        return device_class in EXPOSED_SENSORS
    return domain in EXPOSED_DOMAINS


def _dicts(raw: object) -> list[Mapping[str, Any]]:
    return [item for item in raw if isinstance(item, Mapping)] if isinstance(raw, list) else []
