"""Several results in a sentence or two of the model's own, or not at all. Its prompt is ``prompts/phrasing.md``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from assistant.ports import ChatModel, ModelReply, Names
from assistant.resources import resource
from assistant.truth import Evidence, left_out, sentences_of, unsupported
from tools.contract import ToolResult

MOST_SENTENCES = 2


@dataclass(frozen=True, slots=True)
class Phrased:
    """What to say, or None and why not: then the tools' own sentences are said. ``wrote`` is what the model wrote."""

    text: str | None
    reason: str = ""
    wrote: str = ""


async def phrase_results(model: ChatModel, utterance: str, results: Sequence[ToolResult], names: Names) -> Phrased:
    """The model's answer from these results, when all of it stands in them and no result is left out.

    Tainted results are not given to it: what somebody else may have written is only ever said as the tool says it.
    Raises ChatError.
    """
    if any(result.tainted for result in results):
        return Phrased(None, "a result is tainted")
    reply: ModelReply | None = None
    async for piece in model.complete(_messages(utterance, results), ()):
        if isinstance(piece, ModelReply):
            reply = piece
    text = reply.text.strip().strip('"').strip() if reply is not None else ""
    reason = _why_not(text, reply, Evidence(results, utterance, names))
    return Phrased(None, reason, text) if reason else Phrased(text, "", text)


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


def _why_not(text: str, reply: ModelReply | None, evidence: Evidence) -> str | None:
    if reply is None or reply.tool_calls:
        return "it is no answer"
    if len(sentences_of(text)) > MOST_SENTENCES:
        return f"it has more than {MOST_SENTENCES} sentences"
    return unsupported(text, evidence) or left_out(text, evidence)
