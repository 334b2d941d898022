"""Thermometers."""
# mypy: ignore-errors
# Home Assistant is not installed where this is checked.

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorStateClass
from homeassistant.const import UnitOfTemperature

COUNT = 200


class Sensor(SensorEntity):
    _attr_should_poll = False
    _attr_device_class = SensorDeviceClass.TEMPERATURE
    _attr_state_class = SensorStateClass.MEASUREMENT
    _attr_native_unit_of_measurement = UnitOfTemperature.CELSIUS

    def __init__(self, number):
        self._attr_unique_id = f"sensor-{number}"
        self._attr_name = f"Thermometer {number}"
        self._attr_native_value = 15 + number / 20


async def async_setup_platform(hass, config, async_add_entities, discovery_info=None):
    async_add_entities(Sensor(number) for number in range(COUNT))
