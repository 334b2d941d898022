"""The reply: a sentence match, else the model and its tools in bounded rounds.

Facts come from tools: what a tool says is spoken as it said it, and the model is not asked to phrase it. The model
chooses tools; its own words are spoken only when it needed none. Its mistakes come back to it once, with the error.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from assistant.answer import (
    Answer,
    OwnWords,
    malformed,
    mend_messages,
    ms_since,
    returned,
    sentence,
    without_repeats,
)
from assistant.conversation import Conversation
from assistant.errors import ChatError
from assistant.events import ModelDelta, ReplySentence, SentenceMatched, ToolCalled
from assistant.phrases import phrase
from assistant.ports import (
    ChatModel,
    Engine,
    ModelReply,
    ReplyEvent,
    SentenceMatch,
    SentenceMatcher,
    Toolbox,
    ToolCallRequest,
    ToolDescription,
)
from assistant.resources import resource
from assistant.sentences import is_bare_answer, is_hypothetical, is_waved_off, speech_of
from assistant.sentences.grounding import Grounding
from assistant.sentences.vocabulary import TOOLS
from tools.contract import Caller, CallOutcome, Speech

MENDABLE = frozenset({"invalid_arguments", "unknown_tool"})
"""Errors that are the model's own and go back to it once."""


def system_prompt() -> str:
    """``prompts/system.md``: the constant beginning of every conversation with the model."""
    return resource("prompts", "system.md").read_text(encoding="utf-8").strip()


class Reply:
    """Implements :class:`assistant.ports.Replier`. Without a model only sentence templates can answer."""

    def __init__(
        self,
        matcher: SentenceMatcher,
        model: ChatModel | None,
        toolbox: Toolbox,
        *,
        prompt: str | None = None,
        max_rounds: int = 3,
    ) -> None:
        self._matcher = matcher
        self._model = model
        self._toolbox = toolbox
        self._prompt = system_prompt() if prompt is None else prompt
        self._max_rounds = max_rounds
        self._grounding: Grounding | None = None

    async def reply(
        self, text: str, conversation: Conversation, caller: Caller, engine: Engine
    ) -> AsyncGenerator[ReplyEvent, None]:
        """Yield what happens and the reply's sentences, then remember the exchange.

        Raises ChatError when the model is needed and cannot answer, ToolboxError when a tool server is sick.
        """
        if caller.speech is Speech.UNKNOWN:
            caller = caller.model_copy(update={"speech": speech_of(text)})
        answer = Answer()
        try:
            async with aclosing(self._decide(text, conversation, caller, engine, answer)) as deciding:
                async for event in deciding:
                    if isinstance(event, ReplySentence):
                        answer.said.append(event.text)
                    yield event
        finally:
            if answer.said:
                conversation.remember(text, " ".join(answer.said), answer.calls, tainted=answer.tainted)

    async def _decide(
        self, text: str, conversation: Conversation, caller: Caller, engine: Engine, answer: Answer
    ) -> AsyncGenerator[ReplyEvent, None]:
        if is_bare_answer(text):
            yield sentence(phrase("nothing_asked"))
            return
        started = time.perf_counter()
        match = self._matcher.match(text) if engine != "model" else None
        if match is not None:
            yield SentenceMatched(
                template=match.template, tool=match.tool, arguments=match.arguments, took_ms=ms_since(started)
            )
            async with aclosing(self._by_sentence(match, caller, answer)) as events:
                async for event in events:
                    yield event
        elif engine == "sentences":
            yield sentence(phrase("unknown_sentence"))
        else:
            async with aclosing(self._by_model(text, conversation, caller, answer)) as events:
                async for event in events:
                    yield event

    async def _by_sentence(
        self, match: SentenceMatch, caller: Caller, answer: Answer
    ) -> AsyncGenerator[ReplyEvent, None]:
        yield ToolCalled(tool=match.tool, arguments=match.arguments, source="sentence")
        started = time.perf_counter()
        outcome = await self._toolbox.call(match.tool, match.arguments, caller)
        yield returned(outcome, started)
        for said in answer.take(outcome):
            yield said

    async def _by_model(
        self, text: str, conversation: Conversation, caller: Caller, answer: Answer
    ) -> AsyncGenerator[ReplyEvent, None]:
        """At most ``max_rounds`` answers of the model; another round only to mend a call, and only once."""
        if self._model is None:
            raise ChatError("no_model", "No language model is set up.", mend="See `jarvis doctor`.")
        tools = await self._toolbox.tools()
        grounding = await self._current_grounding()
        messages = conversation.messages_for_model(self._prompt, text)
        for _ in range(self._max_rounds):
            reply: ModelReply | None = None
            words = OwnWords(grounding.names)
            async for piece in self._model.complete(messages, tools):
                if isinstance(piece, ModelDelta):
                    for shown in words.feed(piece.text):
                        yield shown
                else:
                    reply = piece
            if reply is None:
                raise ChatError("no_answer", f"{self._model.name} ended without an answer.")
            if not reply.tool_calls:
                for shown in words.flush():
                    yield shown
                for said in words.sentences(reply.text, said=bool(answer.said)):
                    yield said
                return
            if (instead := _instead_of_calls(text)) is not None:
                yield instead
                return
            to_mend: list[tuple[ToolCallRequest, CallOutcome]] = []
            wanted = [_grounded(call, grounding, text, conversation) for call in reply.tool_calls]
            for request in without_repeats(wanted, answer):
                async with aclosing(self._by_request(request, tools, caller, answer, to_mend)) as events:
                    async for event in events:
                        yield event
            if not to_mend:
                if not answer.said:
                    yield sentence(phrase("unmendable_call"))
                return
            answer.mended = True
            messages += mend_messages(to_mend)
        yield sentence(phrase("too_many_rounds"))

    async def _current_grounding(self) -> Grounding:
        """For the live names; kept while they stay the same."""
        names = await self._toolbox.names()
        if self._grounding is None or self._grounding.names != names:
            self._grounding = Grounding(names)
        return self._grounding

    async def _by_request(
        self,
        request: ToolCallRequest,
        tools: Sequence[ToolDescription],
        caller: Caller,
        answer: Answer,
        to_mend: list[tuple[ToolCallRequest, CallOutcome]],
    ) -> AsyncGenerator[ReplyEvent, None]:
        """One call that the model wants; what it got wrong is kept for it in ``to_mend`` the first time."""
        yield ToolCalled(tool=request.name, arguments=request.arguments or {}, source="model")
        started = time.perf_counter()
        outcome = malformed(request, tools)
        if outcome is None:
            outcome = await self._toolbox.call(request.name, request.arguments or {}, caller)
        yield returned(outcome, started)
        if outcome.error in MENDABLE and not answer.mended:
            to_mend.append((request, outcome))
        else:
            for said in answer.take(outcome):
                yield said


def _grounded(call: ToolCallRequest, grounding: Grounding, said: str, conversation: Conversation) -> ToolCallRequest:
    """The call without names that the model made up. Only for tools that read: there no name means all of them."""
    if call.arguments is None or call.name not in TOOLS:
        return call
    return replace(call, arguments=grounding.ground(call.arguments, said, conversation.subjects))


def _instead_of_calls(text: str) -> ReplySentence | None:
    """What to say where no tool is wanted, whatever the model makes of it."""
    if is_waved_off(text):
        return sentence(phrase("left_alone"))
    if is_hypothetical(text):
        return sentence(phrase("hypothetical"))
    return None
