"""The connection to a real Home Assistant: names, states and orders, and what is said while it is away.

While it is away a watcher looks in every turn of the loop: a state that is given then is a false one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.real.home.house import House
from tests.real.home_assistant import bearer, wait_until_started
from tools.home.link import HomeAssistantLink, open_link
from tools.home.port import HomeError, State
from tools.home.socket import CLOSING_S, PING_EVERY_S, PONG_WITHIN_S

pytestmark = pytest.mark.real_server

BED = "light.bed_light"
SILENT_S = PING_EVERY_S + PONG_WITHIN_S + CLOSING_S
NOTICED_S = 3.0
"""A connection that breaks is known to be broken within that, on a machine that is busy with other things."""
BACK_S = 10.0
"""It is live again within that after Home Assistant says that it runs."""


@asynccontextmanager
async def linked(home: House, folder: Path, **settings: Any) -> AsyncIterator[HomeAssistantLink]:
    link = open_link(home.settings(**settings), folder / "names.json")
    try:
        await link.ready(10)
        assert link.trouble == ""
        yield link
    finally:
        await link.close()


async def until(true: Callable[[], bool], timeout_s: float = 10.0) -> float:
    """Seconds until it was so."""
    began = time.monotonic()
    async with asyncio.timeout(timeout_s):
        while not true():  # noqa: ASYNC110 - what is looked at belongs to the code under test
            await asyncio.sleep(0.002)
    return time.monotonic() - began


def is_state(wanted: str) -> Callable[[str, State], bool]:
    return lambda _, state: state.state == wanted


async def switch(link: HomeAssistantLink, entity: str, wanted: str) -> None:
    await link.call("light", f"turn_{wanted}", [entity])
    assert await link.settled([entity], is_state(wanted), 5)


async def test_it_knows_the_rooms_the_other_names_and_only_what_is_exposed(home: House, tmp_path: Path) -> None:
    async with linked(home, tmp_path) as link:
        bed = link.entities[BED]
        assert (bed.name, bed.area, bed.aliases) == ("Bed Light", "bedroom", ("reading light",))
        assert link.areas["bedroom"].name == "Bedroom"
        if home.has_floors:
            assert link.floors[link.areas["bedroom"].floor or ""].aliases == ("upstairs",)
        else:
            assert link.floors == {}
        assert "switch.ac" not in link.entities  # hidden by hand
        assert {"lock.front_door", "lock.kitchen_door", "script.good_night"} <= set(link.entities)
        assert "binary_sensor.basement_floor_wet" not in link.entities  # not by itself
        door = link.state("lock.front_door")
        assert door is not None
        assert door.state == "locked"


async def test_an_order_is_done_and_the_state_follows_by_itself(home: House, tmp_path: Path) -> None:
    async with linked(home, tmp_path) as link:
        await switch(link, BED, "off")
        await link.call("light", "turn_on", [BED], {"brightness_pct": 40, "rgb_color": [255, 0, 0]})
        assert await link.settled([BED], is_state("on"), 5)
        state = link.state(BED)
        assert state is not None
        assert state.attributes["brightness"] == 102
        assert state.attributes["rgb_color"] == (255, 0, 0)
        async with home.admin() as admin:  # somebody else
            await admin.command("call_service", domain="light", service="turn_off", target={"entity_id": BED})
        assert await link.settled([BED], is_state("off"), 5)


async def test_what_home_assistant_refuses_or_would_pass_over_in_silence_is_an_error(
    home: House, tmp_path: Path
) -> None:
    async with linked(home, tmp_path) as link:
        with pytest.raises(HomeError, match="has nothing called light"):
            await link.call("light", "turn_on", ["light.nowhere"])
        with pytest.raises(HomeError, match="has nothing called switch"):
            await link.call("switch", "turn_on", ["switch.ac"])
        with pytest.raises(HomeError, match="refuses that order as wrong") as refused:
            await link.call("light", "turn_on", [BED], {"brightness_pct": 500})
        assert "brightness_pct" in refused.value.said
        with pytest.raises(HomeError, match="does not know how to do that"):
            await link.call("light", "dance", [BED])


async def test_names_rooms_and_exposure_follow_what_is_changed_there(home: House, tmp_path: Path) -> None:
    fan = "fan.percentage_full_fan"
    async with linked(home, tmp_path) as link, home.admin() as admin:
        version = link.version
        update = "config/entity_registry/update"
        await admin.command(update, entity_id=fan, name="Desk fan", area_id="office", aliases=["breeze"])
        await until(lambda: link.entities[fan].aliases == ("breeze",))
        assert (link.entities[fan].name, link.entities[fan].area) == ("Desk fan", "office")
        assert link.version > version
        expose = {"assistants": ["conversation"], "entity_ids": [fan]}
        await admin.command("homeassistant/expose_entity", should_expose=False, **expose)
        await until(lambda: fan not in link.entities)
        assert link.state(fan) is None
        await admin.command("homeassistant/expose_entity", should_expose=True, **expose)
        await until(lambda: fan in link.entities)
        place = await admin.command("config/area_registry/create", name="Attic")
        await until(lambda: place["area_id"] in link.areas)


async def test_killed_and_started_again_it_recovers_by_itself_and_no_state_is_false_meanwhile(
    home: House, tmp_path: Path
) -> None:
    await asyncio.to_thread(home.stop)  # what was furnished is written now
    await asyncio.to_thread(home.start)
    await asyncio.to_thread(wait_until_started, home.url, home.token)
    async with linked(home, tmp_path) as link:
        await switch(link, BED, "on")  # the demo's light is off after a start
        began = time.monotonic()
        await asyncio.to_thread(home.kill)
        noticed_s = await until(lambda: link.trouble != "") + time.monotonic() - began
        seen: list[tuple[str, str]] = []
        watching = asyncio.create_task(_watch(link, seen))
        await link.ready(1)
        assert "connection is refused" in link.trouble
        with pytest.raises(HomeError, match="connection is refused"):
            await link.call("light", "turn_off", [BED])
        assert BED in link.entities
        await asyncio.to_thread(home.start)
        await asyncio.to_thread(wait_until_started, home.url, home.token)
        back_s = await until(lambda: link.trouble == "", 40)
        watching.cancel()
        assert link.state(BED) is not None
        assert link.state(BED).state == "off"  # type: ignore[union-attr]
        assert noticed_s < NOTICED_S
        assert back_s < BACK_S
        assert {state for _, state in seen} <= {"", "off"}
        assert all(trouble for trouble, state in seen if not state)
        assert not any(state for trouble, state in seen if trouble)
        await switch(link, BED, "on")


async def _watch(link: HomeAssistantLink, seen: list[tuple[str, str]]) -> None:
    while True:
        state = link.state(BED)
        seen.append((link.trouble, "" if state is None else state.state))
        await asyncio.sleep(0.001)


async def test_a_stop_in_due_form_is_said_to_be_a_restart(home: House, tmp_path: Path) -> None:
    async with linked(home, tmp_path) as link:
        try:
            await asyncio.to_thread(home.stop)
            await link.ready(1)
            if home.says_goodbye:
                assert link.trouble == "Home Assistant is restarting"
            else:
                assert "connection is refused" in link.trouble
        finally:
            await asyncio.to_thread(home.start)
        said: set[str] = set()
        await until(lambda: said.add(link.trouble) or link.trouble == "", 40)  # type: ignore[func-returns-value]
        if home.says_goodbye:
            assert said <= {"Home Assistant is restarting", "Home Assistant is still starting", ""}
        assert len(link.entities) > 30


async def test_one_that_does_not_move_any_more_is_not_believed(home: House, tmp_path: Path) -> None:
    async with linked(home, tmp_path, timeout_s=1.0) as link:
        home.freeze()
        try:
            silent_s = await until(lambda: link.trouble != "", SILENT_S + 3)
            assert link.trouble == "Home Assistant does not answer any more"
            assert link.state(BED) is None
            assert silent_s <= SILENT_S + NOTICED_S
        finally:
            home.thaw()
        await until(lambda: link.trouble == "", 40)


async def test_a_revoked_token_is_said_to_be_refused(home: House, tmp_path: Path) -> None:
    async with home.admin() as admin:
        token = await admin.command("auth/long_lived_access_token", client_name="short", lifespan=1)
        (tmp_path / "token").write_text(token)
        async with linked(home, tmp_path, token_file=tmp_path / "token") as link:
            (of_it,) = (
                known["id"] for known in await admin.command("auth/refresh_tokens") if known["client_name"] == "short"
            )
            await admin.command("auth/delete_refresh_token", refresh_token_id=of_it)
            await until(lambda: link.trouble.startswith("Home Assistant refuses the token"))


async def test_a_user_without_rights_gets_what_is_exposed_by_default_and_not_what_was_hidden(
    home: House, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(await _token_of_a_plain_user(home))
    async with linked(home, tmp_path, token_file=tmp_path / "token") as link:
        assert BED in link.entities
        assert link.entities["light.desk_lamp"].area == "office"
        assert "lock.front_door" not in link.entities  # exposed by hand, which only an administrator may read
        assert "switch.ac" not in link.entities
        await switch(link, BED, "on")


async def _token_of_a_plain_user(home: House) -> str:
    async with home.admin() as admin:
        made = await admin.command("config/auth/create", name="Plain", group_ids=["system-users"])
        login = {"username": "plain", "password": "only-on-loopback"}
        await admin.command("config/auth_provider/homeassistant/create", user_id=made["user"]["id"], **login)
    async with httpx.AsyncClient(base_url=home.url, trust_env=False, timeout=30) as http:
        flow = {"client_id": home.url, "handler": ["homeassistant", None], "redirect_uri": home.url}
        asked = (await http.post("/auth/login_flow", json=flow)).raise_for_status().json()
        step = f"/auth/login_flow/{asked['flow_id']}"
        code = (await http.post(step, json={**login, "client_id": home.url})).raise_for_status().json()["result"]
        form = {"grant_type": "authorization_code", "code": code, "client_id": home.url}
        token = (await http.post("/auth/token", data=form)).raise_for_status().json()["access_token"]
        await http.get("/api/", headers=bearer(token))
    return str(token)
