"""Said in a room, to a real Home Assistant: "the light" is the one there, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from assistant.app import App, open_app
from assistant.config import Settings
from assistant.events import ReplySentence, ToolReturned
from tests.real.home.house import House
from tests.real.home.sentence_house import sentence_house
from tools.contract import Caller, Door

pytestmark = pytest.mark.real_server

KITCHEN = "light.kitchen_lights"
LIGHTS = {
    KITCHEN, "light.bed_light", "light.ceiling_lights", "light.living_room_rgbww_lights", "light.office_rgbw_lights",
    "light.desk_lamp", "light.entrance_color_white_lights",
}  # fmt: skip


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with sentence_house(tmp_path_factory.mktemp("rooms") / "config") as started:
        yield started


async def all_on(home: House) -> None:
    headers = {"Authorization": f"Bearer {home.token_file.read_text().strip()}"}
    async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=20) as client:
        answer = await client.post(f"{home.url}/api/services/light/turn_on", json={"entity_id": sorted(LIGHTS)})
        assert answer.status_code == 200


async def lit(home: House) -> set[str]:
    """The lights that Home Assistant itself says are on."""
    headers = {"Authorization": f"Bearer {home.token_file.read_text().strip()}"}
    async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=20) as client:
        states = (await client.get(f"{home.url}/api/states")).json()
    return {state["entity_id"] for state in states if state["entity_id"] in LIGHTS and state["state"] == "on"}


async def said(app: App, text: str, room: str) -> tuple[str, list[dict[str, object]]]:
    """The reply, and the canonical arguments of each call."""
    caller = Caller(door=Door.SATELLITE, room=room)
    events = [event async for event in app.start_turn(text, caller=caller, engine="sentences").events()]
    spoken = " ".join(event.text for event in events if isinstance(event, ReplySentence))
    return spoken, [event.arguments for event in events if isinstance(event, ToolReturned)]


async def test_a_satellite_in_the_kitchen_switches_the_kitchen_and_nothing_else(
    furnished: House, tmp_path: Path
) -> None:
    settings = Settings.model_validate(
        {"home_assistant": {"url": furnished.url, "token_file": furnished.token_file}, "state_dir": tmp_path / "state"}
    )
    async with open_app(settings) as app:
        await all_on(furnished)
        _, one = await said(app, "turn off the light", "Kitchen")
        after_one = await lit(furnished)
        _, lounge = await said(app, "turn off the lights", "lounge")
        after_lounge = await lit(furnished)
        degrees, asked = await said(app, "what's the temperature", "bedroom")
        _, blinds = await said(app, "open the blinds", "bedroom")
        window, _ = await said(app, "is the window open", "bedroom")
        _, everywhere = await said(app, "turn off all the lights", "kitchen")
        after_all = await lit(furnished)

    assert one == [{"target": "lights", "area": "kitchen", "action": "off"}]
    assert after_one == LIGHTS - {KITCHEN}
    assert lounge == [{"target": "lights", "area": "living room", "action": "off"}]
    assert after_lounge == after_one - {"light.ceiling_lights", "light.living_room_rgbww_lights"}
    assert asked[0]["area"] == "bedroom"
    assert "18" in degrees
    assert (blinds[0]["target"], blinds[0]["area"]) == ("blinds", "bedroom")
    assert "closed" in window
    assert everywhere == [{"target": "lights", "action": "off"}]
    assert after_all == set()
