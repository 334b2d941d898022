"""The model ↔ tools loop in bounded rounds, for what cannot be put as a choice: the tools of outside servers, and the
bare model that others are compared with.

A call is only ever made with a tool that was offered; its mistakes come back to the model once, with the error.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from assistant.answer import (
    Answer,
    OwnWords,
    malformed,
    mend_messages,
    ms_since,
    returned,
    sentence,
    tool_messages,
    without_repeats,
)
from assistant.conversation import Conversation
from assistant.errors import ChatError
from assistant.events import ModelDelta, ToolCalled
from assistant.phrases import phrase
from assistant.ports import ChatModel, ModelReply, ReplyEvent, Toolbox, ToolCallRequest, ToolDescription
from assistant.sampling import Sampling, Tokens
from assistant.sentences.grounding import Grounding
from assistant.sentences.vocabulary import READS, TOOLS
from tools.contract import Caller, CallOutcome, JsonObject, Speech

MENDABLE = frozenset({"invalid_arguments", "unknown_tool"})
"""Errors that are the model's own and go back to it once."""


@dataclass(slots=True)
class ToolLoop:
    """One reply of the model with tools. ``own_sentences``: a tool's sentence ends the turn without asking again."""

    model: ChatModel
    toolbox: Toolbox
    tools: Sequence[ToolDescription]
    grounding: Grounding
    max_rounds: int
    own_sentences: bool = True
    sampling: Sampling = field(default_factory=Sampling)
    tokens: Tokens = field(default_factory=Tokens)
    on_outcome: Callable[[CallOutcome], None] = lambda _: None

    async def run(
        self, messages: list[JsonObject], said: str, conversation: Conversation, caller: Caller, answer: Answer
    ) -> AsyncGenerator[ReplyEvent, None]:
        """At most ``max_rounds`` answers of the model. Raises ChatError, ToolboxError."""
        if len(self.tools) > 1 and any(tool.name not in TOOLS for tool in self.tools):
            caller = _after_reading(caller)  # others describe their tools in words of their own, which it reads first
        for _ in range(self.max_rounds):
            words = OwnWords(self.grounding.names)
            reply: ModelReply | None = None
            async with aclosing(self._answer(messages, words)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, ModelReply):
                        reply = piece
                    else:
                        yield piece
            if reply is None:
                raise ChatError("no_answer", f"{self.model.name} ended without an answer.")
            if not reply.tool_calls:
                for shown in words.flush():
                    yield shown
                for spoken in words.sentences(reply.text, said=bool(answer.said)):
                    yield spoken
                return
            to_mend: list[tuple[ToolCallRequest, CallOutcome]] = []
            made: list[tuple[ToolCallRequest, CallOutcome]] = []
            wanted = [self._grounded(call, said, conversation) for call in reply.tool_calls]
            for request in without_repeats(wanted, answer):
                async with aclosing(self._call(request, caller, answer, to_mend, made)) as events:
                    async for event in events:
                        yield event
            if to_mend:
                answer.mended = True
                messages += mend_messages(to_mend)
            elif self.own_sentences or not made:
                if not answer.said:
                    yield sentence(phrase("unmendable_call"))
                return
            else:
                messages += tool_messages(made)
                caller = _after_reading(caller)
        if not answer.said:
            yield sentence(phrase("too_many_rounds"))

    async def _answer(
        self, messages: Sequence[JsonObject], words: OwnWords
    ) -> AsyncGenerator[ModelDelta | ModelReply, None]:
        stream = self.model.complete(
            messages, self.tools, seed=self.sampling.seed, temperature=self.sampling.temperature
        )
        async with aclosing(stream) as pieces:
            async for piece in pieces:
                if isinstance(piece, ModelReply):
                    self.tokens.count(piece)
                    yield piece
                else:
                    for shown in words.feed(piece.text):
                        yield shown

    def _grounded(self, call: ToolCallRequest, said: str, conversation: Conversation) -> ToolCallRequest:
        """The call without names that the model made up. Only for tools that read: there no name means all of them."""
        if call.arguments is None or call.name not in READS:
            return call
        return replace(call, arguments=self.grounding.ground(call.arguments, said, conversation.subjects))

    async def _call(
        self,
        request: ToolCallRequest,
        caller: Caller,
        answer: Answer,
        to_mend: list[tuple[ToolCallRequest, CallOutcome]],
        made: list[tuple[ToolCallRequest, CallOutcome]],
    ) -> AsyncGenerator[ReplyEvent, None]:
        """One call that the model wants; what it got wrong is kept for it in ``to_mend`` the first time."""
        yield ToolCalled(tool=request.name, arguments=request.arguments or {}, source="model")
        started = time.perf_counter()
        outcome = malformed(request, self.tools)
        if outcome is None:
            outcome = await self.toolbox.call(request.name, request.arguments or {}, caller)
        yield returned(outcome, ms_since(started))
        if outcome.error in MENDABLE and not answer.mended:
            to_mend.append((request, outcome))
            return
        self.on_outcome(outcome)
        made.append((request, outcome))
        for said in answer.take(outcome):
            yield said


def _after_reading(caller: Caller) -> Caller:
    """What a model wants after it has read a result may be the result's wish: no longer as good as an order.

    So an act is asked back then, also where a tool did not mark its text as tainted.
    """
    return caller.model_copy(update={"speech": Speech.UNKNOWN}) if caller.speech is Speech.ORDER else caller
