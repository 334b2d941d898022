"""``home_state`` and ``home_control``: lights and devices of the home, by the names that people say."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import ClassVar, Literal

from pydantic import Field

from tools.calling import said_in
from tools.contract import Candidates, JsonObject, Level, PlannedCall, ToolResult
from tools.home.deeds import carry_out, planned_deeds
from tools.home.devices import ALL, LIGHTS, SWITCHABLE, Device, DeviceKind, Home, Target
from tools.home.groups import without_groups
from tools.home.here import find_from, is_house_instead
from tools.home.outcome import nothing_sent, outcome, refused_altogether
from tools.home.port import HomeLink
from tools.home.telling import state_told
from tools.home.terms import in_its_terms, kinds_for, level_of, regulated_by
from tools.tool import Arguments, InvalidArgumentsError, UnavailableError
from tools.wording import sentence

Action = Literal["on", "off", "set", "open", "close", "lock", "unlock", "start", "stop"]

READY_S = 1.5
"""How long an utterance waits for the first connection."""

AWAY_S = 0.2
"""How long one waits where the last could not wait it out: others are asked about backups meanwhile."""

NOT_CONNECTED = "No home system is connected; put Home Assistant's address and token under [home_assistant]."


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


class _HomeTool:
    """What both have: the home, and the connection that its names and states come from."""

    def __init__(self, home: Home, link: HomeLink | None = None) -> None:
        self._home = home
        self._link = link
        self._away = False

    async def ready(self) -> None:
        """Have the home system's names, as far as it can be reached within a moment. Raises nothing."""
        if self._link is not None:
            await self._link.ready(AWAY_S if self._away else READY_S)
            self._away = bool(self._link.trouble)
            self._home.refresh(self._link)

    def _connected(self) -> HomeLink:
        """Raises UnavailableError."""
        if self._link is None:
            raise UnavailableError(NOT_CONNECTED)
        if self._link.trouble:
            raise UnavailableError(f"I can't reach the home: {self._link.trouble}.")
        return self._link

    def _meant(self, call: PlannedCall, kinds: Collection[DeviceKind] | None) -> Target:
        """Raises UnavailableError: it is not there any more."""
        name, area = str(call.arguments["target"]), call.arguments.get("area")
        target = self._home.meant(name, str(area) if area else None, kinds)
        if target is None or not all(device.id for device in target.devices):
            raise UnavailableError(sentence(f"Home Assistant has no {name} any more"))
        return target


class HomeState(_HomeTool):
    """What is on, open, locked, how warm it is."""

    name: ClassVar[str] = "home_state"
    description: ClassVar[str] = "State of lights, doors, locks, sensors at home."
    level: ClassVar[Level] = Level.READ
    arguments: ClassVar[type[Arguments]] = HomeStateArguments
    deadline_s = 10.0

    def __init__(self, home: Home, link: HomeLink | None = None, clock: Callable[[], float] = time.time) -> None:
        super().__init__(home, link)
        self._clock = clock

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """Resolve target and area; a name that several areas have is read in all of them."""
        wanted = HomeStateArguments.model_validate(arguments.model_dump())
        found = find_from(self._home, wanted.target, wanted.area, said_in(), one=False)
        if isinstance(found, Candidates):
            return found
        return PlannedCall(tool=self.name, arguments=_target_arguments(found), level=self.level)

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises UnavailableError: no home system is connected, or it does not answer."""
        link = self._connected()
        target = without_groups(self._meant(call, None), link)
        return state_told(target, {device.id: link.state(device.id) for device in target.devices}, self._clock())


class HomeControl(_HomeTool):
    """Switch, set, open, close, lock."""

    name: ClassVar[str] = "home_control"
    description: ClassVar[str] = "Switch, dim, set, open, close or lock things at home."
    level: ClassVar[Level] = Level.DESTRUCTIVE
    arguments: ClassVar[type[Arguments]] = HomeControlArguments
    deadline_s = 15.0

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """Resolve target and area, and say the action in the device's own terms. Raises InvalidArgumentsError.

        Whoever is in a room without such a thing is asked before all of the house is acted on.
        """
        wanted = HomeControlArguments.model_validate(arguments.model_dump())
        said = wanted.target
        if self._home.live:
            said = regulated_by(said)
        place = said_in()
        found = find_from(self._home, said, wanted.area, place, one=True, kinds=kinds_for(wanted.action))
        if isinstance(found, Candidates):
            return found
        action = in_its_terms(wanted.action, found)
        if action == "set" and wanted.value is None:
            raise InvalidArgumentsError("home_control: value: needed for set, for example 30 or 21.5.")
        whole_house = is_house_instead(found, place)
        planned: JsonObject = {**_target_arguments(found), "action": action}
        if action == "set":
            planned["value"] = _number(wanted.value)
        return PlannedCall(
            tool=self.name,
            arguments=planned,
            level=Level.DESTRUCTIVE if whole_house else level_of(action, found, planned.get("value")),
            readback=_readback(action, found, planned.get("value"), whole_house=whole_house),
        )

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises UnavailableError: no home system is connected, it does not answer, or nothing there can do it."""
        link = self._connected()
        action, value = str(call.arguments["action"]), call.arguments.get("value")
        target = self._meant(call, kinds_for(action))
        if level_of(action, target, value) is not call.level:
            raise UnavailableError("The home has changed since you asked, so I did nothing.")
        devices = _acted_on(without_groups(target, link), action)
        if not devices:
            raise UnavailableError(sentence(f"there is nothing{_where(target)} that I could {_verb(action)}"))
        target = Target(target.name, target.area, devices, target.group)
        deeds = planned_deeds(link, devices, action, value)
        if (impossible := nothing_sent(target, deeds)) is not None:
            raise UnavailableError(impossible)
        await carry_out(link, deeds)
        if not link.trouble and (refused := refused_altogether(deeds)) is not None:
            raise UnavailableError(refused)
        return outcome(target, deeds)


_GROUP_KINDS: dict[str, frozenset[DeviceKind]] = {
    "on": SWITCHABLE,
    "off": SWITCHABLE,
    "start": SWITCHABLE,
    "stop": SWITCHABLE,
    "set": frozenset({DeviceKind.LIGHT}),
    "open": frozenset({DeviceKind.COVER, DeviceKind.ENTRANCE}),
    "close": frozenset({DeviceKind.COVER, DeviceKind.ENTRANCE}),
    "lock": frozenset({DeviceKind.LOCK}),
    "unlock": frozenset({DeviceKind.LOCK}),
}
"""What of everything an action is for."""


def _acted_on(target: Target, action: str) -> tuple[Device, ...]:
    """Of everything what the action is for, and no helper that only remembers something; of a group what can act."""
    if target.name == ALL:
        kinds = _GROUP_KINDS[action]
        return tuple(d for d in target.devices if d.kind in kinds and d.domain != "input_boolean")
    kinds = kinds_for(action) or frozenset(DeviceKind)
    able = tuple(device for device in target.devices if device.kind in kinds)
    return able if target.group else able or target.devices


def _target_arguments(target: Target) -> JsonObject:
    return {"target": target.name} | ({"area": target.area} if target.area else {})


def _number(value: float | str | None) -> float | int | str | None:
    """21.0 as 21, "30" as 30; other text as it is."""
    if isinstance(value, str):
        text = value.strip()
        try:
            value = float(text.rstrip("%°"))
        except ValueError:
            return text.casefold()
    return int(value) if value is not None and float(value).is_integer() else value


def _readback(action: str, target: Target, value: object, *, whole_house: bool) -> str:
    what = "all lights" if target.name == LIGHTS else "everything" if target.name == ALL else f"the {target.name}"
    where = f" in the {target.area}" if target.area and _needs_area(target) else ""
    where = " in the whole house" if whole_house else where
    return f"{_verb(action)} {what}{where}" + (f" to {value}" if action == "set" else "")


def _verb(action: str) -> str:
    return {"on": "turn on", "off": "turn off"}.get(action, action)


def _where(target: Target) -> str:
    return f" in the {target.area}" if target.area else ""


def _needs_area(target: Target) -> bool:
    return target.area is not None and target.area not in target.name
