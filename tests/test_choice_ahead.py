"""The model may begin to choose while the person pauses; nothing comes of it before the utterance is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from assistant.conversation import Conversation
from assistant.errors import ChatError
from assistant.events import ModelDelta, Narrowed, ReplySentence, ToolCalled
from assistant.model_turn import ChoiceAhead
from assistant.narrowing.narrower import Narrower
from assistant.narrowing.router import Router
from assistant.ports import Engine, Foresight, ModelReply, ReplyEvent, ToolDescription, Words
from assistant.reply import Reply
from tests.fakes import FakeChatModel, FakeMatcher, FakeToolbox, understanding
from tests.fakes_reply import CALLER, good
from tests.planned import homelab_names
from tools.contract import JsonObject
from tools.recording import evaluation_clock

TEXT = "prove to me that the photos can come back"
NARROWER = Narrower(homelab_names(), Router(None), evaluation_clock)
FIRST = NARROWER.narrow(TEXT, None).candidates[0].call


@dataclass
class Slow(FakeChatModel):
    """Answers when it is let go."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    broken_off: asyncio.Event = field(default_factory=asyncio.Event)

    async def complete(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[ToolDescription],
        *,
        seed: int | None = None,
        temperature: float = 0.0,
        schema: JsonObject | None = None,
    ) -> AsyncGenerator[ModelDelta | ModelReply, None]:
        self.began.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.broken_off.set()
            raise
        async for piece in super().complete(messages, tools, seed=seed, temperature=temperature, schema=schema):
            yield piece


def made(model: FakeChatModel | None) -> tuple[Reply, FakeToolbox]:
    outcome = good(FIRST.tool, "It was restored.", job="photos")
    toolbox = FakeToolbox({FIRST.tool: outcome}, (), homelab_names())
    return Reply(understanding(FakeMatcher({}), NARROWER), model, toolbox), toolbox


async def foreseen(reply: Reply, text: str = TEXT, engine: Engine = "both") -> Foresight:
    return await reply.foresee(text, Conversation(), CALLER, engine)


async def replied(reply: Reply, seen: Foresight) -> list[ReplyEvent]:
    return [event async for event in reply.reply(TEXT, Conversation(), CALLER, "both", seen)]


async def test_the_choice_that_was_begun_is_the_replys_and_is_asked_for_once() -> None:
    model = Slow([ModelReply(text='{"choice": 1}')])
    reply, toolbox = made(model)
    seen = await foreseen(reply)
    await asyncio.wait_for(model.began.wait(), 5)
    assert seen.words is Words.OPEN
    assert toolbox.calls == []
    model.go.set()
    events = await replied(reply, seen)
    assert [type(event) for event in events if isinstance(event, Narrowed | ToolCalled | ReplySentence)] == [
        Narrowed,
        ToolCalled,
        ReplySentence,
    ]
    assert len(model.asked) == 1
    assert [call[0] for call in toolbox.calls] == [FIRST.tool]


async def test_a_choice_that_is_made_acts_on_nothing_by_itself() -> None:
    model = FakeChatModel([ModelReply(text='{"choice": 1}')])
    reply, toolbox = made(model)
    seen = await foreseen(reply)
    assert isinstance(seen.choice, ChoiceAhead)
    chosen, _ = await seen.choice.choice
    assert chosen is not None
    assert (chosen.call, toolbox.calls) == (FIRST, [])


async def test_when_the_person_goes_on_the_model_stops() -> None:
    model = Slow([])
    reply, _ = made(model)
    seen = await foreseen(reply)
    await asyncio.wait_for(model.began.wait(), 5)
    seen.drop()
    await asyncio.wait_for(model.broken_off.wait(), 5)
    assert model.asked == []


async def test_what_fails_ahead_fails_the_reply_and_nothing_else() -> None:
    down = ChatError("unreachable", "no route")
    reply, _ = made(FakeChatModel([down, down]))
    await foreseen(reply)  # nobody comes for it
    with pytest.raises(ChatError, match="no route"):
        await replied(reply, await foreseen(reply))


@pytest.mark.parametrize(
    ("text", "engine"),
    [
        ("prove to me that the", "both"),  # it breaks off
        ("never mind the photos", "both"),  # nobody asks for anything
        ("if the photos were gone what would you do", "both"),
        (TEXT, "sentences"),
        (TEXT, "model"),
        (TEXT, "bare"),
    ],
)
async def test_where_the_model_will_not_choose_it_is_not_asked_ahead(text: str, engine: Engine) -> None:
    model = FakeChatModel([])
    reply, _ = made(model)
    assert (await foreseen(reply, text, engine)).choice is None


async def test_without_a_model_nothing_is_begun() -> None:
    reply, _ = made(None)
    assert (await foreseen(reply)).choice is None
