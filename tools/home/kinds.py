"""What kinds of devices there are, and how the home system's domains, or names alone, tell them apart. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tools.home.port import Entity
from tools.names import plain


class DeviceKind(StrEnum):
    """What can be done with a device."""

    LIGHT = "light"
    SWITCH = "switch"
    FAN = "fan"
    MEDIA = "media"
    CLIMATE = "climate"
    HUMIDIFIER = "humidifier"
    COVER = "cover"
    ENTRANCE = "entrance"
    VALVE = "valve"
    LOCK = "lock"
    ALARM = "alarm"
    SIREN = "siren"
    VACUUM = "vacuum"
    MOWER = "mower"
    SCENE = "scene"
    SCRIPT = "script"
    BUTTON = "button"
    NUMBER = "number"
    CHOICE = "choice"
    SENSOR = "sensor"


SWITCHABLE = frozenset(
    {DeviceKind.LIGHT, DeviceKind.SWITCH, DeviceKind.FAN, DeviceKind.MEDIA, DeviceKind.CLIMATE, DeviceKind.HUMIDIFIER}
)
"""What "turn everything off" means: never a lock, a door or a sensor."""

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

_KIND_BY_DOMAIN: Mapping[str, DeviceKind] = {
    "light": DeviceKind.LIGHT,
    "switch": DeviceKind.SWITCH, "input_boolean": DeviceKind.SWITCH,
    "fan": DeviceKind.FAN,
    "media_player": DeviceKind.MEDIA,
    "climate": DeviceKind.CLIMATE, "water_heater": DeviceKind.CLIMATE,
    "humidifier": DeviceKind.HUMIDIFIER,
    "cover": DeviceKind.COVER,
    "valve": DeviceKind.VALVE,
    "lock": DeviceKind.LOCK,
    "alarm_control_panel": DeviceKind.ALARM,
    "siren": DeviceKind.SIREN,
    "vacuum": DeviceKind.VACUUM,
    "lawn_mower": DeviceKind.MOWER,
    "scene": DeviceKind.SCENE,
    "script": DeviceKind.SCRIPT,
    "button": DeviceKind.BUTTON, "input_button": DeviceKind.BUTTON,
    "number": DeviceKind.NUMBER, "input_number": DeviceKind.NUMBER,
    "select": DeviceKind.CHOICE, "input_select": DeviceKind.CHOICE, "input_text": DeviceKind.CHOICE,
    "text": DeviceKind.CHOICE,
    "sensor": DeviceKind.SENSOR, "binary_sensor": DeviceKind.SENSOR, "person": DeviceKind.SENSOR,
    "device_tracker": DeviceKind.SENSOR, "weather": DeviceKind.SENSOR, "camera": DeviceKind.SENSOR,
}  # fmt: skip
"""Domains of Home Assistant that are understood; entities of others are left out."""

_ENTRANCES = frozenset({"garage", "door", "gate"})
"""Device classes of covers that let somebody in."""


def kind_of(name: str) -> DeviceKind:
    """By the words of a device's name that is no light; a switch when nothing says otherwise."""
    words = set(plain(name))
    return next((kind for known, kind in _KIND_BY_WORD if known & words), DeviceKind.SWITCH)


def kind_of_entity(entity: Entity) -> DeviceKind | None:
    """By domain and device class; None for what is not understood."""
    if entity.domain == "cover" and (entity.device_class in _ENTRANCES or _sounds_like_an_entrance(entity)):
        return DeviceKind.ENTRANCE
    return _KIND_BY_DOMAIN.get(entity.domain)


def _sounds_like_an_entrance(entity: Entity) -> bool:
    """A cover without a class that is called a door: rather asked once too often."""
    return entity.device_class is None and kind_of(entity.name) is DeviceKind.ENTRANCE


def opens_something(kind: DeviceKind, name: str) -> bool:
    """Whether switching it on may let somebody in: a relay, script, scene or button that is called so."""
    if kind not in (DeviceKind.SWITCH, DeviceKind.SCENE, DeviceKind.SCRIPT, DeviceKind.BUTTON):
        return False
    words = set(plain(name))
    if "bell" in words or "doorbell" in words:
        return False
    return bool(words & {"unlock", "disarm", "opener", "gate", "door"}) or {"open", "garage"} <= words


@dataclass(frozen=True, slots=True)
class Group:
    """A word for several devices: of these kinds and, where it says so, of these device classes. ``single``: words for
    one of them, which has to be told apart where there are more. ``reads``: only meant where something is asked."""

    name: str
    kinds: frozenset[DeviceKind]
    classes: frozenset[str] | None = None
    aliases: tuple[str, ...] = ()
    single: tuple[str, ...] = ()
    reads: bool = False

    def holds(self, kind: DeviceKind, device_class: str | None) -> bool:
        """Whether a device of that kind and class is one of them."""
        return kind in self.kinds and (self.classes is None or device_class in self.classes)


def _group(
    name: str,
    single: tuple[str, ...] = (),
    *,
    of: tuple[DeviceKind, ...],
    classes: tuple[str, ...] = (),
    aliases: tuple[str, ...] = (),
) -> Group:
    return Group(name, frozenset(of), frozenset(classes) or None, aliases, single)


def _measured(name: str, aliases: tuple[str, ...], *classes: str) -> Group:
    of = frozenset({DeviceKind.SENSOR, DeviceKind.CLIMATE})
    return Group(name, of, frozenset(classes), aliases, reads=True)


_COVER, _MEDIA, _LOCK = (DeviceKind.COVER,), (DeviceKind.MEDIA,), (DeviceKind.LOCK,)
_ENTRANCE, _SWITCH = (DeviceKind.ENTRANCE,), (DeviceKind.SWITCH,)
_DOORS = (DeviceKind.ENTRANCE, DeviceKind.LOCK, DeviceKind.SENSOR)

GROUPS: tuple[Group, ...] = (
    _group("blinds", ("blind",), of=_COVER, classes=("blind", "shade")),
    _group("shades", ("shade",), of=_COVER, classes=("shade", "blind")),
    _group("curtains", ("curtain",), of=_COVER, classes=("curtain",), aliases=("drapes",)),
    _group("shutters", ("shutter",), of=_COVER, classes=("shutter",)),
    _group("awnings", ("awning",), of=_COVER, classes=("awning",)),
    _group("covers", ("cover",), of=_COVER, aliases=("window coverings",)),
    _group("garage doors", ("garage door", "garage"), of=_ENTRANCE, classes=("garage",)),
    _group("gates", ("gate",), of=_ENTRANCE, classes=("gate",)),
    _group("locks", ("lock", "door lock"), of=_LOCK, aliases=("door locks",)),
    _group("doors", ("door",), of=_DOORS, classes=("garage", "door", "gate", "garage_door", "lock")),
    _group("windows", ("window",), of=(DeviceKind.SENSOR, DeviceKind.COVER), classes=("window",)),
    _group("fans", ("fan", "ventilator"), of=(DeviceKind.FAN,), aliases=("ventilation",)),
    _group("switches", ("switch",), of=_SWITCH),
    _group("plugs", ("plug", "socket", "outlet"), of=_SWITCH, classes=("outlet",), aliases=("sockets", "outlets")),
    _group("televisions", ("television", "tv"), of=_MEDIA, classes=("tv",), aliases=("tvs",)),
    _group("speakers", ("speaker",), of=_MEDIA, classes=("speaker",)),
    _group("media players", ("media player", "player"), of=_MEDIA, aliases=("music", "media", "players", "volume")),
    _group("thermostats", ("thermostat", "heater", "ac", "air conditioner", "climate"), of=(DeviceKind.CLIMATE,),
           aliases=("heating", "air conditioning")),
    _group("humidifiers", ("humidifier", "dehumidifier"), of=(DeviceKind.HUMIDIFIER,)),
    _group("vacuums", ("vacuum", "vacuum cleaner", "hoover", "robot vacuum"), of=(DeviceKind.VACUUM,)),
    _group("lawn mowers", ("lawn mower", "mower", "lawnmower"), of=(DeviceKind.MOWER,)),
    _group("sirens", ("siren",), of=(DeviceKind.SIREN,)),
    _group("valves", ("valve",), of=(DeviceKind.VALVE,)),
    _group("alarms", ("alarm", "alarm system", "security system"), of=(DeviceKind.ALARM,)),
    _measured("temperature sensor", ("temperature", "thermometer", "temperature sensors"), "temperature", "climate"),
    _measured("humidity sensor", ("humidity", "humidity sensors"), "humidity"),
    _measured("co2 sensor", ("carbon dioxide", "air quality"), "carbon_dioxide", "aqi"),
    _measured("motion sensor", ("motion", "motion sensors"), "motion", "occupancy", "presence"),
    _measured("leak sensors", ("water leak", "leaks", "moisture"), "moisture"),
    _measured("smoke detectors", ("smoke detector", "smoke", "smoke alarm"), "smoke"),
    _measured("batteries", ("battery levels", "battery sensors"), "battery"),
)  # fmt: skip
"""Canonical words for several devices of a live home, the narrower before the wider where a word could be both."""
