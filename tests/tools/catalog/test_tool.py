"""``find_service``, through the call path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.contract import Caller, CallOutcome
from tools.server import ToolHouse
from tools.settings import ServiceSettings, ToolSettings

SERVICES = {
    "jellyfin": {
        "host": "nas", "port": 8096, "dns": "jellyfin.lan", "owner": "Anna", "aliases": ["the media server"],
        "url": "http://me:hunter2@127.0.0.1:8096/health", "description": "films", "group": "media",
        "restore": "Restore the config.", "unit": "jellyfin-1",
    },
    "gitea": {"url": "http://127.0.0.1:3000/"},
}  # fmt: skip


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ToolHouse]:
    with ToolHouse(ToolSettings.model_validate({"services": SERVICES}), tmp_path) as opened:
        yield opened


async def find(house: ToolHouse, name: str) -> CallOutcome:
    return await house.path.call("find_service", {"name": name}, Caller())


async def test_where_who_and_how_is_one_answer(house: ToolHouse) -> None:
    outcome = await find(house, "the media server")
    assert outcome.spoken == (
        "Jellyfin runs on nas, port 8096, at http://jellyfin.lan. Anna looks after it. "
        "To restore it: Restore the config."
    )


async def test_every_field_is_in_the_data_and_no_password(house: ToolHouse) -> None:
    outcome = await find(house, "jellyfin")
    assert outcome.result is not None
    data = outcome.result.data
    assert {*ServiceSettings.model_fields, "name", "address"} == set(data)
    assert (data["host"], data["port"], data["address"], data["unit"]) == (
        "nas", 8096, "http://jellyfin.lan", "jellyfin-1",
    )  # fmt: skip
    assert "hunter2" not in outcome.model_dump_json()


async def test_a_name_that_nobody_has_is_asked_back(house: ToolHouse) -> None:
    outcome = await find(house, "plex")
    assert (outcome.ok, outcome.error) == (False, "unknown_name")
