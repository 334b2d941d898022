"""``home_control``: what is sent, what is asked first, and what is said of what is true afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes_home import Call, FakeHomeLink
from tests.tools.home.rooms import Tools, furnished
from tools.contract import Candidates, Level, PlannedCall
from tools.home.port import HomeError
from tools.home.tool import AWAY_S, NOT_CONNECTED, READY_S, HomeControl, HomeControlArguments
from tools.tool import InvalidArgumentsError, UnavailableError


@pytest.fixture
def tools() -> Tools:
    return Tools(furnished())


@pytest.mark.parametrize(
    ("target", "action", "more", "said"),
    [
        ("desk lamp", "on", {}, "The desk lamp in the office is on."),
        ("desk lamp", "set", {"value": 30}, "The desk lamp in the office is on, at 30 percent."),
        ("desk lamp", "set", {"value": "half"}, "The desk lamp in the office is on, at 50 percent."),
        ("lights", "off", {"area": "kitchen"}, "Both lights in the kitchen are off."),
        ("lights", "on", {}, "All four lights are on."),
        ("coffee machine", "start", {}, "The coffee machine in the kitchen is on."),
        ("blinds", "set", {"value": 40}, "The blinds in the living room are open, at 40 percent."),
        ("heating", "set", {"value": 21.5},
         "The heating in the living room is on, to heat, set to 21.5 degrees; it is 19.5 degrees there."),
        ("robot", "set", {"value": "dock"}, "The robot in the living room is on the way back."),
        ("movie night", "on", {}, "The Movie night has been switched on."),
        ("all", "off", {"area": "kitchen"}, "Everything in the kitchen is off."),
        ("fan", "set", {"value": "sleep", "area": "office"}, "The fan in the office is on, in sleep."),
    ],
)  # fmt: skip
async def test_what_is_true_afterwards_is_said_with_its_room(
    tools: Tools, target: str, action: str, more: dict[str, Any], said: str
) -> None:
    assert (await tools.done(target, action, **more)).spoken.casefold() == said.casefold()


async def test_everything_of_a_room_switches_what_can_be_switched_and_no_lock(tools: Tools) -> None:
    await tools.done("all", "off", area="kitchen")

    touched = {entity for call in tools.link.calls for entity in call.entities}
    assert touched == {"light.kitchen_ceiling", "light.counter", "switch.coffee"}


async def test_orders_that_are_alike_go_out_as_one(tools: Tools) -> None:
    await tools.done("lights", "off", area="downstairs")

    assert tools.link.calls == [Call("light", "turn_off", ("light.kitchen_ceiling", "light.counter"))]


@pytest.mark.parametrize(
    ("target", "action", "more", "said"),
    [
        ("counter lights", "set", {"value": 30}, "The counter lights in the kitchen can't be dimmed."),
        ("counter lights", "set", {"value": "red"}, "The counter lights in the kitchen can't show colours."),
        ("heating", "set", {"value": 90}, "The heating in the living room can only be set from 7 to 35 degrees."),
        ("kitchen shutter", "set", {"value": 30},
         "The shutter in the kitchen can only be opened or closed, and not half way."),
        ("office fan", "set", {"value": 30}, "The fan in the office can't run faster or slower."),
        ("temperature", "on", {"area": "kitchen"}, ""),
    ],
)  # fmt: skip
async def test_what_a_device_cannot_do_is_refused_before_anything_is_sent(
    tools: Tools, target: str, action: str, more: dict[str, Any], said: str
) -> None:
    planned = tools.planned(target, action, **more)
    if isinstance(planned, PlannedCall):
        with pytest.raises(UnavailableError) as refused:
            await tools.control.execute(planned)
        assert str(refused.value) == said
    else:
        assert planned.spoken.startswith("I know no thermostat")
    assert tools.link.calls == []


@pytest.mark.parametrize(
    ("target", "action", "more"),
    [
        ("front door", "unlock", {}),
        ("front door", "open", {}),
        ("garage", "open", {}),
        ("house alarm", "off", {}),
        ("house alarm", "set", {"value": "disarmed"}),
        ("gate opener", "on", {}),
        ("all", "off", {}),
        ("front door", "set", {"value": "unlocked"}),
    ],
)
def test_what_lets_somebody_in_is_destructive(tools: Tools, target: str, action: str, more: dict[str, Any]) -> None:
    planned = tools.planned(target, action, **more)

    assert isinstance(planned, PlannedCall)
    assert planned.level is Level.DESTRUCTIVE


@pytest.mark.parametrize(
    ("target", "action", "more"),
    [
        ("front door", "lock", {}),
        ("garage", "close", {}),
        ("house alarm", "on", {}),
        ("house alarm", "set", {"value": "night"}),
        ("gate opener", "off", {}),
        ("all", "off", {"area": "office"}),
        ("lights", "off", {}),
        ("blinds", "open", {}),
    ],
)
def test_the_rest_is_not(tools: Tools, target: str, action: str, more: dict[str, Any]) -> None:
    planned = tools.planned(target, action, **more)

    assert isinstance(planned, PlannedCall)
    assert planned.level is Level.OPERATE


async def test_a_device_that_does_not_follow_is_not_said_to_have(tools: Tools) -> None:
    tools.link.stubborn.add("light.desk")

    result = await tools.done("desk lamp", "on")

    assert result.spoken == "The desk lamp in the office is still off."


async def test_one_that_is_unavailable_is_named_beside_those_that_followed(tools: Tools) -> None:
    tools.link.becomes("light.counter", "unavailable")

    result = await tools.done("lights", "off", area="kitchen")

    assert result.spoken == "One of two lights in the kitchen is off; the counter lights in the kitchen don't answer."
    assert [finding.severity for finding in result.findings] == ["unknown"]


async def test_where_none_answers_nothing_is_sent(tools: Tools) -> None:
    tools.link.becomes("light.desk", "unavailable")

    with pytest.raises(UnavailableError, match=r"^The desk lamp in the office doesn't answer\.$"):
        await tools.done("desk lamp", "on")
    assert tools.link.calls == []


async def test_a_refusal_is_said_in_our_words_only(tools: Tools) -> None:
    tools.link.refuses["light.turn_on"] = HomeError("Home Assistant said no", said="<script>")

    with pytest.raises(UnavailableError, match=r"^That was not done: Home Assistant said no\.$"):
        await tools.done("desk lamp", "on")


async def test_a_connection_lost_on_the_way_leaves_it_open(tools: Tools) -> None:
    def lose(link: FakeHomeLink, _: Call) -> None:
        link.down = "Home Assistant is restarting"

    tools.link._effect = lose

    result = await tools.done("desk lamp", "on")

    assert result.spoken == "I sent it, but Home Assistant is restarting, so I can't tell what became of it."


async def test_while_the_home_is_away_nothing_is_believed(tools: Tools) -> None:
    tools.link.down = "Home Assistant is restarting"

    with pytest.raises(UnavailableError, match=r"^I can't reach the home: Home Assistant is restarting\.$"):
        await tools.done("desk lamp", "on")


async def test_a_home_that_is_not_configured_says_what_to_configure(tools: Tools) -> None:
    control = HomeControl(tools.home)
    call = control.plan(HomeControlArguments(target="desk lamp", action="on"))
    assert isinstance(call, PlannedCall)

    with pytest.raises(UnavailableError) as refused:
        await control.execute(call)
    assert str(refused.value) == NOT_CONNECTED


def test_of_several_rooms_it_is_asked_which(tools: Tools) -> None:
    asked = tools.planned("ceiling light", "on")

    assert isinstance(asked, Candidates)
    assert asked.spoken == "Which ceiling light: the one in the kitchen or office?"


@pytest.mark.parametrize("said", ["spot", "office ceiling light", "light.office_ceiling"])
def test_another_name_of_one_of_them_means_that_one(tools: Tools, said: str) -> None:
    planned = tools.planned(said, "on")

    assert isinstance(planned, PlannedCall)
    assert planned.arguments == {"target": "ceiling light", "area": "office", "action": "on"}


def test_a_value_is_needed_to_set(tools: Tools) -> None:
    with pytest.raises(InvalidArgumentsError, match="needed for set"):
        tools.planned("desk lamp", "set")


def test_what_is_not_exposed_is_not_known(tools: Tools) -> None:
    assert isinstance(tools.planned("hidden", "off"), Candidates)


async def test_names_follow_the_home(tools: Tools) -> None:
    entity = tools.link.entities["light.desk"]
    tools.link.add(type(entity)(id="light.new", name="Piano lamp", area="office"), tools.link.states["light.desk"])

    await tools.control.ready()

    assert isinstance(tools.planned("piano lamp", "on"), PlannedCall)
    assert tools.link.readied == 1


async def test_a_home_that_changed_since_the_yes_is_left_alone(tools: Tools) -> None:
    call = tools.planned("desk lamp", "on")
    assert isinstance(call, PlannedCall)
    del tools.link.entities["light.desk"]
    tools.link.version += 1
    tools.home.refresh(tools.link)

    with pytest.raises(UnavailableError, match="Home Assistant has no desk lamp any more"):
        await tools.control.execute(call)


async def test_a_home_that_stays_away_holds_nobody_up(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def ready(timeout_s: float) -> None:
        waits.append(timeout_s)

    monkeypatch.setattr(tools.link, "ready", ready)
    tools.link.down = "Home Assistant does not answer"
    await tools.control.ready()
    await tools.control.ready()
    tools.link.down = ""
    await tools.control.ready()
    await tools.control.ready()

    assert waits == [READY_S, AWAY_S, AWAY_S, READY_S]
