"""The reply, top to bottom:

    an open question → a sentence template → what is no request → narrowing → the model's choice → its own words

Facts come from tools: what a tool says is spoken as it said it. The model is asked only what is left in doubt: which of
a few whole calls is meant, or a sentence where no tool is wanted. Whether a call may be made is decided in the server.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from typing import Literal

from assistant.answer import Answer, OwnWords, ms_since, returned, sentence
from assistant.confirming import begins_with_no, is_no, is_yes
from assistant.conversation import Choice, Conversation, Pending
from assistant.errors import ChatError
from assistant.events import ConfirmationAsked, Narrowed, ReplySentence, SentenceMatched, ToolCalled
from assistant.narrowing.choice import NONE, choice_in, question, schema
from assistant.narrowing.narrower import Candidate
from assistant.narrowing.narrower import Narrowed as Left
from assistant.phrases import phrase
from assistant.ports import (
    ChatModel,
    Engine,
    ModelReply,
    Names,
    ReplyEvent,
    Toolbox,
    ToolDescription,
    WantedCall,
)
from assistant.resources import resource
from assistant.sampling import Sampling, Tokens
from assistant.sentences import is_bare_answer, is_beyond, is_hypothetical, is_reported, is_waved_off, speech_of
from assistant.sentences.grounding import Grounding
from assistant.sentences.vocabulary import PARAMETER_KINDS, READS, TOOLS
from assistant.smalltalk import arithmetic, spoken_answer
from assistant.tool_loop import ToolLoop
from assistant.understanding import Understanding, Understood
from tools.contract import Caller, CallOutcome, JsonObject, Speech
from tools.names import NameIndex, Resolved

Source = Literal["sentence", "signals", "model", "confirmation"]

CHOICE_S = 60.0
"""How long a question back ("the kitchen or the bedroom?") can be answered."""


def system_prompt() -> str:
    """``prompts/system.md``: the constant beginning of every conversation with the model."""
    return resource("prompts", "system.md").read_text(encoding="utf-8").strip()


def tools_prompt() -> str:
    """``prompts/tools.md``: the same where the model calls tools itself."""
    return resource("prompts", "tools.md").read_text(encoding="utf-8").strip()


def local_now() -> datetime:
    """The clock on the wall."""
    return datetime.now().astimezone()


class Reply:
    """Implements :class:`assistant.ports.Replier`. Without a model only templates and clear signals answer."""

    def __init__(
        self,
        understanding: Understanding,
        model: ChatModel | None,
        toolbox: Toolbox,
        *,
        max_rounds: int = 3,
        own_sentences: bool = True,
        now: Callable[[], datetime] = local_now,
    ) -> None:
        self._understanding = understanding
        self._model = model
        self._toolbox = toolbox
        self._max_rounds = max_rounds
        self._own_sentences = own_sentences
        self._now = now
        self._prompt = system_prompt()
        self._grounding: Grounding | None = None
        self.sampling = Sampling()
        self.tokens = Tokens()

    async def reply(
        self, text: str, conversation: Conversation, caller: Caller, engine: Engine
    ) -> AsyncGenerator[ReplyEvent, None]:
        """Yield what happens and the reply's sentences, then remember the exchange.

        Raises ChatError when the model is needed and cannot answer, ToolboxError when a tool server is sick.
        """
        if caller.speech is Speech.UNKNOWN:
            caller = caller.model_copy(update={"speech": speech_of(text)})
        caller = caller.model_copy(update={"conversation": caller.conversation or conversation.id})
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
        names = await self._toolbox.names()
        understood = await self._understanding.of(names)
        for step in (
            self._open_question(text, names, understood, conversation, caller, answer),
            self._by_sentence(text, understood, conversation, caller, engine, answer),
            self._no_request(text, engine),
            self._by_narrowing(text, names, understood, conversation, caller, engine, answer),
        ):
            done = False
            async with aclosing(step) as events:
                async for event in events:
                    done = True
                    yield event
            if done:
                return

    # ── an open question ────────────────────────────────────────────────────────────────────────────────────────

    async def _open_question(
        self,
        text: str,
        names: Names,
        understood: Understood,
        conversation: Conversation,
        caller: Caller,
        answer: Answer,
    ) -> AsyncGenerator[ReplyEvent, None]:
        """A yes executes, a no drops; any other utterance cancels what was asked and goes its own way."""
        pending, in_time = conversation.take_pending()
        choice = conversation.take_choice()
        if pending is not None:
            if is_no(text, pending.question):
                yield sentence(phrase("confirmation_dropped"))
            elif is_yes(text, pending.question):
                if not in_time:
                    yield sentence(phrase("confirmation_late"))
                    return
                order = caller.model_copy(update={"speech": Speech.ORDER})
                confirmed = order.model_copy(update={"confirmation": pending.nonce})
                async for event in self._make((pending.call,), "confirmation", conversation, confirmed, answer):
                    yield event
                async for event in self._make(pending.then, "confirmation", conversation, order, answer):
                    yield event
            elif begins_with_no(text) and understood.matcher.match(text, conversation.last) is None:
                yield sentence(phrase("confirmation_dropped"))
            return
        if choice is not None and (meant := _chosen_name(text, choice, names)) is not None:
            call = replace(choice.call, arguments={**choice.call.arguments, choice.argument: meant})
            order = caller.model_copy(update={"speech": Speech.ORDER})
            async for event in self._make((call,), "sentence", conversation, order, answer):
                yield event
        elif is_bare_answer(text):
            yield sentence(phrase("nothing_asked"))

    # ── templates ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _by_sentence(
        self,
        text: str,
        understood: Understood,
        conversation: Conversation,
        caller: Caller,
        engine: Engine,
        answer: Answer,
    ) -> AsyncGenerator[ReplyEvent, None]:
        """Sums and the clock for every engine, because they are facts; the rest for those with templates."""
        if engine != "bare" and (result := arithmetic(text)) is not None:
            yield sentence(result)
            return
        started = time.perf_counter()
        match = await asyncio.to_thread(understood.matcher.match, text, conversation.last)
        if match is None or engine == "bare" or (engine == "model" and match.answer not in ("clock", "calendar")):
            return
        yield SentenceMatched(
            template=match.template, tool=match.tool, arguments=match.arguments, took_ms=ms_since(started)
        )
        if match.answer:
            yield sentence(spoken_answer(match.answer, self._now()))
        async for event in self._make(match.calls, "sentence", conversation, _as_order(caller, match.calls), answer):
            yield event

    async def _no_request(self, text: str, engine: Engine) -> AsyncGenerator[ReplyEvent, None]:
        """What nobody should do anything about, whatever a model would make of it."""
        if engine == "bare":
            return
        if is_waved_off(text):
            yield sentence(phrase("left_alone"))
        elif is_hypothetical(text):
            yield sentence(phrase("hypothetical"))
        elif is_reported(text):
            yield sentence(phrase("left_alone"))
        elif is_beyond(text):
            yield sentence(phrase("beyond"))
        elif engine == "sentences":
            yield sentence(phrase("unknown_sentence"))

    # ── narrowing and the model ─────────────────────────────────────────────────────────────────────────────────

    async def _by_narrowing(
        self,
        text: str,
        names: Names,
        understood: Understood,
        conversation: Conversation,
        caller: Caller,
        engine: Engine,
        answer: Answer,
    ) -> AsyncGenerator[ReplyEvent, None]:
        tools = await self._toolbox.tools()
        if understood.narrower is None or engine == "bare":
            async for event in self._by_tool_loop(text, names, tools, conversation, caller, answer):
                yield event
            return
        outside = [tool for tool in tools if tool.name not in TOOLS]
        started = time.perf_counter()
        left = await asyncio.to_thread(understood.narrower.narrow, text, conversation.last, outside)
        yield Narrowed(
            decided=bool(left.decided),
            candidates=tuple(_shown(candidate) for candidate in left.candidates),
            signals=left.signals,
            took_ms=ms_since(started),
        )
        if left.decided:
            steps = self._make(left.decided, "signals", conversation, _as_order(caller, left.decided), answer)
        else:
            steps = self._by_model(text, names, left, tools, conversation, caller, answer)
        async with aclosing(steps) as events:
            async for event in events:
                yield event

    async def _by_model(
        self,
        text: str,
        names: Names,
        left: Left,
        tools: Sequence[ToolDescription],
        conversation: Conversation,
        caller: Caller,
        answer: Answer,
    ) -> AsyncGenerator[ReplyEvent, None]:
        """The model says which candidate is meant; for none of them it answers in its own words."""
        try:
            chosen = await self._choose(text, left.candidates)
        except ChatError:
            sure = [c.call for c in left.candidates[:1] if c.call.tool in READS]
            if not sure:
                raise
            yield sentence(phrase("facts_only"))
            async for event in self._make(sure, "signals", conversation, caller, answer):
                yield event
            return
        if chosen is None:
            async for event in self._in_own_words(text, names, conversation, answer):
                yield event
        elif chosen.open:
            offered = [tool for tool in tools if tool.name == chosen.call.tool]
            async for event in self._by_tool_loop(text, names, offered, conversation, caller, answer):
                yield event
        else:
            async for event in self._make((chosen.call,), "model", conversation, caller, answer):
                yield event

    async def _choose(self, text: str, candidates: Sequence[Candidate]) -> Candidate | None:
        """The candidate that the model picks. Raises ChatError."""
        if not candidates:
            return None
        messages = [
            {"role": "system", "content": self._prompt},
            {"role": "user", "content": question(text, candidates)},
        ]
        reply = await self._complete(messages, schema=schema(candidates))
        number = choice_in(reply.text or "".join(call.raw for call in reply.tool_calls), candidates)
        return candidates[number - 1] if number not in (None, NONE) else None

    async def _in_own_words(
        self, text: str, names: Names, conversation: Conversation, answer: Answer
    ) -> AsyncGenerator[ReplyEvent, None]:
        """No tool is wanted: a sentence of the model's, which may state nothing about the house."""
        model = self._needed_model()
        words = OwnWords(names)
        reply: ModelReply | None = None
        messages = conversation.messages_for_model(self._prompt, text)
        stream = model.complete(messages, (), seed=self.sampling.seed, temperature=self.sampling.temperature)
        async with aclosing(stream) as pieces:
            async for piece in pieces:
                if isinstance(piece, ModelReply):
                    reply = piece
                    self.tokens.count(piece)
                else:
                    for shown in words.feed(piece.text):
                        yield shown
        if reply is None:
            raise ChatError("no_answer", f"{model.name} ended without an answer.")
        for shown in words.flush():
            yield shown
        for said in words.sentences(reply.text, said=bool(answer.said)):
            yield said

    async def _by_tool_loop(
        self,
        text: str,
        names: Names,
        tools: Sequence[ToolDescription],
        conversation: Conversation,
        caller: Caller,
        answer: Answer,
    ) -> AsyncGenerator[ReplyEvent, None]:
        if self._grounding is None or self._grounding.names != names:
            self._grounding = Grounding(names)
        asked: list[CallOutcome] = []

        def notice(outcome: CallOutcome) -> None:
            if outcome.level is not None:
                conversation.refer_to(WantedCall(outcome.tool, outcome.arguments))
            if outcome.confirmation is not None:
                asked.append(outcome)

        loop = ToolLoop(
            self._needed_model(),
            self._toolbox,
            tools,
            self._grounding,
            self._max_rounds,
            own_sentences=self._own_sentences,
            sampling=self.sampling,
            tokens=self.tokens,
            on_outcome=notice,
        )
        messages = conversation.messages_for_model(tools_prompt(), text)
        async with aclosing(loop.run(messages, text, conversation, caller, answer)) as events:
            async for event in events:
                yield event
        if asked:
            yield self._ask(asked[-1], (), conversation)

    async def _complete(self, messages: Sequence[JsonObject], *, schema: JsonObject) -> ModelReply:
        """One whole answer. Raises ChatError."""
        model = self._needed_model()
        stream = model.complete(
            messages, (), seed=self.sampling.seed, temperature=self.sampling.temperature, schema=schema
        )
        async with aclosing(stream) as pieces:
            async for piece in pieces:
                if isinstance(piece, ModelReply):
                    self.tokens.count(piece)
                    return piece
        raise ChatError("no_answer", f"{model.name} ended without an answer.")

    def _needed_model(self) -> ChatModel:
        if self._model is None:
            raise ChatError("no_model", "No language model is set up.", mend="See `jarvis doctor`.")
        return self._model

    # ── calls ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _make(
        self,
        calls: Sequence[WantedCall],
        source: Source,
        conversation: Conversation,
        caller: Caller,
        answer: Answer,
    ) -> AsyncGenerator[ReplyEvent, None]:
        """Make the calls in order; those that want a yes wait, and the first of them is asked about at the end."""
        waiting: list[tuple[WantedCall, CallOutcome]] = []
        for call in calls:
            yield ToolCalled(tool=call.tool, arguments=call.arguments, source=source)
            started = time.perf_counter()
            outcome = await self._toolbox.call(call.tool, call.arguments, caller)
            yield returned(outcome, started)
            if outcome.level is not None:
                conversation.refer_to(WantedCall(outcome.tool, outcome.arguments))
            if outcome.confirmation is not None:
                waiting.append((call, outcome))
                continue
            if outcome.candidates:
                conversation.choice = _choice(call, outcome, conversation)
            for said in answer.take(outcome):
                yield said
        if waiting:
            (call, outcome), *later = waiting
            if call is not calls[-1]:  # another call has cancelled its question: it is put again
                outcome = await self._toolbox.call(call.tool, call.arguments, caller)
            yield sentence(outcome.spoken)
            if outcome.confirmation is not None:
                yield self._ask(outcome, tuple(wanted for wanted, _ in later), conversation)

    def _ask(self, outcome: CallOutcome, then: tuple[WantedCall, ...], conversation: Conversation) -> ConfirmationAsked:
        """Keep the open question for the next utterance."""
        assert outcome.confirmation is not None  # noqa: S101 - that is why it is asked
        expires_s = outcome.confirmation.expires_in_s
        conversation.pending = Pending(
            nonce=outcome.confirmation.nonce,
            call=WantedCall(outcome.tool, outcome.arguments),
            question=outcome.spoken,
            expires_at=conversation.clock() + expires_s,
            then=then,
        )
        return ConfirmationAsked(
            tool=outcome.tool, arguments=outcome.arguments, spoken=outcome.spoken, expires_s=expires_s
        )


def _as_order(caller: Caller, calls: Sequence[WantedCall]) -> Caller:
    """Templates and clear signals read acts out of nothing but orders; a question keeps being one."""
    acts = any(call.tool not in READS for call in calls)
    if acts and caller.speech is Speech.UNKNOWN:
        return caller.model_copy(update={"speech": Speech.ORDER})
    return caller


def _shown(candidate: Candidate) -> JsonObject:
    return {
        "tool": candidate.call.tool,
        "arguments": candidate.call.arguments,
        "score": round(candidate.score, 3),
    }


_ASKED_FOR = {kind: parameter for parameter, kind in PARAMETER_KINDS.items() if parameter != "name"}


def _choice(call: WantedCall, outcome: CallOutcome, conversation: Conversation) -> Choice | None:
    """What the names that were offered would complete."""
    argument = (outcome.detail or "").partition(":")[0]
    argument = _ASKED_FOR.get(argument, argument)
    if argument == "service" and call.tool == "find_service":
        argument = "name"
    return Choice(call, argument, outcome.candidates, conversation.clock() + CHOICE_S)


def _chosen_name(text: str, choice: Choice, names: Names) -> str | None:
    """The offered name that the utterance is, and nothing else; "the first one" counts, too."""
    words = text.casefold().strip(" .!?").removeprefix("the ").removesuffix(" one").removesuffix(" please")
    places = {"first": 0, "second": 1, "third": 2, "last": -1}
    if words in places and choice.names and places[words] < len(choice.names):
        return choice.names[places[words]]
    offered = {
        name: tuple(alias for known in names.by_kind.values() for alias in known.get(name, ())) for name in choice.names
    }
    found = NameIndex({"offered": offered}).resolve("offered", words)
    return found.name if isinstance(found, Resolved) and len(words.split()) <= 4 else None
