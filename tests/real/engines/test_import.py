"""`jarvis catalog import docker` at a real engine: labels become files, once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from assistant import egress
from assistant.cli.main import app
from tests.real.engines.docker_engine import RealDocker, docker_engine
from tools.settings import ServiceSettings

pytestmark = pytest.mark.real_server


@pytest.fixture(scope="module")
def docker() -> Iterator[RealDocker]:
    with docker_engine() as engine:
        yield engine


@pytest.fixture
def house(docker: RealDocker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A jarvis.toml with the engine and a catalogue folder."""
    for name in [name for name in os.environ if name.startswith("JARVIS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(egress, "_guard", None)
    docker.remove_all()
    toml = tmp_path / "jarvis.toml"
    toml.write_text(f'catalog = "catalog"\n[engines.box]\nkind = "docker"\nurl = "unix://{docker.socket}"\n')
    (tmp_path / "catalog").mkdir()
    return toml


def jarvis(house: Path, *arguments: str) -> Any:
    result = CliRunner().invoke(app, ["--config", str(house), "catalog", *arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_labels_become_services_that_are_configured_at_once(docker: RealDocker, house: Path) -> None:
    docker.run(
        "media-jellyfin-1",
        "sleep 300",
        Labels={
            "com.docker.compose.project": "media",
            "com.docker.compose.service": "jellyfin",
            "org.opencontainers.image.description": "The media \x1b[31msystem",
            "traefik.http.routers.jf.rule": "Host(`jellyfin.lan`)",
            "traefik.http.routers.jf.tls": "true",
        },
    )
    docker.create("stopped", "true", Labels={"homepage.href": "http://stopped.lan/", "homepage.group": "old"})
    docker.run("helper", "sleep 300")
    shown = jarvis(house, "import", "docker")
    assert [one["name"] for one in shown["new"]] == ["jellyfin", "stopped"]
    assert list((house.parent / "catalog").iterdir()) == []
    jarvis(house, "import", "docker", "--write")
    found = {one["name"]: one for one in jarvis(house, "list")["services"]}
    assert found["jellyfin"]["url"] == "https://jellyfin.lan/"
    assert (found["jellyfin"]["engine"], found["jellyfin"]["unit"]) == ("box", "media-jellyfin-1")
    assert found["jellyfin"]["description"] == "The media [31msystem"
    assert (found["stopped"]["group"], found["stopped"]["unit"]) == ("old", None)
    assert {*ServiceSettings.model_fields} < set(found["jellyfin"])


def test_importing_twice_adds_nothing_twice_and_all_has_the_rest(docker: RealDocker, house: Path) -> None:
    docker.run("gitea", "sleep 300", Labels={"homepage.href": "http://git.lan/"})
    docker.run("helper", "sleep 300")
    jarvis(house, "import", "docker", "--write")
    again = jarvis(house, "import", "docker", "--write")
    assert (again["new"], [one["known_as"] for one in again["known"]]) == ([], ["gitea"])
    assert [one["name"] for one in jarvis(house, "import", "docker", "--all")["new"]] == ["helper"]
