"""The conformance suite of the protocol's makers: nothing fails but what the baselines beside this file say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.mcp.conformance import (
    CLIENT_SCENARIOS,
    HOUSE,
    PROGRAM,
    PROTOCOLS,
    check_client,
    check_server,
    fixture_server,
)
from tests.serving import serving

pytestmark = pytest.mark.real_server


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    if not PROGRAM.exists():
        pytest.fail("The MCP conformance suite is not installed: run `deploy/real.sh`, or `make test-real`.", False)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("served"), HOUSE) as started:
        yield f"{started.url}/mcp"


@pytest.fixture(scope="module")
def door() -> Iterator[str]:
    with fixture_server() as url:
        yield url


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_served_house_conforms(house: str, protocol: str) -> None:
    report = check_server(house, protocol, "served")
    assert report.ok, report.said
    assert report.passed >= 7


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_door_conforms_with_the_suites_own_tools_behind_it(door: str, protocol: str) -> None:
    report = check_server(door, protocol, "door")
    assert report.ok, report.said
    assert report.passed >= 13


@pytest.mark.parametrize(("protocol", "scenario"), CLIENT_SCENARIOS)
def test_our_client_of_outside_servers_conforms(protocol: str, scenario: str) -> None:
    report = check_client(protocol, scenario)
    assert report.ok, report.said


@pytest.mark.parametrize("baseline", ["served", "door", "client"])
def test_every_entry_of_a_baseline_stands_under_a_reason(baseline: str) -> None:
    reason = ""
    for line in Path(__file__).with_name(f"{baseline}.yaml").read_text().splitlines():
        if line.startswith("  #"):
            reason = line
        elif not line.startswith("  - "):
            reason = ""
        else:
            assert reason or " # " in line, line
