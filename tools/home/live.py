"""What the home system knows, as devices with names that people say, areas and floors. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tools.home.kinds import GROUPS, DeviceKind, Group, kind_of_entity
from tools.home.port import Entity, Place
from tools.names import plain

MAX_ALIASES = 12
"""Of one entity or place; what is beyond is left out."""

LONGEST_NAME = 60
"""Characters of a name; what is beyond is cut."""

_BARE = frozenset(
    {"light", "lights", "lamp", "switch", "sensor", "group", "lock", "plug", "door", "window", "main", "all"}
)
"""What is no name of its own once the room is taken off it: "Kitchen Light" stays "kitchen light"."""

_GROUP_WORDS = frozenset("".join(plain(word)) for group in GROUPS for word in (group.name, *group.aliases))
_JOINING = frozenset({"in", "the", "of", "s", "room"})


@dataclass(frozen=True, slots=True)
class Device:
    """One light or device; its name may occur in several areas. ``area`` is empty where it is in none; ``id`` and
    ``aliases`` are empty where it comes from the configuration alone. ``full``: its name with the room."""

    name: str
    area: str
    kind: DeviceKind
    id: str = ""
    aliases: tuple[str, ...] = ()
    device_class: str | None = None
    full: str = ""

    @property
    def domain(self) -> str:
        """Of the home system: ``light``."""
        return self.id.partition(".")[0]


@dataclass(frozen=True)
class LiveHome:
    """The devices, in the order of their areas; what else is called by name; the areas of each floor."""

    devices: tuple[Device, ...] = ()
    device_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    area_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    floors: Mapping[str, frozenset[str]] = field(default_factory=dict)
    groups: Mapping[str, tuple[Group, bool]] = field(default_factory=dict)
    """By canonical word; whether it is a word for one of them."""


def read_home(
    entities: Iterable[Entity],
    areas: Mapping[str, Place],
    floors: Mapping[str, Place],
    home_aliases: Mapping[str, str] | None = None,
    *,
    exposed_only: bool = True,
) -> LiveHome:
    """``home_aliases``: what people say → a device's name, its name with the room, or an entity's id."""
    area_names = {id_: said_name(place.name) for id_, place in areas.items()}
    own = _own_aliases(home_aliases or {})
    devices = []
    for entity in entities:
        kind = kind_of_entity(entity)
        if kind is None or (exposed_only and not entity.exposed) or not plain(entity.name):
            continue
        place = areas.get(entity.area or "")
        full = said_name(entity.name)
        name = _short_name(full, place, kind)
        others = [said_name(alias) for alias in entity.aliases if plain(alias)]
        others += [alias for said in (entity.id, name, full, *others) for alias in own.get(_key(said), ())]
        if kind is DeviceKind.SENSOR and _key(f"{name} sensor") not in _GROUP_WORDS:
            others.append(f"{name} sensor")
        devices.append(
            Device(
                name,
                area_names[place.id] if place else "",
                kind,
                entity.id,
                tuple(dict.fromkeys(others))[:MAX_ALIASES],
                entity.device_class or _class_of(entity),
                full,
            )
        )
    order = {area: number for number, area in enumerate(area_names.values())}
    devices.sort(key=lambda device: (order.get(device.area, len(order)), device.kind, device.name))
    on_floor = {
        said_name(floor.name): frozenset(area_names[area.id] for area in areas.values() if area.floor == id_)
        for id_, floor in floors.items()
    }
    names = _device_names(devices)
    words = _group_names(devices, names)
    return LiveHome(
        tuple(devices),
        {**names, **{name: aliases for name, (_, _, aliases) in words.items()}},
        _place_names(areas.values(), floors.values(), home_aliases or {}),
        {name: inside for name, inside in on_floor.items() if name not in area_names.values()},
        {name: (group, single) for name, (group, single, _) in words.items()},
    )


def said_name(name: str) -> str:
    """As it is said in a sentence: "Ceiling Light" is "ceiling light", "LG TV" stays."""
    words = [word.lower() if word[:1].isupper() and word[1:].islower() else word for word in name.split()]
    words = [word.lower() if len(word) == 1 else word for word in words]
    cleaned = "".join(character for character in " ".join(words) if character.isprintable())
    return cleaned[:LONGEST_NAME].strip()


def _short_name(full: str, place: Place | None, kind: DeviceKind) -> str:
    """What it is called within its area."""
    if place is None:
        return full
    if _key(full) == _key(place.name) and kind in _NOUNS:
        return f"{full} {_NOUNS[kind]}"
    short = _without_place(full, (place.name, *place.aliases))
    return full if not plain(short) or _BARE.issuperset(plain(short)) else short


_NOUNS = {
    DeviceKind.LIGHT: "light", DeviceKind.SWITCH: "switch", DeviceKind.FAN: "fan", DeviceKind.MEDIA: "media player",
    DeviceKind.CLIMATE: "thermostat", DeviceKind.COVER: "blinds", DeviceKind.LOCK: "lock",
    DeviceKind.HUMIDIFIER: "humidifier", DeviceKind.VACUUM: "vacuum",
}  # fmt: skip
"""What is said with the room where something is called like its room alone."""


def _without_place(name: str, places: Iterable[str]) -> str:
    """Without its room before or behind it: "kitchen ceiling light", "ceiling light (kitchen)"."""
    words = name.split()
    for place in places:
        room = plain(place)
        for cut in range(1, len(words)):
            if plain(" ".join(words[:cut])) == room:
                rest = words[cut:]
                while len(rest) > 1 and plain(rest[0]) == []:
                    rest = rest[1:]
                return " ".join(rest)
            if plain(" ".join(words[cut:])) == room:
                rest = words[:cut]
                while len(rest) > 1 and set(plain(rest[-1])) <= _JOINING:
                    rest = rest[:-1]
                return " ".join(rest)
    return name


def _class_of(entity: Entity) -> str | None:
    """So that groups by class find what has none of its own: a cover that is called a blind."""
    if entity.domain == "cover":
        words = {word.removesuffix("s") for word in plain(entity.name)}
        return next((name for name in ("blind", "curtain", "shutter", "shade", "awning") if name in words), None)
    return entity.domain if entity.domain in ("climate", "lock") else None


def _key(words: str) -> str:
    return "".join(plain(words))


def _own_aliases(home_aliases: Mapping[str, str]) -> dict[str, list[str]]:
    own: dict[str, list[str]] = defaultdict(list)
    for said, meant in home_aliases.items():
        own[_key(meant)].append(said)
    return own


def _device_names(devices: Sequence[Device]) -> dict[str, tuple[str, ...]]:
    """An alias of one of several that are called alike is a name of its own, so that it stays told apart."""
    count = Counter(device.name for device in devices)
    names: dict[str, list[str]] = {}
    for device in devices:
        names.setdefault(device.name, [])
        if count[device.name] == 1:
            names[device.name] += device.aliases
    for device in devices:
        if count[device.name] > 1:
            for alias in device.aliases:
                if alias != f"{device.name} sensor":
                    names.setdefault(alias, [])
    return {name: tuple(dict.fromkeys(aliases)) for name, aliases in names.items()}


def _group_names(
    devices: Iterable[Device], names: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[Group, bool, tuple[str, ...]]]:
    """Words for kinds of what is there, but for those that are names already."""
    taken = {_key(word) for name, aliases in names.items() for word in (name, *aliases)}
    there = {(device.kind, device.device_class) for device in devices}
    words: dict[str, tuple[Group, bool, tuple[str, ...]]] = {}
    for group in GROUPS:
        if not any(group.holds(*one) for one in there):
            continue
        for single, called in ((False, (group.name, *group.aliases)), (True, group.single)):
            free = [word for word in called if _key(word) not in taken]
            if free:
                words[free[0]] = (group, single, tuple(free[1:]))
                taken.update(_key(word) for word in free)
    return words


def _place_names(
    areas: Iterable[Place], floors: Iterable[Place], home_aliases: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    own = _own_aliases(home_aliases)
    names: dict[str, tuple[str, ...]] = {}
    for place in areas:
        name = said_name(place.name)
        names[name] = tuple(dict.fromkeys((*place.aliases, *own.get(_key(name), ()))))[:MAX_ALIASES]
    for place in floors:
        name = said_name(place.name)
        if name not in names:
            floor = f"{name} floor" if "floor" not in plain(name) else ""
            names[name] = tuple(dict.fromkeys((*place.aliases, *filter(None, [floor]))))[:MAX_ALIASES]
    return names
