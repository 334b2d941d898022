"""The house that tests/home/sentences.jsonl speaks of: eight rooms on two floors, all of it quick to change and to put
back. Lights, fans, locks, players and climate are of Home Assistant's ``demo``; covers, sensors and the rest are
templates over helpers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.real.home.house import Furniture, House, configuration, house


def _cover(name: str, device_class: str, helper: str) -> dict[str, Any]:
    return {
        "friendly_name": name,
        "unique_id": helper,
        "device_class": device_class,
        "position_template": f"{{{{ states('input_number.{helper}') | int }}}}",
        "set_cover_position": {
            "service": "input_number.set_value",
            "target": {"entity_id": f"input_number.{helper}"},
            "data": {"value": "{{ position }}"},
        },
    }


def _switch(name: str, helper: str) -> dict[str, Any]:
    target = {"entity_id": f"input_boolean.{helper}"}
    return {
        "friendly_name": name,
        "unique_id": helper,
        "value_template": f"{{{{ is_state('input_boolean.{helper}', 'on') }}}}",
        "turn_on": {"service": "input_boolean.turn_on", "target": target},
        "turn_off": {"service": "input_boolean.turn_off", "target": target},
    }


def _sensor(name: str, value: object, unit: str, device_class: str) -> dict[str, Any]:
    return {
        "name": name,
        "unique_id": name.replace(" ", "_").lower(),
        "state": f"{{{{ {value!r} }}}}",
        "unit_of_measurement": unit,
        "device_class": device_class,
    }


def _contact(name: str, device_class: str, *, on: bool) -> dict[str, Any]:
    return {
        "name": name,
        "unique_id": name.replace(" ", "_").lower(),
        "state": f"{{{{ {on} }}}}",
        "device_class": device_class,
    }


def _player(name: str, demo: str) -> dict[str, Any]:
    """It stands in the registry, and can be switched on while the demo's player behind it is off."""
    on, off = (
        {"service": f"media_player.{order}", "target": {"entity_id": f"media_player.{demo}"}}
        for order in ("turn_on", "turn_off")
    )
    return {
        "platform": "universal",
        "name": name,
        "unique_id": name,
        "children": [f"media_player.{demo}"],
        "commands": {"turn_on": on, "turn_off": off},
    }


_COVERS = {
    "living_room_blinds": _cover("Living room blinds", "blind", "living_room_blinds"),
    "bedroom_blinds": _cover("Bedroom blinds", "blind", "bedroom_blinds"),
    "bedroom_curtains": _cover("Bedroom curtains", "curtain", "bedroom_curtains"),
    "kitchen_shutter": _cover("Kitchen shutter", "shutter", "kitchen_shutter"),
}
_SWITCHES = {
    "coffee_machine": _switch("Coffee machine", "coffee"),
    "christmas_tree": _switch("Christmas tree", "tree"),
    "garden_pump": _switch("Garden pump", "pump"),
    "office_heater": _switch("Office heater", "heater"),
}
_HELPERS = ("coffee", "tree", "pump", "heater")

MORE: Mapping[str, Any] = {
    "input_boolean": {
        **configuration(0)["input_boolean"],
        "coffee": {"initial": False},
        "tree": {"initial": True},
        "pump": {"initial": False},
        "heater": {"initial": True},
    },
    "input_number": {
        **{
            name: {"min": 0, "max": 100, "initial": start}
            for name, start in (
                *(("living_room_blinds", 100), ("bedroom_blinds", 0)),
                *(("bedroom_curtains", 100), ("kitchen_shutter", 100)),
            )
        },
        "fireplace": {"name": "Fireplace level", "min": 0, "max": 5, "step": 1, "initial": 2},
    },
    "input_select": {"house_mode": {"name": "House mode", "options": ["Home", "Away", "Guests"], "initial": "Home"}},
    "input_button": {"doorbell": {"name": "Door bell"}},
    "media_player": [_player("Television", "living_room"), _player("Kitchen radio", "kitchen")],
    "cover": [{"platform": "template", "covers": _COVERS}],
    "switch": [{"platform": "template", "switches": _SWITCHES}],
    "alarm_control_panel": [
        {
            "platform": "manual",
            "name": "House alarm",
            "unique_id": "house_alarm",
            "arming_time": 0,
            "delay_time": 0,
            "code_arm_required": False,
        }
    ],
    "template": [
        {
            "sensor": [
                _sensor("Living room temperature", 21.5, "°C", "temperature"),
                _sensor("Bedroom temperature", 18, "°C", "temperature"),
                _sensor("Bathroom humidity", 61, "%", "humidity"),
                _sensor("Office CO2", 812, "ppm", "carbon_dioxide"),
                _sensor("Washing machine power", 1840, "W", "power"),
            ]
        },
        {
            "binary_sensor": [
                _contact("Kitchen window", "window", on=True),
                _contact("Bedroom window", "window", on=False),
                _contact("Front door", "door", on=False),
                _contact("Hallway motion", "motion", on=False),
                _contact("Basement leak", "moisture", on=False),
            ]
        },
    ],
    "scene": [
        {"name": "Movie night", "entities": {"light.ceiling_lights": {"state": "on", "brightness": 60}}},
        {"name": "Bright", "entities": {"light.ceiling_lights": {"state": "on", "brightness": 255}}},
    ],
}

FURNITURE = Furniture(
    floors={"Ground floor": ("downstairs",), "First floor": ("upstairs",)},
    areas={
        "Living room": ("Ground floor", ("lounge",)),
        "Kitchen": ("Ground floor", ()),
        "Hallway": ("Ground floor", ("hall",)),
        "Garage": ("Ground floor", ()),
        "Bedroom": ("First floor", ("master bedroom",)),
        "Office": ("First floor", ("study",)),
        "Bathroom": ("First floor", ()),
        "Garden": ("", ()),
    },
    things={
        "light.bed_light": {"area": "Bedroom", "name": "Bedside lamp"},
        "light.ceiling_lights": {"area": "Living room", "name": "Living room ceiling light"},
        "light.living_room_rgbww_lights": {"area": "Living room", "name": "Floor lamp"},
        "light.kitchen_lights": {"area": "Kitchen", "name": "Kitchen counter lights"},
        "light.office_rgbw_lights": {"area": "Office", "name": "Office shelf light"},
        "light.desk_lamp": {"area": "Office"},
        "light.entrance_color_white_lights": {"area": "Garden", "name": "Patio lights"},
        "climate.heatpump": {"area": "Living room", "name": "Heating"},
        "climate.hvac": {"area": "Office", "name": "Air conditioning"},
        "fan.living_room_fan": {"area": "Living room"},
        "fan.ceiling_fan": {"area": "Bedroom"},
        "media_player.television": {"area": "Living room", "aliases": ["TV"]},
        "media_player.kitchen_radio": {"area": "Kitchen"},
        "vacuum.robot": {"area": "Living room", "aliases": ["hoover"]},
        "lock.back_door": {"area": "Kitchen"},
        "cover.garage_door": {"area": "Garage"},
        "sensor.outside_temperature": {"area": "Garden"},
        "sensor.outside_humidity": {"area": "Garden"},
        "cover.living_room_blinds": {"area": "Living room"},
        "cover.bedroom_blinds": {"area": "Bedroom"},
        "cover.bedroom_curtains": {"area": "Bedroom"},
        "cover.kitchen_shutter": {"area": "Kitchen"},
        "switch.coffee_machine": {"area": "Kitchen"},
        "switch.garden_pump": {"area": "Garden"},
        "switch.office_heater": {"area": "Office"},
        "switch.christmas_tree": {"area": "Living room"},
        "alarm_control_panel.house_alarm": {"area": "Hallway"},
        "sensor.living_room_temperature": {"area": "Living room"},
        "sensor.bedroom_temperature": {"area": "Bedroom"},
        "sensor.bathroom_humidity": {"area": "Bathroom"},
        "sensor.office_co2": {"area": "Office"},
        "binary_sensor.kitchen_window": {"area": "Kitchen"},
        "binary_sensor.bedroom_window": {"area": "Bedroom"},
        "binary_sensor.front_door": {"area": "Hallway"},
        "binary_sensor.hallway_motion": {"area": "Hallway"},
    },
    exposed=(
        *("lock.front_door", "lock.back_door", "script.good_night", "input_boolean.guest_mode"),
        *("alarm_control_panel.house_alarm", "input_number.fireplace", "input_select.house_mode"),
        *("input_button.doorbell", "sensor.washing_machine_power", "binary_sensor.basement_leak"),
        *("sensor.living_room_temperature", "sensor.bedroom_temperature", "sensor.bathroom_humidity"),
        *("sensor.office_co2", "binary_sensor.kitchen_window", "binary_sensor.bedroom_window"),
        *("binary_sensor.front_door", "binary_sensor.hallway_motion", "cover.garage_door"),
    ),
    hidden=(
        *("switch.ac", "switch.decorative_lights", "cover.kitchen_window", "cover.hall_window"),
        *("cover.living_room_window", "cover.pergola_roof", "lock.kitchen_door", "climate.ecobee"),
        *("fan.percentage_full_fan", "fan.percentage_limited_fan", "fan.preset_only_limited_fan"),
        *("humidifier.dehumidifier", "humidifier.hygrostat", "binary_sensor.movement_backyard"),
        *("sensor.carbon_dioxide", "sensor.carbon_monoxide", "binary_sensor.basement_floor_wet"),
        *("water_heater.demo_water_heater", "water_heater.demo_water_heater_celsius"),
        *(f"vacuum.{name}_floor" for name in ("0_ground", "1_first", "2_second", "3_third", "4_fourth")),
        *(f"media_player.{name}" for name in ("living_room", "bedroom", "walkman", "kitchen", "lounge_room")),
        *("media_player.browse", "media_player.group"),
    ),
)


@contextmanager
def sentence_house(folder: Path) -> Iterator[House]:
    """Started and furnished; it ends with the context."""
    with house(folder, more=MORE, furniture=FURNITURE) as home:
        yield home
