"""Files of the catalogue are made whole, and never over another."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tools.catalog.reading import CatalogError, read_entry
from tools.catalog.writing import as_yaml, file_name, write_new


def test_a_file_is_called_as_the_service() -> None:
    assert file_name("home assistant") == "home-assistant.yaml"
    assert file_name("../../etc/passwd") == "etc-passwd.yaml"
    assert file_name("...") == "service.yaml"
    assert len(file_name("x" * 500)) < 130


def test_it_reads_as_what_was_written_with_the_name_only_where_the_file_does_not_say_it() -> None:
    text = as_yaml("home assistant", {"port": 8123, "host": "nas", "aliases": ("ha", "no")}, "home-assistant.yaml")
    assert text == "host: nas\nport: 8123\naliases:\n- ha\n- 'no'\n"
    named = as_yaml("uptime-kuma", {"host": "nas"}, "uptime-kuma.yaml", ("Found\nhere.",))
    assert named == "# Found here.\nname: uptime-kuma\nhost: nas\n"


def test_what_would_be_no_service_is_not_written() -> None:
    with pytest.raises(CatalogError, match="`prot`"):
        as_yaml("a", {"prot": 1}, "a.yaml")


names = st.text(min_size=1, max_size=40).filter(
    lambda s: s == s.strip() and s.isprintable() and any(map(str.isalnum, s))
)


@given(names, st.text(max_size=60))
@example("0", "a\x85b\u2028c\ufeff")
@example("null", "- no: 'yes' # 1\n\n  two ")
def test_any_name_and_text_survive_the_way_through_a_file(name: str, text: str) -> None:
    file = file_name(name)
    assert "/" not in file
    assert not file.startswith(".")
    entry = read_entry(as_yaml(name, {"description": text, "host": "nas"}, file), file)
    assert (entry.name, entry.settings.description, entry.settings.host) == (name, text, "nas")


def test_what_is_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    write_new(path, "host: a\n")
    with pytest.raises(FileExistsError):
        write_new(path, "host: b\n")
    assert path.read_text() == "host: a\n"
    write_new(path, "host: c\n", force=True)
    assert path.read_text() == "host: c\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.yaml"]


def test_a_folder_that_knows_no_links_gets_the_file_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", no_links)
    write_new(tmp_path / "a.yaml", "host: a\n")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "a.yaml", "host: b\n")
    assert (tmp_path / "a.yaml").read_text() == "host: a\n"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_link_that_waits_at_the_parts_place_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / ".a.yaml.part").symlink_to(tmp_path / "elsewhere")
    write_new(tmp_path / "a.yaml", "host: a\n")
    assert not (tmp_path / "elsewhere").exists()
    assert (tmp_path / "a.yaml").read_text() == "host: a\n"
