"""Questions that wait for an answer, over the real call path: a yes does one thing once, anything else nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from assistant.calls import CHOICE_S
from assistant.conversation import Conversation
from assistant.events import ToolCalled
from assistant.phrases import phrase
from tests.fakes import FakeChatModel
from tests.rehearsal import Happened, Rehearsed, house_settings, talking_to
from tools.contract import Caller, Door
from tools.recording import RecordingHouse

RESTART = ("service_power", {"service": "gitea", "action": "restart"})
STOP = ("service_power", {"service": "jellyfin", "action": "stop"})


@dataclass
class Talk:
    """One conversation with the house; its clock stands still until it is moved."""

    house: Rehearsed
    now: float = 0.0
    conversation: Conversation = field(init=False)

    def __post_init__(self) -> None:
        self.conversation = Conversation(clock=lambda: self.now)

    async def say(self, text: str) -> Happened:
        return await self.house.say(text, self.conversation, "sentences")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Rehearsed]:
    with RecordingHouse(house_settings(), tmp_path) as recording:
        async with talking_to(recording, FakeChatModel()) as rehearsed:
            yield rehearsed


@pytest.fixture
def talk(house: Rehearsed) -> Talk:
    return Talk(house)


def done(happened: Happened) -> list[tuple[str, dict[str, object]]]:
    return [(call.tool, call.arguments) for call in happened.acts]


def asked(happened: Happened) -> list[tuple[str, dict[str, object]]]:
    return [(call.tool, call.arguments) for call in happened.asked]


# ── yes and no ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_destructive_order_is_read_back_and_not_done(talk: Talk) -> None:
    first = await talk.say("restart gitea")
    assert (done(first), asked(first), first.open_question) == ([], [RESTART], True)
    assert "gitea" in first.said[-1]
    assert first.said[-1].endswith("?")


@pytest.mark.parametrize("text", ["yes", "Yes, please.", "do it", "go ahead", "sure", "yes, restart gitea"])
async def test_a_yes_does_it_exactly_once(talk: Talk, text: str) -> None:
    await talk.say("restart gitea")
    assert done(await talk.say(text)) == [RESTART]
    again = await talk.say("yes")
    assert (done(again), asked(again), again.said) == ([], [], [phrase("nothing_asked")])


async def test_whoever_decided_the_yes_is_on_the_record(talk: Talk) -> None:
    await talk.say("restart gitea")
    caller = Caller(door=Door.MICROPHONE, turn_id="yes")
    async with aclosing(talk.house.reply.reply("yes", talk.conversation, caller, "sentences")) as stream:
        sources = [event.source async for event in stream if isinstance(event, ToolCalled)]
    assert sources == ["confirmation"]


@pytest.mark.parametrize("text", ["no", "No, thank you.", "nope", "cancel", "no, the kids are watching", "don't"])
async def test_a_no_drops_it_for_good(talk: Talk, text: str) -> None:
    await talk.say("restart gitea")
    dropped = await talk.say(text)
    assert (done(dropped), dropped.said) == ([], [phrase("confirmation_dropped")])
    assert done(await talk.say("yes")) == []


@pytest.mark.parametrize(
    "text",
    [
        "is jellyfin up?",
        "are you sure?",
        "what time is it?",
        "she said yes",
        "yes, but not now",
        "yes, and stop jellyfin, too",
        "turn on the desk lamp",
        "tell me a joke",
        "thank you",
    ],
)
async def test_any_other_utterance_cancels_it(talk: Talk, text: str) -> None:
    await talk.say("restart gitea")
    assert RESTART not in done(await talk.say(text))
    assert done(await talk.say("yes")) in ([], [STOP])


async def test_a_yes_to_something_else_asks_about_that(talk: Talk) -> None:
    await talk.say("unlock the front door")
    other = await talk.say("yes, restart gitea")
    assert (done(other), asked(other)) == ([], [RESTART])
    assert done(await talk.say("yes")) == [RESTART]


async def test_a_late_yes_is_refused_and_says_so(talk: Talk) -> None:
    await talk.say("restart gitea")
    pending = talk.conversation.pending
    assert pending is not None
    assert 0 < pending.expires_at <= 30  # by voice
    talk.now = pending.expires_at
    late = await talk.say("yes")
    assert (done(late), late.said) == ([], [phrase("confirmation_late")])
    assert done(await talk.say("yes")) == []


async def test_a_yes_in_another_conversation_is_none(house: Rehearsed) -> None:
    mine, yours = Talk(house), Talk(house)
    await mine.say("restart gitea")
    assert done(await yours.say("yes")) == []
    assert done(await mine.say("yes")) == [RESTART]


async def test_a_nonce_that_was_used_does_nothing_again(talk: Talk) -> None:
    await talk.say("restart gitea")
    pending = talk.conversation.pending
    assert done(await talk.say("yes")) == [RESTART]
    talk.conversation.pending = pending  # as if the question were still open
    replayed = await talk.say("yes")
    assert done(replayed) == []


async def test_a_nonce_is_good_for_its_own_call_alone(talk: Talk) -> None:
    await talk.say("stop jellyfin")
    other = talk.conversation.pending
    await talk.say("restart gitea")
    mine = talk.conversation.pending
    assert other is not None
    assert mine is not None
    talk.conversation.pending = type(mine)(other.nonce, mine.call, mine.question, mine.expires_at)
    assert done(await talk.say("yes")) == []


# ── several ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_two_that_want_a_yes_are_asked_one_after_the_other(talk: Talk) -> None:
    first = await talk.say("restart gitea and stop jellyfin")
    assert (done(first), len(first.said)) == ([], 1)
    assert "gitea" in first.said[0]
    second = await talk.say("yes")
    assert (done(second), asked(second), second.open_question) == ([RESTART], [STOP], True)
    assert done(await talk.say("yes")) == [STOP]
    assert done(await talk.say("yes")) == []


async def test_a_no_to_the_first_leaves_the_second_undone_too(talk: Talk) -> None:
    await talk.say("restart gitea and stop jellyfin")
    assert done(await talk.say("no")) == []
    assert done(await talk.say("yes")) == []


async def test_what_needs_no_yes_is_done_before_the_question(talk: Talk) -> None:
    first = await talk.say("turn on the desk lamp and restart gitea")
    assert [tool for tool, _ in done(first)] == ["home_control"]
    assert first.open_question
    assert done(await talk.say("yes")) == [RESTART]


# ── which one ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("answer", "area"),
    [("kitchen", "kitchen"), ("the kitchen one", "kitchen"), ("The bedroom, please.", "bedroom"),
     ("the first one", "living room"), ("the last one", "bedroom")],
)  # fmt: skip
async def test_a_question_back_is_answered_by_name(talk: Talk, answer: str, area: str) -> None:
    first = await talk.say("turn on the ceiling light")
    assert done(first) == []
    assert "Which ceiling light" in first.said[-1]
    ((tool, arguments),) = done(await talk.say(answer))
    assert (tool, arguments) == ("home_control", {"target": "ceiling light", "area": area, "action": "on"})


@pytest.mark.parametrize("answer", ["yes", "the attic", "neither", "is gitea up", "never mind"])
async def test_what_names_none_of_those_offered_does_nothing(talk: Talk, answer: str) -> None:
    await talk.say("turn on the ceiling light")
    assert done(await talk.say(answer)) == []
    assert talk.conversation.choice is None


async def test_a_question_back_is_open_for_a_minute(talk: Talk) -> None:
    await talk.say("turn on the ceiling light")
    talk.now = CHOICE_S
    await talk.say("the first one")
    assert talk.conversation.choice is None
    talk.now = 0.0
    assert done(await talk.say("the first one")) == []


async def test_saying_which_one_is_no_yes_to_it(tmp_path: Path) -> None:
    settings = house_settings()
    garden = settings.areas["garden"]
    locked = garden.model_copy(update={"devices": (*garden.devices, "front door lock")})
    two_locks = settings.model_copy(update={"areas": {**settings.areas, "garden": locked}})
    with RecordingHouse(two_locks, tmp_path) as recording:
        async with talking_to(recording, FakeChatModel()) as rehearsed:
            talk = Talk(rehearsed)
            assert done(await talk.say("unlock the front door")) == []
            chosen = await talk.say("the garden")
            assert (done(chosen), len(asked(chosen)), chosen.open_question) == ([], 1, True)
            ((_, arguments),) = done(await talk.say("yes"))
            assert arguments == {"target": "front door lock", "area": "garden", "action": "unlock"}
