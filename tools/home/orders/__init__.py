"""What is sent to the home system for an action on a device, and how it is seen that it was done. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tools.home.kinds import DeviceKind
from tools.home.live import Device
from tools.home.orders.air import climate, fan, humidifier
from tools.home.orders.lights import light
from tools.home.orders.machines import mower, vacuum
from tools.home.orders.media import media
from tools.home.orders.openings import alarm, cover, lock, valve
from tools.home.orders.order import CannotError, Order
from tools.home.orders.simple import button, choice, level, scene, script, switch
from tools.home.port import State

__all__ = ["CannotError", "Order", "order_for"]

_Maker = Callable[[Device, State, str, object], Order]

_BY_KIND: Mapping[DeviceKind, _Maker] = {
    DeviceKind.LIGHT: light, DeviceKind.SWITCH: switch, DeviceKind.SIREN: switch,
    DeviceKind.FAN: fan, DeviceKind.CLIMATE: climate, DeviceKind.HUMIDIFIER: humidifier,
    DeviceKind.MEDIA: media, DeviceKind.VACUUM: vacuum, DeviceKind.MOWER: mower,
    DeviceKind.COVER: cover, DeviceKind.ENTRANCE: cover, DeviceKind.VALVE: valve,
    DeviceKind.LOCK: lock, DeviceKind.ALARM: alarm,
    DeviceKind.SCENE: scene, DeviceKind.SCRIPT: script, DeviceKind.BUTTON: button,
    DeviceKind.NUMBER: level, DeviceKind.CHOICE: choice,
}  # fmt: skip


def order_for(device: Device, state: State, action: str, value: object = None) -> Order:
    """``state``: what it is now, with what it can. Raises CannotError: nothing may be sent then."""
    maker = _BY_KIND.get(device.kind)
    if maker is None:
        raise CannotError("can only be read")
    return maker(device, state, action, value)
