"""What a Docker engine's API says, read: units, times, and logs however they are cut."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.engines.docker_said import MAX_LINE, LogReader, inspected, listed, moment
from tools.engines.port import LogLine

AT = "2026-11-22T00:23:21.123456789Z"
UNIX = 1795307001.123456

STATE: dict[str, Any] = {
    "Status": "running", "Running": True, "StartedAt": AT, "FinishedAt": "0001-01-01T00:00:00Z", "ExitCode": 0,
}  # fmt: skip


def container(**state: Any) -> dict[str, Any]:
    return {
        "Id": "4fa6e0f0c6786287e131c3852c58a2e01cc697a68231826813597e4994f1d6e2",
        "Name": "/jellyfin",
        "Created": "2026-11-20T00:00:00Z",
        "RestartCount": 2,
        "State": {**STATE, **state},
        "Config": {"Image": "jellyfin/jellyfin:10.10", "Labels": {"com.docker.compose.service": "jellyfin"}},
        "NetworkSettings": {"Ports": {"8096/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8096"}], "1900/udp": None}},
    }


def test_a_container_as_it_is_inspected() -> None:
    unit = inspected(container(Health={"Status": "healthy", "FailingStreak": 0}))

    assert (unit.name, unit.running, unit.health, unit.restarts, unit.ports) == (
        "jellyfin",
        True,
        "healthy",
        2,
        (8096,),
    )
    assert unit.since == pytest.approx(UNIX)
    assert (unit.exit_code, unit.said, unit.image) == (None, "running", "jellyfin/jellyfin:10.10")


@pytest.mark.parametrize(
    "state, expected",
    [
        ({"Status": "exited", "Running": False, "FinishedAt": AT, "ExitCode": 137}, (False, None, UNIX, 137, "exited")),
        ({"Status": "restarting", "ExitCode": 1}, (False, None, UNIX, 1, "restarting")),
        ({"Status": "paused"}, (False, None, UNIX, None, "paused")),
        ({"Status": "running", "Health": {"Status": "none"}}, (True, None, UNIX, None, "running")),
        ({"Status": "running", "Healthcheck": {"Status": "starting"}}, (True, "starting", UNIX, None, "running")),
        ({"Status": "exited", "Health": {"Status": "unhealthy"}, "FinishedAt": AT}, (False, None, UNIX, 0, "exited")),
    ],
)
def test_its_states(state: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """Podman says Healthcheck where Docker says Health."""
    unit = inspected(container(**state))
    assert (unit.running, unit.health, unit.since, unit.exit_code, unit.said) == (
        expected[0], expected[1], pytest.approx(expected[2]), *expected[3:],
    )  # fmt: skip


@pytest.mark.parametrize(
    "state, status, running, health, code",
    [
        ("running", "Up 3 hours (healthy)", True, "healthy", None),
        ("running", "Up 5 seconds (health: starting)", True, "starting", None),
        ("running", "Up 2 days (unhealthy)", True, "unhealthy", None),
        ("exited", "Exited (137) 2 days ago", False, None, 137),
        ("restarting", "Restarting (1) 5 seconds ago", False, None, 1),
        ("created", "Created", False, None, None),
    ],
)
def test_a_container_as_it_is_listed(state: str, status: str, running: bool, health: str, code: int) -> None:
    unit = listed(
        {"Id": "4fa6e0f0c678", "Names": ["/web/db", "/db"], "State": state, "Status": status, "Labels": None,
         "Ports": [{"PrivatePort": 5432, "Type": "tcp"}, {"PublicPort": 5433, "PrivatePort": 5432, "Type": "tcp"}]}
    )  # fmt: skip
    assert (unit.name, unit.running, unit.health, unit.exit_code) == ("db", running, health, code)
    assert unit.ports == (5433,)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "", "yesterday", None, 5, "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_none(text: object) -> None:
    assert moment(text) is None


def test_times_with_an_offset_are_read() -> None:
    assert moment("2026-11-22T01:23:21.123456789+01:00") == pytest.approx(UNIX)


def frame(stream: int, text: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(text).to_bytes(4, "big") + text


def read(data: bytes, cuts: list[int], *, terminal: bool = False) -> list[LogLine]:
    reader, found, at = LogReader(terminal=terminal), [], 0
    for cut in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        found += reader.feed(data[at:cut])
        at = cut
    return found + reader.end()


LOG = frame(1, f"{AT} starting\n".encode()) + frame(2, f"{AT} ERROR: ü\n{AT} a".encode()) + frame(2, b" b\nno end")


@given(st.lists(st.integers(0, 1_000), max_size=8))
def test_a_log_reads_the_same_however_it_is_cut(cuts: list[int]) -> None:
    lines = read(LOG, cuts)

    assert [(line.text, line.error) for line in lines] == [
        ("starting", False), ("ERROR: ü", True), ("a b", True), ("no end", True),
    ]  # fmt: skip
    assert [line.at is not None for line in lines] == [True, True, True, False]


@given(st.lists(st.integers(0, 1_000), max_size=8))
def test_so_does_that_of_a_terminal(cuts: list[int]) -> None:
    data = f"{AT} one\r\n{AT} \x1b[31mtwo\x1b[0m\r\nthree".encode()
    assert [line.text for line in read(data, cuts, terminal=True)] == ["one", "\x1b[31mtwo\x1b[0m", "three"]


def test_a_line_that_never_ends_is_bounded() -> None:
    lines = read(frame(1, b"x" * 100_000) + frame(1, b"x" * 100_000 + b"\n"), [])
    assert [len(line.text) for line in lines] == [MAX_LINE]


@given(st.binary(max_size=300))
def test_no_bytes_break_it_in_an_unknown_way(data: bytes) -> None:
    try:
        lines = read(data, [100])
    except ValueError:
        return
    assert all(isinstance(line, LogLine) for line in lines)
