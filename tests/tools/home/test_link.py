"""The connection to Home Assistant: what is known when, what is believed, and what is said when it is away."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.tools.home.scripted import TOKEN, ScriptedHome, a_home, linked, raw_entity, raw_state, serving, until
from tests.tools.test_services import self_signed
from tools.home import link as link_module
from tools.home import session as session_module
from tools.home import socket as socket_module
from tools.home.link import open_link
from tools.home.port import HomeError, HomeLink, State
from tools.settings_house import HomeAssistantSettings


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(link_module, "SOON_WAIT_S", 0.05)
    monkeypatch.setattr(link_module, "KEEP_AFTER_S", 0.01)
    monkeypatch.setattr(session_module, "RELOAD_AFTER_S", 0.01)
    monkeypatch.setattr(session_module, "STARTING_LOOK_S", 0.01)


def is_on(_: str, state: State) -> bool:
    return state.state == "on"


async def test_names_places_and_states_are_there_once_it_is_ready(tmp_path: Path) -> None:
    async with serving(a_home()) as home, linked(home, tmp_path) as link:
        as_port: HomeLink = link
        assert as_port.trouble == ""
        assert set(link.entities) == {"light.desk", "light.bed", "sensor.warmth"}
        desk = link.entities["light.desk"]
        assert (desk.name, desk.area, desk.aliases, desk.features) == ("Desk lamp", "office", ("work light",), 4)
        assert link.entities["light.bed"].area == "bedroom"  # its own, not its device's
        assert link.areas["office"].floor == "up"
        assert link.floors["up"].aliases == ("upstairs",)
        assert link.state("light.bed") == State("on", {"friendly_name": "Bed light", "brightness": 128}, 1000.0)


async def test_what_is_not_exposed_can_be_neither_read_nor_switched(tmp_path: Path) -> None:
    async with serving(a_home()) as home, linked(home, tmp_path) as link:
        assert link.state("lock.door") is None
        with pytest.raises(HomeError, match=r"nothing called lock\.door"):
            await link.call("lock", "unlock", ["lock.door"])
        assert "call_service" not in home.kinds()


async def test_all_is_known_where_the_settings_say_so(tmp_path: Path) -> None:
    async with serving(a_home()) as home, linked(home, tmp_path, exposed_only=False) as link:
        assert not link.entities["lock.door"].exposed
        assert link.state("lock.door") == State("locked", {"friendly_name": "Front door"}, 1000.0)
        assert "light.gone" not in link.entities


async def test_an_order_goes_out_with_its_target_and_the_state_is_waited_for(tmp_path: Path) -> None:
    home = a_home()
    home.does = lambda _: {"c": {"light.desk": {"+": {"s": "on", "a": {"brightness": 77}, "lc": 3000.0}}}}
    async with serving(home), linked(home, tmp_path) as link:
        await link.call("light", "turn_on", ["light.desk"], {"brightness_pct": 30})
        assert await link.settled(["light.desk"], is_on, 2)
        state = link.state("light.desk")
        assert state is not None
        assert (state.state, state.attributes["brightness"], state.changed) == ("on", 77, 3000.0)
        assert state.attributes["friendly_name"] == "Desk lamp"
        order = home.asked[-1]
        assert order["target"] == {"entity_id": ["light.desk"]}
        assert order["service_data"] == {"brightness_pct": 30}


async def test_what_does_not_come_about_is_not_settled(tmp_path: Path) -> None:
    async with serving(a_home()) as home, linked(home, tmp_path) as link:
        await link.call("light", "turn_on", ["light.desk"])
        assert not await link.settled(["light.desk", "light.bed"], is_on, 0.05)
        assert await link.settled(["light.bed"], is_on, 0.05)


async def test_an_unknown_entity_is_an_error_before_anything_is_sent(tmp_path: Path) -> None:
    async with serving(a_home()) as home, linked(home, tmp_path) as link:
        with pytest.raises(HomeError, match=r"nothing called light\.nowhere"):
            await link.call("light", "turn_on", ["light.desk", "light.nowhere"])
        assert "call_service" not in home.kinds()


@pytest.mark.parametrize(
    ("domain", "service", "data"),
    [("light; drop", "turn_on", {}), ("light", "turn on", {}), ("light", "turn_on", {"area_id": "office"})],
)
async def test_an_order_cannot_name_its_target_in_another_way(
    tmp_path: Path, domain: str, service: str, data: dict[str, Any]
) -> None:
    async with serving(a_home()) as home, linked(home, tmp_path) as link:
        with pytest.raises(HomeError, match="no order that I give"):
            await link.call(domain, service, ["light.desk"], data)
        assert "call_service" not in home.kinds()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("not_found", "Home Assistant does not know how to do that"),
        ("unauthorized", "the user whose token I have may not do that in Home Assistant"),
        ("service_validation_error", "Home Assistant refuses that order as wrong"),
        ("home_assistant_error", "Home Assistant tried and failed"),
        ("something_new", "Home Assistant says no"),
    ],
)
async def test_a_refusal_is_said_in_our_words_and_its_own_are_kept_apart(
    tmp_path: Path, code: str, reason: str
) -> None:
    home = a_home()
    home.refuses["call_service"] = code
    async with serving(home), linked(home, tmp_path) as link:
        with pytest.raises(HomeError) as refused:
            await link.call("light", "turn_on", ["light.desk"])
        assert refused.value.reason == reason
        assert refused.value.said == "no call_service"


async def test_an_order_without_an_answer_ends_in_time(tmp_path: Path) -> None:
    home = a_home()
    home.silent.add("call_service")
    async with serving(home), linked(home, tmp_path, timeout_s=0.1) as link:
        with pytest.raises(HomeError, match="does not answer in time"):
            await link.call("light", "turn_on", ["light.desk"])
        assert link.trouble == ""


async def test_nothing_is_believed_while_it_is_away_and_all_again_afterwards(tmp_path: Path) -> None:
    home = a_home()
    async with serving(home), linked(home, tmp_path) as link:
        known = link.version
        home.states["light.bed"] = raw_state("off", friendly_name="Bed light")
        home.states["light.desk"] = raw_state("on", friendly_name="Desk lamp", supported_features=4)
        home.config["state"] = "NOT_RUNNING"
        home.cut()
        await until(lambda: link.trouble != "")
        assert link.state("light.bed") is None
        assert "light.bed" in link.entities
        with pytest.raises(HomeError):
            await link.call("light", "turn_on", ["light.bed"])
        await until(lambda: link.trouble == "Home Assistant is still starting")
        assert link.state("light.bed") is None
        home.config["state"] = "RUNNING"
        await until(lambda: link.trouble == "")
        assert link.state("light.bed") == State("off", {"friendly_name": "Bed light"}, 1000.0)
        assert link.version == known  # the same names


async def test_who_waits_for_a_state_hears_that_the_connection_was_lost(tmp_path: Path) -> None:
    async with serving(a_home()) as home, linked(home, tmp_path) as link:
        waiting = asyncio.create_task(link.settled(["light.desk"], is_on, 5))
        home.silent.add("call_service")
        calling = asyncio.create_task(link.call("light", "turn_on", ["light.desk"]))
        await until(lambda: "call_service" in home.kinds())
        home.cut()
        with pytest.raises(HomeError, match="broke off"):
            await waiting
        with pytest.raises(HomeError, match="broke off"):
            await calling


async def test_a_goodbye_is_a_restart_until_it_is_back(tmp_path: Path) -> None:
    home = a_home()
    async with serving(home):
        link_, port = linked(home, tmp_path), home.port
        link = await link_.__aenter__()
        await home.goodbye()
        await until(lambda: link.trouble != "")
        assert link.trouble == "Home Assistant is restarting"
    try:
        await link.ready(1)  # nobody listens now
        assert link.trouble == "Home Assistant is restarting"
        async with serving(home):
            assert home.port == port
            await link.ready(2)
            assert link.trouble == ""
            await link_.__aexit__(None, None, None)
    finally:
        await link.close()


async def test_one_that_is_stopping_is_let_go_at_once(tmp_path: Path) -> None:
    """It waits for its connections to end before it does, so that holding on would make every restart longer."""
    home = a_home()
    home.config["state"] = "STOPPING"
    async with serving(home), linked(home, tmp_path) as link:
        await until(lambda: len(home.connections) > 1)
        assert link.trouble == "Home Assistant is restarting"
        assert "subscribe_entities" not in home.kinds()


async def test_recovery_mode_is_said_and_the_names_stay(tmp_path: Path) -> None:
    home = a_home()
    async with serving(home):
        async with linked(home, tmp_path):
            await until((tmp_path / "names.json").exists)
        home.config["recovery_mode"], home.states = True, {}
        async with linked(home, tmp_path) as link:
            assert link.trouble == "Home Assistant runs in its recovery mode, without its devices"
            assert "light.bed" in link.entities


async def test_who_asks_has_it_tried_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "FIRST_WAIT_S", 30.0)
    monkeypatch.setattr(link_module, "SOON_WAIT_S", 30.0)
    home = a_home()
    async with serving(home):
        pass
    async with linked(home, tmp_path) as link:
        assert "connection is refused" in link.trouble
        async with serving(home):
            await link.ready(2)
            assert link.trouble == ""


async def test_a_refused_token_is_said_and_not_tried_again_before_it_changes(tmp_path: Path) -> None:
    home = a_home()
    (tmp_path / "token").write_text("wrong\n")
    async with serving(home), linked(home, tmp_path) as link:
        assert link.trouble.startswith("Home Assistant refuses the token")
        for _ in range(5):
            await link.ready(2)
        assert home.tokens == ["wrong"]
        (tmp_path / "token").write_text(TOKEN + "\n")
        await link.ready(2)
        assert link.trouble == ""


async def test_a_token_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    async with serving(a_home()) as home, linked(home, tmp_path, token_file=tmp_path / "none") as link:
        assert link.trouble == "the file with the token for Home Assistant cannot be read"
        assert home.tokens == []


async def test_the_token_stands_in_no_log_and_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    home = a_home()
    home.token = "another"
    async with serving(home), linked(home, tmp_path) as link:
        assert TOKEN not in link.trouble
    ours = [record for record in caplog.records if record.name != "websockets.server"]  # the script's own side
    assert TOKEN not in "".join(record.getMessage() for record in ours)
    assert home.tokens == [TOKEN]


@pytest.mark.parametrize(
    ("status", "said"),
    [(503, "not running behind its address"), (403, "refuses this machine"), (404, "not at its address"),
     (200, "not at its address"), (301, "not at its address")],
)  # fmt: skip
async def test_what_a_web_server_says_instead_is_told(tmp_path: Path, status: int, said: str) -> None:
    home = a_home()
    home.status = status
    async with serving(home), linked(home, tmp_path) as link:
        assert said in link.trouble
        assert home.tokens == []


@pytest.mark.parametrize(
    "frame",
    ["", "{", "nonsense", "[1, 2]", '"text"', "null", "[" * 100_000, '{"type": NaN}', '{"type": "hello"}',
     '{"id": ' + "9" * 5000 + "}"],
)  # fmt: skip
async def test_a_greeting_that_is_none_gets_no_token(tmp_path: Path, frame: str) -> None:
    home = a_home()
    home.greeting = frame
    async with serving(home), linked(home, tmp_path) as link:
        assert "does not speak its language" in link.trouble
        assert home.tokens == []


@pytest.mark.parametrize("frame", ["{", "[[]]", "7", "[" * 100_000, f"[{'{},' * 500_001}{{}}]"])
async def test_nonsense_on_the_way_ends_the_connection_and_another_follows(tmp_path: Path, frame: str) -> None:
    async with serving(a_home()) as home, linked(home, tmp_path) as link:
        await home.say(frame)
        await until(lambda: len(home.connections) == 2 and link.trouble == "")
        assert link.state("light.bed") is not None


@pytest.mark.parametrize(
    "message",
    [
        {"id": 99999, "type": "result", "success": True},
        {"id": True, "type": "event"},
        {"id": "1", "type": "event", "event": []},
        {"type": "event"},
        {},
        {"id": 6, "type": "pong"},
    ],
)
async def test_messages_that_mean_nothing_are_passed_over(tmp_path: Path, message: dict[str, Any]) -> None:
    async with serving(a_home()) as home, linked(home, tmp_path) as link:
        await home.say(json.dumps(message))
        await home.say(b"\x01binary")
        await home.say(json.dumps([message, message]))
        await home.becomes("light.desk", "on")
        assert await link.settled(["light.desk"], is_on, 2)
        assert len(home.connections) == 1


async def test_a_certificate_that_nobody_vouches_for_gets_no_token_unless_the_settings_say_so(tmp_path: Path) -> None:
    home = a_home()
    home.tls = self_signed(tmp_path)
    async with serving(home):
        async with linked(home, tmp_path) as link:
            assert link.trouble == "the certificate of Home Assistant is not trusted"
            assert home.tokens == []
        async with linked(home, tmp_path, verify_tls=False) as link:
            assert link.trouble == ""
            assert home.tokens == [TOKEN]


async def test_a_name_that_nobody_knows_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    async with linked(a_home(), tmp_path, url="http://home.invalid:8123") as link:
        assert link.trouble == "the name of the machine with Home Assistant cannot be found"


async def test_an_address_outside_the_house_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class RefusedError(ConnectionError):  # as the egress guard makes it
        code = "egress_refused"

    async def refused(*_: Any, **__: Any) -> Any:
        raise RefusedError

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", refused)
    async with linked(a_home(), tmp_path, url="http://192.0.2.1:8123") as link:
        assert link.trouble == "Home Assistant is outside the private network, and I may not go there"


async def test_an_address_that_is_silent_is_said_and_does_not_keep_who_asks_waiting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        async with linked(a_home(), tmp_path, url=f"http://127.0.0.1:{port}", timeout_s=0.1) as link:
            assert link.trouble == "Home Assistant does not answer"


async def test_a_message_that_is_too_long_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_module, "MAX_MESSAGE_BYTES", 20_000)
    home = a_home()
    home.after_auth = json.dumps({"id": 1, "type": "event", "event": "x" * 30_000})
    async with serving(home), linked(home, tmp_path) as link:
        assert link.trouble == "Home Assistant sends more at once than I take"


async def test_a_peer_that_falls_silent_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_module, "PING_EVERY_S", 0.05)
    monkeypatch.setattr(socket_module, "PONG_WITHIN_S", 0.1)
    monkeypatch.setattr(socket_module, "CLOSING_S", 0.05)
    monkeypatch.setattr(link_module, "SOON_WAIT_S", 30.0)
    monkeypatch.setattr(link_module, "FIRST_WAIT_S", 30.0)
    async with serving(a_home()) as home, linked(home, tmp_path) as link:
        home.connections[-1].transport.pause_reading()
        await until(lambda: link.trouble != "", 2)
        assert link.trouble == "Home Assistant does not answer any more"
        assert link.state("light.bed") is None
        home.connections[-1].transport.abort()


async def test_a_flood_of_changes_ends_in_the_last_state(tmp_path: Path) -> None:
    async with serving(a_home()) as home, linked(home, tmp_path) as link:
        for number in range(3000):
            await home.event({"c": {"light.desk": {"+": {"a": {"brightness": number}}}}})
        await home.becomes("light.desk", "on")
        assert await link.settled(["light.desk"], is_on, 5)
        state = link.state("light.desk")
        assert state is not None
        assert state.attributes["brightness"] == 2999


async def test_a_new_name_another_room_and_a_removed_thing_are_seen(tmp_path: Path) -> None:
    async with serving(a_home()) as home, linked(home, tmp_path) as link:
        version = link.version
        entries = home.lists["config/entity_registry/list"]
        entries[0] = {**entries[0], "area_id": "bedroom"}
        await home.event({}, of="entity_registry_updated")
        await until(lambda: link.entities["light.desk"].area == "bedroom")
        assert link.version > version
        await home.event({"c": {"light.desk": {"+": {"a": {"friendly_name": "Reading\u202e lamp\n"}}}}})
        await until(lambda: link.entities["light.desk"].name == "Reading lamp")
        await home.event({"r": ["light.desk"]})
        await until(lambda: "light.desk" not in link.entities)
        assert link.state("light.desk") is None


async def test_something_new_is_known_when_its_registry_entry_is(tmp_path: Path) -> None:
    async with serving(a_home()) as home, linked(home, tmp_path) as link:
        home.lists["config/entity_registry/list"].append(
            raw_entity("switch.pump", area_id="office", options={"conversation": {"should_expose": True}})
        )
        await home.event({"a": {"switch.pump": raw_state("off", friendly_name="Pump")}})
        await until(lambda: "switch.pump" in link.entities)
        assert link.entities["switch.pump"].area == "office"


async def test_what_somebody_no_longer_exposes_is_let_go_without_a_word_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "EXPOSED_FOR_S", 0.0)
    async with serving(a_home()) as home, linked(home, tmp_path) as link:
        del home.lists["homeassistant/expose_entity/list"]["exposed_entities"]["sensor.warmth"]
        await link.ready(1)
        await until(lambda: "sensor.warmth" not in link.entities)


async def test_an_old_version_without_floors_and_a_user_without_rights_get_what_there_is(tmp_path: Path) -> None:
    home = a_home()
    home.refuses = {
        "config/floor_registry/list": "unknown_command",
        "homeassistant/expose_entity/list": "unauthorized",
        "config/entity_registry/get_entries": "unknown_command",
    }
    async with serving(home), linked(home, tmp_path) as link:
        assert link.trouble == ""
        assert link.floors == {}
        # by the defaults: a light, a temperature; not the lock, which was hidden by hand
        assert set(link.entities) == {"light.desk", "light.bed", "sensor.warmth"}


async def test_the_names_are_kept_in_a_private_file_and_known_without_a_connection(tmp_path: Path) -> None:
    home = a_home()
    async with serving(home), linked(home, tmp_path) as first:
        known = dict(first.entities)
        await until((tmp_path / "names.json").exists)
    assert stat.S_IMODE((tmp_path / "names.json").stat().st_mode) == 0o600
    async with linked(home, tmp_path) as link:
        assert link.trouble != ""
        assert dict(link.entities) == known
        assert link.areas["office"].name == "Office"
        assert link.state("light.bed") is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"form": 1}', '{"form": 1, "home": "x", "entities": 3}', "[" * 5000]
)
async def test_a_broken_file_of_names_is_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "names.json").write_text(text)
    async with serving(a_home()) as home, linked(home, tmp_path) as link:
        assert "light.bed" in link.entities


async def test_names_of_another_home_are_not_taken_for_ours(tmp_path: Path) -> None:
    async with serving(a_home()) as home, linked(home, tmp_path):
        await until((tmp_path / "names.json").exists)
    other = ScriptedHome(port=home.port)
    async with linked(other, tmp_path, url="http://127.0.0.1:1") as link:
        assert dict(link.entities) == {}


async def test_it_runs_beside_everything_until_it_is_cancelled(tmp_path: Path) -> None:
    async with serving(a_home()) as home:
        (tmp_path / "token").write_text(TOKEN)
        settings = HomeAssistantSettings.model_validate(
            {"url": f"http://127.0.0.1:{home.port}", "token_file": tmp_path / "token"}
        )
        link = open_link(settings, tmp_path / "names.json")
        running = asyncio.create_task(link.run())
        await until(lambda: link.trouble == "")
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert link.trouble == "Home Assistant is not connected any more"
        await link.close()


def test_one_link_serves_one_loop_after_another(tmp_path: Path) -> None:
    home = a_home()
    (tmp_path / "token").write_text(TOKEN)
    made: list[Any] = []

    async def look() -> bool:
        async with serving(home):
            if not made:
                made.append(open_link(
                    HomeAssistantSettings.model_validate(
                        {"url": f"http://127.0.0.1:{home.port}", "token_file": tmp_path / "token"}
                    ),
                    tmp_path / "names.json",
                ))  # fmt: skip
            await made[0].ready(2)
            return made[0].state("light.bed") is not None

    assert asyncio.run(look())
    assert asyncio.run(look())
