"""What an action means for a kind of device, and how much it can change. Pure."""

from __future__ import annotations

from tools.contract import Level
from tools.home.devices import ALL, LIGHTS, DeviceKind, Target
from tools.home.kinds import opens_something
from tools.home.orders.openings import disarms
from tools.names import plain

_SWITCHES = frozenset({DeviceKind.LIGHT, DeviceKind.SWITCH, DeviceKind.FAN, DeviceKind.MEDIA, DeviceKind.CLIMATE})
_OPENS = frozenset({DeviceKind.COVER, DeviceKind.ENTRANCE})
_TERMS: dict[DeviceKind, dict[str, str]] = {
    **{kind: {"start": "on", "stop": "off", "open": "on", "close": "off"} for kind in _SWITCHES},
    **{kind: {"on": "open", "off": "close", "start": "open", "unlock": "open", "lock": "close"} for kind in _OPENS},
    DeviceKind.VALVE: {"on": "open", "off": "close", "start": "open"},
    DeviceKind.LOCK: {"open": "unlock", "close": "lock", "on": "lock", "off": "unlock", "stop": "unlock"},
}
_LIVE_TERMS: dict[DeviceKind, dict[str, str]] = {
    DeviceKind.MEDIA: {"open": "on", "close": "off"},  # it plays and pauses as well
    DeviceKind.ALARM: {"open": "off", "unlock": "off", "stop": "off", "close": "on", "lock": "on", "start": "on"},
    **{
        kind: {"start": "on", "open": "on"}
        for kind in (DeviceKind.SCENE, DeviceKind.SCRIPT, DeviceKind.BUTTON, DeviceKind.SIREN, DeviceKind.HUMIDIFIER)
    },
}

_ACTED_ON = frozenset(DeviceKind) - {DeviceKind.SENSOR}
_LOCKED = frozenset({DeviceKind.LOCK, DeviceKind.ENTRANCE, DeviceKind.ALARM})
_OPENED = frozenset({DeviceKind.COVER, DeviceKind.ENTRANCE, DeviceKind.VALVE})


_REGULATED = {
    "temperature": "thermostat", "temperature sensor": "thermostat", "thermometer": "thermostat",
    "humidity": "humidifier", "humidity sensor": "humidifier",
}  # fmt: skip


def regulated_by(said: str) -> str:
    """Who sets the temperature in the office sets its thermostat, not its sensor."""
    return _REGULATED.get(" ".join(plain(said)), said)


def kinds_for(action: str) -> frozenset[DeviceKind] | None:
    """What can be meant, where a lock, a door and its sensor have one name."""
    if action in ("lock", "unlock"):
        return _LOCKED
    return _OPENED | _ACTED_ON if action in ("open", "close") else _ACTED_ON


def in_its_terms(action: str, target: Target) -> str:
    """ "start the coffee" switches it on, "open the front door" unlocks its lock."""
    kind = kind_of_target(target)
    if kind is None:
        return action
    live = target.devices[0].id != ""
    terms = _LIVE_TERMS[kind] if live and kind in _LIVE_TERMS else _TERMS.get(kind, {})
    return terms.get(action, action)


def kind_of_target(target: Target) -> DeviceKind | None:
    """None for everything."""
    if target.name == LIGHTS:
        return DeviceKind.LIGHT
    if target.name == ALL:
        return None
    kinds = {device.kind for device in target.devices} - {DeviceKind.SENSOR}
    return target.devices[0].kind if len(kinds) != 1 else next(iter(kinds))


def level_of(action: str, target: Target, value: object = None) -> Level:
    """Unlocking, opening an entrance and disarming let somebody in; the whole house at once is asked for, too."""
    kinds = {device.kind for device in target.devices}
    if action == "unlock":
        return Level.DESTRUCTIVE
    if DeviceKind.ALARM in kinds and disarms(action, value):
        return Level.DESTRUCTIVE
    if DeviceKind.LOCK in kinds and target.name != ALL and (action in ("open", "off") or _unlocks(action, value)):
        return Level.DESTRUCTIVE
    if DeviceKind.ENTRANCE in kinds and action in ("open", "set"):
        return Level.DESTRUCTIVE
    live = [device for device in target.devices if device.id]
    if action in ("on", "start", "open") and any(opens_something(d.kind, f"{d.name} {d.id}") for d in live):
        return Level.DESTRUCTIVE
    return Level.DESTRUCTIVE if target.name == ALL and target.area is None else Level.OPERATE


def _unlocks(action: str, value: object) -> bool:
    return action == "set" and str(value).casefold().startswith(("unlock", "open", "off"))
