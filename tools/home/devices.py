"""The home: which lights and devices are in which area, and what a said target means.

From the configuration, or, where a home system is connected, from what that knows (:mod:`tools.home.live`). Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tools.contract import Candidates
from tools.home.kinds import SWITCHABLE, DeviceKind, Group, kind_of
from tools.home.live import Device, LiveHome, read_home
from tools.home.port import HomeLink
from tools.names import NameIndex, Resolved, plain
from tools.settings import ToolSettings
from tools.wording import listing

__all__ = ["ALL", "LIGHTS", "SWITCHABLE", "Device", "DeviceKind", "Home", "Target", "kind_of"]

LIGHTS = "lights"
"""Canonical target for all lights of an area, or of the house."""

ALL = "all"
"""Canonical target for everything in an area."""

_LIGHT_WORDS = frozenset({"light", "lights", "lighting", "lamp", "lamps", "bulb", "bulbs", "brightness"})
_ALL_WORDS = frozenset({"all", "everything", "devices", "device", "things", "stuff", "room", "whole"})
_SMALL = frozenset({"the", "my", "our", "a", "an", "all", "in", "of", "every", "both", "your", "s", "room", "area"})
_OUTSIDE = frozenset({"outdoor", "outside", "garden", "patio", "terrace", "balcony", "yard", "exterior"})

MAX_ASKED = 4
"""Things that are named where it is asked which one is meant."""


@dataclass(frozen=True, slots=True)
class Target:
    """What was meant: a device's name, LIGHTS, ALL or a word for a group; the area if there is one; and the devices.
    ``group``: the name stands for several devices that have other names."""

    name: str
    area: str | None
    devices: tuple[Device, ...]
    group: bool = False


class Home:
    """The areas with what is in them, and what a said target means."""

    def __init__(self, settings: ToolSettings, names: NameIndex) -> None:
        self._names = names
        self._settings = settings
        self._version: int | None = None
        self._floors: Mapping[str, frozenset[str]] = {}
        self._groups: Mapping[str, tuple[Group, bool]] = {}
        self._called: dict[str, list[Device]] = {}
        self.live = False
        self.devices = tuple(
            Device(name, area, kind)
            for area, inside in settings.areas.items()
            for name, kind in (
                *((light, DeviceKind.LIGHT) for light in inside.lights),
                *((other, kind_of(other)) for other in inside.devices),
            )
        )

    def refresh(self, link: HomeLink) -> None:
        """Take what the home system knows now, names and all, where that has changed since the last time."""
        connected = self._settings.home_assistant
        if link.version == self._version or not link.entities:
            return
        self._version = link.version
        self.become(
            read_home(
                link.entities.values(),
                link.areas,
                link.floors,
                self._settings.home_aliases,
                exposed_only=connected is None or connected.exposed_only,
            )
        )

    def become(self, known: LiveHome) -> None:
        """That is the home from now on."""
        self.live = True
        self.devices, self._floors, self._groups = known.devices, known.floors, known.groups
        self._called = {}
        for device in known.devices:
            for name in {_key(device.id), _key(device.full)} - {_key(device.name)}:
                self._called.setdefault(name, []).append(device)
        self._names.replace("device", known.device_names)
        self._names.replace("area", known.area_names)

    def by_kind(self) -> Iterable[tuple[str, str, str]]:
        """Name, area and kind of each device, and of the words for several of them."""
        for device in self.devices:
            yield from ((name, device.area, device.kind.value) for name in (device.name, *device.aliases))
        for word, (group, _) in self._groups.items():
            yield word, "", (DeviceKind.SENSOR if group.reads else min(group.kinds)).value

    def find(
        self, said: str, said_area: str | None, *, one: bool, kinds: Collection[DeviceKind] | None = None
    ) -> Target | Candidates:
        """What ``said`` means. ``one``: a name that several areas have must be told apart (acting, not reading).
        ``kinds``: what it can be; of things of the same name one of these is meant."""
        area = self._area(said_area)
        if isinstance(area, Candidates):
            return area
        words = plain(said)
        rest, inner = self._area_within(words)
        whole = self._of_kinds(self._named(said, area, sure=self.live and inner is not None), kinds)
        if whole:
            return self._target(said, whole, area, one=one)
        area = area or inner
        left = [word for word in rest if word not in _SMALL]
        if _LIGHT_WORDS.issuperset(left) and left:
            return self._group(LIGHTS, area, [d for d in self._inside(area) if d.kind is DeviceKind.LIGHT], said)
        if _ALL_WORDS.issuperset(left):
            return self._group(ALL, area, self._inside(area), said)
        if self.live and (grouped := self._grouped(said, rest, area, one=one)) is not None:
            return grouped
        found = self._of_kinds(self._named(" ".join(rest), area), kinds)
        if not found and area:
            found = self._more_exactly(" ".join(rest), area)
        if not found and area and self._named(" ".join(rest), None):
            there = sorted({device.area for device in self._named(" ".join(rest), None) if device.area})
            name = self._named(" ".join(rest), None)[0].name
            spoken = f"There is no {name} in the {area}"
            spoken += f"; there is one in the {listing(there)}." if there else "."
            return Candidates(argument="area", said=said, names=tuple(there), spoken=spoken)
        if found:
            return self._target(said, found, area, one=one)
        return self._unknown(said)

    def room(self, called: str) -> str | None:
        """The area that is called so, or has it as another name; None for what only sounds like it, or is none."""
        found = self._names.resolve("area", called)
        return found.name if isinstance(found, Resolved) and found.how != "fuzzy" else None

    def says_where(self, said: str) -> bool:
        """Whether the words of a target hold their place: "kitchen lights", "outdoor temperature"."""
        words = plain(said)
        return bool(_OUTSIDE.intersection(words)) or self._area_within(words)[1] is not None

    def meant(self, name: str, area: str | None, kinds: Collection[DeviceKind] | None = None) -> Target | None:
        """The devices of a target that was found before, by its canonical names; None where it is gone."""
        found = self.find(name, area, one=False, kinds=kinds)
        return found if isinstance(found, Target) and found.name == name else None

    def _area(self, said: str | None) -> str | Candidates | None:
        if said is None or not set(plain(said)) - _SMALL - {"house", "home", "everywhere", "any"}:
            return None
        found = self._names.resolve("area", said)
        if isinstance(found, Resolved):
            return found.name
        spoken = f"I don't know a room called {found.said}."
        if found.names:
            spoken += f" The nearest are {listing(found.names)}."
        return Candidates(argument="area", said=said, names=found.names, ambiguous=found.ambiguous, spoken=spoken)

    def _area_within(self, words: Sequence[str]) -> tuple[list[str], str | None]:
        """An area's name inside the target ("the kitchen lights"), and the other words."""
        for length in range(min(3, len(words)), 0, -1):
            for start in range(len(words) - length + 1):
                stretch = " ".join(words[start : start + length])
                found = self._names.resolve("area", stretch)
                if isinstance(found, Resolved) and found.how != "fuzzy":
                    return [*words[:start], *words[start + length :]], found.name
        return list(words), None

    def _named(self, said: str, area: str | None, *, sure: bool = False) -> list[Device]:
        """The devices of that name; ``sure``: as it is said, not what only sounds like it."""
        if self.live and (own := [d for d in self._called.get(_key(said), ()) if self._is_in(d, area)]):
            return own
        found = self._names.resolve("device", said) if said.strip() else None
        if not isinstance(found, Resolved) or (sure and found.how == "fuzzy"):
            return []
        named = [d for d in self.devices if d.name == found.name and self._is_in(d, area)]
        return named or [d for d in self.devices if found.name in d.aliases and self._is_in(d, area)]

    def _more_exactly(self, said: str, area: str) -> list[Device]:
        """The only one there that is called so among other words: the garden's outdoor temperature sensor."""
        meant = self._named(said, None)
        ending = f" {meant[0].name}" if meant else "\0"
        inside = [device for device in self._inside(area) if device.name.endswith(ending)]
        return inside if len(inside) == 1 else []

    def _is_in(self, device: Device, area: str | None) -> bool:
        """In that area, or on that floor."""
        return area is None or device.area == area or device.area in self._floors.get(area, ())

    def _inside(self, area: str | None) -> list[Device]:
        return [device for device in self.devices if self._is_in(device, area)]

    @staticmethod
    def _of_kinds(found: list[Device], kinds: Collection[DeviceKind] | None) -> list[Device]:
        """A lock and the sensor of the same door have one name: the one that can be what is asked for."""
        fitting = [device for device in found if kinds is None or device.kind in kinds]
        return fitting or found

    def _grouped(self, said: str, rest: Sequence[str], area: str | None, *, one: bool) -> Target | Candidates | None:
        """Words for several devices, where they are no device's own name: "the blinds", "the fans in the office"."""
        words = " ".join(word for word in rest if word not in ("all", "every", "both"))
        outside = _OUTSIDE.intersection(plain(said))
        found = self._names.resolve("device", words) if words else None
        if not isinstance(found, Resolved) and outside:
            found = self._names.resolve("device", " ".join(word for word in rest if word not in outside))
        if not isinstance(found, Resolved) or found.how == "fuzzy" or found.name not in self._groups:
            return None
        group, single = self._groups[found.name]
        devices = [d for d in self._inside(area) if group.holds(d.kind, d.device_class)]
        if outside and area is None:
            devices = [d for d in devices if _OUTSIDE.intersection(plain(f"{d.name} {d.area}"))]
        elif area is None and group.reads:
            devices = [d for d in devices if not _OUTSIDE.intersection(plain(f"{d.name} {d.area}"))] or devices
        if len(devices) == 1:
            return Target(devices[0].name, devices[0].area or None, (devices[0],))
        if single and one and devices:
            return _which(found.name, said, devices)
        if outside and devices:
            return Target(f"outdoor {found.name}", None, tuple(devices), group=True)
        return self._group(found.name, area, devices, said)

    def _target(self, said: str, found: list[Device], area: str | None, *, one: bool) -> Target | Candidates:
        name = found[0].name
        areas = list(dict.fromkeys(device.area for device in found))
        if len(areas) == 1:
            return Target(name, areas[0] or None, tuple(found))
        plural = name.endswith("s") or {"all", "both", "every"} & set(plain(said))
        if one and not plural:
            spoken = f"Which {name}: the one in the {listing([place for place in areas if place], 'or')}?"
            return Candidates(argument="area", said=said, names=tuple(areas), ambiguous=True, spoken=spoken)
        return Target(name, area, tuple(found))

    def _group(self, name: str, area: str | None, devices: Iterable[Device], said: str) -> Target | Candidates:
        meant = tuple(devices)
        if meant:
            return Target(name, area, meant, group=True)
        where = f" in the {area}" if area else ""
        what = {LIGHTS: "lights", ALL: "devices"}.get(name, name)
        return Candidates(argument="target", said=said, spoken=f"I know no {what}{where}.")

    def _unknown(self, said: str) -> Candidates:
        found = self._names.resolve("device", said)
        names = () if isinstance(found, Resolved) else found.names
        spoken = f"I don't know a light or device called {said[:60]}."
        ambiguous = not isinstance(found, Resolved) and found.ambiguous
        if names:
            spoken = (
                f"Do you mean {listing(names, 'or')}?" if ambiguous else f"{spoken} The nearest are {listing(names)}."
            )
        return Candidates(argument="target", said=said, names=names, ambiguous=ambiguous, spoken=spoken)


def _which(word: str, said: str, devices: Sequence[Device]) -> Candidates:
    """Ask back: by their rooms where that tells them apart."""
    areas = [device.area for device in devices]
    some = devices[:MAX_ASKED]
    if all(areas) and len(set(areas)) == len(areas):
        spoken = f"Which {word}: the one in the {listing([device.area for device in some], 'or')}?"
        return Candidates(argument="area", said=said, names=tuple(areas), ambiguous=True, spoken=spoken)
    names = tuple(dict.fromkeys(device.name for device in some))
    spoken = f"Which {word}: the {listing(names, 'or the')}?"
    return Candidates(argument="target", said=said, names=names, ambiguous=True, spoken=spoken)


def _key(words: str) -> str:
    return "".join(plain(words)).removeprefix("the")
