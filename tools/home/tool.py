"""``home_state`` and ``home_control``: lights and devices of the home, by the names that people say."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from tools.contract import Candidates, JsonObject, Level, PlannedCall, ToolResult
from tools.home.devices import ALL, LIGHTS, DeviceKind, Home, Target
from tools.names import NameIndex
from tools.settings import ToolSettings
from tools.tool import Arguments, InvalidArgumentsError, UnavailableError

Action = Literal["on", "off", "set", "open", "close", "lock", "unlock", "start", "stop"]


class HomeStateArguments(Arguments):
    """Input of ``home_state``."""

    target: str = Field(description='device, "lights" or "all"')
    area: str | None = Field(default=None, description="room")


class HomeControlArguments(Arguments):
    """Input of ``home_control``."""

    target: str = Field(description='device, "lights" or "all"')
    action: Action
    area: str | None = Field(default=None, description="room")
    value: float | str | None = Field(default=None, description="for set")


class HomeState:
    """What is on, open, locked, how warm it is."""

    name: ClassVar[str] = "home_state"
    description: ClassVar[str] = "State of lights, doors, locks, sensors at home."
    level: ClassVar[Level] = Level.READ
    arguments: ClassVar[type[Arguments]] = HomeStateArguments
    deadline_s = 10.0

    def __init__(self, settings: ToolSettings, names: NameIndex) -> None:
        self._home = Home(settings, names)

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """Resolve target and area; a name that several areas have is read in all of them."""
        wanted = HomeStateArguments.model_validate(arguments.model_dump())
        found = self._home.find(wanted.target, wanted.area, one=False)
        if isinstance(found, Candidates):
            return found
        return PlannedCall(tool=self.name, arguments=_target_arguments(found), level=self.level)

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises UnavailableError: no home system is connected."""
        raise UnavailableError("I can't look at the home yet; no home system is connected.")


class HomeControl:
    """Switch, set, open, close, lock."""

    name: ClassVar[str] = "home_control"
    description: ClassVar[str] = "Switch, dim, set, open, close or lock things at home."
    level: ClassVar[Level] = Level.DESTRUCTIVE
    arguments: ClassVar[type[Arguments]] = HomeControlArguments
    deadline_s = 15.0

    def __init__(self, settings: ToolSettings, names: NameIndex) -> None:
        self._home = Home(settings, names)

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """Resolve target and area, and say the action in the device's own terms. Raises InvalidArgumentsError."""
        wanted = HomeControlArguments.model_validate(arguments.model_dump())
        found = self._home.find(wanted.target, wanted.area, one=True)
        if isinstance(found, Candidates):
            return found
        action = _in_its_terms(wanted.action, found)
        if action == "set" and wanted.value is None:
            raise InvalidArgumentsError("home_control: value: needed for set, for example 30 or 21.5.")
        planned: JsonObject = {**_target_arguments(found), "action": action}
        if action == "set":
            planned["value"] = _number(wanted.value)
        return PlannedCall(
            tool=self.name,
            arguments=planned,
            level=_level(action, found),
            readback=_readback(action, found, planned.get("value")),
        )

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises UnavailableError: no home system is connected."""
        raise UnavailableError("I can't control the home yet; no home system is connected.")


def _target_arguments(target: Target) -> JsonObject:
    return {"target": target.name} | ({"area": target.area} if target.area else {})


_SWITCHES = frozenset({DeviceKind.LIGHT, DeviceKind.SWITCH, DeviceKind.FAN, DeviceKind.MEDIA, DeviceKind.CLIMATE})
_OPENS = frozenset({DeviceKind.COVER, DeviceKind.ENTRANCE})
_TERMS: dict[DeviceKind, dict[str, str]] = {
    **{kind: {"start": "on", "stop": "off", "open": "on", "close": "off"} for kind in _SWITCHES},
    **{kind: {"on": "open", "off": "close", "start": "open", "unlock": "open", "lock": "close"} for kind in _OPENS},
    DeviceKind.LOCK: {"open": "unlock", "close": "lock", "on": "lock", "off": "unlock", "stop": "unlock"},
}


def _in_its_terms(action: str, target: Target) -> str:
    """ "start the coffee" switches it on, "open the front door" unlocks its lock."""
    kind = _kind(target)
    return _TERMS[kind].get(action, action) if kind in _TERMS else action


def _kind(target: Target) -> DeviceKind | None:
    if target.name == LIGHTS:
        return DeviceKind.LIGHT
    return None if target.name == ALL else target.devices[0].kind


def _level(action: str, target: Target) -> Level:
    """Unlocking, opening an entrance and disarming let somebody in; the whole house at once is asked for, too."""
    kinds = {device.kind for device in target.devices}
    if action == "unlock" or (DeviceKind.ALARM in kinds and action in ("off", "stop")):
        return Level.DESTRUCTIVE
    if DeviceKind.ENTRANCE in kinds and action in ("open", "set"):
        return Level.DESTRUCTIVE
    return Level.DESTRUCTIVE if target.name == ALL and target.area is None else Level.OPERATE


def _number(value: float | str | None) -> float | int | str | None:
    """21.0 as 21, "30" as 30; other text as it is."""
    if isinstance(value, str):
        text = value.strip()
        try:
            value = float(text.rstrip("%°"))
        except ValueError:
            return text.casefold()
    return int(value) if value is not None and float(value).is_integer() else value


def _readback(action: str, target: Target, value: object) -> str:
    what = "all lights" if target.name == LIGHTS else "everything" if target.name == ALL else f"the {target.name}"
    where = f" in the {target.area}" if target.area and _needs_area(target) else ""
    verb = {"on": "turn on", "off": "turn off"}.get(action, action)
    return f"{verb} {what}{where}" + (f" to {value}" if action == "set" else "")


def _needs_area(target: Target) -> bool:
    return target.area is not None and target.area not in target.name
