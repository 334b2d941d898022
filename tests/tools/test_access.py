"""Roles, doors, rooms and limits: the least of all of them, for looking too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tools.access import Access, Rights
from tools.contract import Caller, CallOutcome, Door, Level, PlannedCall, Speech
from tools.names import NameIndex
from tools.outbox import Outbox
from tools.policy import GONE, decide
from tools.recording import RecordingHouse, RecordingPath
from tools.settings import ToolSettings
from tools.store import Store
from tools.targets import KINDS, TOUCHES

HOUSE: dict[str, Any] = {
    "services": {"gitea": {"tcp": "127.0.0.1:1"}, "jellyfin": {"tcp": "127.0.0.1:1", "aliases": ["movies"]}},
    "backups": {"photos": {"kind": "report"}},
    "vms": {"windows": {"friends": ["ben"], "aliases": ["the gaming box"]}, "endeavour": {"protected": True}},
    "areas": {
        "kitchen": {"lights": ["ceiling light", "lamp"], "aliases": ["galley"]},
        "nursery": {"lights": ["ceiling light"], "devices": ["fan"]},
    },
    "local_engines": False,
}


def settings_of(**more: Any) -> ToolSettings:
    return ToolSettings.model_validate({**HOUSE, **more})


def caller_of(*only: str, **more: Any) -> Caller:
    return Caller(**{"name": "phone", "role": "owner", "only": only, "speech": Speech.ORDER} | more)


class Setting:
    """A call path over a house, with the settings of the test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: list[RecordingHouse] = []

    def house(self, **more: Any) -> RecordingHouse:
        house = RecordingHouse(settings_of(**more), self._folder / str(len(self._opened)))
        house._store._db.execute("PRAGMA synchronous=OFF")
        self._opened.append(house)
        return house

    def close(self) -> None:
        for house in self._opened:
            house.close()


@pytest.fixture
def setting(tmp_path: Path) -> Iterator[Setting]:
    made = Setting(tmp_path)
    yield made
    made.close()


COVERED = [
    ("vm:windows", "check_vms", {"vm": "windows"}, True),
    ("vm:Windows", "vm_power", {"vm": "windows", "action": "start"}, True),
    ("vm:the gaming box", "vm_power", {"vm": "windows", "action": "start"}, True),
    ("vm:windows", "check_vms", {}, False),
    ("vm:windows", "check_vms", {"vm": "endeavour"}, False),
    ("vm:*", "check_vms", {}, True),
    ("vm:*", "check_services", {}, False),
    ("vm:windows", "list_tasks", {}, False),
    ("vm:windows", "check_alerts", {}, False),
    ("tool:check_alerts", "check_alerts", {}, True),
    ("tool:check_vms", "check_vms", {}, True),
    ("tool:check_vms", "vm_power", {"vm": "windows", "action": "start"}, False),
    ("service:jellyfin", "service_logs", {"service": "movies"}, True),
    ("service:movies", "find_service", {"name": "jellyfin"}, True),
    ("service:jellyfin", "check_services", {"service": "gitea"}, False),
    ("service:jellyfin", "check_services", {}, False),
    ("backup:photos", "check_backups", {"job": "photos"}, True),
    ("backup:photos", "test_restore", {"job": "photos"}, True),
    ("backup:photos", "run_backup", {"job": "all"}, False),
    ("backup:*", "run_backup", {"job": "all"}, True),
    ("area:kitchen", "home_control", {"target": "lamp", "action": "on"}, True),
    ("area:galley", "home_control", {"target": "lights", "area": "kitchen", "action": "off"}, True),
    ("area:kitchen", "home_control", {"target": "all", "area": "nursery", "action": "off"}, False),
    ("area:kitchen", "home_control", {"target": "lights", "action": "off"}, False),
    ("area:kitchen", "home_state", {"target": "lights"}, False),
    ("area:*", "home_control", {"target": "lights", "action": "off"}, True),
    ("device:fan", "home_state", {"target": "fan"}, True),
    ("device:fan", "home_state", {"target": "lamp"}, False),
    ("device:lights", "home_control", {"target": "lights", "action": "off"}, True),
    ("tool:notify", "notify", {"message": "hello"}, True),
    ("service:gitea", "notify", {"message": "gitea"}, False),
]


@pytest.mark.parametrize(("grant", "tool", "arguments", "covered"), COVERED)
async def test_a_limit_is_for_looking_and_acting_and_covers_what_it_names(
    setting: Setting, grant: str, tool: str, arguments: dict[str, Any], covered: bool
) -> None:
    outcome = await setting.house().path.call(tool, arguments, caller_of(grant))
    assert outcome.ok is covered, outcome
    if not covered:
        assert outcome.error == "refused"
        assert outcome.spoken.startswith("That is not among what you may use here: ")
        assert outcome.arguments == arguments


async def test_every_list_has_to_permit(setting: Setting) -> None:
    roles = {"gamer": {"may": "destructive", "only": ["vm:windows", "vm:endeavour"]}}
    path = setting.house(roles=roles, access={"doors": {"page": "gamer"}}).path
    start = {"vm": "windows", "action": "start"}
    assert (await path.call("vm_power", start, caller_of("vm:*", role="gamer"))).ok
    assert not (await path.call("vm_power", start, caller_of("vm:endeavour", role="gamer"))).ok
    assert not (await path.call("check_services", {}, caller_of("service:*", role="gamer"))).ok
    assert (await path.call("check_services", {}, caller_of())).ok
    assert not (await path.call("check_services", {}, caller_of(door=Door.PAGE))).ok


async def test_an_order_that_is_scheduled_has_to_be_covered_itself(setting: Setting) -> None:
    house = setting.house()
    orders = {
        "start windows": ("vm_power", {"vm": "windows", "action": "start"}),
        "restart gitea": ("service_power", {"service": "gitea", "action": "start"}),
    }
    house.read_order = orders.get
    daily = "every day at 07:00"
    gamer = caller_of("vm:windows", "tool:schedule")
    assert (await house.path.call("schedule", {"what": "start windows", "when": daily}, gamer)).ok
    assert (await house.path.call("schedule", {"what": "restart gitea", "when": daily}, gamer)).error == "refused"
    assert (await house.path.call("schedule", {"what": "timer", "when": "in 5 minutes"}, gamer)).ok
    assert not (await house.path.call("schedule", {"what": "timer", "when": "in 5 minutes"}, caller_of("vm:*"))).ok


async def test_names_that_are_none_of_the_callers_business_are_not_told(setting: Setting) -> None:
    path = setting.house().path
    outcome = await path.call("service_logs", {"service": "jitea"}, caller_of("service:jellyfin"))
    assert "gitea" not in outcome.model_dump_json().replace("jitea", "")
    nothing = await path.call("check_vms", {"vm": "xyz"}, caller_of("vm:windows"))
    assert (nothing.candidates, nothing.spoken) == (("windows",), "Do you mean windows?")
    unlimited = await path.call("check_vms", {"vm": "xyz"}, caller_of())
    assert set(unlimited.candidates) == {"windows", "endeavour"}
    assert "endeavour" not in nothing.model_dump_json()


@pytest.mark.parametrize(
    ("room", "acts"), [("nursery", False), ("The Nursery", False), ("NURSERY ", False), ("kitchen", True), (None, True)]
)
async def test_a_room_is_good_for_so_much_however_it_is_said(setting: Setting, room: str | None, acts: bool) -> None:
    path = setting.house(access={"rooms": {"nursery": "guest"}}).path
    outcome = await path.call("vm_power", {"vm": "windows", "action": "start"}, caller_of(room=room))
    assert outcome.ok is acts


async def test_a_room_by_its_other_name_is_the_same_room(setting: Setting) -> None:
    path = setting.house(access={"rooms": {"galley": "guest"}}).path
    assert not (await path.call("run_backup", {"job": "photos"}, caller_of(room="kitchen"))).ok


async def test_saying_that_it_is_the_page_gets_nobody_more_than_a_request_does(setting: Setting) -> None:
    path = setting.house(access={"doors": {"http": "guest", "page": "owner"}}).path
    for door in (Door.HTTP, Door.PAGE):
        assert not (await path.call("run_backup", {"job": "photos"}, caller_of(door=door))).ok


async def test_the_microphone_has_a_role_of_its_own(setting: Setting) -> None:
    path = setting.house(access={"doors": {"microphone": "guest"}}).path
    assert not (await path.call("run_backup", {"job": "photos"}, caller_of(door=Door.MICROPHONE))).ok
    assert (await path.call("run_backup", {"job": "photos"}, caller_of(door=Door.SATELLITE))).ok


async def test_an_mcp_client_is_a_member_at_most_unless_it_is_configured(setting: Setting) -> None:
    start = {"vm": "endeavour", "action": "start"}
    refused = await setting.house().path.call("vm_power", start, caller_of(door=Door.MCP))
    assert (refused.error, refused.spoken) == ("protected", "That one is protected. It can't be changed from here.")
    path = setting.house(access={"doors": {"mcp": "owner"}}).path
    assert (await path.call("vm_power", start, caller_of(door=Door.MCP))).error == "needs_confirmation"


async def test_friends_are_bounded_by_doors_and_limits_like_anybody(setting: Setting) -> None:
    ben = caller_of(name="ben", role="guest")
    start = {"vm": "windows", "action": "start"}
    assert (await setting.house().path.call("vm_power", start, ben)).ok
    assert not (await setting.house(access={"doors": {"cli": "guest"}}).path.call("vm_power", start, ben)).ok
    limited = ben.model_copy(update={"only": ("service:gitea",)})
    assert not (await setting.house().path.call("vm_power", start, limited)).ok
    named = setting.house(guests=["ben"], roles={"looker": {"may": "read", "only": ["vm:windows"]}}).path
    assert not (await named.call("vm_power", start, ben.model_copy(update={"role": "looker"}))).ok
    assert not (await named.call("check_services", {}, ben.model_copy(update={"role": "looker"}))).ok


# ── what is scheduled ─────────────────────────────────────────────────────────────────────────────────────────────────

START = PlannedCall(tool="vm_power", arguments={"vm": "windows", "action": "start"}, level=Level.OPERATE)
GUARDED = PlannedCall(
    tool="vm_power", arguments={"vm": "endeavour", "action": "shutdown"}, level=Level.DESTRUCTIVE, protected=True
)


async def test_what_is_scheduled_keeps_to_the_rights_of_who_scheduled_it(setting: Setting) -> None:
    path = setting.house().path
    assert (await path.call_scheduled(START, caller_of("vm:windows", role="member"))).ok
    assert (await path.call_scheduled(START, caller_of("vm:endeavour"))).error == "refused"
    assert (await path.call_scheduled(START, caller_of(role="guest"))).error == "refused"
    assert (await path.call_scheduled(START, caller_of(role="gone"))).error == "refused"
    assert (await path.call_scheduled(GUARDED, caller_of())).ok
    assert (await path.call_scheduled(GUARDED, caller_of(role="member"))).error == "protected"
    assert (await path.call_scheduled(GUARDED, caller_of(door=Door.SATELLITE))).error == "protected"
    lowered = setting.house(access={"doors": {"mcp": "guest"}}).path
    assert (await lowered.call_scheduled(START, caller_of(door=Door.MCP))).error == "refused"
    assert (await lowered.call_scheduled(START, caller_of())).ok


async def test_a_token_that_is_revoked_or_limited_meanwhile_does_no_more_than_it_may_now(setting: Setting) -> None:
    path = setting.house().path
    path.standing = lambda caller: None
    assert (await path.call_scheduled(START, caller_of())).spoken == GONE
    path.standing = lambda caller: caller.model_copy(update={"only": ("vm:endeavour",)})
    assert (await path.call_scheduled(START, caller_of())).error == "refused"
    path.standing = lambda caller: caller.model_copy(update={"role": "guest"})
    assert (await path.call_scheduled(START, caller_of())).error == "refused"
    path.standing = lambda caller: caller.model_copy(update={"role": "owner", "only": ()})
    assert (await path.call_scheduled(START, caller_of(role="guest"))).error == "refused"


async def test_the_rights_of_who_scheduled_it_survive_in_the_table(tmp_path: Path) -> None:
    from tools.tasks.schedules import Schedules

    with Store(tmp_path / "jarvis.db") as store:
        schedules = Schedules(store)
        schedules.add("start windows", "every day at 07:00", START, caller_of("vm:windows", role="member"))
        (one,) = schedules.all()
    assert (one.role, one.only, one.agreed) == ("member", ("vm:windows",), START)


# ── what is listed ────────────────────────────────────────────────────────────────────────────────────────────────────


def listed(setting: Setting, caller: Caller, **more: Any) -> set[str]:
    house = setting.house(**more)
    return {tool.name for tool in house.path.own_tools if house.access.may_ever(tool.name, tool.level, caller)}


def test_only_what_a_caller_may_ever_do_is_worth_listing(setting: Setting) -> None:
    looking = {"check_services", "check_alerts", "service_logs", "check_backups", "check_vms", "home_state",
               "list_tasks", "find_service"}  # fmt: skip
    assert listed(setting, caller_of()) == set(TOUCHES)
    assert listed(setting, caller_of(role="guest")) == looking
    assert listed(setting, caller_of(role="switcher"), roles={"switcher": {"may": "operate"}}) == set(TOUCHES)
    assert listed(setting, caller_of(role="guest", name="ben")) == looking | {"vm_power"}
    assert listed(setting, caller_of("vm:windows")) == {"check_vms", "vm_power", "schedule"}
    assert listed(setting, caller_of("tool:notify")) == {"notify"}
    assert listed(setting, caller_of("area:kitchen", role="guest")) == {"home_state"}
    assert listed(setting, caller_of(door=Door.MCP), access={"doors": {"mcp": "guest"}}) == looking


def test_tools_of_outside_servers_are_covered_by_their_server_or_their_own_name() -> None:
    access = Access()
    call = PlannedCall(tool="notes_add", level=Level.OPERATE)
    for grant, covered in (("server:notes", True), ("server:*", True), ("tool:notes_add", True), ("server:x", False)):
        caller = caller_of(grant)
        assert decide(call, caller, tainted=False, access=access, server="notes").allowed is covered
        assert access.may_ever("notes_add", Level.OPERATE, caller, "notes") is covered


async def test_a_tool_of_a_server_is_known_by_it(setting: Setting) -> None:
    from tests.fakes_tools import SwitchTool

    class Notes(SwitchTool):
        server_name = "notes"

    house = setting.house()
    path = RecordingPath((Notes(),), house._store, Outbox(Path("/nonexistent")), access=house.access)
    assert (await path.call("switch", {"thing": "lamp"}, caller_of("server:notes"))).ok
    assert not (await path.call("switch", {"thing": "lamp"}, caller_of("server:other"))).ok


def test_names_can_be_looked_through_for_a_caller() -> None:
    access = Access.of(settings_of(), NameIndex.from_settings(settings_of()))
    gamer = caller_of("vm:windows")
    assert access.may_see("vm", "windows", gamer)
    assert not access.may_see("vm", "endeavour", gamer)
    assert not access.may_see("service", "gitea", gamer)
    assert access.may_see("job", "photos", caller_of("backup:photos"))
    assert access.may_see("service", "gitea", caller_of())


# ── properties ────────────────────────────────────────────────────────────────────────────────────────────────────────

ROLES = {
    "switcher": {"may": "operate"},
    "gamer": {"may": "destructive", "protected": True, "only": ["vm:windows"]},
    "looker": {"may": "read", "only": ["service:gitea", "tool:list_tasks"]},
}
ROLE_NAMES = st.sampled_from(["guest", "member", "owner", "someone", *ROLES])
GRANTS = st.sampled_from([f"{kind}:{name}" for kind in KINDS for name in ("*", "windows", "gitea", "check_vms")])
CALLERS = st.builds(
    Caller,
    name=st.sampled_from(["anna", "ben"]),
    role=ROLE_NAMES,
    door=st.sampled_from(Door),
    room=st.sampled_from([None, "nursery", "kitchen"]),
    only=st.lists(GRANTS, max_size=2).map(tuple),
    speech=st.sampled_from(Speech),
)
CALLS = st.builds(
    PlannedCall,
    tool=st.sampled_from(["check_vms", "vm_power", "check_services", "list_tasks"]),
    arguments=st.sampled_from([{}, {"vm": "windows"}, {"service": "gitea"}]),
    level=st.sampled_from(Level),
    protected=st.booleans(),
    allowed=st.sampled_from([(), ("ben",)]),
)
CONFIGURED = st.sampled_from(["guest", "member", "owner", *ROLES])
ACCESS = st.fixed_dictionaries(
    {
        "doors": st.dictionaries(st.sampled_from(Door), CONFIGURED, max_size=3),
        "rooms": st.dictionaries(st.just("nursery"), CONFIGURED),
    }
)


@settings(max_examples=60)
@given(CALLS, CALLERS, ACCESS, st.lists(GRANTS, min_size=1, max_size=2).map(tuple), st.booleans())
def test_a_limit_or_a_ceiling_only_ever_takes_away(
    call: PlannedCall, caller: Caller, access: dict[str, Any], only: tuple[str, ...], confirmed: bool
) -> None:
    bounded = Access.of(settings_of(roles=ROLES, access=access))
    free = Access.of(settings_of(roles=ROLES, access={"doors": {"mcp": "owner"}}))
    unlimited = caller.model_copy(update={"only": ()})
    assert not _more(bounded.rights(caller), free.rights(caller))
    if decide(call, caller, tainted=False, confirmed=confirmed, access=bounded).allowed:
        assert decide(call, caller, tainted=False, confirmed=confirmed, access=free).allowed
        assert decide(call, unlimited, tainted=False, confirmed=confirmed, access=bounded).allowed
    if not caller.only and decide(call, caller.model_copy(update={"only": only}), tainted=False, access=free).allowed:
        assert decide(call, caller, tainted=False, access=free).allowed


@settings(max_examples=60)
@given(CALLS, CALLERS, ACCESS)
def test_what_is_listed_holds_all_that_may_be_done(call: PlannedCall, caller: Caller, access: dict[str, Any]) -> None:
    assume(call.tool != "vm_power" or call.level is not Level.READ)
    known = Access.of(settings_of(roles=ROLES, access=access))
    befriended = call.model_copy(update={"allowed": ("ben",) if call.tool == "vm_power" else ()})
    if decide(befriended, caller, tainted=False, confirmed=True, access=known).allowed:
        assert known.may_ever(call.tool, call.level, caller)


def _more(one: Rights, other: Rights) -> bool:
    return (not other.reaches(one.may)) or (one.protected and not other.protected)


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"access": {"doors": {"mcp": "boss"}}}, "access.doors.mcp"),
        ({"access": {"rooms": {"nursery": "boss"}}}, "access.rooms.nursery"),
        ({"access": {"tailscale_users": {"a@b": "boss"}}}, "access.tailscale_users.a@b"),
        ({"access": {"user_jwt_roles": {"role:admin": "boss"}}}, "access.user_jwt_roles.role:admin"),
        ({"roles": {"owner": {"may": "read"}}}, "roles.owner"),
    ],
)
def test_a_role_that_there_is_not_is_an_error_that_names_the_key(wrong: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError, match=key):
        settings_of(**wrong)


async def test_outcomes_tell_limited_callers_what_they_may(setting: Setting) -> None:
    outcome: CallOutcome = await setting.house().path.call("check_vms", {}, caller_of("vm:windows", "area:kitchen"))
    assert outcome.spoken == "That is not among what you may use here: the virtual machine windows and the kitchen."


def beyond(access: Access, *only: str) -> str:
    """What is said to somebody with these grants who asks what fires."""
    call = PlannedCall(tool="check_alerts")
    return access.beyond(call, caller_of(*only))


@pytest.mark.parametrize(
    ("only", "said"),
    [
        (("vm:windows",), "the virtual machine windows"),
        (("tool:check_vms",), "check vms"),
        (("service:web_shop", "area:kitchen"), "the service web_shop and the kitchen"),
        (("vm:*", "area:*", "device:*"), "virtual machines and the home"),
        (("device:a:b",), "the a:b"),
        (
            ("vm:a", "vm:b", "vm:c", "vm:d"),
            "the virtual machine a, the virtual machine b, the virtual machine c and the virtual machine d",
        ),
        (
            ("vm:a", "vm:b", "vm:c", "vm:d", "vm:e"),
            "the virtual machine a, the virtual machine b, the virtual machine c, the virtual machine d and more",
        ),
    ],
)
def test_a_refusal_says_what_one_may_use(only: tuple[str, ...], said: str) -> None:
    assert beyond(Access(settings_of()), *only) == f"That is not among what you may use here: {said}."


def test_who_is_named_a_guest_is_known_as_one_everywhere() -> None:
    access = Access(settings_of(guests=["ben"]))
    ben, phone = caller_of(name="ben"), caller_of()
    assert access.treated(ben) == ben.model_copy(update={"role": "guest"})
    assert access.treated(phone) == phone


@pytest.mark.parametrize("room", ["kitchen", "the kitchen", "my kitchen", "our kitchen", "Kitchen!", "galley"])
def test_a_room_is_that_room_whatever_it_is_called(room: str) -> None:
    settings = settings_of(access={"rooms": {"kitchen": "guest"}})
    access = Access(settings, NameIndex.from_settings(settings))
    assert access.rights(caller_of(room=room)).may is Level.READ
    assert access.rights(caller_of(room="nursery")).may is Level.DESTRUCTIVE


@pytest.mark.parametrize("room", ["tea room", "the tea room", "my tea room", "our tea room", "tearoom"])
def test_so_is_a_room_that_is_no_area(room: str) -> None:
    access = Access(settings_of(access={"rooms": {"the tea room": "guest"}}))
    assert access.rights(caller_of(room=room)).may is Level.READ
    assert access.rights(caller_of(room="tea")).may is Level.DESTRUCTIVE


@pytest.mark.parametrize(
    ("only", "left", "spoken"),
    [
        (("vm:windows", "vm:work"), ("windows", "work"), "Do you mean windows or work?"),
        (("vm:work",), ("work",), "Do you mean work?"),
        (("service:gitea",), (), "I know nothing of that name that you may use here."),
    ],
)
def test_a_question_back_names_only_what_one_may_use(only: tuple[str, ...], left: tuple[str, ...], spoken: str) -> None:
    asked = CallOutcome(
        ok=False,
        tool="vm_power",
        spoken="Do you mean windows, work or test?",
        candidates=("windows", "work", "test"),
        detail="vm:w:d",
    )
    found = Access(settings_of()).without_others(asked, caller_of(*only))
    assert (found.candidates, found.spoken) == (left, spoken)


def test_who_is_not_limited_is_asked_as_it_was() -> None:
    asked = CallOutcome(
        ok=False, tool="vm_power", spoken="Do you mean windows or work?", candidates=("windows", "work")
    )
    assert Access(settings_of()).without_others(asked, caller_of()) is asked
