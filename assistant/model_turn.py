"""The model's part of a reply: it picks one of the calls that are left, or says a sentence that states nothing.

Where no model answers, a call that only reads and is likeliest is made all the same: the facts do not need it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing

from assistant.answer import OwnWords, sentence
from assistant.calls import Calls, Request, ask, refer_to
from assistant.errors import ChatError
from assistant.events import FellBack
from assistant.narrowing.choice import NONE, choice_in, question, schema
from assistant.narrowing.doubt import Candidate, Narrowed
from assistant.phrases import phrase
from assistant.ports import ChatModel, ModelReply, ReplyEvent, ToolDescription, WantedCall
from assistant.resources import resource
from assistant.sampling import Sampling, Tokens
from assistant.sentences.grounding import Grounding
from assistant.sentences.vocabulary import READS
from assistant.tool_loop import ToolLoop
from tools.contract import CallOutcome


def system_prompt() -> str:
    """``prompts/system.md``: the constant beginning of every conversation with the model."""
    return resource("prompts", "system.md").read_text(encoding="utf-8").strip()


def tools_prompt() -> str:
    """``prompts/tools.md``: the same where the model calls tools itself."""
    return resource("prompts", "tools.md").read_text(encoding="utf-8").strip()


Choice = tuple[Candidate | None, FellBack | None]
"""The candidate that the model picks, and whether another model than the right one did."""


class ChoiceAhead:
    """Implements Ahead: the model's choice among what is left, while the person may go on speaking."""

    def __init__(self, left: Narrowed, choice: asyncio.Task[Choice]) -> None:
        self.left = left
        self.choice = choice
        choice.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may come for it

    def drop(self) -> None:
        """The model stops."""
        self.choice.cancel()


class ModelTurn:
    """What is put to the model, and what comes of its answer. ``model`` None: there is none."""

    def __init__(
        self, model: ChatModel | None, calls: Calls, *, max_rounds: int, own_sentences: bool, tokens: Tokens
    ) -> None:
        self._model = model
        self._calls = calls
        self._max_rounds = max_rounds
        self._own_sentences = own_sentences
        self._prompt = system_prompt()
        self._grounding: Grounding | None = None
        self.sampling = Sampling()
        self.tokens = tokens

    def choose_ahead(self, text: str, left: Narrowed) -> ChoiceAhead | None:
        """Begin to ask which candidate is meant, where there is a doubt; nothing comes of it before ``decide``. None:
        there is nothing to ask, or nobody."""
        if self._model is None or left.decided or not left.candidates:
            return None
        return ChoiceAhead(left, asyncio.create_task(self._choose(text, left.candidates)))

    async def decide(
        self,
        left: Narrowed,
        tools: Sequence[ToolDescription],
        request: Request,
        ahead: Awaitable[Choice] | None = None,
    ) -> AsyncGenerator[ReplyEvent, None]:
        """The model says which candidate is meant; for none of them it answers in its own words. ``ahead``: its choice
        among the same candidates is under way. Raises ChatError."""
        steps: AsyncGenerator[ReplyEvent, None]
        try:
            chosen, fell = await (ahead or self._choose(request.text, left.candidates))
        except ChatError as error:
            sure = [candidate.call for candidate in left.candidates[:1] if candidate.call.tool in READS]
            if not sure:
                raise
            yield FellBack(instead_of="the model", model="", code=error.code, detail=error.detail)
            yield sentence(phrase("facts_only"))
            steps = self._calls.make(sure, "signals", request, request.caller)
            async with aclosing(steps) as events:
                async for event in events:
                    yield event
            return
        if fell is not None:
            yield fell
        if chosen is None:
            steps = self._in_own_words(request, fell)
        elif chosen.open:
            steps = self.with_tools([tool for tool in tools if tool.name == chosen.call.tool], request)
        else:
            steps = self._calls.make((chosen.call,), "model", request, request.caller)
        async with aclosing(steps) as events:
            async for event in events:
                yield event
        if fell is not None:
            yield sentence(phrase("fell_back"))

    async def with_tools(self, tools: Sequence[ToolDescription], request: Request) -> AsyncGenerator[ReplyEvent, None]:
        """The model calls these tools itself, in bounded rounds. Raises ChatError, ToolboxError."""
        if self._grounding is None or self._grounding.names != request.names:
            self._grounding = Grounding(request.names)
        asked: list[CallOutcome] = []

        def notice(outcome: CallOutcome) -> None:
            refer_to(outcome, request.conversation)
            if outcome.confirmation is not None:
                asked.append(outcome)

        loop = ToolLoop(
            self._needed(),
            self._calls.toolbox,
            tools,
            self._grounding,
            self._max_rounds,
            own_sentences=self._own_sentences,
            sampling=self.sampling,
            tokens=self.tokens,
            on_outcome=notice,
        )
        conversation = request.conversation
        messages = conversation.messages_for_model(tools_prompt(), request.text)
        caller = request.placed(request.caller, WantedCall(""), alone=True)
        async with aclosing(loop.run(messages, request.text, conversation, caller, request.answer)) as events:
            async for event in events:
                yield event
        if asked:
            yield ask(asked[-1], conversation)

    async def _choose(self, text: str, candidates: Sequence[Candidate]) -> Choice:
        """Raises ChatError."""
        if not candidates:
            return None, None
        model = self._needed()
        messages = [
            {"role": "system", "content": self._prompt},
            {"role": "user", "content": question(text, candidates)},
        ]
        how = self.sampling
        stream = model.complete(messages, (), seed=how.seed, temperature=how.temperature, schema=schema(candidates))
        async with aclosing(stream) as pieces:
            async for piece in pieces:
                if isinstance(piece, ModelReply):
                    self.tokens.count(piece)
                    written = piece.text or "".join(call.raw for call in piece.tool_calls)
                    number = choice_in(written, candidates)
                    return (candidates[number - 1] if number not in (None, NONE) else None), piece.fallen
        raise ChatError("no_answer", f"{model.name} ended without an answer.")

    async def _in_own_words(self, request: Request, fell: FellBack | None) -> AsyncGenerator[ReplyEvent, None]:
        """No tool is wanted: a sentence of the model's, which may state nothing about the house."""
        model = self._needed()
        words = OwnWords(request.names)
        reply: ModelReply | None = None
        messages = request.conversation.messages_for_model(self._prompt, request.text)
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
        for said in words.sentences(reply.text, said=bool(request.answer.said)):
            yield said
        if reply.fallen is not None and fell is None:
            yield reply.fallen
            yield sentence(phrase("fell_back"))

    def _needed(self) -> ChatModel:
        if self._model is None:
            raise ChatError("no_model", "No language model is set up.", mend="See `jarvis doctor`.")
        return self._model
