"""`jarvis catalog`, as a person or a script uses it."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from tests.cli.conftest import Jarvis

HOMER = """\
services:
  - name: Media
    items:
      - {name: Jellyfin, url: "http://jellyfin.lan/", subtitle: films}
      - {name: Navidrome, url: "http://music.lan:4533", subtitle: "music [bold]loud"}
"""
JELLYFIN = """\
# kept as it is
host: nas
port: 8096
dns: jellyfin.lan
owner: Anna
description: films
group: media
aliases: [the media server]
"""


class House:
    """A jarvis.toml with a catalogue folder, and the command over it."""

    def __init__(self, folder: Path, jarvis: Jarvis) -> None:
        self.folder = folder
        self.toml = folder / "jarvis.toml"
        self.catalog = folder / "catalog"
        self.catalog.mkdir()
        self.toml.write_text('catalog = "catalog"\n[services.gitea]\nurl = "http://127.0.0.1:1/health"\n')
        (self.catalog / "jellyfin.yaml").write_text(JELLYFIN)
        self._jarvis = jarvis

    def __call__(self, *arguments: str, stdin: str | None = None, **variables: str) -> Result:
        return self._jarvis("--config", str(self.toml), "catalog", *arguments, stdin=stdin, **variables)

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json").stdout)


@pytest.fixture
def house(tmp_path: Path, jarvis: Jarvis) -> House:
    (tmp_path / "house").mkdir()
    return House(tmp_path / "house", jarvis)


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def editor(folder: Path, change: str) -> str:
    """A program that does ``change`` to ``text`` and is called with the file."""
    program = folder / "editor.py"
    program.write_text(
        f"import pathlib, sys\np = pathlib.Path(sys.argv[1])\ntext = p.read_text()\n{change}\np.write_text(text)\n"
    )
    return f"{sys.executable} {program}"


# ── looking ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_list_shows_both_places(house: House) -> None:
    lines = house("list").stdout.splitlines()
    assert lines[0].split() == ["service", "host", "port", "address", "what", "it", "is"]
    assert lines[1].split()[:4] == ["gitea", "127.0.0.1", "1", "http://127.0.0.1:1"]
    assert lines[2].split() == ["jellyfin", "nas", "8096", "http://jellyfin.lan", "films"]


def test_list_as_json_has_every_field_and_the_file(house: House) -> None:
    gitea, jellyfin = house.json("list")["services"]
    assert (gitea["name"], gitea["file"]) == ("gitea", None)
    assert jellyfin["file"] == str(house.catalog / "jellyfin.yaml")
    assert (jellyfin["owner"], jellyfin["address"], jellyfin["minecraft"]) == ("Anna", "http://jellyfin.lan", None)


def test_list_of_a_group_and_of_one_that_nobody_has(house: House) -> None:
    assert [one["name"] for one in house.json("list", "--group", "Media")["services"]] == ["jellyfin"]
    refused = house("list", "--group", "nothing")
    assert refused.exit_code == 3
    assert "Groups are: media." in refused.stderr


def test_nothing_configured_is_said_with_what_to_do(jarvis: Jarvis) -> None:
    result = jarvis("catalog", "list")
    assert result.exit_code == 0
    assert "jarvis catalog import docker" in result.stdout.replace("\n", " ")


def test_show_takes_any_name_that_people_say(house: House) -> None:
    shown = house("show", "the media server").stdout
    assert shown.startswith("Jellyfin runs on nas, port 8096, at http://jellyfin.lan. Anna looks after it.")
    assert "owner: Anna" in shown
    assert "jellyfin.yaml" in shown
    assert "timeout_s" not in shown, "what is at its default says nothing"
    assert house.json("show", "jellyfin")["group"] == "media"


def test_an_unknown_service_is_an_error_that_names_those_there_are(house: House) -> None:
    refused = house("show", "nextcloud")
    assert refused.exit_code == 3
    assert "Services are: gitea, jellyfin." in refused.stderr


def test_open_prints_the_address_and_nothing_else(house: House) -> None:
    assert house("open", "jellyfin").stdout == "http://jellyfin.lan\n"
    assert house("open", "gitea").stdout == "http://127.0.0.1:1\n"
    assert house.json("open", "jellyfin") == {"name": "jellyfin", "address": "http://jellyfin.lan", "opened": False}


def test_open_with_the_browser_calls_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = house.folder / "bin"
    programs.mkdir()
    browser = programs / "xdg-open"
    browser.write_text(f'#!/bin/sh\necho "$@" > {house.folder}/opened\n')
    browser.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    assert house("open", "jellyfin", "--browser").exit_code == 0
    assert (house.folder / "opened").read_text() == "http://jellyfin.lan\n"
    browser.unlink()
    refused = house("open", "jellyfin", "--browser")
    assert refused.exit_code == 5
    assert "Open it yourself." in refused.stderr


def test_a_service_without_an_address_cannot_be_opened(house: House) -> None:
    (house.catalog / "dns.yaml").write_text("tcp: nas:53\n")
    refused = house("open", "dns")
    assert refused.exit_code == 3
    assert "no `url` and no `dns`" in refused.stderr


def test_a_broken_file_is_one_message_for_every_command(house: House) -> None:
    (house.catalog / "broken.yaml").write_text("host: nas\nprot: 1\n")
    for command in (("list",), ("show", "gitea"), ("check",), ("import", "docker")):
        result = house(*command)
        assert result.exit_code == 3
        assert "line 2: `prot` is no setting of a service; did you mean `port`?" in result.stderr.replace("\n", " ")


def test_names_are_completed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from assistant.cli.completion import complete_service

    monkeypatch.setenv("JARVIS_CONFIG", str(house.toml))
    assert complete_service("j") == ["jellyfin"]
    assert complete_service("") == ["gitea", "jellyfin"]


# ── check ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_check_tells_what_is_silent_and_what_is_strange(house: House, listening: int) -> None:
    (house.catalog / "jellyfin.yaml").write_text(f"host: localhost\nport: {listening}\n")
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        report = house.json("check")
        port = stranger.getsockname()[1]
    states = {one["name"]: one["state"] for one in report["services"]}
    assert states == {"gitea": "not listening", "jellyfin": "listening"}
    strangers = {one["port"]: one["only_here"] for one in report["strangers"]}
    assert strangers[port] is True
    assert listening not in strangers


def test_check_says_the_worst_first_and_ends_with_1(house: House, listening: int) -> None:
    (house.catalog / "jellyfin.yaml").write_text(f"host: localhost\nport: {listening}\n")
    result = house("check")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[1].split()[:4] == ["gitea", "127.0.0.1:1", "not", "listening"]
    assert lines[2].split()[2] == "listening"
    house.toml.write_text('catalog = "catalog"\n')
    assert house("check").exit_code == 0


# ── import ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_import_shows_first_and_writes_when_told(house: House) -> None:
    homer = house.folder / "config.yml"
    homer.write_text(HOMER)
    shown = house("import", "homer", str(homer)).stdout
    assert "navidrome.yaml" in shown
    assert "description: music [bold]loud" in shown
    assert "jellyfin: there already" in shown
    assert "1 new; with --write they are written. Nothing was changed." in shown
    assert {path.name for path in house.catalog.iterdir()} == {"jellyfin.yaml"}
    assert "1 written." in house("import", "homer", str(homer), "--write").stdout
    assert house.json("show", "navidrome")["url"] == "http://music.lan:4533/"
    assert (house.catalog / "jellyfin.yaml").read_text() == JELLYFIN


def test_importing_twice_adds_nothing_twice(house: House) -> None:
    homer = house.folder / "config.yml"
    homer.write_text(HOMER)
    house("import", "homer", str(homer), "--write")
    again = house.json("import", "homer", str(homer), "--write")
    assert again["new"] == []
    assert [one["known_as"] for one in again["known"]] == ["jellyfin", "navidrome"]


def test_import_of_gatus_knows_the_watcher_that_it_is(house: House) -> None:
    house.toml.write_text('catalog = "catalog"\n[watchers.status]\nkind = "gatus"\nurl = "http://127.0.0.1:8080"\n')
    gatus = house.folder / "config.yaml"
    gatus.write_text('endpoints: [{name: Blog, group: web, url: "http://blog.lan/", conditions: ["[STATUS] == 200"]}]')
    (new,) = house.json("import", "gatus", str(gatus), "--write")["new"]
    assert new["written"] is True
    assert house.json("show", "blog")["watched_as"] == {"status": "web_blog"}
    assert house.json("show", "blog")["expect_status"] == [200]


def test_import_without_a_folder_says_how_to_have_one(jarvis: Jarvis, tmp_path: Path) -> None:
    homer = tmp_path / "config.yml"
    homer.write_text(HOMER)
    assert jarvis("catalog", "import", "homer", str(homer)).exit_code == 0
    refused = jarvis("catalog", "import", "homer", str(homer), "--write")
    assert refused.exit_code == 3
    assert 'catalog = "catalog"' in refused.stderr
    assert jarvis("catalog", "import", "homer", str(homer), "--write", "--into", str(tmp_path / "new")).exit_code == 0
    assert (tmp_path / "new" / "jellyfin.yaml").is_file()


@pytest.mark.parametrize("text", ["services: [", "- a"])
def test_a_file_that_is_none_is_one_message(house: House, text: str) -> None:
    homer = house.folder / "config.yml"
    homer.write_text(text)
    refused = house("import", "homer", str(homer))
    assert refused.exit_code == 3
    assert "config.yml" in refused.stderr


def test_what_cannot_be_taken_over_is_said(house: House) -> None:
    homer = house.folder / "config.yml"
    homer.write_text("services: [{name: x, items: [{name: Here, url: /here}]}]")
    result = house("import", "homer", str(homer))
    assert "here (x: Here) was left out: it has no address that can be asked here" in result.stdout
    assert "Nothing is new." in result.stdout


# ── by hand ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_add_writes_a_file_that_counts_at_once(house: House) -> None:
    added = house("add", "Uptime Kuma", "--url", "http://kuma.lan:3001/", "--alias", "the watcher", "--owner", "Tom")
    assert added.exit_code == 0
    assert (
        (house.catalog / "uptime-kuma.yaml").read_text().startswith("name: Uptime Kuma\nurl: http://kuma.lan:3001/\n")
    )
    assert house.json("show", "the watcher")["owner"] == "Tom"


def test_add_never_writes_over_what_is_there_without_being_told(house: House) -> None:
    refused = house("add", "jellyfin", "--host", "nuc")
    assert refused.exit_code == 3
    assert "That is jellyfin already" in refused.stderr
    assert (house.catalog / "jellyfin.yaml").read_text() == JELLYFIN
    assert house("add", "jellyfin", "--host", "nuc", "--force").exit_code == 0
    assert (house.catalog / "jellyfin.yaml").read_text() == "host: nuc\n"
    assert house("add", "gitea", "--host", "nuc", "--force").exit_code == 3, "it stands in jarvis.toml"


def test_add_shows_what_it_would_write(house: House) -> None:
    assert house("add", "ntfy", "--tcp", "nas:80", "--dry-run").stdout == "tcp: nas:80\n"
    assert not (house.catalog / "ntfy.yaml").exists()


def test_add_says_what_is_wrong_with_what_was_typed(house: House) -> None:
    refused = house("add", "ntfy", "--url", "nas:80")
    assert refused.exit_code == 3
    assert "`url`" in refused.stderr
    assert "line" not in refused.stderr


def test_edit_keeps_everything_that_was_not_changed(house: House) -> None:
    command = editor(house.folder, "text = text.replace('8096', '8097')")
    assert house("edit", "the media server", EDITOR=command).exit_code == 0
    assert (house.catalog / "jellyfin.yaml").read_text() == JELLYFIN.replace("8096", "8097")
    assert [path.name for path in house.catalog.iterdir()] == ["jellyfin.yaml"]


def test_an_edit_that_cannot_be_read_never_counts(house: House) -> None:
    command = editor(house.folder, "text = text.replace('port', 'prot')")
    refused = house("edit", "jellyfin", VISUAL=command)
    assert refused.exit_code == 3
    assert "jellyfin.yaml, line 3: `prot`" in refused.stderr
    assert (house.catalog / "jellyfin.yaml").read_text() == JELLYFIN
    assert [path.name for path in house.catalog.iterdir()] == ["jellyfin.yaml"]


def test_an_edit_that_takes_anothers_name_never_counts(house: House) -> None:
    (house.catalog / "other.yaml").write_text("host: nas\n")
    for name in ("Gitea", "other"):
        refused = house("edit", "jellyfin", EDITOR=editor(house.folder, f"text = text + 'name: {name}\\n'"))
        assert refused.exit_code == 3
        assert "stands in" in refused.stderr
    assert (house.catalog / "jellyfin.yaml").read_text() == JELLYFIN


def test_a_broken_file_can_be_edited_by_its_name(house: House) -> None:
    (house.catalog / "broken.yaml").write_text("prot: 1\n")
    assert house("edit", "broken", EDITOR=editor(house.folder, "text = 'port: 1\\n'")).exit_code == 0
    assert (house.catalog / "broken.yaml").read_text() == "port: 1\n"


def test_edit_of_nothing_changed_changes_nothing(house: House) -> None:
    assert "Nothing was changed." in house("edit", "jellyfin", EDITOR="true").stdout


@pytest.mark.parametrize("command", ["false", "no-such-editor-at-all", "'"])
def test_an_editor_that_fails_leaves_the_file(house: House, command: str) -> None:
    refused = house("edit", "jellyfin", EDITOR=command)
    assert refused.exit_code == 5
    assert (house.catalog / "jellyfin.yaml").read_text() == JELLYFIN


def test_what_stands_in_the_configuration_is_changed_there(house: House) -> None:
    refused = house("edit", "gitea", EDITOR="true")
    assert refused.exit_code == 3
    assert "gitea stands in jarvis.toml." in refused.stderr


# ── Docker (a real engine: tests/real/engines/test_import.py) ─────────────────────────────────────────────────────


def test_an_engine_that_cannot_be_asked_is_said_by_name(house: House) -> None:
    house.toml.write_text(
        f'catalog = "catalog"\n[engines.nuc]\nkind = "docker"\nurl = "unix://{house.folder}/no.sock"\n'
    )
    result = house("import", "docker")
    assert result.exit_code == 1
    assert "nuc could not be asked" in result.stderr
    assert "Nothing is new." in result.stdout


def test_without_an_engine_there_is_nothing_to_import_from(house: House) -> None:
    house.toml.write_text('catalog = "catalog"\n[engines.units]\nkind = "systemd"\n')
    refused = house("import", "docker")
    assert refused.exit_code == 3
    assert "[engines.docker]" in refused.stderr
