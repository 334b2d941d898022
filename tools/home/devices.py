"""The home: which lights and devices are in which area, of what kind, and what a said target means. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tools.contract import Candidates
from tools.names import NameIndex, Resolved, plain
from tools.settings import ToolSettings
from tools.wording import listing

LIGHTS = "lights"
"""Canonical target for all lights of an area, or of the house."""

ALL = "all"
"""Canonical target for everything in an area."""

_LIGHT_WORDS = frozenset({"light", "lights", "lighting", "lamp", "lamps", "bulb", "bulbs", "brightness"})
_ALL_WORDS = frozenset({"all", "everything", "devices", "device", "things", "stuff", "room", "whole"})
_SMALL = frozenset({"the", "my", "our", "a", "an", "all", "in", "of", "every", "both", "your", "s", "room", "area"})


class DeviceKind(StrEnum):
    """What can be done with a device; read off its name until a home system says it."""

    LIGHT = "light"
    SWITCH = "switch"
    FAN = "fan"
    MEDIA = "media"
    CLIMATE = "climate"
    COVER = "cover"
    ENTRANCE = "entrance"
    LOCK = "lock"
    ALARM = "alarm"
    SENSOR = "sensor"


_KIND_BY_WORD: tuple[tuple[frozenset[str], DeviceKind], ...] = (
    (frozenset({"sensor", "doorbell", "meter", "detector", "camera"}), DeviceKind.SENSOR),
    (frozenset({"lock"}), DeviceKind.LOCK),
    (frozenset({"alarm"}), DeviceKind.ALARM),
    (frozenset({"gate", "door"}), DeviceKind.ENTRANCE),
    (frozenset({"blind", "blinds", "curtain", "curtains", "shutter", "shutters", "shade", "shades", "awning"}),
     DeviceKind.COVER),
    (frozenset({"thermostat", "radiator", "heating", "conditioner", "conditioning"}), DeviceKind.CLIMATE),
    (frozenset({"television", "tv", "speaker", "stereo", "radio", "projector"}), DeviceKind.MEDIA),
    (frozenset({"fan"}), DeviceKind.FAN),
)  # fmt: skip

SWITCHABLE = frozenset({DeviceKind.LIGHT, DeviceKind.SWITCH, DeviceKind.FAN, DeviceKind.MEDIA, DeviceKind.CLIMATE})
"""What "turn everything off" means: never a lock, a door or a sensor."""


@dataclass(frozen=True, slots=True)
class Device:
    """One light or device; its name may occur in several areas."""

    name: str
    area: str
    kind: DeviceKind


@dataclass(frozen=True, slots=True)
class Target:
    """What was meant: a device's name, LIGHTS or ALL; the area if there is one; and the devices that are meant."""

    name: str
    area: str | None
    devices: tuple[Device, ...]


def kind_of(name: str) -> DeviceKind:
    """By the words of a device's name that is no light; a switch when nothing says otherwise."""
    words = set(plain(name))
    return next((kind for known, kind in _KIND_BY_WORD if known & words), DeviceKind.SWITCH)


class Home:
    """The areas of the configuration with what is in them."""

    def __init__(self, settings: ToolSettings, names: NameIndex) -> None:
        self._names = names
        self.devices = tuple(
            Device(name, area, kind)
            for area, inside in settings.areas.items()
            for name, kind in (
                *((light, DeviceKind.LIGHT) for light in inside.lights),
                *((other, kind_of(other)) for other in inside.devices),
            )
        )

    def find(self, said: str, said_area: str | None, *, one: bool) -> Target | Candidates:
        """What ``said`` means. ``one``: a name that several areas have must be told apart (acting, not reading)."""
        area = self._area(said_area)
        if isinstance(area, Candidates):
            return area
        words = plain(said)
        rest, inner = self._area_within(words)
        whole = self._named(said, area)
        if whole:
            return self._target(said, whole, area, one=one)
        area = area or inner
        left = [word for word in rest if word not in _SMALL]
        if _LIGHT_WORDS.issuperset(left) and left:
            return self._group(LIGHTS, area, [d for d in self._inside(area) if d.kind is DeviceKind.LIGHT], said)
        if _ALL_WORDS.issuperset(left):
            return self._group(ALL, area, self._inside(area), said)
        found = self._named(" ".join(rest), area)
        if not found and area:
            found = self._more_exactly(" ".join(rest), area)
        if not found and area and self._named(" ".join(rest), None):
            there = sorted({device.area for device in self._named(" ".join(rest), None)})
            name = self._named(" ".join(rest), None)[0].name
            spoken = f"There is no {name} in the {area}; there is one in the {listing(there)}."
            return Candidates(argument="area", said=area, names=tuple(there), spoken=spoken)
        if found:
            return self._target(said, found, area, one=one)
        return self._unknown(said)

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

    def _named(self, said: str, area: str | None) -> list[Device]:
        found = self._names.resolve("device", said) if said.strip() else None
        if not isinstance(found, Resolved):
            return []
        return [d for d in self.devices if d.name == found.name and area in (None, d.area)]

    def _more_exactly(self, said: str, area: str) -> list[Device]:
        """The only one there that is called so among other words: the garden's outdoor temperature sensor."""
        meant = self._named(said, None)
        ending = f" {meant[0].name}" if meant else "\0"
        inside = [device for device in self._inside(area) if device.name.endswith(ending)]
        return inside if len(inside) == 1 else []

    def _inside(self, area: str | None) -> list[Device]:
        return [device for device in self.devices if area in (None, device.area)]

    def _target(self, said: str, found: list[Device], area: str | None, *, one: bool) -> Target | Candidates:
        name = found[0].name
        areas = list(dict.fromkeys(device.area for device in found))
        if len(areas) == 1:
            return Target(name, areas[0], tuple(found))
        plural = name.endswith("s") or {"all", "both", "every"} & set(plain(said))
        if one and not plural:
            spoken = f"Which {name}: the one in the {listing(areas, 'or')}?"
            return Candidates(argument="area", said=said, names=tuple(areas), ambiguous=True, spoken=spoken)
        return Target(name, area, tuple(found))

    def _group(self, name: str, area: str | None, devices: Iterable[Device], said: str) -> Target | Candidates:
        meant = tuple(devices)
        if meant:
            return Target(name, area, meant)
        where = f" in the {area}" if area else ""
        what = "lights" if name == LIGHTS else "devices"
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
