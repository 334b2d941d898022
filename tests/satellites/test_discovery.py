"""Finding satellites: a real announcement on the loopback interface, and a satellite behind it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest
from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from assistant.config import SatelliteSettings, Settings
from assistant.satellites.discovery import found_satellites
from assistant.satellites.satellites import Satellites
from assistant.wyoming.announcing import SERVICE
from tests.satellites.fakes import FakeHouse, FakeSatellite

HERE = "127.0.0.1"


@pytest.fixture(autouse=True)
def on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.wyoming.announcing.reachable_at", lambda host: HERE)
    monkeypatch.setattr("assistant.satellites.discovery.BETWEEN_TRIES_S", 0.01)


@asynccontextmanager
async def announced(*ports: int) -> AsyncIterator[None]:
    zeroconf = AsyncZeroconf(interfaces=[HERE], ip_version=IPVersion.V4Only)
    address = socket.inet_aton(HERE)
    services = (
        AsyncServiceInfo(SERVICE, f"pi{port}.{SERVICE}", port=port, addresses=[address], server="pi.local.")
        for port in ports
    )
    await asyncio.gather(*map(zeroconf.async_register_service, services))
    try:
        yield
    finally:
        await zeroconf.async_close()


async def test_what_announces_itself_is_found_when_it_is_a_satellite() -> None:
    async with (
        FakeSatellite().listening() as kitchen,
        FakeSatellite(info={"asr": []}).listening() as whisper,
        announced(whisper.port, kitchen.port),
        aclosing(found_satellites()) as found,  # type: ignore[type-var]
        asyncio.timeout(20),
    ):
        first = await anext(found)
        assert (first.name, first.urls, first.gone) == ("kitchen", (kitchen.url,), False)


async def test_a_found_satellite_is_connected_to_and_one_of_the_configuration_is_not_taken_twice() -> None:
    async with (
        FakeSatellite().listening() as pantry,
        FakeSatellite().listening() as kitchen,
        announced(pantry.port, kitchen.port),
    ):
        configured = {"kitchen": SatelliteSettings(url=pantry.url, room="pantry")}
        house = FakeHouse(settings=Settings(satellites=configured, find_satellites=True))
        there = Satellites(house)
        async with there.running(), asyncio.timeout(20):
            await pantry.got("run-satellite")
            await kitchen.got("run-satellite")
            assert [(one.name, one.url, one.found) for one in there.states] == [
                ("kitchen", pantry.url, False),
                ("kitchen-2", kitchen.url, True),
            ]
        assert pantry.types.count("run-satellite") == 1
