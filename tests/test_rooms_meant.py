"""What is said in a room: "the light" is the one there, "all lights" are the house's (tests/home/rooms.jsonl)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from assistant.conversation import Conversation
from tests.fakes import FakeChatModel
from tests.rehearsal import Happened, Rehearsed, house_settings, talking_to
from tools.contract import Door
from tools.recording import RecordingHouse

LINES: list[dict[str, Any]] = [
    json.loads(line) for line in (Path(__file__).parent / "home" / "rooms.jsonl").read_text().splitlines()
]


@asynccontextmanager
async def talking(folder: Path) -> AsyncIterator[Rehearsed]:
    with RecordingHouse(house_settings(), folder) as recording:
        async with talking_to(recording, FakeChatModel()) as house:
            yield house


async def said(house: Rehearsed, room: str | None, *texts: str) -> Happened:
    """What the last of these came to, said one after another in that room."""
    conversation = Conversation()
    happened = Happened()
    for text in texts:
        happened = await house.say(text, conversation, "sentences", Door.SATELLITE, room)
    return happened


def calls(happened: Happened) -> list[list[Any]]:
    """Tool and canonical arguments of each."""
    return [[one.tool, one.arguments] for one in (*happened.acts, *happened.read, *happened.asked)]


def test_the_set_is_large_and_of_many_rooms() -> None:
    assert len(LINES) >= 60
    assert len({line["room"] for line in LINES}) >= 6
    assert len({(line["text"], line["room"]) for line in LINES}) == len(LINES)


async def test_in_each_room_the_words_mean_the_calls_that_stand_beside_them(tmp_path: Path) -> None:
    wrong = []
    async with talking(tmp_path) as house:
        for line in LINES:
            happened = await said(house, line["room"], line["text"])
            asked_which = [one.result["error"] for one in happened.refused] == ["ambiguous_name"]
            right = (calls(happened) == line["calls"] and bool(happened.asked) == line.get("asks", False)) or (
                line.get("candidates", False) and asked_which and not calls(happened)
            )
            if not right:
                wrong.append((line["room"], line["text"], calls(happened), happened.said))

    assert wrong == []


async def test_what_follows_is_for_what_was_meant_before(tmp_path: Path) -> None:
    async with talking(tmp_path) as house:
        here = await said(house, "kitchen", "turn on the lights", "off again")
        everywhere = await said(house, "kitchen", "turn on all the lights", "off again")
        elsewhere = await said(house, "kitchen", "turn on the lights", "and the bedroom")

    assert calls(here) == [["home_control", {"target": "lights", "area": "kitchen", "action": "off"}]]
    assert calls(everywhere) == [["home_control", {"target": "lights", "action": "off"}]]
    assert calls(elsewhere) == [["home_control", {"target": "lights", "area": "bedroom", "action": "on"}]]


async def test_a_yes_is_for_what_was_read_back_and_for_no_room_besides(tmp_path: Path) -> None:
    async with talking(tmp_path) as house:
        house_wide = await said(house, "kitchen", "turn off everything in the house", "yes")
        asked = await said(house, "kitchen", "open the garage door and turn off all the lights")
        both = await said(house, "kitchen", "open the garage door and turn off the lights", "yes")

    assert calls(house_wide) in ([["home_control", {"target": "all", "action": "off"}]], [])
    assert ["home_control", {"target": "lights", "action": "off"}] in calls(asked)
    assert calls(both) == [["home_control", {"target": "garage door", "area": "garage", "action": "open"}]]


async def test_before_the_house_is_acted_on_for_want_of_it_here_one_is_asked(tmp_path: Path) -> None:
    async with talking(tmp_path) as house:
        asked = await said(house, "hall", "turn off the lights")
        looked = await said(house, "hall", "are the lights on?")
        answered = await said(house, "hall", "turn off the lights", "yes")

    assert asked.said == ["Shall I turn off all lights in the whole house?"]
    assert looked.said != asked.said
    assert calls(answered) == [["home_control", {"target": "lights", "action": "off"}]]


async def test_which_one_is_asked_only_where_the_room_has_none(tmp_path: Path) -> None:
    async with talking(tmp_path) as house:
        asked = await said(house, "office", "turn on the ceiling light")
        answered = await said(house, "office", "turn on the ceiling light", "the kitchen")

    assert asked.said == ["Which ceiling light: the one in the living room, kitchen or bedroom?"]
    assert calls(answered) == [["home_control", {"target": "ceiling light", "area": "kitchen", "action": "on"}]]
