"""What sounds like a name of the house, and what only sounds like a word."""

from __future__ import annotations

import pytest

from assistant.sentences.vocabulary import ACTS, READS, TOOLS, misheard, template_words
from tests.planned import Planner, homelab_names, matcher
from tools.contract import Level
from tools.names import NameIndex

INDEX = NameIndex(homelab_names().by_kind)
MATCHER = matcher()


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("is jelly finn up", "jellyfin"),
        ("is pie hole up", "pihole"),
        ("is graph anna up", "grafana"),
        ("is vault worden up", "vaultwarden"),
        ("is home assistance up", "home assistant"),
        ("is immitch up", "immich"),
        ("is next clout up", "nextcloud"),
    ],
)
def test_misheard_names_are_found(words: str, name: str) -> None:
    assert name in {found for _, found in misheard("service", words, INDEX)}


@pytest.mark.parametrize("server", ["mail", "game", "male", "web", "file"])
def test_the_word_server_alone_makes_no_server_of_the_house(server: str) -> None:
    for words in (f"is the {server} server up", f"restart the {server} server"):
        assert list(misheard("service", words, INDEX, strict=False)) == []
        assert MATCHER.match(words) is None


def test_a_name_misheard_as_common_words_is_found_only_when_asked_for() -> None:
    assert list(misheard("service", "is get tea up", INDEX)) == []
    assert ("get tea", "gitea") in list(misheard("service", "is get tea up", INDEX, strict=False))


@pytest.mark.parametrize(
    "thing",
    """my brother|the light|the kitchen light|the windows vm|the garage door|the printer|the internet|the router|dinner|
    the stock market|the traffic|bitcoin|dad|the baby|grandma|granny|the tv|the oven|the elevator|netflix|the battery|
    the doorbell|the car|plex|sonarr|the house|the mail server|the webcam|music|the cat|jenny|jeff|documentary|the door|
    the open window|compost""".replace("\n", "").split("|"),
)
def test_other_things_of_a_house_are_not(thing: str) -> None:
    for kind in ("service", "job"):
        assert list(misheard(kind, f"is {thing.strip()} up", INDEX, strict=False)) == []


def test_the_words_of_questions_are_known() -> None:
    assert {"is", "backup", "last", "night", "restore", "status"} <= template_words("en")
    assert "jellyfin" not in template_words("en")


def test_the_tools_with_templates_are_those_of_the_server(homelab: Planner) -> None:
    reads = {tool.name for tool in homelab.house.path.tools if tool.level is Level.READ}
    assert set(TOOLS) == {tool.name for tool in homelab.house.path.tools}
    assert len(TOOLS) == len(set(TOOLS)) == 16
    assert (set(READS), set(ACTS)) == (reads, set(TOOLS) - reads)
