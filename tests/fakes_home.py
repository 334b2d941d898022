"""A home in memory: a HomeLink whose entities and states a test writes down, and that keeps what it was told to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.home.port import Entity, HomeError, Place, State

Effect = Callable[["FakeHomeLink", "Call"], None]


@dataclass(frozen=True, slots=True)
class Call:
    """One order as it came: ``light``, ``turn_on``, its entities, its data."""

    domain: str
    service: str
    entities: tuple[str, ...]
    data: Mapping[str, Any] = field(default_factory=dict)


class FakeHomeLink:
    """Does what simple devices do: on, off, brightness, colours, covers, locks, temperatures, fans, media, vacuums.

    ``stubborn``: entities that take an order and stay as they are. ``refuses``: reason of the next refusal by service
    ("light.turn_on"). ``down``: why it is away; nothing is believed then. ``effect`` replaces what an order does.
    """

    def __init__(
        self,
        entities: Iterable[Entity] = (),
        states: Mapping[str, State] | None = None,
        areas: Iterable[Place] = (),
        floors: Iterable[Place] = (),
        effect: Effect | None = None,
    ) -> None:
        self.entities: dict[str, Entity] = {entity.id: entity for entity in entities}
        self.areas: dict[str, Place] = {place.id: place for place in areas}
        self.floors: dict[str, Place] = {place.id: place for place in floors}
        self.states: dict[str, State] = dict(states or {})
        self.calls: list[Call] = []
        self.stubborn: set[str] = set()
        self.refuses: dict[str, HomeError] = {}
        self.down = ""
        self.version = 1
        self.readied = 0
        self.closed = False
        self._effect = effect or simple_devices

    @property
    def trouble(self) -> str:
        return self.down

    def state(self, entity: str) -> State | None:
        return None if self.down else self.states.get(entity)

    async def ready(self, timeout_s: float) -> None:
        assert timeout_s > 0
        self.readied += 1

    async def call(
        self, domain: str, service: str, entities: Sequence[str], data: Mapping[str, Any] | None = None
    ) -> None:
        if self.down:
            raise HomeError(self.down)
        for entity in entities:
            if entity not in self.entities or entity not in self.states:
                raise HomeError(f"Home Assistant has nothing called {entity}")
        if (refusal := self.refuses.get(f"{domain}.{service}")) is not None:
            raise refusal
        call = Call(domain, service, tuple(entities), dict(data or {}))
        self.calls.append(call)
        self._effect(self, call)

    async def settled(self, entities: Sequence[str], wanted: Callable[[str, State], bool], timeout_s: float) -> bool:
        """Nothing changes by itself here, so that nothing is waited for."""
        await asyncio.sleep(0)
        if self.down:
            raise HomeError(self.down)
        return all((found := self.states.get(entity)) is not None and wanted(entity, found) for entity in entities)

    async def close(self) -> None:
        self.closed = True

    def add(self, entity: Entity, state: State) -> None:
        """Something new turns up."""
        self.entities[entity.id], self.states[entity.id] = entity, state
        self.version += 1

    def becomes(self, entity: str, state: str | None = None, **attributes: Any) -> None:
        """It changes; an attribute of None goes away."""
        before = self.states[entity]
        after = {key: value for key, value in {**before.attributes, **attributes}.items() if value is not None}
        self.states[entity] = State(before.state if state is None else state, after, before.changed)


_STATES: dict[str, str] = {
    "turn_on": "on",
    "turn_off": "off",
    "open_cover": "open",
    "close_cover": "closed",
    "open_valve": "open",
    "close_valve": "closed",
    "lock": "locked",
    "unlock": "unlocked",
    "open": "open",
    "media_play": "playing",
    "media_pause": "paused",
    "media_stop": "idle",
    "start": "cleaning",
    "pause": "paused",
    "stop": "idle",
    "return_to_base": "returning",
    "start_mowing": "mowing",
    "dock": "docked",
    "alarm_arm_away": "armed_away",
    "alarm_arm_home": "armed_home",
    "alarm_arm_night": "armed_night",
    "alarm_disarm": "disarmed",
    "press": "2026-01-01T00:00:00+00:00",
}
_FROM_DATA: dict[str, str] = {"set_hvac_mode": "hvac_mode", "select_option": "option", "set_value": "value"}
_BRIGHTNESS_OF_ALL = 255


def simple_devices(home: FakeHomeLink, call: Call) -> None:
    """What an order comes to, where the entity is not stubborn."""
    for entity in call.entities:
        if entity not in home.stubborn:
            _obey(home, entity, call)


def _obey(home: FakeHomeLink, entity: str, call: Call) -> None:
    data = dict(call.data)
    domain = entity.partition(".")[0]
    before = home.states[entity]
    if domain in ("scene", "script"):
        home.becomes(entity, "2026-01-01T00:00:00+00:00" if domain == "scene" else "off")
        return
    state = _STATES.get(call.service)
    if call.service == "toggle":
        state = "off" if before.state == "on" else "on"
    if call.service in _FROM_DATA:
        state = str(data.pop(_FROM_DATA[call.service]))
    if domain == "climate" and call.service == "turn_on":
        state = next((mode for mode in before.attributes.get("hvac_modes", ()) if mode != "off"), "heat")
    if domain == "cover" and "position" in data:
        data["current_position"] = data.pop("position")
    if domain == "cover" and state is not None:
        data["current_position"] = 100 if state == "open" else 0
    if call.service in ("set_cover_position", "set_valve_position"):
        state = "open" if data.get("current_position", data.get("position")) else "closed"
    if "brightness_pct" in data:
        data["brightness"] = round(data.pop("brightness_pct") * _BRIGHTNESS_OF_ALL / 100)
    if domain == "light" and state == "off":
        data["brightness"] = None
    if domain == "fan" and "percentage" in data:
        state = "on" if data["percentage"] else "off"
    if call.service == "volume_mute":
        data = {"is_volume_muted": data["is_volume_muted"]}
    if call.service == "select_source":
        data = {"source": data["source"]}
    home.becomes(entity, state, **data)
