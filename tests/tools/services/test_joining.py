"""Which service of the catalogue a watcher's thing is, and from where it is looked at."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.names import NameIndex
from tools.services.addresses import endpoint, vantage_of
from tools.services.evidence import Look, WatcherSaid
from tools.services.joining import Catalogue, join, without_namesakes
from tools.services.port import Observation
from tools.settings import ServiceSettings, ToolSettings

NOW = 1_800_000_000.0

HOUSE: dict[str, dict[str, Any]] = {
    "gitea": {"url": "http://10.0.0.5:3000/", "dns": "git.house.example", "aliases": ["git server"]},
    "pihole": {"url": "http://10.0.0.5:8053/admin", "watched_as": {"kuma": "DNS"}, "host": "nuc"},
    "next cloud": {"url": "https://cloud.house.example/", "host": "nuc"},
    "minecraft": {"tcp": "10.0.0.9:25565", "engine": "docker", "unit": "mc-1"},
    "left": {"url": "http://10.0.0.7:80/a"},
    "right": {"url": "http://10.0.0.7:80/b"},
    "here": {"url": "http://127.0.0.1:9000/"},
}


def joined(watcher: str, *seen: Observation, same_machine: bool = False, **house: Any) -> WatcherSaid:
    settings = ToolSettings.model_validate({"services": house or HOUSE})
    catalogue = Catalogue(settings.services, NameIndex.from_settings(settings), engines=("docker", "systemd"))
    return join(watcher, seen, catalogue, NOW, stale_after_s=600, same_machine=same_machine)


def service_of(watcher: str, seen: Observation, *, same_machine: bool = False) -> str | None:
    said = joined(watcher, seen, same_machine=same_machine)
    assert len(said.looks) + said.unknown == 1
    return next(iter(said.looks), None)


def called(name: str, *also: str, address: str = "", **more: Any) -> Observation:
    return Observation(service=name, also=also, up=True, address=address, **more)


@pytest.mark.parametrize(
    "watcher, seen, service",
    [
        ("gatus", called("gitea"), "gitea"),
        ("gatus", called("GITEA"), "gitea"),
        ("gatus", called("Git-Server"), "gitea"),
        ("gatus", called("Nextcloud"), "next cloud"),
        ("gatus", called("gitea backup"), None),  # what a person may leave out is another thing here
        ("gatus", called("gittea"), None),  # nothing is guessed
        ("gatus", called("giteas"), None),
        ("kuma", called("DNS"), "pihole"),
        ("kuma", called("dns"), "pihole"),
        ("kuma", called("pihole"), None),  # it is called otherwise there
        ("gatus", called("pihole"), "pihole"),
        ("gatus", called("DNS"), None),
        ("gatus", called("web", "media/gitea", "gitea"), "gitea"),
        ("gatus", called("something", address="http://10.0.0.5:3000/healthz"), "gitea"),
        ("gatus", called("something", address="git.house.example"), "gitea"),
        ("gatus", called("something", address="https://GIT.house.example./"), "gitea"),
        ("gatus", called("something", address="10.0.0.5"), None),  # a machine is not a service
        ("gatus", called("something", address="10.0.0.5:9999"), None),
        ("gatus", called("something", address="10.0.0.7:80"), None),  # two answer there
        ("prometheus", called("10.0.0.9:25565", address="10.0.0.9:25565"), "minecraft"),
        ("gatus", called("pihole", address="http://10.0.0.5:3000/"), "pihole"),  # the name goes first
        ("docker", called("mc-1", vantage="process"), "minecraft"),
        ("docker", called("minecraft", vantage="process"), None),  # its container is another one
        ("systemd", called("minecraft", vantage="process"), None),  # it runs on docker
        ("systemd", called("gitea.service", "gitea", vantage="process"), "gitea"),
    ],
)
def test_a_thing_is_the_service_that_it_is_called_or_that_answers_there(
    watcher: str, seen: Observation, service: str | None
) -> None:
    assert service_of(watcher, seen) == service


@pytest.mark.parametrize("address", ["http://localhost:9000", "127.0.0.1:9000"])
def test_the_loopback_of_another_machine_is_not_ours(address: str) -> None:
    assert service_of("gatus", called("x", address=address), same_machine=True) == "here"
    assert service_of("gatus", called("x", address=address)) is None


def test_of_two_things_with_the_same_other_name_none_is_taken() -> None:
    said = joined("docker", called("a_gitea_1", "gitea"), called("b_gitea_1", "gitea"))
    assert (said.looks, said.unknown) == ({}, 2)


def test_a_thing_of_that_very_name_goes_before_one_that_has_it_as_another_name() -> None:
    said = joined("docker", called("a_gitea_1", "gitea"), called("gitea"))
    assert (len(said.looks["gitea"]), said.unknown) == (1, 1)


def test_a_container_may_be_two_services() -> None:
    house: dict[str, Any] = {
        "gitea": {"tcp": "10.0.0.5:3000"},
        "git over ssh": {"unit": "gitea"},
        "code": {"watched_as": {"docker": "gitea"}},
    }
    said = joined("docker", called("gitea", vantage="process"), **house)
    assert set(said.looks) == {"gitea", "git over ssh", "code"}
    assert said.unknown == 0


def test_two_monitors_of_one_name_are_two_looks() -> None:
    said = joined("kuma", called("gitea"), called("gitea", address="https://git.house.example/"))
    assert [look.vantage for look in said.looks["gitea"]] == ["inside", "way"]


def test_a_machine_that_is_down_is_why_its_services_are_and_one_that_is_up_says_nothing() -> None:
    down = Observation(service="NUC", up=False, vantage="process", since=NOW - 60)
    said = joined("beszel", down)
    assert {name: look.reason for name, (look,) in said.looks.items()} == dict.fromkeys(
        ("pihole", "next cloud"), "the machine that it runs on is down"
    )
    assert joined("beszel", Observation(service="nuc", up=True, vantage="process")).looks == {}


@pytest.mark.parametrize(
    "at, doubt",
    [
        (None, ""),
        (NOW - 599, ""),
        (NOW - 7200, "gatus last looked two hours ago"),
        (NOW + 200, ""),
        (NOW + 86400, "the clock of gatus is ahead"),
    ],
)
def test_what_is_old_or_from_the_future_is_doubted_by_name(at: float | None, doubt: str) -> None:
    said = joined("gatus", Observation(service="gitea", up=True, at=at))
    assert said.looks["gitea"][0].doubt == doubt
    assert (said.trouble.said if said.trouble else "") == doubt


def test_a_watcher_with_one_fresh_look_is_not_stale_as_a_whole() -> None:
    old, new = (Observation(service=name, up=True, at=NOW - age) for name, age in (("gitea", 7200), ("pihole", 5)))
    said = joined("gatus", old, new)
    assert said.trouble is None
    assert (said.looks["gitea"][0].doubt != "", said.looks["pihole"][0].doubt) == (True, "")


@pytest.mark.parametrize(
    "address, vantage",
    [
        ("", "inside"),
        ("http://10.0.0.5:3000/", "inside"),
        ("10.0.0.5", "inside"),
        ("gitea:3000", "inside"),
        ("http://gitea/", "inside"),
        ("nuc.lan:3000", "inside"),
        ("http://127.0.0.1:3000", "inside"),
        ("git.house.example", "way"),
        ("https://git.house.example/healthz", "way"),
        ("https://git.house.example:3000/", "way"),
        ("https://code.house.example/", "way"),
        ("http://10.0.0.2:80/", "way"),
        ("not an address", "inside"),
    ],
)
def test_the_public_name_and_the_ports_of_a_proxy_are_the_way_to_a_service(address: str, vantage: str) -> None:
    assert vantage_of(address, ServiceSettings.model_validate(HOUSE["gitea"])) == vantage


def test_metrics_of_an_exporter_are_beside_the_service_and_those_at_its_own_address_are_not() -> None:
    exporter = joined("prometheus", called("pihole", address="10.0.0.5:9617", beside=True))
    own = joined("prometheus", called("gitea", address="10.0.0.5:3000", beside=True))
    assert (exporter.looks["pihole"][0].vantage, own.looks["gitea"][0].vantage) == ("process", "inside")


def test_a_stopped_namesake_in_another_engine_is_something_else() -> None:
    runs = Look(watcher="docker", vantage="process", up=True, at=NOW)
    stopped = Look(watcher="systemd", vantage="process", up=False, at=NOW)
    gatus = Look(watcher="gatus", up=False, at=NOW)
    engines = {"docker", "systemd"}
    assert without_namesakes([runs, stopped, gatus], engines) == [runs, gatus]
    assert without_namesakes([stopped, gatus], engines) == [stopped, gatus]


@given(st.text(max_size=60))
def test_no_address_breaks_anything(address: str) -> None:
    _, port = endpoint(address)
    assert port is None or 0 <= port <= 65535
    assert vantage_of(address, ServiceSettings.model_validate(HOUSE["gitea"])) in ("inside", "way")
