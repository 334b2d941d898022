"""Who answers as the chat model: the server that is there, the embedded model in its place, and what is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from assistant.chat.chain import LOOK_AGAIN_S, ModelChain
from assistant.errors import ChatError, EgressError, ModelFilesError, Stage
from assistant.events import ModelDelta
from assistant.ports import ModelReply, ToolDescription
from tools.breaker import LONGEST_REST_S, REST_S
from tools.contract import JsonObject

DOWN = ChatError("model_server_down", "Nobody answers.")
SLOW = ChatError("model_slow", "It takes too long.")


@dataclass
class Model:
    """Says its name, or fails; ``stopped`` counts answers that were not read to their end."""

    name: str
    error: ChatError | None = None
    closed: int = 0
    stopped: int = 0
    warmed: int = 0
    breaks_off: ChatError | None = None

    async def complete(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[ToolDescription],
        *,
        seed: int | None = None,
        temperature: float = 0.0,
        schema: JsonObject | None = None,
    ) -> AsyncGenerator[ModelDelta | ModelReply, None]:
        if self.error:
            raise self.error
        try:
            yield ModelDelta(text=self.name)
            if self.breaks_off:
                raise self.breaks_off
            yield ModelReply(text=self.name)
        except GeneratorExit:
            self.stopped += 1
            raise

    async def warm(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[ToolDescription]) -> None:
        if self.error:
            raise self.error
        self.warmed += 1

    async def close(self) -> None:
        self.closed += 1


@dataclass
class House:
    """Servers that are found one after another (an error is raised), an embedded model, a clock that stands still."""

    servers: list[Model | ChatError | EgressError | None]
    embedded: Model | None = field(default_factory=lambda: Model("small"))
    looked: int = 0
    made: int = 0
    now: float = 0.0
    may: asyncio.Event | None = None

    async def find(self) -> Model | None:
        self.looked += 1
        if self.may is not None:
            await self.may.wait()
        found = self.servers[min(self.looked, len(self.servers)) - 1]
        if isinstance(found, ChatError | EgressError):
            raise found
        return found

    def make(self) -> Model:
        self.made += 1
        if self.embedded is None:
            raise ModelFilesError("missing", "small.gguf is not there.", mend="Run `jarvis models pull`.")
        return self.embedded

    def chain(self) -> ModelChain:
        return ModelChain(self.find, self.make, lambda: self.now)


async def reply_of(chain: ModelChain) -> ModelReply:
    [reply] = [piece async for piece in chain.complete([], []) if isinstance(piece, ModelReply)]
    return reply


async def test_nothing_is_looked_for_before_it_is_needed() -> None:
    house = House([Model("big")])
    chain = house.chain()
    assert chain.name == "–"
    await chain.close()
    assert (house.looked, house.made) == (0, 0)


async def test_a_server_is_looked_for_once_for_all_who_need_it_at_the_same_time() -> None:
    house = House([Model("big"), Model("other")], may=asyncio.Event())
    chain = house.chain()
    asking = [asyncio.create_task(reply_of(chain)) for _ in range(3)]
    warming = asyncio.create_task(chain.warm([], []))
    await asyncio.sleep(0)
    assert house.may is not None
    house.may.set()
    assert [reply.text for reply in await asyncio.gather(*asking)] == ["big"] * 3
    await warming
    assert (house.looked, house.made, chain.name) == (1, 0, "big")


async def test_where_no_server_is_found_the_embedded_model_answers_and_nobody_fell() -> None:
    house = House([None])
    reply = await reply_of(house.chain())
    assert (reply.text, reply.fallen) == ("small", None)


async def test_a_server_that_is_started_later_is_found_and_the_embedded_model_gives_its_memory_back() -> None:
    small = Model("small")
    house = House([None, Model("big")], small)
    chain = house.chain()
    assert (await reply_of(chain)).text == "small"
    house.now = LOOK_AGAIN_S
    assert (await reply_of(chain)).text == "big"
    assert small.closed == 1


@pytest.mark.parametrize("first", [Model("big", DOWN), Model("big", SLOW), DOWN])
async def test_the_embedded_model_answers_for_a_server_that_fails_and_says_so(first: Model | ChatError) -> None:
    reply = await reply_of(House([first]).chain())
    assert reply.text == "small"
    assert reply.fallen is not None
    assert reply.fallen.model == "small"
    failed = first.error if isinstance(first, Model) else first
    assert failed is not None
    assert (reply.fallen.code, reply.fallen.detail) == (failed.code, failed.detail)


async def test_a_server_outside_the_house_is_a_failure_of_the_stage_and_is_not_fallen_back_from() -> None:
    house = House([EgressError("egress_refused", "model.example is outside.", mend="Add it to `allow_hosts`.")])
    chain = house.chain()
    for _ in range(2):
        with pytest.raises(ChatError, match="allow_hosts") as failed:
            await reply_of(chain)
        assert (failed.value.stage, failed.value.code) == (Stage.MODEL, "egress_refused")
    with pytest.raises(ChatError, match="allow_hosts"):
        await chain.warm([], [])
    assert (house.made, chain.breaker.state) == (0, "closed")


async def test_a_server_that_failed_rests_is_closed_and_is_asked_again_afterwards() -> None:
    big = Model("big", DOWN)
    house = House([big, Model("back")])
    chain = house.chain()
    assert (await reply_of(chain)).fallen is not None
    house.now = REST_S - 1
    second = await reply_of(chain)
    assert (second.text, second.fallen is not None, house.looked, big.closed) == ("small", True, 1, 1)
    house.now = REST_S
    third = await reply_of(chain)
    assert (third.text, third.fallen) == ("back", None)


async def test_a_server_that_keeps_failing_rests_twice_as_long_each_time_but_is_asked_again() -> None:
    house = House([DOWN])
    chain = house.chain()
    asked_at = []
    while house.now < 10 * LONGEST_REST_S:
        before = house.looked
        await reply_of(chain)
        asked_at += [house.now] * (house.looked - before)
        house.now += 1.0
    rests = [later - earlier for earlier, later in pairwise(asked_at)]
    assert rests[:5] == [5.0, 10.0, 20.0, 40.0, 80.0]
    assert set(rests[5:]) == {LONGEST_REST_S}
    house.servers = [Model("back")]
    house.now += LONGEST_REST_S
    assert (await reply_of(chain)).text == "back"
    assert chain.breaker.state == "closed"


async def test_while_one_turn_finds_out_whether_the_server_is_back_others_are_answered_at_once() -> None:
    house = House([DOWN, Model("back")])
    chain = house.chain()
    await reply_of(chain)
    house.now, house.may = REST_S, asyncio.Event()
    finding = asyncio.create_task(reply_of(chain))
    await asyncio.sleep(0)
    assert chain.breaker.state == "half-open"
    assert (await asyncio.wait_for(reply_of(chain), 20)).text == "small"
    house.may.set()
    assert (await finding).text == "back"


async def test_a_request_that_was_at_fault_itself_does_not_make_the_server_rest() -> None:
    big = Model("big", ChatError("context_overflow", "Too long."))
    chain = House([big]).chain()
    assert (await reply_of(chain)).text == "small"
    big.error = None
    assert (await reply_of(chain)).text == "big"


async def test_half_an_answer_that_was_shown_is_not_answered_again() -> None:
    chain = House([Model("big", breaks_off=DOWN)]).chain()
    with pytest.raises(ChatError, match="Nobody answers"):
        [piece async for piece in chain.complete([], [])]


async def test_half_a_choice_is_made_by_the_embedded_model_since_nothing_was_shown() -> None:
    chain = House([Model("big", breaks_off=DOWN)]).chain()
    pieces = [piece async for piece in chain.complete([], [], schema={"type": "object"})]
    assert [getattr(piece, "text", "") for piece in pieces if isinstance(piece, ModelReply)] == ["small"]


async def test_without_the_embedded_models_files_the_servers_failure_is_told() -> None:
    with pytest.raises(ChatError) as failed:
        await reply_of(House([DOWN], embedded=None).chain())
    assert (failed.value.code, failed.value.detail) == (DOWN.code, DOWN.detail)


async def test_missing_files_are_a_chat_error_with_the_mend_and_are_looked_for_again() -> None:
    house = House([None], embedded=None)
    chain = house.chain()
    with pytest.raises(ChatError) as failed:
        await reply_of(chain)
    assert (failed.value.code, failed.value.mend) == ("model_files_missing", "Run `jarvis models pull`.")
    house.embedded = Model("small")
    assert (await reply_of(chain)).text == "small"


async def test_when_both_fail_both_are_told() -> None:
    with pytest.raises(ChatError, match=r"Nobody answers\. It takes too long\.") as failed:
        await reply_of(House([DOWN], Model("small", SLOW)).chain())
    assert failed.value.code == "model_slow"


async def test_warming_warms_the_one_that_would_answer() -> None:
    big, small = Model("big"), Model("small")
    house = House([big], small)
    chain = house.chain()
    await chain.warm([], [])
    assert (big.warmed, small.warmed) == (1, 0)
    big.error = DOWN
    await chain.warm([], [])
    assert (big.warmed, small.warmed) == (1, 1)


async def test_whoever_stops_listening_stops_the_model_at_once() -> None:
    big = Model("big")
    pieces = House([big]).chain().complete([], [])
    assert isinstance(await anext(pieces), ModelDelta)
    await pieces.aclose()
    assert big.stopped == 1


async def test_closing_closes_what_was_opened_once_also_a_server_that_is_just_being_found() -> None:
    big, small = Model("big", DOWN), Model("small")
    chain = House([big], small).chain()
    await reply_of(chain)
    await chain.close()
    await chain.close()
    assert (big.closed, small.closed) == (1, 1)

    house = House([other := Model("other")], may=asyncio.Event())
    chain = house.chain()
    finding = asyncio.create_task(chain.warm([], []))
    await asyncio.sleep(0)
    closing = asyncio.create_task(chain.close())
    assert house.may is not None
    house.may.set()
    await asyncio.gather(finding, closing)
    assert other.closed == 1
