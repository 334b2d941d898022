"""Words from outside, and the machines that addresses mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.alerts import words
from tools.alerts.hosts import HERE, Hosts
from tools.settings import ToolSettings

HOUSE = ToolSettings.model_validate(
    {
        "services": {
            "files": {"host": "nas", "ip": "10.0.0.5", "tcp": "10.0.0.5:445"},
            "nextcloud": {"url": "https://cloud.lan/status"},
        },
        "vms": {"endeavour": {}},
    }
)
HOSTS = Hosts.from_settings(HOUSE, "tower.lan")


@pytest.mark.parametrize(
    "rule, said",
    [
        ("HostOutOfDiskSpace", "host out of disk space"),
        ("node_disk_full", "node disk full"),
        ("HTTPErrorRate", "HTTP error rate"),
        ("UPSOnBattery", "UPS on battery"),
        ("", "something without a name"),
        ("!!!", "something without a name"),
    ],
)
def test_the_name_of_a_rule_is_said_as_words(rule: str, said: str) -> None:
    assert words.rule_name(rule) == said


@given(st.text(max_size=300), st.integers(1, 80))
def test_cleaned_words_are_one_short_visible_line(text: str, limit: int) -> None:
    line = words.clean(text, limit)
    assert len(line) <= limit
    assert "\n" not in line
    assert all(c == " " or c.isprintable() or c.isspace() is False for c in line)
    assert words.clean(line, limit) == line
    line.encode("utf-8")


@given(st.text(max_size=300))
def test_a_name_makes_no_sentences(text: str) -> None:
    name = words.name(text)
    assert name
    assert len(name) <= max(words.NAMED, len("something without a name"))
    assert not set(name) & set("!?;\"'`<>{}[]()\n\r\t")


@pytest.mark.parametrize(
    "address, name, known",
    [
        ("nas:9100", "nas", True),
        ("NAS.lan:9100", "nas", True),
        ("10.0.0.5:9100", "nas", True),
        ("endeavour", "endeavour", True),
        ("tower:9100", HERE, True),
        ("tower.lan", HERE, True),
        ("localhost:9100", HERE, True),
        ("[::1]:9100", HERE, True),
        ("pi.lan:9100", "pi", False),
        ("10.0.0.9:9100", "10.0.0.9", False),
    ],
)
def test_an_address_is_a_machine_that_people_know(address: str, name: str, known: bool) -> None:
    host = HOSTS.of(address)
    assert (host.name, host.known) == (name, known)


def test_loopback_is_the_machine_of_the_watcher_that_says_so() -> None:
    assert HOSTS.of("localhost:9100", "http://nas.lan:9090").name == "nas"
    assert HOSTS.of("localhost:9100", "http://127.0.0.1:9090").here


@pytest.mark.parametrize(
    "address, name",
    [("https://cloud.lan/other", "nextcloud"), ("cloud.lan:443", "nextcloud"), ("10.0.0.5:445", "files")],
)
def test_an_address_of_a_service_of_ours_is_that_service(address: str, name: str) -> None:
    assert HOSTS.subject(address).name == name


@given(st.text(max_size=80), st.text(max_size=40))
def test_no_address_breaks_the_reading(address: str, via: str) -> None:
    host = HOSTS.subject(address, via)
    assert host.name
    assert host.known or host.name == words.name(host.name)
