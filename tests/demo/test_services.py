"""The demo's services are real servers: up answers, down refuses, flapping does both."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest

from assistant.demo.services import demo_services


async def statuses(port: int, times: int) -> list[int]:
    async with httpx.AsyncClient(trust_env=False) as client:
        return [(await client.get(f"http://127.0.0.1:{port}/")).status_code for _ in range(times)]


async def test_an_up_service_answers_every_time() -> None:
    async with demo_services({"gitea": "up"}) as ports:
        assert await statuses(ports["gitea"], 3) == [200, 200, 200]


async def test_nobody_listens_at_a_down_services_port() -> None:
    async with demo_services({"immich": "down"}) as ports:
        with pytest.raises(httpx.ConnectError):
            await statuses(ports["immich"], 1)


async def test_the_port_of_a_down_service_cannot_be_taken_by_another_program() -> None:
    async with demo_services({"immich": "down"}) as ports:
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", ports["immich"]))


async def test_a_flapping_service_fails_every_other_time_and_first() -> None:
    async with demo_services({"nextcloud": "flapping"}) as ports:
        assert await statuses(ports["nextcloud"], 4) == [502, 200, 502, 200]


async def test_services_have_ports_of_their_own_and_are_gone_afterwards() -> None:
    async with demo_services({"a": "up", "b": "up"}) as ports:
        assert ports["a"] != ports["b"]
    with pytest.raises(httpx.ConnectError):
        await statuses(ports["a"], 1)


@pytest.mark.parametrize("garbage", [b"", b"\x00\xff\r\n\r\n", b"x" * 100_000])
async def test_a_client_that_talks_no_http_does_not_take_the_service_down(garbage: bytes) -> None:
    async with demo_services({"gitea": "up"}) as ports:
        _, writer = await asyncio.open_connection("127.0.0.1", ports["gitea"])
        writer.write(garbage)
        writer.close()
        assert await statuses(ports["gitea"], 1) == [200]
