"""A file of the catalogue: what it comes to, and what is said of one that is wrong."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tools.catalog.reading import CatalogError, nearest_key, read_entry
from tools.settings import ServiceSettings

JELLYFIN = """\
# films
host: nas
port: 8096
url: http://jellyfin.lan:8096/health
aliases: [the media server, movies]
expect_status:
  - 200
  - 204
minecraft: {port: 25570}
watched_as: {gatus: media_jellyfin}
verify_tls: false
owner: Anna
"""


def refused(text: str, file: str = "jellyfin.yaml") -> CatalogError:
    with pytest.raises(CatalogError) as caught:
        read_entry(text, file)
    return caught.value


def test_a_file_is_a_service_by_the_files_name() -> None:
    entry = read_entry(JELLYFIN, "/srv/catalog/media-server.yaml")
    assert entry.name == "media server"
    assert entry.settings.port == 8096
    assert entry.settings.aliases == ("the media server", "movies")
    assert entry.settings.expect_status == (200, 204)
    assert entry.settings.minecraft is not None
    assert entry.settings.minecraft.port == 25570
    assert entry.settings.verify_tls is False


def test_a_name_in_the_file_wins_over_the_files_own() -> None:
    assert read_entry("name: uptime-kuma\nhost: nas", "kuma.yaml").name == "uptime-kuma"


def test_text_is_what_stands_there_not_what_yaml_makes_of_it() -> None:
    entry = read_entry("owner: no\nhost: 007\ngroup: 12:30:00\naliases: [on, 1, 2024-01-01]", "a.yaml")
    assert (entry.settings.owner, entry.settings.host, entry.settings.group) == ("no", "007", "12:30:00")
    assert entry.settings.aliases == ("on", "1", "2024-01-01")


def test_a_key_without_a_value_is_not_set() -> None:
    assert read_entry("owner:\nhost: nas\nip: ~", "a.yaml").settings == ServiceSettings(host="nas")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("host: nas\nprot: 1", "jellyfin.yaml, line 2: `prot` is no setting of a service; did you mean `port`?"),
        ("host: nas\n\nport: 70000", "line 3: `port`: input should be less than or equal to 65535."),
        ("minecraft:\n  port: 1\n  rcon_prt: 2", "line 3: `minecraft.rcon_prt` is no setting of a service; did you"),
        ("expect_status:\n- 200\n- 99", "line 3: `expect_status.1`: input should be greater than or equal to 100."),
        ("url: nas:8096", "line 1: `url`"),
        ("a: b\nqqqqqqqqq: 1", "line 1: `a` is no setting of a service"),
        ("nmae: x", "did you mean `name`?"),
        ("host: a\nport: 1\nhost: b", "line 3: `host` stands there twice."),
        ("port: 1\n\thost: b", "line 2: it is no YAML"),
        ("- a\n- b", "it has to be a table"),
        ("just words", "it has to be a table"),
        ("", "it is empty"),
        ("# only this", "it is empty"),
        ("host: &a nas\nip: *a", "line 1: anchors, aliases and tags are not read here."),
        ("host: !!python/object:os.system x", "anchors, aliases and tags"),
        ("[a]: b", "its keys have to be words"),
        ("host: " + "[" * 2000, "it is nested too deep."),
        ("host: \x07", "it is no YAML"),
        ("name: [a]", "`name` has to be a word or a few."),
        ("name: '--'", "nobody can say it"),
        ("description: " + "x" * 70_000, "more than 65536 characters"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_key(text: str, said: str) -> None:
    assert said in str(refused(text))


def test_the_error_names_file_line_and_key() -> None:
    error = refused("host: nas\nprot: 1", "catalog/a.yaml")
    assert (error.file, error.line, error.key) == ("catalog/a.yaml", 2, "prot")


def test_a_value_is_never_repeated() -> None:
    assert "hunter2" not in str(refused("url: ftp://me:hunter2@nas/"))


def test_the_nearest_key_is_looked_for_in_its_own_section() -> None:
    assert nearest_key(("minecraft", "ports")) == "minecraft.port"
    assert nearest_key(("watched_as", "x")) is None
    assert nearest_key(("zzzzzzzz",)) is None


@given(st.text(max_size=200))
def test_any_text_is_a_service_or_an_error_that_names_the_file(text: str) -> None:
    assert _file_of(text) == "a.yaml"


keys = st.sampled_from([*ServiceSettings.model_fields, "name", "other"])
leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10))


@given(st.dictionaries(keys, st.recursive(leaves, lambda inner: st.lists(inner, max_size=3), max_leaves=5)))
def test_any_table_is_a_service_or_an_error(table: dict[str, object]) -> None:
    assert _file_of(yaml.safe_dump(table)) == "a.yaml"


def _file_of(text: str) -> str:
    """Which file it came from, or is said to be wrong."""
    try:
        return read_entry(text, "a.yaml").file
    except CatalogError as error:
        return error.file
