"""The reply, top to bottom:

    an open question → a sentence template → what is no request → narrowing → the model's choice → its own words

Facts come from tools: what a tool says is spoken as it said it. The model is asked only what is left in doubt: which of
a few whole calls is meant, or a sentence where no tool is wanted. Whether a call may be made is decided in the server.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

from assistant.answer import ms_since, sentence
from assistant.calls import Calls, Request
from assistant.conversation import Conversation
from assistant.events import Narrowed, ReplySentence, SentenceMatched
from assistant.model_turn import ChoiceAhead, ModelTurn
from assistant.narrowing.doubt import Candidate
from assistant.narrowing.doubt import Narrowed as Left
from assistant.narrowing.narrower import Narrower
from assistant.phrases import phrase
from assistant.ports import (
    ChatModel,
    Engine,
    Foreseen,
    Foresight,
    ReplyEvent,
    SentenceMatch,
    Toolbox,
    WantedCall,
    Words,
)
from assistant.sampling import Sampling, Tokens
from assistant.sentences import (
    asks_beside,
    certain_speech,
    is_bare_answer,
    is_beyond,
    is_hypothetical,
    is_message,
    is_reported,
    is_waved_off,
    speech_of,
    without_names,
)
from assistant.sentences.breaking_off import breaks_off, dictates, may_be_all
from assistant.sentences.matcher import NOT_FOR_US
from assistant.sentences.templates import TRIMMED
from assistant.sentences.vocabulary import READS, TOOLS
from assistant.smalltalk import arithmetic, spoken_answer
from assistant.understanding import Understanding
from tools.contract import Caller, JsonObject, Speech


def local_now() -> datetime:
    """The clock on the wall."""
    return datetime.now().astimezone()


class Reply:
    """Implements :class:`assistant.ports.Replier`. Without a model only templates and clear signals answer.

    ``own_sentences``, ``phrase_several``: ``model.own_sentences`` and ``model.phrase_results`` of the configuration.
    """

    def __init__(
        self,
        understanding: Understanding,
        model: ChatModel | None,
        toolbox: Toolbox,
        *,
        max_rounds: int = 3,
        own_sentences: bool = True,
        phrase_several: bool = False,
        now: Callable[[], datetime] = local_now,
    ) -> None:
        self._understanding = understanding
        self._toolbox = toolbox
        self._now = now
        tokens = Tokens()
        self._calls = Calls(toolbox, model if phrase_several else None, tokens)
        self._model = ModelTurn(model, self._calls, max_rounds=max_rounds, own_sentences=own_sentences, tokens=tokens)

    @property
    def tokens(self) -> Tokens:
        """What the model has read and written so far."""
        return self._model.tokens

    @property
    def sampling(self) -> Sampling:
        """How the model is asked; the evaluation varies it."""
        return self._model.sampling

    @sampling.setter
    def sampling(self, sampling: Sampling) -> None:
        self._model.sampling = sampling

    async def read(self, text: str) -> SentenceMatch | None:
        """What the templates read out of a text that stands alone. Does nothing. Raises ToolboxError."""
        understood = await self._understanding.of(await self._toolbox.names())
        return await asyncio.to_thread(understood.matcher.match, text)

    async def foresee(self, text: str, conversation: Conversation, caller: Caller, engine: Engine) -> Foresight:
        """Ask the templates, and make the calls that they read out of it if all of these only look; where no template
        fits, the model begins to choose. An open question is left to be answered when it is certain what was said."""
        if conversation.pending is not None and conversation.pending.pin:
            return Foresight(text, Words.BROKEN_OFF)  # the PIN comes after the yes, and a breath between them
        if conversation.pending is not None or conversation.choice is not None:
            return Foresight(text, Words.WHOLE if is_bare_answer(text) else _words(text))
        if engine not in ("sentences", "both"):
            return Foresight(text, _words(text))
        request = await self._request(text, conversation, caller, engine)
        if arithmetic(text) is not None:
            return Foresight(text, Words.WHOLE)
        match = await asyncio.to_thread(_trusted_match, request)
        if match is None:
            return Foresight(text, _words(text), looked=True, choice=await self._choose_ahead(request))
        calls: dict[int, Awaitable[Foreseen]] = {}
        if all(call.tool in READS for call in match.calls):
            looking = request.caller_of(match.calls)
            alone = len(match.calls) == 1
            calls = {
                n: _ahead(self._look(call, request.placed(looking, call, alone=alone)))
                for n, call in enumerate(match.calls)
            }
        return Foresight(text, _worth(text, match.calls), looked=True, match=match, calls=calls)

    async def reply(
        self,
        text: str,
        conversation: Conversation,
        caller: Caller,
        engine: Engine,
        foresight: Foresight | None = None,
    ) -> AsyncGenerator[ReplyEvent, None]:
        """Yield what happens and the reply's sentences, then remember the exchange.

        Raises ChatError when the model is needed and cannot answer, ToolboxError when a tool server is sick.
        """
        request = await self._request(text, conversation, caller, engine)
        request.foresight = foresight if foresight is not None and foresight.text == text else None
        answer = request.answer
        try:
            async with aclosing(self._decide(request)) as deciding:
                async for event in deciding:
                    if isinstance(event, ReplySentence):
                        answer.said.append(event.text)
                    yield event
        finally:
            if request.foresight is not None:
                request.foresight.drop()
            if answer.said:
                conversation.remember(text, " ".join(answer.said), answer.calls, tainted=answer.tainted)

    async def _request(self, text: str, conversation: Conversation, caller: Caller, engine: Engine) -> Request:
        names = await self._toolbox.names()
        if caller.speech is Speech.UNKNOWN:
            meant = without_names(text, names.by_kind.get("device", {}))
            caller = caller.model_copy(update={"speech": certain_speech(meant)})
        caller = caller.model_copy(update={"conversation": caller.conversation or conversation.id})
        return Request(text, names, await self._understanding.of(names), conversation, caller, engine)

    async def _choose_ahead(self, request: Request) -> ChoiceAhead | None:
        """Have the model begin to choose, where it will be asked."""
        narrower = request.understood.narrower
        unsaid = breaks_off(request.text) or _left_alone(request.text)
        if request.engine != "both" or narrower is None or unsaid:
            return None
        return self._model.choose_ahead(request.text, await self._narrowed(request, narrower))

    async def _narrowed(self, request: Request, narrower: Narrower) -> Left:
        outside = [tool for tool in await self._toolbox.tools() if tool.name not in TOOLS]
        return await asyncio.to_thread(narrower.narrow, request.text, request.conversation.last, outside)

    async def _look(self, call: WantedCall, caller: Caller) -> Foreseen:
        started = time.perf_counter()
        outcome = await self._toolbox.call(call.tool, call.arguments, caller)
        return Foreseen(outcome, ms_since(started))

    async def _decide(self, request: Request) -> AsyncGenerator[ReplyEvent, None]:
        """The first step that has something to say is the reply."""
        for step in (self._calls.open_question, self._by_sentence, self._no_request, self._by_narrowing):
            done = False
            async with aclosing(step(request)) as events:
                async for event in events:
                    done = True
                    yield event
            if done:
                return

    async def _by_sentence(self, request: Request) -> AsyncGenerator[ReplyEvent, None]:
        """Sums and the clock for every engine, because they are facts; the rest for those with templates."""
        engine = request.engine
        if engine == "bare":
            return
        if (result := arithmetic(request.text)) is not None:
            yield sentence(result)
            return
        started = time.perf_counter()
        if request.foresight is not None and request.foresight.looked:
            match = request.foresight.match
        else:
            match = await asyncio.to_thread(_trusted_match, request)
        if match is None or (engine == "model" and match.answer not in ("clock", "calendar")):
            return
        yield SentenceMatched(
            template=match.template, tool=match.tool, arguments=match.arguments, took_ms=ms_since(started)
        )
        if match.answer:
            yield sentence(spoken_answer(match.answer, self._now()))
        made = self._calls.make(match.calls, "sentence", request, request.caller_of(match.calls))
        async with aclosing(made) as events:
            async for event in events:
                yield event

    async def _no_request(self, request: Request) -> AsyncGenerator[ReplyEvent, None]:
        """What nobody should do anything about, whatever a model would make of it."""
        if request.engine == "bare":
            return
        if said := _left_alone(request.text):
            yield sentence(said)
        elif request.engine == "sentences":
            yield sentence(phrase("unknown_sentence"))

    async def _by_narrowing(self, request: Request) -> AsyncGenerator[ReplyEvent, None]:
        tools = await self._toolbox.tools()
        narrower = request.understood.narrower
        if narrower is None or request.engine == "bare":
            steps = self._model.with_tools(tools, request)
        else:
            started = time.perf_counter()
            ahead = request.foresight.choice if request.foresight is not None else None
            ahead = ahead if isinstance(ahead, ChoiceAhead) else None
            left = ahead.left if ahead is not None else await self._narrowed(request, narrower)
            yield Narrowed(
                decided=bool(left.decided),
                candidates=tuple(_shown(candidate) for candidate in left.candidates),
                signals=left.signals,
                took_ms=ms_since(started),
            )
            if left.decided:
                steps = self._calls.make(left.decided, "signals", request, request.caller_of(left.decided))
            else:
                steps = self._model.decide(left, tools, request, ahead.choice if ahead is not None else None)
        async with aclosing(steps) as events:
            async for event in events:
                yield event


def _trusted_match(request: Request) -> SentenceMatch | None:
    """What a template reads, unless the router is sure that it is about something else. Raises ModelFilesError."""
    understood, last = request.understood, request.conversation.last
    match = understood.matcher.match(request.text, last)
    if match is None or understood.narrower is None or match.more:
        return match
    if match.answer in NOT_FOR_US and understood.narrower.narrow(request.text, last).decided:
        return None  # "print the last error": refused only where nothing else is meant
    if not match.tool:
        return match
    if not understood.narrower.doubts(request.text, match.tool, closely=TRIMMED in match.template):
        return match
    alone = understood.matcher.match(request.text) if last else match  # what is left out speaks for nothing
    return match if alone is None or alone.tool != match.tool else None


def _left_alone(text: str) -> str:
    """What is said to what is no request, whatever a model would make of it; empty where it may be one."""
    asks = asks_beside(text) or speech_of(text) is Speech.QUESTION
    if is_waved_off(text) and not asks:
        return phrase("left_alone")
    if is_hypothetical(text):
        return phrase("hypothetical")
    if is_reported(text) and not is_message(text) and not asks:
        return phrase("left_alone")
    return phrase("beyond") if is_beyond(text) else ""


def _worth(text: str, calls: Sequence[WantedCall]) -> Words:
    """Of words that a template reads."""
    if not dictates(text, calls):
        return Words.WHOLE
    return Words.DICTATED if may_be_all(text, calls) else Words.OPEN


def _words(text: str) -> Words:
    return Words.BROKEN_OFF if breaks_off(text) else Words.OPEN


def _ahead(look: Coroutine[Any, Any, Foreseen]) -> Awaitable[Foreseen]:
    """Under way now. When nobody comes for it, its failure is nobody's."""
    task = asyncio.ensure_future(look)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


def _shown(candidate: Candidate) -> JsonObject:
    return {"tool": candidate.call.tool, "arguments": candidate.call.arguments, "score": round(candidate.score, 3)}
