"""An action carried out on devices: orders sent together, states read back, and what became of each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from tools.home.live import Device
from tools.home.orders import CannotError, Order, order_for
from tools.home.port import HomeError, HomeLink, State

READ_BACK_S = 2.0
"""How long a state may take to become what was ordered."""


@dataclass(slots=True)
class Deed:
    """What was ordered of one device. ``order`` is None where nothing was sent: it is silent, or ``cannot``."""

    device: Device
    order: Order | None = None
    cannot: str = ""
    refused: HomeError | None = None
    after: State | None = None
    lost: str = ""

    @property
    def done(self) -> bool:
        """It is as it was asked for."""
        return self.order is not None and self.after is not None and not self.lost and self.order.done(self.after)

    @property
    def begun(self) -> bool:
        """It is on its way there."""
        return self.order is not None and self.after is not None and not self.lost and self.order.begun(self.after)


def planned_deeds(link: HomeLink, devices: Sequence[Device], action: str, value: object) -> list[Deed]:
    """What would be sent to each; nothing is."""
    deeds = []
    for device in devices:
        deed = Deed(device, after=link.state(device.id))
        deeds.append(deed)
        if deed.after is None or deed.after.state == "unavailable":
            continue
        try:
            deed.order = order_for(device, deed.after, action, value)
        except CannotError as error:
            deed.cannot = str(error)
    return deeds


async def carry_out(link: HomeLink, deeds: Sequence[Deed]) -> None:
    """Send what there is to send and look at the states afterwards. Raises nothing but cancellation."""
    together: dict[str, tuple[Order, list[Deed]]] = {}
    for deed in deeds:
        if deed.order is not None:
            together.setdefault(deed.order.key, (deed.order, []))[1].append(deed)
    await asyncio.gather(*(_send(link, order, same) for order, same in together.values()))
    sent = {deed.device.id: deed for deed in deeds if deed.order is not None and deed.refused is None}
    try:
        if sent:
            await link.settled(list(sent), lambda id_, state: _fits(sent[id_], state), READ_BACK_S)
    except HomeError as error:
        for deed in sent.values():
            deed.lost = error.reason
    for deed in deeds:
        deed.after = link.state(deed.device.id)
    if link.trouble:
        for deed in sent.values():
            deed.lost = deed.lost or link.trouble


def _fits(deed: Deed, state: State) -> bool:
    return deed.order is not None and (deed.order.done(state) or deed.order.begun(state))


async def _send(link: HomeLink, order: Order, deeds: Sequence[Deed]) -> None:
    try:
        await link.call(order.domain, order.service, [deed.device.id for deed in deeds], order.data or None)
    except HomeError as error:
        for deed in deeds:
            deed.refused = error
