"""The chat model that there is: chosen once, when it is first needed, and anew when it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from assistant.chat.chosen import ChosenModel
from assistant.errors import ChatError, ModelFilesError
from assistant.events import ModelDelta
from assistant.ports import ModelReply, ToolDescription
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
class Choice:
    """Gives these models one after another; ``may`` lets it go on."""

    models: Sequence[Model]
    asked: int = 0
    may: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self) -> Model:
        self.asked += 1
        await self.may.wait()
        return self.models[self.asked - 1]


def chosen_from(*models: Model) -> tuple[ChosenModel, Choice]:
    choice = Choice(models)
    choice.may.set()
    return ChosenModel(choice), choice


async def answer(model: ChosenModel) -> str:
    return "".join([piece.text async for piece in model.complete([], []) if isinstance(piece, ModelDelta)])


async def test_nothing_is_chosen_before_it_is_needed() -> None:
    model, choice = chosen_from(Model("a"))
    assert model.name == "–"
    await model.close()
    assert choice.asked == 0


async def test_it_is_chosen_once_for_all_who_need_it_at_the_same_time() -> None:
    model, choice = chosen_from(Model("a"), Model("b"))
    choice.may.clear()
    asking = [asyncio.create_task(answer(model)) for _ in range(3)]
    warming = asyncio.create_task(model.warm([], []))
    await asyncio.sleep(0)
    choice.may.set()
    assert await asyncio.gather(*asking) == ["a", "a", "a"]
    await warming
    assert (choice.asked, model.name) == (1, "a")


@pytest.mark.parametrize("by", ["complete", "warm"])
async def test_a_server_that_is_gone_is_closed_and_another_is_chosen_next_time(by: str) -> None:
    first, second = Model("a", DOWN), Model("b")
    model, choice = chosen_from(first, second)
    with pytest.raises(ChatError, match="Nobody answers"):
        await (answer(model) if by == "complete" else model.warm([], []))
    assert first.closed == 1
    assert await answer(model) == "b"
    assert choice.asked == 2


@pytest.mark.parametrize("by", ["complete", "warm"])
async def test_any_other_error_keeps_the_model(by: str) -> None:
    first = Model("a", SLOW)
    model, choice = chosen_from(first, Model("b"))
    with pytest.raises(ChatError, match="too long"):
        await (answer(model) if by == "complete" else model.warm([], []))
    first.error = None
    assert await answer(model) == "a"
    assert (first.closed, choice.asked) == (0, 1)


async def test_missing_model_files_are_a_chat_error_with_the_mend_and_are_looked_for_again() -> None:
    found: list[Model] = []

    async def choose() -> Model:
        if not found:
            raise ModelFilesError("missing", "qwen.gguf is not there.", mend="Run `jarvis models pull`.")
        return found[0]

    model = ChosenModel(choose)
    with pytest.raises(ChatError) as failed:
        await answer(model)
    assert (failed.value.code, failed.value.mend) == ("model_files_missing", "Run `jarvis models pull`.")
    found.append(Model("a"))
    assert await answer(model) == "a"


async def test_whoever_stops_listening_stops_the_model_at_once() -> None:
    inner = Model("a")
    model, _ = chosen_from(inner)
    pieces = model.complete([], [])
    assert isinstance(await anext(pieces), ModelDelta)
    await pieces.aclose()
    assert inner.stopped == 1


async def test_closing_closes_the_model_once_also_one_that_is_just_being_chosen() -> None:
    inner = Model("a")
    model, choice = chosen_from(inner)
    choice.may.clear()
    warming = asyncio.create_task(model.warm([], []))
    await asyncio.sleep(0)
    closing = asyncio.create_task(model.close())
    await asyncio.sleep(0)
    choice.may.set()
    await asyncio.gather(warming, closing)
    await model.close()
    assert inner.closed == 1
    assert model.name == "–"
