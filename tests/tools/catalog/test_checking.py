"""The catalogue against what listens."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.catalog.checking import State, check, connects, sockets_here
from tools.catalog.sockets import Listening, SocketsError, listening_here, read_lsof, read_table
from tools.settings import ServiceSettings

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4243 1 0 100 0 0 10 0
   2: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4244 1 0 100 0 0 10 0
   3: nonsense
"""
TABLE6 = """\
  sl  local_address                         remote_address                        st ...
   0: 00000000000000000000000001000000:1F91 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 77 1 0 1 0 0 1 0
   1: 0000000000000000FFFF00000100007F:1F92 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 78 1 0 1 0 0 1 0
"""

COMM = Path(f"/proc/{os.getpid()}/comm").read_text().strip()
"""Of this process."""


def service(**fields: Any) -> ServiceSettings:
    return ServiceSettings.model_validate(fields)


@asynccontextmanager
async def listener() -> AsyncIterator[int]:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


@contextmanager
def free_port() -> Iterator[int]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


# ── what listens ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_proc_tables_are_read() -> None:
    assert list(read_table(TABLE)) == [Listening(8080, "127.0.0.1", "", 4242), Listening(22, "0.0.0.0", "", 4243)]
    assert [(one.port, one.address) for one in read_table(TABLE6)] == [(8081, "::1"), (8082, "127.0.0.1")]


@given(st.text())
def test_any_text_is_a_table_of_some_kind(text: str) -> None:
    assert all(one.port >= 0 for one in read_table("head\n" + text))
    assert all(one.port >= 0 for one in read_lsof(text))


def test_lsof_is_read() -> None:
    text = "p1\ncsshd\nf3\nn*:22\nf4\nn[::1]:631\np2\ncpython3\nf5\nn127.0.0.1:8080\nnweird\n"
    assert list(read_lsof(text)) == [
        Listening(22, "0.0.0.0", "sshd"),
        Listening(631, "::1", "sshd"),
        Listening(8080, "127.0.0.1", "python3"),
    ]


def test_whose_a_socket_is_comes_from_the_processes(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text(TABLE)
    own = tmp_path / "123" / "fd"
    own.mkdir(parents=True)
    (own / "5").symlink_to("socket:[4242]")
    (tmp_path / "123" / "comm").write_text("jellyfin\n")
    (tmp_path / "124").mkdir()  # another user's, or ended meanwhile
    assert listening_here(tmp_path) == (Listening(22, "0.0.0.0", ""), Listening(8080, "127.0.0.1", "jellyfin"))


def test_a_machine_whose_tables_cannot_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "net" / "tcp").mkdir(parents=True)
    with pytest.raises(SocketsError, match="can't be read"):
        listening_here(tmp_path)


async def test_a_socket_of_our_own_is_seen_with_its_program() -> None:
    async with listener() as port:
        here = {one.port: one for one in await sockets_here()}
        assert here[port].address == "127.0.0.1"
        assert here[port].only_here
        assert here[port].program == COMM


# ── declared and silent, listening and in no catalogue ────────────────────────────────────────────────────────────


async def test_every_service_is_judged_and_strangers_are_named() -> None:
    with free_port() as silent:
        async with listener() as port, listener() as stranger:
            services = {
                "up": service(host="localhost", port=port),
                "silent": service(url=f"http://127.0.0.1:{silent}/"),
                "nowhere": service(tcp="no-such-name.lan:80"),
                "unplaced": service(description="no port"),
            }
            told: list[str] = []
            report = await check(services, await sockets_here(), done=told.append)
            states = {one.name: (one.state, one.asked, one.reason) for one in report.services}
            assert states == {
                "up": (State.LISTENING, f"localhost:{port}", ""),
                "silent": (State.SILENT, f"127.0.0.1:{silent}", "connection refused"),
                "nowhere": (State.SILENT, "no-such-name.lan:80", "nobody knows the name no-such-name.lan"),
                "unplaced": (State.UNKNOWN, "", "the catalogue says no host and port"),
            }
            assert sorted(told) == sorted(services)
            assert report.strangers is not None
            assert stranger in {one.port for one in report.strangers}
            assert port not in {one.port for one in report.strangers}


async def test_jarvis_itself_and_what_a_minecraft_server_has_are_no_strangers() -> None:
    sockets = [Listening(port, "127.0.0.1") for port in (8765, 25565, 25575, 9999)]
    craft = service(host="localhost", minecraft={})
    report = await check({"craft": craft}, sockets, ours=(8765,))
    assert report.strangers is not None
    assert [one.port for one in report.strangers] == [9999]


async def test_a_port_of_a_service_elsewhere_may_be_a_strangers_here() -> None:
    with free_port() as silent:
        elsewhere = service(host="no-such-name.lan", port=silent)
        report = await check({"far": elsewhere}, [Listening(silent, "127.0.0.1")])
    assert report.strangers is not None
    assert [one.port for one in report.strangers] == [silent]


async def test_a_port_is_named_once_and_as_far_as_it_can_be_reached() -> None:
    sockets = [Listening(80, "127.0.0.1", ""), Listening(80, "0.0.0.0", ""), Listening(80, "::1", "nginx")]
    report = await check({}, sockets)
    assert report.strangers == (Listening(80, "0.0.0.0", "nginx"),)


async def test_sixty_machines_that_do_not_answer_are_waited_for_together(monkeypatch: pytest.MonkeyPatch) -> None:
    together = most = 0

    async def hang(*_: object) -> None:
        nonlocal together, most
        together += 1
        most = max(most, together)
        try:
            await asyncio.Event().wait()
        finally:
            together -= 1

    monkeypatch.setattr(asyncio, "open_connection", hang)
    services = {f"s{number}": service(ip="127.0.0.1", port=number) for number in range(1, 61)}
    report = await check(services, [], timeout_s=0.2)
    assert {one.state for one in report.services} == {State.SILENT}
    assert most == 60


async def test_what_listens_cannot_always_be_told() -> None:
    async with listener() as port:
        report = await check({"up": service(host="localhost", port=port)}, None)
    assert report.strangers is None
    assert report.services[0].state is State.LISTENING


async def test_what_does_not_answer_in_time_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio, "open_connection", hang)
    assert await connects("nas", 80, 0.01) == (State.SILENT, "no answer within 0.01 seconds")


async def test_a_connection_that_was_refused_before_it_went_out_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def guard(*_: object) -> None:
        raise ConnectionError("example.org is outside the private network.")

    monkeypatch.setattr(asyncio, "open_connection", guard)
    state, reason = await connects("example.org", 80)
    assert state is State.UNKNOWN
    assert reason == "it was not asked: example.org is outside the private network."


async def test_a_name_that_is_none_is_no_reason_to_break() -> None:
    state, _ = await connects("a" * 300, 80)
    assert state in (State.UNKNOWN, State.SILENT)
