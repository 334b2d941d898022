"""Homer, Gatus and labels of containers as services; the same ones are known again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.catalog.found import Found, clean, name_from, propose
from tools.catalog.imports.gatus import from_gatus, gatus_key
from tools.catalog.imports.homer import from_homer
from tools.catalog.imports.labels import from_units
from tools.catalog.imports.yaml_text import ImportFileError
from tools.engines.port import Unit
from tools.settings import ServiceSettings

HOMER = """\
title: Home
services:
  - name: Media
    icon: fas fa-tv
    items:
      - name: Jellyfin
        logo: assets/tools/jellyfin.png
        subtitle: Films and series
        tag: app
        url: http://jellyfin.lan:8096/
        target: _blank
      - name: "Relative"
        url: /here
      - subtitle: no name
  - items:
      - {name: "Home-Assistant", tag: house, url: "https://ha.lan:8123"}
      - not a table
links: []
"""

GATUS = """\
default-endpoint: &defaults
  interval: 60s
endpoints:
  - <<: *defaults
    name: Jellyfin Web
    group: Media
    url: http://jellyfin.lan:8096/health
    client: {insecure: true}
    conditions:
      - "[STATUS] == any(200, 204)"
      - "[RESPONSE_TIME] < 500"
  - {name: plain, url: "https://plain.lan/", conditions: ["[STATUS] < 400"]}
  - {name: postgres, url: "tcp://nas:5432", conditions: ["[CONNECTED] == true"]}
  - {name: mail, url: "starttls://mail.lan:587"}
  - {name: router, url: "icmp://192.168.1.1"}
  - {name: secret, url: "https://x.lan/?k=${TOKEN}"}
  - {name: resolver, url: "dns://1.1.1.1"}
  - {name: off, enabled: false, url: "http://off.lan/"}
  - {name: six, url: "tcp://[fd00::1]:22"}
  - {name: shell, url: "ssh://me:secret@nas/x"}
  - {name: odd, url: "tcp://nas:99999"}
"""


def by_name(found: Any) -> dict[str, Found]:
    return {one.name: one for one in found}


# ── Homer ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_item_of_homer_is_a_service() -> None:
    found = by_name(from_homer(HOMER))
    assert found["jellyfin"].fields == {
        "url": "http://jellyfin.lan:8096/",
        "description": "Films and series",
        "group": "Media",
        "icon": "assets/tools/jellyfin.png",
    }
    assert found["home assistant"].fields == {"url": "https://ha.lan:8123", "group": "house"}
    assert set(found) == {"jellyfin", "relative", "home assistant"}
    assert "url" not in found["relative"].fields
    assert "'/here'" in found["relative"].notes[0]


@pytest.mark.parametrize("text", ["services: [", "- a", "", "services: 1\n\tx: 2", "a: " + "[" * 99, "a: *b"])
def test_what_is_no_table_is_an_error_that_says_so(text: str) -> None:
    with pytest.raises(ImportFileError):
        list(from_homer(text))


@pytest.mark.parametrize(
    "text", ["services: 5", "services: [{items: 3}, 4, {items: [1, {name: [x]}]}]", "endpoints: {a: 1}"]
)
def test_other_shapes_hold_no_services(text: str) -> None:
    assert list(from_homer(text)) == []
    assert list(from_gatus(text)) == []


# ── Gatus ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_endpoint_of_gatus_is_a_service_that_is_watched_there() -> None:
    one = by_name(from_gatus(GATUS, "gatus"))["jellyfin web"]
    assert one.fields == {
        "url": "http://jellyfin.lan:8096/health",
        "verify_tls": False,
        "expect_status": (200, 204),
        "group": "Media",
        "watched_as": {"gatus": "media_jellyfin-web"},
    }
    assert one.notes == ("its condition '[RESPONSE_TIME] < 500' is not looked at here",)


def test_what_is_no_web_page_has_a_port_or_a_note() -> None:
    found = by_name(from_gatus(GATUS))
    assert found["plain"].fields == {"url": "https://plain.lan/"}
    assert found["plain"].notes == ()
    assert found["postgres"].fields == {"tcp": "nas:5432"}
    assert found["mail"].fields == {"tcp": "mail.lan:587"}
    assert found["router"].fields == {"host": "192.168.1.1"}
    assert found["six"].fields == {"tcp": "[fd00::1]:22"}
    assert found["shell"].fields == {"tcp": "nas:22"}
    assert found["odd"].fields == {}
    assert found["secret"].fields == found["resolver"].fields == {}
    assert "variable" in found["secret"].notes[0]
    assert "off" not in found


def test_a_key_is_made_as_gatus_makes_it() -> None:
    assert gatus_key("Core & More", "My_App/v1.2") == "core---more_my-app-v1-2"
    assert gatus_key("", "blog") == "_blog"


# ── labels ────────────────────────────────────────────────────────────────────────────────────────────────────────


def unit(name: str, ports: tuple[int, ...] = (), **labels: str) -> Unit:
    return Unit(
        id="1", name=name, running=True, ports=ports, labels={k.replace("__", "."): v for k, v in labels.items()}
    )


def of(*units: Unit, **more: Any) -> dict[str, Found]:
    return by_name(from_units(units, "nas", "127.0.0.1", **more))


TRAEFIK = {
    "com.docker.compose.project": "media",
    "com.docker.compose.service": "jellyfin",
    "org.opencontainers.image.description": "The Free Software Media System",
    "traefik.http.routers.jf.rule": "Host(`jellyfin.lan`) && PathPrefix(`/web/`)",
    "traefik.http.routers.jf.tls": "true",
}


def test_traefiks_rule_is_where_people_go() -> None:
    found = of(Unit(id="1", name="media-jellyfin-1", running=True, ports=(8096, 8920), labels=TRAEFIK))
    assert found["jellyfin"].fields == {
        "url": "https://jellyfin.lan/web",
        "dns": "jellyfin.lan",
        "host": "nas",
        "port": 8096,
        "description": "The Free Software Media System",
        "group": "media",
        "unit": "media-jellyfin-1",
    }
    assert found["jellyfin"].notes == ("it publishes 8920 as well",)


def test_homepages_labels_come_first() -> None:
    labels = {**TRAEFIK, "homepage.name": "Films", "homepage.href": "http://films.lan", "homepage.group": "Fun"}
    fields = of(Unit(id="1", name="x", running=True, labels=labels), engine="docker")["films"].fields
    assert (fields["url"], fields["group"], fields["engine"]) == ("http://films.lan", "Fun", "docker")


def test_a_published_port_without_a_label_is_asked_for_a_connection() -> None:
    assert of(unit("redis", (6379,)))["redis"].fields == {"tcp": "127.0.0.1:6379", "host": "nas", "port": 6379}


def test_what_nobody_reaches_is_left_out_unless_all_are_wanted() -> None:
    assert of(unit("db")) == {}
    assert set(of(unit("db"), everything=True)) == {"db"}


def test_the_container_of_a_project_that_is_called_app_is_called_as_the_project() -> None:
    labels = {"com.docker.compose.project": "nextcloud", "com.docker.compose.service": "app"}
    assert set(of(Unit(id="1", name="nextcloud-app-1", running=True, ports=(80,), labels=labels))) == {"nextcloud"}


def test_an_address_that_is_none_is_left_out_with_a_note() -> None:
    found = of(Unit(id="1", name="x", running=True, ports=(1,), labels={"homepage.href": "{{URL}}"}))["x"]
    assert "url" not in found.fields
    assert "{{URL}}" in found.notes[0]


@given(st.dictionaries(st.sampled_from([*TRAEFIK, "homepage.href", "homepage.name"]), st.text(max_size=40)))
def test_labels_of_any_kind_make_services_that_can_be_said_or_none(labels: Mapping[str, str]) -> None:
    units = [Unit(id="1", name="web-1", running=True, ports=(80,), labels=labels)]
    proposals = propose(from_units(units, "nas", "127.0.0.1"), {})
    assert len(proposals.new) + len(proposals.problems) == 1


# ── new, known, impossible ────────────────────────────────────────────────────────────────────────────────────────


def settings(found: Found) -> ServiceSettings:
    return ServiceSettings.model_validate(dict(found.fields))


@pytest.mark.parametrize(
    "source", [lambda: from_homer(HOMER), lambda: from_gatus(GATUS, "gatus"), lambda: of(unit("a", (1,))).values()]
)
def test_importing_twice_adds_nothing_twice(source: Any) -> None:
    first = propose(source(), {})
    assert first.new
    again = propose(source(), {one.name: settings(one) for one in first.new})
    assert again.new == []
    assert [one.name for one, _ in again.known] == [one.name for one in first.new]


def test_a_service_is_known_by_its_alias_address_or_container() -> None:
    there = {
        "films": ServiceSettings.model_validate({"aliases": ("jellyfin",)}),
        "git": ServiceSettings.model_validate({"url": "http://git.lan/health"}),
        "cache": ServiceSettings(unit="redis-1"),
    }
    found = [
        Found(name="jellyfin", where="", fields={"url": "http://a/"}),
        Found(name="forge", where="", fields={"url": "http://git.lan/"}),
        Found(name="redis", where="", fields={"unit": "redis-1"}),
    ]
    assert [same for _, same in propose(found, there).known] == ["films", "git", "cache"]


def test_two_of_one_name_at_two_addresses_are_told_apart_by_their_group() -> None:
    found = [
        Found(name="grafana", where="", fields={"url": "http://a/", "group": "Lab"}),
        Found(name="grafana", where="", fields={"url": "http://b/", "group": "Work"}),
        Found(name="grafana", where="", fields={"url": "http://c/"}),
    ]
    proposals = propose(found, {})
    assert [one.name for one in proposals.new] == ["grafana", "grafana work"]
    assert [one.fields["url"] for one, _ in proposals.known] == ["http://c/"]


def test_what_cannot_be_a_service_is_said_with_the_reason() -> None:
    found = [
        Found(name="a", where="", fields={"description": "no address"}),
        Found(name="b", where="", fields={"port": 99_999}),
    ]
    assert [why for _, why in propose(found, {}).problems] == [
        "it has no address that can be asked here",
        "port: Input should be less than or equal to 65535",
    ]


def test_words_of_strangers_lose_their_control_characters_and_their_length() -> None:
    assert clean("a\x1b[31m\nb\u202e" + "c" * 300).startswith("a [31m b c")
    assert len(clean("x" * 300)) == 200
    assert clean(["no", "text"]) == clean(True) == ""
    assert name_from("  Uptime-Kuma_[prod]\n") == "uptime kuma prod"
