"""A real Home Assistant for tests of the home: starts in seconds, without voice; is killed, stopped and started again.

It has the devices of Home Assistant's own ``demo`` integration, and what YAML makes: a template light, lock and vacuum,
players, helpers, a scene, a script. Floors, areas, other names and what is exposed are set over its websocket, as its
pages do.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from websockets.asyncio.client import ClientConnection, connect

from tests.real.home_assistant import REAL, Process, free_port, onboard, wait_until_listening, wait_until_started
from tools.settings_house import HomeAssistantSettings

PROGRAM = REAL / "home-assistant" / "bin" / "hass"
STOPPING_S = 40.0
TOKEN_DAYS = 1


class Admin:
    """Commands of the websocket as an administrator gives them; a refusal fails the test."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._ids = itertools.count(1)

    async def command(self, kind: str, **fields: Any) -> Any:
        id_ = next(self._ids)
        await self._connection.send(json.dumps({"id": id_, "type": kind, **fields}))
        while (answer := json.loads(await self._connection.recv())).get("id") != id_ or answer["type"] != "result":
            pass
        assert answer["success"], (kind, fields, answer["error"])
        return answer["result"]


@dataclass
class House:
    """``folder`` is its configuration; the process comes and goes with :meth:`start`, :meth:`stop` and :meth:`kill`."""

    folder: Path
    port: int
    token: str = ""
    version: str = ""
    _process: Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def has_floors(self) -> bool:
        """Since 2024.4."""
        year, month = self.version.split(".")[:2]
        return (int(year), int(month)) >= (2024, 4)

    @property
    def says_goodbye(self) -> bool:
        """Whether it ends its connections in due form when it stops: 2025.4 does, 2024.3 drops them."""
        return self.has_floors

    @property
    def token_file(self) -> Path:
        return self.folder / "token"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def settings(self, **more: Any) -> HomeAssistantSettings:
        return HomeAssistantSettings.model_validate({"url": self.url, "token_file": self.token_file, **more})

    def start(self, *, wait: bool = True) -> None:
        """``wait``: until it listens."""
        log = self.folder / "log"
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [PROGRAM, "--config", self.folder, "--skip-pip"],
                env={**os.environ, "HOME": str(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        if wait:
            wait_until_listening("Home Assistant", self._process, self.port, log)

    def kill(self) -> None:
        """As a power cut ends it."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """As an update ends it."""
        self._signal(signal.SIGTERM)

    def freeze(self) -> None:
        """It does nothing any more, and its connections stay."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def _signal(self, what: signal.Signals) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        process.send_signal(signal.SIGCONT)
        process.send_signal(what)
        try:
            process.wait(STOPPING_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[Admin]:
        address = f"ws://127.0.0.1:{self.port}/api/websocket"
        async with connect(address, proxy=None, max_size=None) as connection:
            await connection.recv()
            await connection.send(json.dumps({"type": "auth", "access_token": self.token}))
            assert json.loads(await connection.recv())["type"] == "auth_ok"
            yield Admin(connection)


@dataclass(frozen=True)
class Furniture:
    """``floors``: name → other names; ``areas``: name → (floor or "", other names); ``things``: entity → what of its
    registry entry is set (``area`` by name, ``aliases``, ``name``); ``exposed``, ``hidden``: entities."""

    floors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    areas: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    things: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    exposed: Iterable[str] = ()
    hidden: Iterable[str] = ()


FURNITURE = Furniture(
    floors={"Ground floor": ("downstairs",), "First floor": ("upstairs",)},
    areas={
        "Living room": ("Ground floor", ("lounge",)),
        "Kitchen": ("Ground floor", ()),
        "Garage": ("Ground floor", ()),
        "Bedroom": ("First floor", ("master bedroom",)),
        "Office": ("First floor", ("study",)),
        "Garden": ("", ()),
    },
    things={
        "light.bed_light": {"area": "Bedroom", "aliases": ["reading light"]},
        "light.ceiling_lights": {"area": "Living room"},
        "light.kitchen_lights": {"area": "Kitchen"},
        "light.office_rgbw_lights": {"area": "Office", "name": "Office lights"},
        "light.living_room_rgbww_lights": {"area": "Living room", "name": "Floor lamp"},
        "light.entrance_color_white_lights": {"area": "Garden", "name": "Entrance lights"},
        "light.desk_lamp": {"area": "Office"},
        "switch.decorative_lights": {"area": "Living room"},
        "switch.ac": {"area": "Bedroom"},
        "cover.kitchen_window": {"area": "Kitchen", "name": "Kitchen blind"},
        "cover.hall_window": {"area": "Office", "name": "Office blind"},
        "cover.living_room_window": {"area": "Living room", "name": "Curtains"},
        "cover.garage_door": {"area": "Garage"},
        "climate.heatpump": {"area": "Living room", "name": "Heating"},
        "climate.hvac": {"area": "Office", "name": "Air conditioning"},
        "fan.living_room_fan": {"area": "Living room"},
        "fan.ceiling_fan": {"area": "Bedroom"},
        "media_player.television": {"area": "Living room", "aliases": ["TV"]},
        "media_player.kitchen_radio": {"area": "Kitchen"},
        "vacuum.robot": {"area": "Living room", "aliases": ["hoover"]},
        "sensor.outside_temperature": {"area": "Garden"},
        "sensor.outside_humidity": {"area": "Garden"},
        "lock.back_door": {"area": "Kitchen"},
    },
    exposed=("lock.front_door", "lock.back_door", "lock.kitchen_door", "script.good_night", "input_boolean.guest_mode"),
    hidden=(
        *("switch.ac", "vacuum.0_ground_floor", "vacuum.1_first_floor", "vacuum.2_second_floor"),
        *("vacuum.3_third_floor", "vacuum.4_fourth_floor"),
        *(f"media_player.{name}" for name in ("living_room", "bedroom", "walkman", "kitchen", "lounge_room")),
        *("media_player.browse", "media_player.group"),
    ),
)
"""A house of six rooms on two floors."""


def configuration(port: int, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """As a person would write it: loopback only, nothing that looks outside."""
    switch = "input_boolean.desk_lamp_is_on"
    desk_lamp = {
        "friendly_name": "Desk lamp",
        "unique_id": "desk_lamp",
        "value_template": f"{{{{ is_state('{switch}', 'on') }}}}",
        "turn_on": {"service": "input_boolean.turn_on", "target": {"entity_id": switch}},
        "turn_off": {"service": "input_boolean.turn_off", "target": {"entity_id": switch}},
    }
    door = "input_boolean.back_door_is_locked"
    back_door = {
        "platform": "template",
        "name": "Back door",
        "unique_id": "back_door",
        "value_template": f"{{{{ is_state('{door}', 'on') }}}}",
        "lock": {"service": "input_boolean.turn_on", "target": {"entity_id": door}},
        "unlock": {"service": "input_boolean.turn_off", "target": {"entity_id": door}},
    }
    robot = {
        "friendly_name": "Robot",
        "unique_id": "robot",
        "value_template": "{{ states('vacuum.1_first_floor') }}",
        **{
            order: {"service": f"vacuum.{order}", "target": {"entity_id": "vacuum.1_first_floor"}}
            for order in ("start", "pause", "stop", "return_to_base")
        },
    }
    helpers = {"desk_lamp_is_on": None, "back_door_is_locked": {"initial": True}, "guest_mode": {"name": "Guest mode"}}
    night = [{"service": "light.turn_off", "target": {"entity_id": ["light.bed_light", "light.ceiling_lights"]}}]
    return {
        "homeassistant": {"name": "Home", "country": "NL", "time_zone": "UTC", "unit_system": "metric"},
        "http": {"server_host": "127.0.0.1", "server_port": port},
        "config": None,
        "conversation": None,
        "logger": {"default": "warning", "logs": {"haffmpeg": "critical"}},
        "demo": None,
        "input_boolean": helpers,
        "light": [{"platform": "template", "lights": {"desk_lamp": desk_lamp}}],
        "lock": [back_door],
        "media_player": [_player("Television", "lounge_room"), _player("Kitchen radio", "kitchen")],
        "vacuum": [{"platform": "template", "vacuums": {"robot": robot}}],
        "scene": [{"name": "Movie night", "entities": {"light.ceiling_lights": {"state": "on", "brightness": 60}}}],
        "script": {"good_night": {"alias": "Good night", "sequence": night}},
        **(more or {}),
    }


def _player(name: str, demo: str) -> dict[str, Any]:
    """The demo's players stand in no registry, so that they can be in no room: one in front of it can."""
    return {
        "platform": "universal",
        "name": name,
        "unique_id": name,
        "children": [f"media_player.{demo}"],
    }


@contextmanager
def house(
    folder: Path, *, more: Mapping[str, Any] | None = None, furniture: Furniture | None = FURNITURE
) -> Iterator[House]:
    """Started, with its first user, a token in ``token_file`` and its furniture; it ends with the context."""
    if not PROGRAM.exists():
        pytest.fail("Home Assistant is not installed: run `deploy/real.sh`, or `make test-real`.", pytrace=False)
    folder.mkdir(parents=True, exist_ok=True)
    home = House(folder, free_port())
    (folder / "configuration.yaml").write_text(yaml.safe_dump(configuration(home.port, more)), encoding="utf-8")
    try:
        home.start()
        home.token = onboard(home.url)
        home.version = wait_until_started(home.url, home.token)
        asyncio.run(_move_in(home, furniture))
        yield home
    finally:
        home.kill()


async def _move_in(home: House, furniture: Furniture | None) -> None:
    async with home.admin() as admin:
        home.token = await admin.command("auth/long_lived_access_token", client_name="jarvis", lifespan=TOKEN_DAYS)
        home.token_file.touch(0o600)
        home.token_file.write_text(home.token + "\n", encoding="utf-8")
        if furniture is not None:
            await furnish(admin, furniture if home.has_floors else replace(furniture, floors={}))


async def furnish(admin: Admin, furniture: Furniture) -> None:
    """Floors, areas, names and what is exposed."""
    floors = {
        name: (await admin.command("config/floor_registry/create", name=name, aliases=list(aliases)))["floor_id"]
        for name, aliases in furniture.floors.items()
    }
    areas = {area["name"].casefold(): area["area_id"] for area in await admin.command("config/area_registry/list")}
    for name, (floor, aliases) in furniture.areas.items():
        fields: dict[str, Any] = {"name": name, "aliases": list(aliases)}
        if floor in floors:
            fields["floor_id"] = floors[floor]
        known = areas.get(name.casefold())
        if known is None:
            areas[name.casefold()] = (await admin.command("config/area_registry/create", **fields))["area_id"]
        else:  # the demo's own rooms
            await admin.command("config/area_registry/update", area_id=known, **fields)
    for entity, wanted in furniture.things.items():
        place = {"area_id": areas[wanted["area"].casefold()]} if "area" in wanted else {}
        others = {key: value for key, value in wanted.items() if key != "area"}
        await admin.command("config/entity_registry/update", entity_id=entity, **place, **others)
    for entities, exposed in ((furniture.exposed, True), (furniture.hidden, False)):
        if entities := list(entities):
            await admin.command(
                "homeassistant/expose_entity",
                assistants=["conversation"],
                entity_ids=entities,
                should_expose=exposed,
            )
