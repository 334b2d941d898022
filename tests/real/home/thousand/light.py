"""Lights that do at once what they are told: what is measured is the way there and back."""
# mypy: ignore-errors
# Home Assistant is not installed where this is checked.

from homeassistant.components.light import ATTR_BRIGHTNESS, ColorMode, LightEntity

COUNT = 600


class Light(LightEntity):
    _attr_should_poll = False
    _attr_supported_color_modes = {ColorMode.BRIGHTNESS}  # noqa: RUF012 - as Home Assistant's own are written
    _attr_color_mode = ColorMode.BRIGHTNESS
    _attr_is_on = False
    _attr_brightness = 255

    def __init__(self, number):
        self._attr_unique_id = f"light-{number}"
        self._attr_name = f"Lamp {number}"

    async def async_turn_on(self, **how):
        self._attr_is_on = True
        self._attr_brightness = how.get(ATTR_BRIGHTNESS, self._attr_brightness)
        self.async_write_ha_state()

    async def async_turn_off(self, **how):
        self._attr_is_on = False
        self.async_write_ha_state()


async def async_setup_platform(hass, config, async_add_entities, discovery_info=None):
    async_add_entities(Light(number) for number in range(COUNT))
