"""Zeroconf, between two instances on loopback."""

from __future__ import annotations

import asyncio
import logging

import pytest
from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from assistant.wyoming.announcing import SERVICE, announced, reachable_at

FOUND_S = 10.0


class Seen:
    """What a browser was told of; ``gone`` is set when something was taken back."""

    def __init__(self, zeroconf: AsyncZeroconf) -> None:
        self.names: asyncio.Queue[str] = asyncio.Queue()
        self.gone = asyncio.Event()
        self.browser = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE, handlers=[self._changed])

    def _changed(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        if state_change is ServiceStateChange.Added:
            self.names.put_nowait(name)
        elif state_change is ServiceStateChange.Removed:
            self.gone.set()


async def test_it_is_found_with_address_and_port_and_taken_back_at_the_end() -> None:
    zeroconf = AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    seen = Seen(zeroconf)
    try:
        async with asyncio.timeout(FOUND_S):
            async with announced("jarvis-test", "127.0.0.1", 10_612) as name:
                while (found := await seen.names.get()) != name:
                    pass
                info = AsyncServiceInfo(SERVICE, found)
                assert await info.async_request(zeroconf.zeroconf, 3_000)
                assert (info.parsed_addresses(), info.port) == (["127.0.0.1"], 10_612)
            await seen.gone.wait()
    finally:
        await seen.browser.async_cancel()
        await zeroconf.async_close()


async def test_no_address_is_no_reason_to_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with announced("jarvis-test", "", 10_612) as name:
        assert name == ""
    assert "Wyoming is not announced" in caplog.text


def test_what_is_bound_is_what_is_announced() -> None:
    assert reachable_at("192.168.1.5") == "192.168.1.5"
    assert reachable_at("fd00::5") == ""
    assert reachable_at("jarvis.lan") == ""
    assert reachable_at("0.0.0.0") != "0.0.0.0"
