"""Which engines there are: those that are configured, else what the machine has."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tools.engines import at_hand, engines_of, make
from tools.settings import ToolSettings
from tools.settings_house import EngineKind, EngineSettings


@pytest.mark.parametrize("kind", ["docker", "podman", "portainer", "systemd", "launchd"])
def test_each_kind_has_an_engine_that_carries_its_name(kind: EngineKind) -> None:
    engine = make("nas", EngineSettings(kind=kind))
    assert (engine.name, engine.kind) == ("nas", kind)


def test_what_is_configured_is_all_there_is() -> None:
    settings = ToolSettings.model_validate({"engines": {"nas": {"kind": "podman"}}})
    assert {name: engine.kind for name, engine in engines_of(settings).items()} == {"nas": "podman"}


def test_without_configuration_it_is_what_the_machine_has(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "docker.sock"))
        found = at_hand("linux", tmp_path, tmp_path / "docker.sock")

    assert {name: engine.kind for name, engine in found.items()} == {"docker": "docker", "systemd": "systemd"}
    assert found["docker"].url == f"unix://{tmp_path}/docker.sock"


def test_those_of_the_machine_are_left_alone_where_that_is_said() -> None:
    assert engines_of(ToolSettings(local_engines=False)) == {}


def test_a_machine_with_nothing_has_none(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    assert at_hand("linux", nothing, nothing) == {}
    assert list(at_hand("darwin", nothing, nothing)) == ["launchd"]
