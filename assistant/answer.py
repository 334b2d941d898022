"""What a reply comes to while it is being made: what was said and called, and what goes back to the model. Pure."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from assistant.conversation import PastCall
from assistant.events import ModelDelta, ReplySentence, ToolReturned
from assistant.phrases import phrase
from assistant.ports import Names, ToolCallRequest, ToolDescription
from assistant.text.sentences import SentenceSplitter, split_sentences
from assistant.text.spoken import to_spoken
from assistant.truth import states_nothing
from tools.contract import CallOutcome, JsonObject
from tools.names import is_name

MAX_CALLS_A_ROUND = 4
"""Calls taken from one answer of the model; small models that loop write the rest."""


@dataclass(slots=True)
class Answer:
    """What this reply has come to so far."""

    said: list[str] = field(default_factory=list)
    calls: list[PastCall] = field(default_factory=list)
    tainted: bool = False
    mended: bool = False
    requested: set[str] = field(default_factory=set)
    spoken: set[str] = field(default_factory=set)

    def take(self, outcome: CallOutcome) -> list[ReplySentence]:
        """The tool's own sentence, unless the same call has been answered already."""
        key = _key(outcome.tool, outcome.arguments)
        if key in self.spoken:
            return []
        self.spoken.add(key)
        if outcome.ok:
            self.calls.append(PastCall(outcome.tool, outcome.arguments))
        if _tells_of_outside(outcome):
            self.tainted = True
        return [sentence(outcome.spoken)] if outcome.spoken else []


class OwnWords:
    """The model's own words: shown sentence by sentence as they stream in, spoken when the answer is complete.

    Not spoken earlier, because words before a tool call are no answer. As soon as a sentence states a number, a state
    or something of a known name, which only a tool may, the rest is neither shown nor spoken.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._splitter = SentenceSplitter()
        self._shown: list[str] = []
        self._claims = False

    def feed(self, fragment: str) -> list[ModelDelta]:
        """What may be shown now."""
        return self._judged(self._splitter.feed(fragment))

    def flush(self) -> list[ModelDelta]:
        """The rest, once it is known that no tool call follows."""
        return self._judged(self._splitter.flush())

    def sentences(self, text: str, *, said: bool) -> list[ReplySentence]:
        """What to say for the complete ``text``. ``said``: a tool has answered, so an empty text is no failure."""
        pieces = split_sentences(text)
        if self._claims or not all(states_nothing(p, self._names, first=n == 0) for n, p in enumerate(pieces)):
            return [] if said else [sentence(phrase("unchecked"))]
        if pieces or said:
            return [sentence(piece) for piece in pieces]
        return [sentence(phrase("nothing_to_say"))]

    def _judged(self, pieces: Sequence[str]) -> list[ModelDelta]:
        deltas: list[ModelDelta] = []
        for piece in pieces:
            self._claims = self._claims or not states_nothing(piece, self._names, first=not self._shown)
            if not self._claims:
                deltas.append(ModelDelta(text=f" {piece}" if self._shown else piece))
                self._shown.append(piece)
        return deltas


def without_repeats(requests: Sequence[ToolCallRequest], answer: Answer) -> list[ToolCallRequest]:
    """The calls that this turn has not made yet, at most MAX_CALLS_A_ROUND."""
    fresh = []
    for request in requests:
        key = _key(request.name, request.arguments if request.arguments is not None else {"raw": request.raw})
        if key not in answer.requested:
            answer.requested.add(key)
            fresh.append(request)
    return fresh[:MAX_CALLS_A_ROUND]


def malformed(request: ToolCallRequest, tools: Sequence[ToolDescription]) -> CallOutcome | None:
    """The outcome of a call that cannot be made: a tool that is not there, arguments that are no JSON object."""
    if request.name not in {tool.name for tool in tools}:
        detail = f"There is no tool {request.name!r}. The tools are: {', '.join(tool.name for tool in tools)}."
        return _refused(request, "unknown_tool", phrase("unknown_tool"), detail)
    if request.arguments is None:
        detail = "The arguments are not a JSON object. Call the tool again with a JSON object."
        return _refused(request, "invalid_arguments", phrase("unreadable_call"), detail)
    return None


def _refused(
    request: ToolCallRequest, error: Literal["unknown_tool", "invalid_arguments"], spoken: str, detail: str
) -> CallOutcome:
    return CallOutcome(
        ok=False, spoken=spoken, tool=request.name, arguments=request.arguments or {}, error=error, detail=detail
    )


def mend_messages(to_mend: Sequence[tuple[ToolCallRequest, CallOutcome]]) -> list[JsonObject]:
    """The failed calls and why, in OpenAI's form, so that the model can try again."""
    calls = [
        {
            "id": request.id,
            "type": "function",
            "function": {"name": request.name, "arguments": json.dumps(request.arguments or {}, ensure_ascii=False)},
        }
        for request, _ in to_mend
    ]
    errors = [
        {"role": "tool", "tool_call_id": request.id, "content": f"Error: {outcome.detail or outcome.spoken}"}
        for request, outcome in to_mend
    ]
    return [{"role": "assistant", "content": "", "tool_calls": calls}, *errors]


def tool_messages(made: Sequence[tuple[ToolCallRequest, CallOutcome]]) -> list[JsonObject]:
    """The calls and what the tools said, marked as data, so that the model can go on from there."""
    calls = [
        {
            "id": request.id,
            "type": "function",
            "function": {"name": request.name, "arguments": json.dumps(request.arguments or {}, ensure_ascii=False)},
        }
        for request, _ in made
    ]
    results = [
        {"role": "tool", "tool_call_id": request.id, "content": f"<data>{outcome.spoken}</data>"}
        for request, outcome in made
    ]
    return [{"role": "assistant", "content": "", "tool_calls": calls}, *results]


def returned(outcome: CallOutcome, took_ms: float) -> ToolReturned:
    if outcome.result is not None:
        result = outcome.result.model_dump(mode="json")
    else:
        result = {"error": outcome.error, "detail": outcome.detail, "candidates": list(outcome.candidates)}
    return ToolReturned(
        tool=outcome.tool,
        arguments=outcome.arguments,
        ok=outcome.ok,
        level=outcome.level,
        spoken=outcome.spoken,
        result=result,
        took_ms=took_ms,
    )


def sentence(text: str) -> ReplySentence:
    return ReplySentence(text=text, spoken=to_spoken(text))


def _tells_of_outside(outcome: CallOutcome) -> bool:
    """Whether somebody outside may have written what is said: a tainted result, or a name in a question back or in an
    error that reads like more than a name."""
    if outcome.result is not None:
        return outcome.result.tainted
    told = [*outcome.candidates, *(str(outcome.arguments.get(key) or "") for key in ("target", "area"))]
    return not all(is_name(name) for name in told)


def _key(tool: str, arguments: JsonObject) -> str:
    return json.dumps([tool, arguments], sort_keys=True, ensure_ascii=False, default=str)


def ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
