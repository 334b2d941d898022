"""Names as people and speech recognition say them, over the demo homelab and over made-up houses."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tools.names import LONGEST, NEAREST, NameIndex, Resolved, Unresolved, plain
from tools.settings import ToolSettings

HOMELAB = Path(__file__).parents[2] / "assistant" / "demo" / "homelab.yaml"


@pytest.fixture(scope="module")
def homelab() -> NameIndex:
    house = yaml.safe_load(HOMELAB.read_text(encoding="utf-8"))
    return NameIndex(
        {
            kind: {name: entry["aliases"] for name, entry in house[section].items()}
            for kind, section in (("service", "services"), ("job", "backups"))
        }
    )


@pytest.mark.parametrize(
    "kind, said, name, how",
    [
        ("service", "jellyfin", "jellyfin", "exact"),
        ("service", "Jelly Fin.", "jellyfin", "exact"),
        ("service", "the media server", "jellyfin", "alias"),
        ("service", "jelly finn", "jellyfin", "fuzzy"),
        ("service", "get tea", "gitea", "fuzzy"),
        ("service", "git tea", "gitea", "alias"),
        ("service", "pie hole", "pihole", "fuzzy"),
        ("service", "pie whole", "pihole", "fuzzy"),
        ("service", "vault warden", "vaultwarden", "exact"),
        ("service", "next cloud", "nextcloud", "exact"),
        ("service", "graphana", "grafana", "fuzzy"),
        ("service", "imich", "immich", "fuzzy"),
        ("service", "emich", "immich", "fuzzy"),
        ("service", "a mitch", "immich", "fuzzy"),
        ("service", "jitty", "gitea", "fuzzy"),
        ("service", "jitdy", "gitea", "fuzzy"),
        ("service", "get t", "gitea", "fuzzy"),
        ("service", "promethius", "prometheus", "fuzzy"),
        ("service", "home assistance", "home assistant", "fuzzy"),
        ("service", "the minecraft server's", "minecraft", "alias"),
        ("job", "foto", "photos", "fuzzy"),
        ("job", "the photo backup", "photos", "exact"),
        ("job", "document", "documents", "exact"),
        ("job", "vault warden", "passwords", "alias"),
        ("job", "get tea", "gitea", "fuzzy"),
        ("job", "home assistance", "home assistant", "fuzzy"),
        ("job", "configs", "config", "alias"),
    ],
)
def test_what_is_said_or_misheard_is_understood(homelab: NameIndex, kind: str, said: str, name: str, how: str) -> None:
    found = homelab.resolve(kind, said)
    assert isinstance(found, Resolved), found
    assert (found.name, found.how) == (name, how)
    assert (found.score == 1.0) == (how != "fuzzy")


@pytest.mark.parametrize("kind", ["service", "job"])
@pytest.mark.parametrize(
    "said",
    [
        "the fridge",
        "toaster",
        "light",
        "coffee",
        "windows",
        "music",
        "weather",
        "router",
        "kitchen",
        "door",
        "internet",
        "image",
        "an image",
        "a message",
        "a minute",
        "a door",
        "email",
        "office",
        "update",
        "enemy",
        "plan b",
        "vitamin d",
        "a t shirt",
        "version x",
        "addition",
    ],
)
def test_other_things_of_a_household_are_nothing_and_the_nearest_are_offered(
    homelab: NameIndex, kind: str, said: str
) -> None:
    found = homelab.resolve(kind, said)
    assert isinstance(found, Unresolved)
    assert found.said == said
    assert not found.ambiguous
    assert len(found.names) == NEAREST
    assert set(found.names) <= set(homelab.names(kind))


def test_an_alias_of_two_things_asks_back() -> None:
    index = NameIndex({"service": {"gitea": ["git"], "forgejo": ["git"], "jellyfin": []}})
    assert index.resolve("service", "Git") == Unresolved("Git", ("forgejo", "gitea"), ambiguous=True)


def test_a_misheard_name_between_two_things_asks_back() -> None:
    index = NameIndex({"service": {"radarr": [], "radar": [], "jellyfin": []}})
    found = index.resolve("service", "raddar")
    assert found == Unresolved("raddar", ("radarr", "radar"), ambiguous=True)


def test_a_canonical_name_beats_the_same_word_as_an_alias() -> None:
    index = NameIndex({"service": {"git": [], "gitea": ["git"]}})
    assert index.resolve("service", "git") == Resolved("git", "exact", 1.0)


def test_an_alias_as_said_beats_a_name_that_would_need_a_plural() -> None:
    index = NameIndex({"service": {"photos": [], "immich": ["photo"]}})
    assert index.resolve("service", "photo") == Resolved("immich", "alias", 1.0)
    assert index.resolve("service", "photos") == Resolved("photos", "exact", 1.0)


@pytest.mark.parametrize("said", ["café", "cafe", "CAFE\u0301", "the Café's"])
def test_accents_do_not_matter(said: str) -> None:
    index = NameIndex({"service": {"Café": [], "jellyfin": []}})
    assert index.resolve("service", said) == Resolved("Café", "exact", 1.0)


def test_numbers_are_the_same_in_words_and_digits() -> None:
    index = NameIndex({"service": {"node 2": [], "node 3": []}})
    assert index.resolve("service", "node two") == Resolved("node 2", "exact", 1.0)


def test_a_kind_that_does_not_exist_has_no_names(homelab: NameIndex) -> None:
    assert homelab.resolve("vm", "windows") == Unresolved("windows", (), ambiguous=False)
    assert homelab.names("vm") == ()


def test_a_text_without_end_is_answered_quickly(homelab: NameIndex) -> None:
    started = time.perf_counter()
    found = homelab.resolve("service", "jellyfin " * 1_000_000)
    assert isinstance(found, Unresolved)
    assert len(found.said) == LONGEST
    assert time.perf_counter() - started < 5


def test_the_index_of_a_configuration_has_every_kind() -> None:
    settings = ToolSettings.model_validate(
        {
            "services": {"gitea": {"url": "http://127.0.0.1:3000", "aliases": ["git"]}},
            "backups": {"photos": {"kind": "restic"}},
            "vms": {"windows": {"aliases": ["the gaming vm"]}},
            "areas": {"living room": {"lights": ["reading lamp"], "devices": ["thermostat"], "aliases": ["lounge"]}},
            "home_aliases": {"the heating": "thermostat"},
        }
    )
    index = NameIndex.from_settings(settings)
    assert index.as_json() == {
        "service": {"gitea": ["git"]},
        "job": {"photos": []},
        "vm": {"windows": ["the gaming vm"]},
        "area": {"living room": ["lounge"]},
        "device": {"reading lamp": [], "thermostat": ["the heating"]},
    }
    assert index.names("service") == ("gitea",)


NAME = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(lambda text: bool(plain(text)))
HOUSES = st.dictionaries(NAME, st.lists(NAME, max_size=3), min_size=1, max_size=6)
ARTICLES = st.sampled_from(["", "the ", "my ", "our ", "The "])
CASES = st.sampled_from([str, str.upper, str.lower, str.title])
STOPS = st.sampled_from(["", ".", "?", " !", "'s"])


@given(house=HOUSES, pick=st.data(), article=ARTICLES, stop=STOPS)
def test_a_name_that_only_one_thing_has_means_that_thing(
    house: dict[str, list[str]], pick: st.DataObject, article: str, stop: str
) -> None:
    index = NameIndex({"service": house})
    name = pick.draw(st.sampled_from(sorted(house)))
    said = pick.draw(st.sampled_from([name, *house[name]]))
    # Articles and accents are not part of a name, and "A" alone is a name: two that differ only so are one word.
    key = _key(said)
    owners = {other for other, aliases in house.items() if key in {_key(other), *map(_key, aliases)}}
    found = index.resolve("service", f"{article}{said}{stop}" if plain(said)[0] not in _ARTICLES else said)
    if owners == {name}:
        assert isinstance(found, Resolved)
        assert found.name == name
        assert found.score == 1.0
    elif isinstance(found, Resolved):
        assert found.name in owners
    else:
        assert found.ambiguous
        assert set(found.names) <= owners


_ARTICLES = {"the", "my", "our", "a", "an", "your", "all"}


def _key(text: str) -> str:
    words = plain(text)
    while len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    return "".join(words)


@given(said=st.text(max_size=300), house=HOUSES)
def test_no_text_makes_it_raise_and_what_it_names_exists(said: str, house: dict[str, list[str]]) -> None:
    found = NameIndex({"service": house}).resolve("service", said)
    if isinstance(found, Resolved):
        assert found.name in house
        assert 0.0 < found.score <= 1.0
    else:
        assert set(found.names) <= set(house)
        assert found.ambiguous <= (len(found.names) > 1)


HOUSE = ["jellyfin", "gitea", "home assistant", "open webui", "pihole", "nextcloud"]


@given(st.sampled_from(HOUSE), CASES, ARTICLES, STOPS)
def test_case_articles_and_punctuation_do_not_matter(name: str, case: type[str], article: str, stop: str) -> None:
    said = article + case(name).replace(" ", "-") + stop
    assert NameIndex({"service": dict.fromkeys(HOUSE, ())}).resolve("service", said) == Resolved(name, "exact", 1.0)


@pytest.mark.parametrize(
    "written, name",
    [
        ("Jellyfin", "jellyfin"),
        ("HOME-ASSISTANT", "home assistant"),
        ("git tea", "gitea"),  # an alias
        ("gitea backup", None),  # a person may say more than the name; a program means another thing
        ("gitea-db", None),
        ("giteas", None),
        ("get tea", None),
        ("", None),
        ("!", None),
    ],
)
def test_what_another_program_calls_a_thing_is_taken_as_it_is_written(
    homelab: NameIndex, written: str, name: str | None
) -> None:
    assert homelab.exact("service", written) == name
    assert homelab.exact("no such kind", written) is None


def test_an_alias_of_two_things_names_neither() -> None:
    assert NameIndex({"service": {"a": ["x"], "b": ["x"]}}).exact("service", "x") is None
