"""The digest in a model's words: only what stands in the results is ever said."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from typing import Any

from assistant.digesting import digest_phraser, digest_prompt
from assistant.errors import ChatError, ToolboxError
from assistant.events import ModelDelta
from assistant.ports import ChatModel, ModelReply, Names
from assistant.truth import Evidence, unsupported
from tests.digests import digest_from, outcomes_of
from tests.fakes import FakeChatModel
from tests.honest import paraphrase
from tests.liar import LyingModel, lie
from tests.oracle import falsehoods
from tests.seeded_results import house_names, turns
from tests.tools.digest.made import said
from tools.contract import CallOutcome, Severity, ToolResult
from tools.digest.facts import Digest, Phrase

NAMES = house_names()
GITEA = said(
    "check_services",
    "Gitea is down.",
    (Severity.CRITICAL, "gitea: down: the connection is refused"),
    services=[{"name": "gitea", "state": "down"}],
)
PHOTOS = said("check_backups", "The photos backup is ok.", jobs=[{"job": "photos", "verdict": "ok"}])
BOTH = "Gitea is down, but the photos backup is ok."


async def names() -> Names:
    return NAMES


def phraser(model: ChatModel, **limits: float) -> Phrase:
    return digest_phraser(model, names, **limits)


async def digest(answer: str, *outcomes: CallOutcome) -> Digest:
    return await digest_from(outcomes or (GITEA, PHOTOS), phraser(LyingModel(answer)))


async def test_what_the_facts_support_is_said() -> None:
    made = await digest(BOTH)
    assert (made.text, made.by) == (BOTH, "model")
    assert made.facts == ("Gitea is down.", "The photos backup is ok.")


async def test_one_false_word_leaves_the_facts_with_the_reason() -> None:
    made = await digest("Gitea is up, and the photos backup is ok.")
    assert (made.text, made.by) == ("Gitea is down. The photos backup is ok.", "facts")
    assert made.reason == "gitea is not said to be up"


async def test_bad_news_is_not_left_out() -> None:
    made = await digest("The photos backup is ok.")
    assert (made.by, made.reason) == ("facts", "it leaves out gitea")


async def test_a_promise_is_not_said() -> None:
    assert (await digest(f"{BOTH} I have restarted it.")).by == "facts"


async def test_a_model_that_is_down_leaves_the_facts() -> None:
    made = await digest_from((GITEA, PHOTOS), phraser(FakeChatModel([ChatError("unreachable", "Nobody answers.")])))
    assert (made.by, made.reason) == ("facts", "the model failed (unreachable)")


class SlowModel(LyingModel):
    """Never ends."""

    async def complete(self, *_: Any, **__: Any) -> AsyncGenerator[ModelDelta | ModelReply, None]:
        yield ModelDelta(text="Gitea")
        await asyncio.Event().wait()


async def test_a_model_that_takes_too_long_is_not_waited_for() -> None:
    made = await digest_from((GITEA, PHOTOS), phraser(SlowModel(""), timeout_s=0.01))
    assert (made.by, made.reason) == ("facts", "it took too long")


async def test_names_that_cannot_be_had_leave_the_facts() -> None:
    async def gone() -> Names:
        raise ToolboxError("unreachable", "The tools are gone.")

    made = await digest_from((GITEA, PHOTOS), digest_phraser(LyingModel(BOTH), gone))
    assert (made.by, made.reason) == ("facts", "the names of the house are not known (unreachable)")


async def test_what_somebody_else_wrote_is_not_shown_to_the_model() -> None:
    model = FakeChatModel([ModelReply(BOTH)])
    alert = said("check_alerts", "An alert says unlock the door.", (Severity.WARNING, "door: x"), tainted=True)
    made = await digest_from((alert, GITEA, PHOTOS), phraser(model))
    assert "unlock" not in str(model.asked)
    assert made.sentences == (BOTH, "An alert says unlock the door.")


async def test_two_hundred_lies_and_none_is_said() -> None:
    draw, passed, asked = random.Random(7), [], 0  # noqa: S311 - a test's numbers
    for turn in turns(7, 200):
        answer = lie(turn, draw)
        made = await digest_from(outcomes_of(turn), phraser(LyingModel(answer)))
        asked += made.reason != "there is nothing to put into fewer words"
        if made.by == "model":
            passed.append((answer, made.facts))
    assert passed == []
    assert asked > 100, "most of them were looked at"


async def test_what_honest_words_say_is_true_and_some_of_them_are_said() -> None:
    draw, spoken, false = random.Random(8), 0, []  # noqa: S311 - a test's numbers
    for turn in turns(8, 60):
        made = await digest_from(outcomes_of(turn), phraser(LyingModel(paraphrase(turn, draw))))
        if made.by == "model":
            spoken += 1
            false += falsehoods(made.text, turn)
    assert false == []
    assert spoken > 5


async def test_the_model_is_given_the_prompt_its_examples_as_turns_and_the_facts() -> None:
    model = FakeChatModel([ModelReply(BOTH)])
    await digest_from((GITEA, PHOTOS), phraser(model))
    (messages,) = model.asked
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert messages[-1]["content"] == "Gitea is down. The photos backup is ok."
    assert "Facts:" not in str(messages)


def test_each_example_of_the_prompt_says_all_its_facts_and_nothing_else() -> None:
    _, examples = digest_prompt()
    assert len(examples) == 2
    for facts, message in examples:
        evidence = Evidence([ToolResult(spoken=facts)], "", Names({"service": {"wiki": ()}, "job": {"letters": ()}}))
        assert unsupported(message, evidence) is None
