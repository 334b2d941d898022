"""``check_services`` against real HTTP servers on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tools.contract import PlannedCall, Severity, ToolResult
from tools.names import NameIndex
from tools.services.tool import CheckServices, CheckServicesArguments
from tools.settings import ToolSettings
from tools.store import Store

Answer = Callable[[int], Awaitable[bytes]]
"""From the number of the request (0, 1, …) to the bytes sent back; none of them closes the connection at once."""


def status(code: int, *headers: str) -> Answer:
    async def answer(_: int) -> bytes:
        head = "".join(f"{header}\r\n" for header in headers)
        return f"HTTP/1.1 {code} Said\r\n{head}content-length: 2\r\n\r\nok".encode()

    return answer


def in_turn(*answers: Answer) -> Answer:
    async def answer(number: int) -> bytes:
        return await answers[min(number, len(answers) - 1)](number)

    return answer


async def never(_: int) -> bytes:
    return await asyncio.Event().wait() and b""


async def nothing(_: int) -> bytes:
    return b""


async def nonsense(_: int) -> bytes:
    return b"\x00\xff this is no HTTP\r\n\r\n"


@asynccontextmanager
async def serving(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server with these answers; its URL."""
    numbers = iter(range(10_000))
    running: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            running.add(task)
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(await answer(next(numbers)))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return  # asyncio logs a cancelled connection as an error otherwise
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        server.close()
        await server.wait_closed()


def self_signed(folder: Path) -> ssl.SSLContext:
    """TLS for 127.0.0.1 with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "tls.pem"
    pem.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@dataclass
class House:
    """A catalogue over one store."""

    store: Store
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    deadline_s: float = 3.0

    def tool(self) -> CheckServices:
        settings = ToolSettings.model_validate(
            {"services": self.services, "services_deadline_s": self.deadline_s, "flapping_window_s": 900}
        )
        return CheckServices(settings, NameIndex.from_settings(settings), self.store)

    async def check(self, service: str | None = None) -> ToolResult:
        tool = self.tool()
        planned = tool.plan(CheckServicesArguments(service=service))
        assert isinstance(planned, PlannedCall)
        return await tool.execute(planned)

    async def state_of(self, service: str) -> tuple[str, str]:
        """(state, reason)"""
        found = (await self.check(service)).data["services"][0]
        return found["state"], found["reason"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with Store(tmp_path / "jarvis.db") as store:
        yield House(store)


@pytest.fixture
def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_what_answers_is_up_with_its_status_and_latency(house: House) -> None:
    async with serving(status(200)) as url:
        house.services["gitea"] = {"url": url}
        result = await house.check("gitea")
    assert result.spoken == "Gitea is up."
    assert result.findings == ()
    (found,) = result.data["services"]
    assert (found["state"], found["status_code"], found["since"]) == ("up", 200, None)
    assert 0 < found["latency_ms"] < 3000


@pytest.mark.parametrize("code", [301, 302, 204])
async def test_a_redirect_is_an_answer_and_is_not_followed(house: House, code: int) -> None:
    async with serving(in_turn(status(code, "location: http://192.0.2.1/"), nonsense)) as url:
        house.services["gitea"] = {"url": url}
        assert await house.state_of("gitea") == ("up", "")


@pytest.mark.parametrize("code", [404, 500, 503])
async def test_an_error_status_is_down_with_the_status_as_reason(house: House, code: int) -> None:
    async with serving(status(code)) as url:
        house.services["gitea"] = {"url": url}
        result = await house.check("gitea")
    assert result.spoken == f"Gitea is down: it answers with HTTP status {code}."
    (finding,) = result.findings
    assert (finding.severity, finding.subject) == (Severity.CRITICAL, "gitea")
    assert finding.since is not None


@pytest.mark.parametrize("expected, code, state", [([401], 401, "up"), ([401], 200, "down"), ([200, 401], 200, "up")])
async def test_the_configuration_says_which_status_means_up(
    house: House, expected: list[int], code: int, state: str
) -> None:
    async with serving(status(code)) as url:
        house.services["gitea"] = {"url": url, "expect_status": expected}
        assert (await house.state_of("gitea"))[0] == state


async def test_a_closed_port_is_down_because_the_connection_is_refused(house: House, free_port: int) -> None:
    house.services["gitea"] = {"url": f"http://127.0.0.1:{free_port}"}
    assert await house.state_of("gitea") == ("down", "the connection is refused")


@pytest.mark.parametrize("answer", [nothing, nonsense])
async def test_nonsense_is_down_because_the_connection_breaks_off(house: House, answer: Answer) -> None:
    async with serving(answer) as url:
        house.services["gitea"] = {"url": url}
        assert await house.state_of("gitea") == ("down", "it breaks off the connection")


@pytest.mark.parametrize(
    "verify_tls, expected", [(True, ("down", "its certificate is not trusted")), (False, ("up", ""))]
)
async def test_a_self_signed_certificate_is_trusted_only_when_the_configuration_says_so(
    house: House, tmp_path: Path, verify_tls: bool, expected: tuple[str, str]
) -> None:
    async with serving(status(200), self_signed(tmp_path)) as url:
        house.services["gitea"] = {"url": url, "verify_tls": verify_tls}
        assert await house.state_of("gitea") == expected


async def test_https_asked_of_a_server_that_never_shakes_hands_is_down(house: House) -> None:
    async with serving(never) as url:
        house.services["gitea"] = {"url": url.replace("http:", "https:"), "timeout_s": 0.2}
        assert await house.state_of("gitea") == ("down", "it does not answer in time")


async def test_a_server_that_drips_its_headers_for_ever_is_down(house: House) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while not writer.is_closing():
                writer.write(b"x-a: b\r\n")
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        house.services["gitea"] = {"url": f"http://127.0.0.1:{port}", "timeout_s": 0.2}
        assert await house.state_of("gitea") == ("down", "it does not answer in time")


@pytest.mark.parametrize("host", ["a" * 70 + ".lan", "no-such-host-of-mine.invalid"])
async def test_a_host_that_cannot_be_looked_up_is_down_and_breaks_nothing(house: House, host: str) -> None:
    async with serving(status(200)) as url:
        house.services = {"gitea": {"url": url}, "odd": {"url": f"http://{host}/"}}
        result = await house.check()
    assert {state: count for state, count in result.data["counts"].items() if count} == {"down": 1, "up": 1}


async def test_a_hanging_service_does_not_keep_the_others_from_being_told(house: House, free_port: int) -> None:
    async with serving(status(200)) as good, serving(never) as bad:
        house.services = {
            "gitea": {"url": good},
            "immich": {"url": bad, "timeout_s": 30},
            "pihole": {"url": f"http://127.0.0.1:{free_port}"},
        }
        house.deadline_s = 1.0
        started = time.perf_counter()
        result = await house.check()
        assert time.perf_counter() - started < 5
    assert result.spoken == "Pihole is down and I can't tell about immich. The other one is up."
    assert {s["name"]: s["state"] for s in result.data["services"]} == {
        "gitea": "up",
        "immich": "unknown",
        "pihole": "down",
    }
    assert {f.subject: f.severity for f in result.findings} == {
        "immich": Severity.UNKNOWN,
        "pihole": Severity.CRITICAL,
    }


async def test_one_attempt_that_ran_out_of_its_time_is_enough_for_down(house: House) -> None:
    async with serving(never) as url:
        house.services["immich"] = {"url": url, "timeout_s": 0.3}
        house.deadline_s = 0.6
        assert await house.state_of("immich") == ("down", "it does not answer in time")


async def test_a_service_that_answers_only_sometimes_is_flapping(house: House) -> None:
    async with serving(in_turn(status(503), status(200))) as url:
        house.services["nextcloud"] = {"url": url}
        result = await house.check("nextcloud")
    assert result.spoken == (
        "Nextcloud is flapping: sometimes it answers, and sometimes it answers with HTTP status 503."
    )
    assert result.findings[0].severity is Severity.WARNING


async def test_what_went_up_and_down_within_the_window_is_flapping_even_if_it_answers_now(house: House) -> None:
    async with serving(in_turn(status(200), *[status(500)] * 3, status(200), *[status(500)] * 3)) as url:
        house.services["nextcloud"] = {"url": url}
        seen = [(await house.state_of("nextcloud"))[0] for _ in range(4)]
    assert seen == ["up", "down", "up", "flapping"]


async def test_an_outage_remembers_when_it_was_first_seen(house: House, free_port: int) -> None:
    house.store.observe(time.time() - 7200, [("gitea", False, "the connection is refused")])
    house.services["gitea"] = {"url": f"http://127.0.0.1:{free_port}"}
    assert (await house.check("gitea")).spoken == (
        "Gitea is down, first seen two hours ago: the connection is refused."
    )


async def test_a_house_without_services_says_so(house: House) -> None:
    assert (await house.check()).spoken == "No services are configured."


async def test_proxies_of_the_environment_are_not_used(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with serving(status(200)) as url:
        house.services["gitea"] = {"url": url}
        assert await house.state_of("gitea") == ("up", "")


OUTSIDE = """
import asyncio, sys
from pathlib import Path
from assistant import egress
from tools.names import NameIndex
from tools.contract import PlannedCall
from tools.services.tool import CheckServices
from tools.settings import ToolSettings
from tools.store import Store

egress.install()
services = {"cloud": {"url": sys.argv[1]}, "port": {"tcp": "192.0.2.1:22"}}
settings = ToolSettings.model_validate({"services": services})
with Store(Path(sys.argv[2]) / "jarvis.db") as store:
    tool = CheckServices(settings, NameIndex.from_settings(settings), store)
    for name in services:
        print(asyncio.run(tool.execute(PlannedCall(tool="check_services", arguments={"service": name}))).spoken)
"""


@pytest.mark.parametrize("url", ["http://192.0.2.1/", "https://cloud.example.com/"])
def test_a_service_outside_the_house_is_not_asked_and_the_reason_is_said(tmp_path: Path, url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OUTSIDE, url, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines() == [
        f"{name} is down: it is outside the private network, and I may not go there." for name in ("Cloud", "Port")
    ]
