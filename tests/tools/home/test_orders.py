"""Orders for each kind of device: the service, its data, and the state that shows that it was done."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.home.kinds import DeviceKind, kind_of_entity
from tools.home.live import Device
from tools.home.orders import CannotError, order_for
from tools.home.port import Entity, State
from tools.home.sayings import clause, is_plural, said_number
from tools.home.values import chosen, color, kelvin, share, step

ACTIONS = ("on", "off", "set", "open", "close", "lock", "unlock", "start", "stop")


def device(id_: str, device_class: str | None = None) -> Device:
    kind = kind_of_entity(Entity(id=id_, name="It", device_class=device_class))
    assert kind is not None
    return Device("it", "", kind, id_, (), device_class)


LIGHT = {"supported_color_modes": ["hs", "color_temp"], "min_color_temp_kelvin": 2200, "max_color_temp_kelvin": 5000}
PLAYER = {"supported_features": 0x1FFFF, "volume_level": 0.5, "source_list": ["HDMI 1", "Radio"]}


@pytest.mark.parametrize(
    ("entity", "attributes", "action", "value", "service", "data"),
    [
        ("light.a", LIGHT, "on", None, "light.turn_on", {}),
        ("light.a", LIGHT, "set", 30, "light.turn_on", {"brightness_pct": 30}),
        ("light.a", LIGHT, "set", "three quarters", "light.turn_on", {"brightness_pct": 75}),
        ("light.a", LIGHT, "set", "red", "light.turn_on", {"rgb_color": [255, 0, 0]}),
        ("light.a", LIGHT, "set", "warm white", "light.turn_on", {"color_temp_kelvin": 2700}),
        ("light.a", LIGHT, "set", 6500, "light.turn_on", {"color_temp_kelvin": 5000}),
        ("light.a", {**LIGHT, "brightness": 127}, "set", "brighter", "light.turn_on", {"brightness_pct": 70}),
        ("light.a", LIGHT, "set", 0, "light.turn_off", {}),
        ("switch.a", {}, "stop", None, "switch.turn_off", {}),
        ("input_boolean.a", {}, "on", None, "input_boolean.turn_on", {}),
        ("cover.a", {"supported_features": 15}, "set", "half", "cover.set_cover_position", {"position": 50}),
        ("cover.a", {"supported_features": 3}, "set", 100, "cover.open_cover", {}),
        ("cover.a", {"supported_features": 15}, "stop", None, "cover.stop_cover", {}),
        ("valve.a", {"supported_features": 3}, "close", None, "valve.close_valve", {}),
        ("lock.a", {}, "lock", None, "lock.lock", {}),
        ("climate.a", {"supported_features": 1}, "set", 21.5, "climate.set_temperature", {"temperature": 21.5}),
        ("climate.a", {"supported_features": 1, "temperature": 20}, "set", "warmer", "climate.set_temperature",
         {"temperature": 21}),
        ("climate.a", {"hvac_modes": ["off", "heat_cool"]}, "set", "auto", "climate.set_hvac_mode",
         {"hvac_mode": "heat_cool"}),
        ("climate.a", {"hvac_modes": ["off"], "preset_modes": ["eco", "none"]}, "set", "eco", "climate.set_preset_mode",
         {"preset_mode": "eco"}),
        ("climate.a", {"supported_features": 1, "hvac_modes": ["off", "heat"]}, "on", None, "climate.set_hvac_mode",
         {"hvac_mode": "heat"}),
        ("water_heater.a", {"operation_list": ["eco", "gas"]}, "set", "gas", "water_heater.set_operation_mode",
         {"operation_mode": "gas"}),
        ("fan.a", {"supported_features": 1}, "set", "medium", "fan.set_percentage", {"percentage": 67}),
        ("humidifier.a", {}, "set", 50, "humidifier.set_humidity", {"humidity": 50}),
        ("media_player.a", PLAYER, "set", 30, "media_player.volume_set", {"volume_level": 0.3}),
        ("media_player.a", PLAYER, "set", "up", "media_player.volume_set", {"volume_level": 0.6}),
        ("media_player.a", PLAYER, "set", "hdmi 1", "media_player.select_source", {"source": "HDMI 1"}),
        ("media_player.a", PLAYER, "set", "down 20", "media_player.volume_set", {"volume_level": 0.3}),
        ("media_player.a", PLAYER, "set", "up 80", "media_player.volume_set", {"volume_level": 1.0}),
        ("media_player.a", PLAYER, "set", "mute", "media_player.volume_mute", {"is_volume_muted": True}),
        ("media_player.a", PLAYER, "set", "next", "media_player.media_next_track", {}),
        ("media_player.a", PLAYER, "stop", None, "media_player.media_pause", {}),
        ("media_player.a", {"supported_features": 4096}, "stop", None, "media_player.media_stop", {}),
        ("vacuum.a", {}, "start", None, "vacuum.start", {}),
        ("vacuum.a", {}, "set", "return to base", "vacuum.return_to_base", {}),
        ("lawn_mower.a", {}, "set", "dock", "lawn_mower.dock", {}),
        ("scene.a", {}, "start", None, "scene.turn_on", {}),
        ("button.a", {}, "start", None, "button.press", {}),
        ("number.a", {"min": 0, "max": 10, "step": 1}, "set", 4, "number.set_value", {"value": 4}),
        ("input_select.a", {"options": ["Home", "Away"]}, "set", "away", "input_select.select_option",
         {"option": "Away"}),
        ("alarm_control_panel.a", {}, "set", "night", "alarm_control_panel.alarm_arm_night", {}),
        ("alarm_control_panel.a", {}, "on", None, "alarm_control_panel.alarm_arm_away", {}),
        ("alarm_control_panel.a", {}, "off", None, "alarm_control_panel.alarm_disarm", {}),
        ("siren.a", {}, "on", None, "siren.turn_on", {}),
    ],
)  # fmt: skip
def test_the_right_service_with_its_data(
    entity: str, attributes: dict[str, Any], action: str, value: object, service: str, data: dict[str, Any]
) -> None:
    order = order_for(device(entity), State("idle", attributes), action, value)

    assert (f"{order.domain}.{order.service}", dict(order.data)) == (service, data)


@pytest.mark.parametrize(
    ("entity", "attributes", "action", "value"),
    [
        ("sensor.a", {}, "on", None),
        ("light.a", {"supported_color_modes": ["onoff"]}, "set", 40),
        ("light.a", {"supported_color_modes": ["brightness"]}, "set", 3000),
        ("light.a", LIGHT, "set", "fluffy"),
        ("switch.a", {}, "set", 3),
        ("lock.a", {"code_format": r"\d{4}"}, "unlock", None),
        ("alarm_control_panel.a", {"code_format": "number", "code_arm_required": True}, "on", None),
        ("alarm_control_panel.a", {"code_format": "number"}, "off", None),
        ("cover.a", {"supported_features": 2}, "open", None),
        ("climate.a", {"target_temp_low": 18, "target_temp_high": 22, "temperature": None}, "set", 20),
        ("number.a", {"min": 0, "max": 5}, "set", 9),
        ("media_player.a", {"supported_features": 0}, "set", 30),
        ("scene.a", {}, "off", None),
    ],
)
def test_what_it_cannot_is_refused(entity: str, attributes: dict[str, Any], action: str, value: object) -> None:
    with pytest.raises(CannotError):
        order_for(device(entity), State("idle", attributes), action, value)


@given(
    st.sampled_from(
        ["light", "switch", "cover", "lock", "climate", "fan", "media_player", "vacuum", "humidifier", "number",
         "input_select", "alarm_control_panel", "scene", "script", "button", "valve", "siren", "lawn_mower", "sensor"]
    ),
    st.sampled_from(ACTIONS),
    st.one_of(st.none(), st.integers(-200, 9000), st.floats(allow_nan=False), st.text(max_size=20)),
    st.dictionaries(st.sampled_from(["supported_features", "brightness", "percentage", "current_position"]),
                    st.integers(0, 2**20)),
)  # fmt: skip
def test_any_words_end_in_an_order_or_a_refusal_that_can_be_said(
    domain: str, action: str, value: object, attributes: dict[str, Any]
) -> None:
    it, state = device(f"{domain}.a"), State("on", attributes)
    refusal = ""
    try:
        order = order_for(it, state, action, value)
    except CannotError as error:
        refusal = str(error)
        order = None

    assert refusal.strip() or order is not None
    assert "\n" not in refusal
    if order is not None:
        assert order.service
        assert order.key
        assert order.done(state) in (True, False)
        assert order.begun(state) in (True, False)


@given(st.sampled_from(list(DeviceKind)), st.text(max_size=30), st.sampled_from(["light.a", "sensor.b", "text.c"]))
def test_any_state_is_a_clause_without_control_characters(kind: DeviceKind, state: str, id_: str) -> None:
    said = clause(Device("it", "", kind, id_), State(state)).after(plural=False)

    assert said.strip()
    assert said.isprintable()


def test_values_are_read_as_people_say_them() -> None:
    assert [share(word) for word in ("half", "a quarter", "full", 30, "70%", "150", "red")] == [
        50, 25, 100, 30, 70, None, None,
    ]  # fmt: skip
    assert [step(word) for word in ("brighter", "a bit darker", "red")] == [1, -1, 0]
    assert (color("the red"), color("warm white")) == ((255, 0, 0), None)
    assert (kelvin("daylight"), kelvin("2700k"), kelvin(40)) == (6500, 2700, None)
    assert chosen("fan only", ["fan_only", "heat"]) == "fan_only"
    assert chosen("x", ["fan_only", "heat"]) is None


def test_numbers_and_plurals_are_for_speech() -> None:
    assert [said_number(value) for value in (21.5, 20.0, -3, 412.4)] == ["21.5", "20", "minus 3", "412"]
    assert [is_plural(name) for name in ("counter lights", "desk lamp", "glass", "sonos")] == [
        True, False, False, False,
    ]  # fmt: skip
