"""Nothing leaves the house: the decision over addresses, and real ways out tried under the real hook."""

from __future__ import annotations

import ipaddress
import json
import socket
import subprocess
import sys
import textwrap
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.egress import PRIVATE, RESOLUTION_S, TELEMETRY_OFF, Guard, is_private, is_private_name
from assistant.errors import EgressError

addresses = st.ip_addresses()
private_v4 = st.sampled_from([network for network in PRIVATE if network.version == 4]).flatmap(
    lambda network: st.integers(int(network[0]), int(network[-1])).map(lambda n: str(ipaddress.IPv4Address(n)))
)


@given(private_v4)
def test_every_address_of_the_private_ranges_is_inside(address: str) -> None:
    assert is_private(address)
    assert is_private(f"::ffff:{address}")


@given(addresses)
def test_what_is_globally_reachable_is_outside(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if address.is_global and not address.is_multicast:
        assert not is_private(str(address))


@given(st.text(max_size=40))
def test_text_that_is_no_address_is_not_inside_and_never_an_error(text: str) -> None:
    try:
        ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        assert not is_private(text)
    is_private_name(text)


@pytest.mark.parametrize("name", ["nas", "nas.local", "nas.lan", "nas.home.arpa", "x.internal", "nas.tail1.ts.net"])
def test_names_of_the_house(name: str) -> None:
    assert is_private_name(name)
    Guard().check_name(name)


@pytest.mark.parametrize("name", ["example.com", "nas.local.example.com", "lan.example", "", "a.b"])
def test_other_names_are_refused_and_counted(name: str) -> None:
    guard = Guard()
    assert not is_private_name(name)
    if name:
        for count in (1, 2):
            with pytest.raises(EgressError) as refused:
                guard.check_name(name)
            assert guard.refused[name] == count
        assert "allow_hosts" in refused.value.mend


@pytest.mark.parametrize("address", [("8.8.8.8", 53), ("2001:4860:4860::8888", 53, 0, 0), ("example.com", 80)])
def test_public_addresses_are_refused(address: tuple[Any, ...]) -> None:
    with pytest.raises(EgressError):
        Guard().check_address(address)


@pytest.mark.parametrize("group", ["224.0.0.251", "ff02::fb"])
def test_services_are_announced_and_found_by_mdns(group: str) -> None:
    Guard().check_address((group, 5353))


@pytest.mark.parametrize("group", ["224.0.0.1", "224.0.0.252", "239.255.255.250", "ff02::1", "ff02::fc", "ff05::fb"])
def test_no_other_multicast_leaves_this_machine(group: str) -> None:
    with pytest.raises(EgressError):
        Guard().check_address((group, 5353))


@pytest.mark.parametrize(
    "address", ["/run/x.sock", ("127.0.0.1", 1), ("fe80::1%eth0", 1, 0, 2), ("192.168.1.4", 9), b"\0abstract", (), 5]
)
def test_what_stays_inside_passes(address: object) -> None:
    Guard().check_address(address)


def test_a_named_host_passes_however_it_is_spelled() -> None:
    guard = Guard(frozenset({"example.com", "xn--mller-kva.example"}))
    for name in ("EXAMPLE.com.", b"example.com", bytearray(b"Example.com"), "müller.example", b"xn--mller-kva.example"):
        guard.check_name(name)
    for other in ("www.example.com", b"www.example.com", "muller.example", b"\xff.example.com"):
        with pytest.raises(EgressError):
            guard.check_name(other)


def resolving(monkeypatch: pytest.MonkeyPatch, table: dict[str, list[str]]) -> list[str]:
    """A resolver with this table; returns what it was asked."""
    asked: list[str] = []

    def getaddrinfo(name: str, port: object) -> list[tuple[Any, ...]]:
        asked.append(name)
        if name not in table:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in table[name]]

    monkeypatch.setattr("assistant.egress.socket.getaddrinfo", getaddrinfo)
    return asked


def test_the_addresses_of_a_named_host_pass_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving(monkeypatch, {"example.com": ["203.0.113.5"]})
    guard = Guard(frozenset({"example.com"}))
    guard.check_address(("203.0.113.5", 443))  # a pooled connection: nobody has asked for the name
    guard.check_address(("203.0.113.5", 443))
    assert asked == ["example.com"]
    with pytest.raises(EgressError):
        guard.check_address(("203.0.113.6", 443))


def test_the_addresses_of_a_named_host_are_asked_for_anew_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {"example.com": ["203.0.113.5"]}
    resolving(monkeypatch, table)
    guard = Guard(frozenset({"example.com"}))
    guard.check_name("example.com")
    table["example.com"] = ["203.0.113.9"]
    later = time.monotonic() + RESOLUTION_S + 1
    monkeypatch.setattr("assistant.egress.time.monotonic", lambda: later)
    guard.check_address(("203.0.113.9", 443))
    with pytest.raises(EgressError):
        guard.check_address(("203.0.113.5", 443))


def test_a_name_of_the_house_that_lies_outside_is_refused_when_a_socket_is_given_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolving(monkeypatch, {"nas": ["192.168.1.4"], "odd.lan": ["192.168.1.5", "8.8.8.8"], "134744072": ["8.8.8.8"]})
    guard = Guard()
    guard.check_address(("nas", 80))
    guard.check_address(("away.lan", 80))  # has no address: the connection fails by itself
    for host in ("odd.lan", "134744072"):
        with pytest.raises(EgressError):
            guard.check_address((host, 80))


def test_the_refusal_is_a_connection_error_for_libraries() -> None:
    assert issubclass(EgressError, ConnectionError)


def under_the_hook(code: str) -> dict[str, str]:
    """Run ``code`` in a process of its own (a hook stays); ``tried`` maps each way out to what came of it."""
    script = f"""
import json, os, socket, sys
from assistant import egress
egress.install(["allowed.example"])
tried = {{}}
def way(name, go):
    try:
        go()
        tried[name] = "out"
    except BaseException as error:
        while error is not None and type(error).__name__ != "EgressError":
            kind, error = type(error).__name__, error.__cause__ or error.__context__
        tried[name] = "refused" if error is not None else kind
{textwrap.dedent(code)}
tried["refusals"] = str(sum(egress.refusals().values()))
tried["environment"] = json.dumps({{name: os.environ.get(name) for name in egress.TELEMETRY_OFF}})
print(json.dumps(tried))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    result: dict[str, str] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def test_every_way_out_is_closed() -> None:
    tried = under_the_hook(
        """
        import asyncio, urllib.request, httpx, httpx2, http.client
        way("tcp", lambda: socket.create_connection(("8.8.8.8", 53), 1))
        way("tcp6", lambda: socket.socket(socket.AF_INET6).connect(("2001:4860:4860::8888", 53)))
        way("connect_ex", lambda: socket.socket().connect_ex(("8.8.8.8", 53)))
        way("udp", lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("8.8.8.8", 53)))
        way("sendmsg", lambda: socket.socket(type=socket.SOCK_DGRAM).sendmsg([b"x"], [], 0, ("8.8.8.8", 53)))
        way("sendto with flags", lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", 0, ("8.8.8.8", 53)))
        way("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
        way("raw, closed on exec", lambda: socket.socket(type=socket.SOCK_RAW | getattr(socket, "SOCK_CLOEXEC", 0)))
        way("family", lambda: socket.socket(getattr(socket, "AF_PACKET", 99), socket.SOCK_DGRAM))
        way("gethostbyname_ex", lambda: socket.gethostbyname_ex("example.com"))
        way("gethostbyaddr", lambda: socket.gethostbyaddr("8.8.8.8"))
        way("getfqdn", lambda: socket.gethostbyaddr("example.com"))
        way("getnameinfo", lambda: socket.getnameinfo(("8.8.8.8", 53), 0))
        async def in_loop(to, how):
            loop, udp = asyncio.get_running_loop(), socket.socket(type=socket.SOCK_DGRAM)
            udp.setblocking(False)
            await (loop.sock_connect(udp, to) if how == "connect" else loop.sock_sendto(udp, b"x", to))
        way("sock_connect", lambda: asyncio.run(in_loop(("8.8.8.8", 53), "connect")))
        way("sock_sendto", lambda: asyncio.run(in_loop(("8.8.8.8", 53), "send")))
        async def datagrams():
            loop = asyncio.get_running_loop()
            await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=("8.8.8.8", 53))
        way("datagram endpoint", lambda: asyncio.run(datagrams()))
        way("getaddrinfo", lambda: socket.getaddrinfo("example.com", 80))
        way("gethostbyname", lambda: socket.gethostbyname("example.com"))
        way("urllib", lambda: urllib.request.urlopen("http://example.com"))
        way("http.client", lambda: http.client.HTTPConnection("1.1.1.1", timeout=1).request("GET", "/"))
        way("number", lambda: socket.socket().connect(("134744072", 53)))
        way("mapped", lambda: socket.socket(socket.AF_INET6).connect(("::ffff:8.8.8.8", 53)))
        way("asyncio by name", lambda: asyncio.run(asyncio.open_connection("example.com", 80)))
        async def by_name(): await httpx.AsyncClient(trust_env=False).get("http://example.com")
        way("httpx async", lambda: asyncio.run(by_name()))
        way("httpx", lambda: httpx.get("http://1.1.1.1", trust_env=False))
        way("httpx2", lambda: httpx2.get("http://example.com", trust_env=False))
        way("asyncio", lambda: asyncio.run(asyncio.wait_for(asyncio.open_connection("8.8.8.8", 53), 1)))
        """
    )
    refused = {name for name, came in tried.items() if came == "refused"}
    assert refused == {
        "tcp", "tcp6", "connect_ex", "udp", "sendmsg", "getaddrinfo", "gethostbyname", "urllib", "http.client", "httpx",
        "httpx2", "asyncio", "number", "mapped", "asyncio by name", "httpx async", "sendto with flags", "raw",
        "raw, closed on exec", "family", "gethostbyname_ex", "gethostbyaddr", "getfqdn", "getnameinfo", "sock_connect",
        "sock_sendto", "datagram endpoint",
    }  # fmt: skip
    assert int(tried["refusals"]) >= len(refused)


def test_the_house_stays_reachable() -> None:
    tried = under_the_hook(
        """
        listening = socket.create_server(("127.0.0.1", 0))
        way("tcp", lambda: socket.create_connection(listening.getsockname(), 1).close())
        way("localhost", lambda: socket.getaddrinfo("localhost", 80))
        pair = socket.socketpair()
        way("pair", lambda: pair[0].send(b"x"))
        way("by its number", lambda: socket.socket(fileno=os.dup(listening.fileno())).close())
        way("unix", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).close())
        way("allowed name", lambda: socket.getaddrinfo("allowed.example", 80))
        import asyncio, httpx
        async def by_name(): await httpx.AsyncClient(trust_env=False, timeout=5).get("http://allowed.example")
        way("allowed by httpx", lambda: asyncio.run(by_name()))
        """
    )
    assert {tried[name] for name in ("tcp", "localhost", "pair", "by its number", "unix")} == {"out"}
    assert tried["allowed name"] in ("out", "gaierror")  # asked for, whether or not there is a network
    assert tried["allowed by httpx"] in ("out", "gaierror")
    assert tried["refusals"] == "0"


def test_telemetry_is_switched_off_and_a_second_install_replaces_what_is_allowed() -> None:
    tried = under_the_hook(
        """
        egress.install([])
        way("no longer allowed", lambda: socket.getaddrinfo("allowed.example", 80))
        """
    )
    assert tried["no longer allowed"] == "refused"
    assert json.loads(tried["environment"]) == dict(TELEMETRY_OFF)


def test_a_configured_service_outside_is_said_not_asked(tmp_path: Any) -> None:
    """Through the command line: the guard stands before the tools."""
    config = tmp_path / "jarvis.toml"
    config.write_text('engine = "sentences"\n[services.far]\nurl = "http://8.8.8.8/"\n')
    done = subprocess.run(
        [sys.executable, "-m", "assistant", "--config", str(config), "ask", "is far up?"],
        env={"PATH": "/usr/bin:/bin", "JARVIS_STATE": str(tmp_path / "state"), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "outside the private network" in " ".join(done.stdout.split()), done.stderr
