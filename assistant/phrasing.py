"""Several results in a sentence or two of the model's own, or not at all. Its prompt is ``prompts/phrasing.md``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import cache

from assistant.errors import ChatError
from assistant.events import Phrased
from assistant.ports import ChatModel, ModelReply, Names
from assistant.resources import resource
from assistant.truth import Evidence, left_out, sentences_of, unsupported
from tools.contract import ToolResult

TIMEOUT_S = 4.0
"""The tools' own sentences are there already, so nobody waits longer than that for nicer ones."""

Asking = Callable[[str, Sequence[ToolResult]], list[dict[str, str]]]
"""What the model is asked with, where it is not an utterance that is answered: (utterance, results) → messages."""

MOST_SENTENCES = 2
"""Of the model's words; it may have as many as the tools', when those are more."""


@dataclass(frozen=True, slots=True)
class Phrasing:
    """What to say, or None and ``reason`` why not: then the tools' own sentences are said.

    ``reply`` is the model's whole answer, when it gave one.
    """

    text: str | None
    reason: str = ""
    reply: ModelReply | None = None
    took_ms: float = 0.0

    @property
    def wrote(self) -> str:
        """What the model wrote, said or not."""
        return _plain(self.reply)

    @property
    def event(self) -> Phrased:
        """For the turn's record."""
        return Phrased(spoken=self.text is not None, reason=self.reason, took_ms=self.took_ms)


async def phrase_results(
    model: ChatModel,
    utterance: str,
    results: Sequence[ToolResult],
    names: Names,
    *,
    timeout_s: float = TIMEOUT_S,
    asking: Asking | None = None,
) -> Phrasing:
    """The model's answer from these results, when all of it stands in them and no result is left out.

    All that the turn's tools have to say must be in ``results``: what failed, or waits for a yes, has no result, and
    such a turn is not phrased. Tainted results are not given to the model: what somebody else may have written is only
    ever said as the tool says it. A model that fails or takes longer than ``timeout_s`` is a reason like another.
    Raises nothing.
    """
    if any(result.tainted for result in results):
        return Phrasing(None, "a result is tainted")
    started = time.perf_counter()
    reply: ModelReply | None = None
    try:
        async with asyncio.timeout(timeout_s):
            reply = await _answer(model, (asking or _messages)(utterance, results))
    except TimeoutError:
        reason: str | None = "it took too long"
    except ChatError as error:
        reason = f"the model failed ({error.code})"
    else:
        reason = _why_not(reply, results, Evidence(results, utterance, names))
    took_ms = (time.perf_counter() - started) * 1000
    if reason is not None:
        return Phrasing(None, reason, reply, took_ms)
    return Phrasing(_plain(reply), "", reply, took_ms)


async def _answer(model: ChatModel, messages: Sequence[Mapping[str, str]]) -> ModelReply | None:
    """Raises ChatError."""
    async with aclosing(model.complete(messages, ())) as pieces:
        async for piece in pieces:
            if isinstance(piece, ModelReply):
                return piece
    return None


def _messages(utterance: str, results: Sequence[ToolResult]) -> list[dict[str, str]]:
    facts = " ".join(result.spoken for result in results)
    asked = " ".join(utterance.split())
    return [
        {"role": "system", "content": phrasing_prompt()},
        {"role": "user", "content": f"Question: {asked}\nFacts: {facts}\nAnswer:"},
    ]


@cache
def phrasing_prompt() -> str:
    """``prompts/phrasing.md``. Raises FileNotFoundError when the installation is damaged."""
    return resource("prompts", "phrasing.md").read_text(encoding="utf-8").strip()


def _plain(reply: ModelReply | None) -> str:
    """Its text, without quotation marks around it."""
    return reply.text.strip().strip('"').strip() if reply is not None else ""


def _why_not(reply: ModelReply | None, results: Sequence[ToolResult], evidence: Evidence) -> str | None:
    if reply is None or reply.tool_calls:
        return "it is no answer"
    text = _plain(reply)
    most = max(MOST_SENTENCES, sum(len(sentences_of(result.spoken)) for result in results))
    if len(sentences_of(text)) > most:
        return f"it has more than {most} sentences"
    return unsupported(text, evidence) or left_out(text, evidence)
