"""What an outside client is shown, and the scopes of its token."""

from __future__ import annotations

import pytest

from tests.fakes_tools import BreakTool, SwitchTool, ThingTool
from tools.access import Access
from tools.contract import Caller, Door
from tools.names import NameIndex
from tools.settings import ToolSettings
from tools.showing import devices_for, names_for, outside_for, scopes, tools_for

READ, OPERATE, DESTRUCTIVE = "jarvis:read", "jarvis:operate", "jarvis:destructive"


def caller(role: str = "member", door: Door = Door.MCP, **more: object) -> Caller:
    return Caller.model_validate({"name": "webui", "role": role, "door": door, **more})


@pytest.fixture
def settings() -> ToolSettings:
    return ToolSettings.model_validate(
        {
            "roles": {"helper": {"may": "operate"}},
            "guests": ["ben"],
            "access": {"rooms": {"hall": "guest"}},
            "services": {"gitea": {"url": "http://127.0.0.1:1/"}, "jellyfin": {"url": "http://127.0.0.1:1/"}},
        }
    )


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (caller("guest"), [READ]),
        (caller("helper"), [READ, OPERATE]),
        (caller("member"), [READ, OPERATE, DESTRUCTIVE]),
        (caller("owner"), [READ, OPERATE, DESTRUCTIVE]),
        (caller("no such role"), [READ]),
        (caller("owner", name="ben"), [READ]),
        (caller("owner", room="hall"), [READ]),
    ],
)
def test_scopes_follow_from_the_least_of_role_door_and_room(
    settings: ToolSettings, who: Caller, expected: list[str]
) -> None:
    assert scopes(Access.of(settings), who) == expected


def test_a_door_that_is_good_for_less_gives_fewer_scopes() -> None:
    access = Access.of(ToolSettings.model_validate({"access": {"doors": {"mcp": "guest"}}}))
    assert scopes(access, caller("owner")) == [READ]


def test_tools_keep_their_order_and_lack_what_would_never_be_allowed(settings: ToolSettings) -> None:
    tools = (ThingTool(), SwitchTool(), BreakTool())
    access = Access.of(settings)
    assert tools_for(access, tools, caller("member")) == [*tools]
    assert tools_for(access, tools, caller("helper")) == [*tools[:2]]
    assert tools_for(access, tools, caller("guest")) == [tools[0]]


def test_the_tools_of_an_outside_server_are_for_who_is_limited_to_it(settings: ToolSettings) -> None:
    class Theirs(ThingTool):
        server_name = "notes"

    ours, theirs = ThingTool(), Theirs()
    limited = caller(only=("server:notes",))
    assert tools_for(Access.of(settings), (ours, theirs), limited) == [theirs]


def test_names_are_those_that_somebody_is_limited_to(settings: ToolSettings) -> None:
    names = NameIndex.from_settings(settings)
    access = Access.of(settings, names)
    assert set(names_for(access, names.as_json(), caller())["service"]) == {"gitea", "jellyfin"}
    limited = names_for(access, names.as_json(), caller(only=("service:gitea",)))
    assert set(limited["service"]) == {"gitea"}


def test_devices_are_seen_by_their_name_or_their_area() -> None:
    access = Access.of(ToolSettings())
    devices = [("lamp", "kitchen", "light"), ("fan", "bath", "fan"), ("bell", "", "switch")]
    assert devices_for(access, devices, caller()) == devices
    assert devices_for(access, devices, caller(only=("area:kitchen",))) == devices[:1]
    assert devices_for(access, devices, caller(only=("device:bell",))) == devices[2:]


def test_of_outside_servers_only_the_own_is_told() -> None:
    told = {"budget": 600, "servers": [{"name": "notes"}, {"name": "files"}]}
    access = Access.of(ToolSettings())
    assert outside_for(access, told, caller()) == told
    assert outside_for(access, told, caller(only=("server:notes",)))["servers"] == [{"name": "notes"}]
