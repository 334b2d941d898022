"""Of which answers the beginning is certain, and that the model goes on with it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from assistant.chat.begun_answer import beginning, with_beginning
from assistant.chat.embedded import EmbeddedModel
from assistant.errors import ChatError
from assistant.events import ModelDelta
from assistant.ports import ModelReply
from tests.chat.test_embedded import DEFAULT, embedded
from tools.contract import JsonObject

CHOICE: JsonObject = {
    "type": "object",
    "properties": {"choice": {"type": "integer", "enum": [0, 1]}},
    "required": ["choice"],
    "additionalProperties": False,
}
TWO: JsonObject = {
    "type": "object",
    "properties": {"choice": {"type": "integer", "enum": [0, 1]}, "sure": {"type": "boolean"}},
    "required": ["choice", "sure"],
    "additionalProperties": False,
}
ASKED = [
    {"role": "system", "content": "Answer with the number of the option that does what was asked, as JSON."},
    {"role": "user", "content": "Said: revive minecraft\nWhich one is meant?\n1. start minecraft\n0. none of these"},
]


def test_of_an_object_with_one_property_the_beginning_is_certain() -> None:
    assert beginning(CHOICE) == '{ "choice": '
    assert json.loads(beginning({**CHOICE, "properties": {'a "b"': {}}, "required": ['a "b"']}) + "1 }") == {'a "b"': 1}


@pytest.mark.parametrize(
    "other",
    [
        None,
        {},
        TWO,
        {**CHOICE, "required": []},
        {**CHOICE, "required": "choice"},
        {**CHOICE, "properties": ["choice"]},
        {"type": "integer", "enum": [0, 1]},
    ],
)
def test_of_any_other_it_is_not(other: JsonObject | None) -> None:
    assert beginning(other) == ""
    assert with_beginning(ASKED, beginning(other)) == ASKED


@pytest.mark.real_models
async def test_the_model_goes_on_with_it_and_writes_the_rest(models_dir: Path, tmp_path: Path) -> None:
    async with embedded(models_dir / DEFAULT, tmp_path) as model:
        [begun] = [piece async for piece in model.complete(ASKED, (), seed=1, schema=CHOICE)]
        *_, whole = [piece async for piece in model.complete(ASKED, (), seed=1, schema=TWO)]
    assert isinstance(begun, ModelReply)
    assert isinstance(whole, ModelReply)
    assert json.loads(begun.text) == {"choice": 1}
    assert json.loads(whole.text)["choice"] == 1
    assert begun.tokens_out is not None
    assert begun.tokens_out <= 3, "the number, the brace and the end"


class _Refusing:
    """A server that goes on with no answer: every request whose last message is the assistant's is an error."""

    def __init__(self, failures: int = 0) -> None:
        self.asked: list[str] = []
        self._failures = failures

    async def complete(self, messages: list[dict[str, str]], *_: object, **__: object) -> AsyncIterator[object]:
        self.asked.append(messages[-1]["role"])
        if self._failures:
            self._failures -= 1
            raise ChatError("model_error", "The server is out of slots.")
        if messages[-1]["role"] == "assistant":
            raise ChatError("model_error", "Assistant response prefill is incompatible with enable_thinking.")
        yield ModelDelta(text='{"choice": 1}')
        yield ModelReply('{"choice": 1}')


@pytest.fixture
def asked_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[_Refusing], EmbeddedModel]:
    """The embedded model, its child being this server."""

    def made(server: _Refusing) -> EmbeddedModel:
        (tmp_path / "some.gguf").write_bytes(b"GGUF")
        model = embedded(tmp_path / "some.gguf", tmp_path)

        async def ready(_: EmbeddedModel) -> _Refusing:
            return server

        async def never(_: float) -> bool:
            return False

        monkeypatch.setattr(EmbeddedModel, "_ready", ready)
        monkeypatch.setattr(model.child, "died_within", never)
        return model

    return made


async def test_a_model_that_does_not_is_asked_once_and_then_writes_it_all(
    asked_of: Callable[[_Refusing], EmbeddedModel],
) -> None:
    server = _Refusing()
    model = asked_of(server)
    for _ in range(2):
        *_, reply = [piece async for piece in model.complete(ASKED, (), schema=CHOICE)]
        assert isinstance(reply, ModelReply)
        assert reply.text == '{"choice": 1}'
    assert server.asked == ["assistant", "user", "user"]


async def test_an_error_of_another_kind_does_not_count_against_begun_answers(
    asked_of: Callable[[_Refusing], EmbeddedModel],
) -> None:
    server = _Refusing(failures=2)
    model = asked_of(server)
    with pytest.raises(ChatError, match="out of slots"):
        [piece async for piece in model.complete(ASKED, (), schema=CHOICE)]
    [_ async for _ in model.complete(ASKED, (), schema=CHOICE)]
    assert server.asked == ["assistant", "user", "assistant", "user"]
