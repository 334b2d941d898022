"""Where a service is, and how that is said."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import HttpUrl

from tools.catalog.place import address_of, page_of, place_of, said
from tools.settings import ServiceSettings


def service(**fields: Any) -> ServiceSettings:
    return ServiceSettings.model_validate(fields)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"host": "nas", "port": 8096, "dns": "jellyfin.lan"},
            "Jellyfin runs on nas, port 8096, at http://jellyfin.lan.",
        ),
        ({"host": "nas", "port": 8096, "owner": "anna"}, "Jellyfin runs on nas, port 8096. Anna looks after it."),
        (
            {"host": "nas", "restore": "Restore the config, then start it"},
            "Jellyfin runs on nas. To restore it: Restore the config, then start it.",
        ),
        ({"url": "http://127.0.0.1:8096/health"}, "Jellyfin runs on 127.0.0.1, port 8096."),
        ({"url": "https://nas/"}, "Jellyfin runs on nas, port 443."),
        ({"tcp": "nas:22"}, "Jellyfin runs on nas, port 22."),
        ({"host": "nas", "url": "http://jellyfin.lan/web"}, "Jellyfin runs on nas, at http://jellyfin.lan/web."),
        ({"host": "nas", "url": "http://127.0.0.1:8096/"}, "Jellyfin runs on nas, port 8096."),
        ({"ip": "192.168.1.10", "port": 80}, "Jellyfin runs on 192.168.1.10, port 80."),
        ({"dns": "jellyfin.lan"}, "Jellyfin is at http://jellyfin.lan."),
        ({}, "The catalogue doesn't say where jellyfin runs."),
    ],
)
def test_it_is_said_as_a_person_would(fields: dict[str, Any], text: str) -> None:
    assert said("jellyfin", service(**fields)) == text


def test_a_long_restore_note_is_said_in_part() -> None:
    note = "Stop it. " + "Copy the folder back and wait. " * 20
    text = said("jellyfin", service(host="nas", restore=note))
    assert "To restore it: Stop it. Copy the folder back" in text
    assert text.endswith(".")
    assert len(text) < 300


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("http://jellyfin.lan:8096/health", "http://jellyfin.lan:8096"),
        ("https://me:hunter2@nas/app/?token=x#y", "https://nas/app"),
        ("http://nas/api/v1/status", "http://nas"),
        ("http://[::1]:80/", "http://[::1]"),
        ("https://ha.lan:443/lovelace", "https://ha.lan/lovelace"),
        ("http://gitlab.lan/-/readiness", "http://gitlab.lan"),
    ],
)
def test_the_page_that_people_open_has_no_secret_and_no_probe(url: str, page: str) -> None:
    assert page_of(HttpUrl(url)) == page


def test_a_dns_name_is_how_people_reach_it() -> None:
    assert address_of(service(url="https://nas:8920/health", dns="jellyfin.lan")) == "https://jellyfin.lan"
    assert address_of(service(url="https://jellyfin.lan:8920/", dns="jellyfin.lan")) == "https://jellyfin.lan:8920"
    assert address_of(service(tcp="nas:22")) is None


@pytest.mark.parametrize(
    ("fields", "ask"),
    [
        ({"host": "nas", "ip": "192.168.1.10", "port": 22}, ("192.168.1.10", 22)),
        ({"host": "nas", "url": "http://jellyfin.lan/"}, ("jellyfin.lan", 80)),
        ({"tcp": "[::1]:22"}, ("::1", 22)),
        ({"host": "nas"}, None),
        ({"port": 80}, None),
    ],
)
def test_what_is_connected_to(fields: dict[str, Any], ask: tuple[str, int] | None) -> None:
    assert place_of(service(**fields)).ask == ask
