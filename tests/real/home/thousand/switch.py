"""Switches that do at once what they are told."""
# mypy: ignore-errors
# Home Assistant is not installed where this is checked.

from homeassistant.components.switch import SwitchEntity

COUNT = 200


class Switch(SwitchEntity):
    _attr_should_poll = False
    _attr_is_on = False

    def __init__(self, number):
        self._attr_unique_id = f"switch-{number}"
        self._attr_name = f"Plug {number}"

    async def async_turn_on(self, **how):
        self._attr_is_on = True
        self.async_write_ha_state()

    async def async_turn_off(self, **how):
        self._attr_is_on = False
        self.async_write_ha_state()


async def async_setup_platform(hass, config, async_add_entities, discovery_info=None):
    async_add_entities(Switch(number) for number in range(COUNT))
