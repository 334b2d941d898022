"""Which unit of which engine a service is; what could be two things is none."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from tests.tools.engines.fake_engine import FakeEngine
from tools.engines.port import EngineError
from tools.services.placing import NotPlacedError, Place, place
from tools.settings import ServiceSettings


class FakeSystemd(FakeEngine):
    """Lists only what runs."""

    kind: ClassVar[str] = "systemd"

    async def units(self) -> Any:
        return [unit for unit in await super().units() if unit.running]


async def placed(*engines: FakeEngine, name: str = "pi-hole", **service: Any) -> Place:
    return await place(name, ServiceSettings.model_validate(service), {engine.name: engine for engine in engines})


async def refused(*engines: FakeEngine, **more: Any) -> str:
    with pytest.raises(NotPlacedError) as caught:
        await placed(*engines, **more)
    return caught.value.spoken


def docker(*names: str, **labels: str) -> FakeEngine:
    engine = FakeEngine()
    for name in names:
        engine.add(name, labels={f"com.docker.compose.{key}": value for key, value in labels.items()})
    return engine


@pytest.mark.parametrize("name", ["pi-hole", "pihole", "Pi-hole", "pi_hole"])
async def test_by_its_name_as_engines_spell_it(name: str) -> None:
    assert (await placed(docker(name, "immich"))).unit.name == name


async def test_by_its_compose_service() -> None:
    assert (await placed(docker("dns-pihole-1", service="pihole"))).unit.name == "dns-pihole-1"


async def test_one_called_just_so_goes_before_one_called_alike() -> None:
    assert (await placed(docker("pihole", "pi-hole"))).unit.name == "pi-hole"


async def test_by_an_alias_where_its_own_name_fits_nothing() -> None:
    assert (await placed(docker("adblock", "immich"), aliases=["adblock"])).unit.name == "adblock"


async def test_its_unit_and_engine_as_configured() -> None:
    one, two = docker("box", "pi-hole"), FakeSystemd("systemd")
    two.add("box")
    found = await placed(one, two, unit="box", engine="systemd")
    assert (found.engine.name, found.unit.name) == ("systemd", "box")


async def test_as_it_is_called_in_that_engine() -> None:
    assert (await placed(docker("dns"), watched_as={"docker": "dns"})).unit.name == "dns"


async def test_a_unit_that_is_stopped_and_not_listed_is_found_by_its_name() -> None:
    systemd = FakeSystemd("systemd")
    systemd.add("pihole", running=False)
    assert (await placed(docker("immich"), systemd)).unit.name == "pihole"


async def test_what_two_engines_have_is_asked_back() -> None:
    systemd = FakeSystemd("systemd")
    systemd.add("pi-hole")
    assert await refused(docker("pi-hole"), systemd) == (
        "More than one thing could be pi-hole: pi-hole in docker and pi-hole in systemd. "
        "Set its engine and unit in the configuration."
    )


async def test_what_nobody_has_is_said_with_who_was_asked() -> None:
    said = await refused(docker("immich"), FakeSystemd("systemd"))
    assert said == "I don't know what runs pi-hole: docker and systemd have nothing called pi-hole."


async def test_an_engine_that_could_not_be_asked_is_named_where_nobody_else_has_it() -> None:
    broken = FakeEngine("nas", error=EngineError("it does not answer in time"))
    assert await refused(docker("immich"), broken) == (
        "I can't tell what runs pi-hole. I couldn't ask nas: it does not answer in time."
    )
    assert (await placed(docker("pi-hole"), broken)).unit.name == "pi-hole"


async def test_while_an_engine_cannot_be_asked_one_that_is_only_called_alike_is_not_enough() -> None:
    broken = FakeEngine("nas", error=EngineError("it does not answer in time"))
    assert (await refused(docker("pihole"), broken)).startswith("I can't tell what runs pi-hole.")
    assert (await placed(docker("pihole"), FakeEngine("nas"))).unit.name == "pihole"


async def test_an_engine_that_is_not_configured_is_named() -> None:
    assert await refused(docker("pi-hole"), engine="podman") == (
        "Pi-hole is said to run on podman, and no engine of that name is configured."
    )
