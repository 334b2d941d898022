"""Making the calls that an utterance means, in order; what wants a yes or a name waits for the next utterance."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from assistant.answer import Answer, ms_since, returned, sentence
from assistant.confirming import begins_with_no, is_no, is_yes
from assistant.conversation import Choice, Conversation, Pending
from assistant.events import ConfirmationAsked, ReplySentence, ToolCalled, ToolSource
from assistant.phrases import phrase
from assistant.phrasing import phrase_results
from assistant.ports import ChatModel, Engine, Foreseen, Foresight, Names, ReplyEvent, Toolbox, WantedCall
from assistant.sampling import Tokens
from assistant.sentences import is_bare_answer
from assistant.sentences.here import means_here, speaks_of
from assistant.sentences.vocabulary import PARAMETER_KINDS, READS
from assistant.text.sentences import split_sentences
from assistant.text.spoken_pin import without_pin_words
from assistant.understanding import Understood
from tools.contract import Caller, CallOutcome, Speech, ToolResult
from tools.names import NameIndex, Resolved

CHOICE_S = 60.0
"""How long a question back ("the kitchen or the bedroom?") can be answered."""

_ASKED_FOR = {kind: parameter for parameter, kind in PARAMETER_KINDS.items() if parameter != "name"}


@dataclass(slots=True)
class Request:
    """One utterance and what its reply goes by. ``caller`` says whether it asks or orders."""

    text: str
    names: Names
    understood: Understood
    conversation: Conversation
    caller: Caller
    engine: Engine
    foresight: Foresight | None = None
    answer: Answer = field(default_factory=Answer)

    def foreseen(self, calls: Sequence[WantedCall]) -> Mapping[int, Awaitable[Foreseen]]:
        """Which of these calls have been made already, by position."""
        match = self.foresight.match if self.foresight is not None else None
        return self.foresight.calls if self.foresight and match is not None and tuple(calls) == match.calls else {}

    @property
    def as_order(self) -> Caller:
        """For what a person chose or agreed to: that is as good as an order."""
        return self.caller.model_copy(update={"speech": Speech.ORDER})

    def caller_of(self, calls: Sequence[WantedCall]) -> Caller:
        """Templates and clear signals read acts out of nothing but orders, part by part of the utterance, whatever
        stands beside them ("is gitea up? restart it")."""
        return self.as_order if any(call.tool not in READS for call in calls) else self.caller

    def placed(self, caller: Caller, call: WantedCall, *, alone: bool) -> Caller:
        """The caller of this call, who means the room that it is said in where the words leave it open."""
        if caller.room is None or caller.confirmation is not None or not means_here(self.text, call, alone=alone):
            return caller
        last = self.conversation.last
        again = last is not None and last.arguments.get("target") == call.arguments.get("target")
        if again and not speaks_of(self.text, call):
            return caller  # "off again" is for what was meant before
        return caller.model_copy(update={"here": True})


@dataclass(frozen=True, slots=True)
class Calls:
    """Makes calls over the toolbox and keeps in the conversation what they leave open."""

    toolbox: Toolbox
    phraser: ChatModel | None = None
    """Puts what several looks found into a sentence of its own; None: each tool speaks for itself."""
    tokens: Tokens = field(default_factory=Tokens)

    async def make(
        self, calls: Sequence[WantedCall], source: ToolSource, request: Request, caller: Caller
    ) -> AsyncGenerator[ReplyEvent, None]:
        """Make the calls in order; those that want a yes wait, and the first of them is asked about at the end."""
        conversation = request.conversation
        waiting: list[tuple[WantedCall, CallOutcome]] = []
        together = self.phraser is not None and len(calls) > 1 and all(call.tool in READS for call in calls)
        results: list[ToolResult] = []
        held: list[ReplySentence] = []
        foreseen = request.foreseen(calls)
        for number, call in enumerate(calls):
            yield ToolCalled(tool=call.tool, arguments=call.arguments, source=source)
            if number in foreseen:
                found = await foreseen[number]
                outcome, took_ms = found.outcome, found.took_ms
            else:
                started = time.perf_counter()
                confirmed = source == "confirmation"  # all that it means was read back
                placed = caller if confirmed else request.placed(caller, call, alone=len(calls) == 1)
                outcome = await self.toolbox.call(call.tool, call.arguments, placed)
                took_ms = ms_since(started)
            yield returned(outcome, took_ms)
            refer_to(outcome, conversation)
            if outcome.confirmation is not None:
                waiting.append((call, outcome))
                continue
            if outcome.candidates:
                conversation.choice = _choice(call, outcome, conversation)
            if outcome.ok and outcome.result is not None:
                results.append(outcome.result)
            for said in request.answer.take(outcome):
                if together:
                    held.append(said)
                else:
                    yield said
        async for event in self._put_together(held, results, len(calls), request):
            yield event
        if waiting:
            (_, asked), *later = waiting
            yield sentence(asked.spoken)
            yield ask(
                asked, conversation, then=tuple(WantedCall(call.tool, planned.arguments) for call, planned in later)
            )

    async def _put_together(
        self, held: Sequence[ReplySentence], results: Sequence[ToolResult], wanted: int, request: Request
    ) -> AsyncGenerator[ReplyEvent, None]:
        """The model's sentence about all the results, or what the tools said."""
        if self.phraser is not None and held and len(results) == wanted:
            phrasing = await phrase_results(self.phraser, request.text, results, request.names)
            if phrasing.reply is not None:
                self.tokens.count(phrasing.reply)
            yield phrasing.event
            if phrasing.text is not None:
                held = [sentence(piece) for piece in split_sentences(phrasing.text)]
        for said in held:
            yield said

    async def open_question(self, request: Request) -> AsyncGenerator[ReplyEvent, None]:
        """A yes executes, a no drops; any other utterance cancels what was asked and goes its own way."""
        text, conversation = request.text, request.conversation
        pending, in_time = conversation.take_pending()
        choice = conversation.take_choice()
        if pending is not None:
            async with aclosing(self._confirmation(pending, request, in_time=in_time)) as events:
                async for event in events:
                    yield event
        elif choice is not None and (meant := _chosen_name(text, choice, request.names)) is not None:
            call = replace(choice.call, arguments={**choice.call.arguments, choice.argument: meant})
            async with aclosing(self.make((call,), "sentence", request, request.as_order)) as events:
                async for event in events:
                    yield event
        elif is_bare_answer(text):
            yield sentence(phrase("nothing_asked"))

    async def _confirmation(
        self, pending: Pending, request: Request, *, in_time: bool
    ) -> AsyncGenerator[ReplyEvent, None]:
        text = without_pin_words(request.text) if request.caller.pin is not None else request.text
        if pending.pin and in_time and request.caller.pin is not None and not text:
            request.conversation.pending = pending
            yield sentence(phrase("pin_and_yes"))
        elif is_no(text, pending.question):
            yield sentence(phrase("confirmation_dropped"))
        elif is_yes(text, pending.question):
            if not in_time:
                yield sentence(phrase("confirmation_late"))
                return
            confirmed = request.as_order.model_copy(update={"confirmation": pending.nonce})
            for calls, caller in (((pending.call,), confirmed), (pending.then, request.as_order)):
                async with aclosing(self.make(calls, "confirmation", request, caller)) as events:
                    async for event in events:
                        yield event
                if (asked_again := request.conversation.pending) is not None and calls == (pending.call,):
                    request.conversation.pending = replace(asked_again, then=pending.then)
                    return
        elif begins_with_no(text) and request.understood.matcher.match(text, request.conversation.last) is None:
            yield sentence(phrase("confirmation_dropped"))


def ask(outcome: CallOutcome, conversation: Conversation, *, then: tuple[WantedCall, ...] = ()) -> ConfirmationAsked:
    """Keep the question that ``outcome`` asks open for the next utterance. It must have a confirmation."""
    if outcome.confirmation is None:
        raise ValueError(f"the outcome of {outcome.tool} asks for no confirmation")
    expires_s = outcome.confirmation.expires_in_s
    conversation.pending = Pending(
        nonce=outcome.confirmation.nonce,
        call=WantedCall(outcome.tool, outcome.arguments),
        question=outcome.spoken,
        expires_at=conversation.clock() + expires_s,
        then=then,
        pin=outcome.confirmation.pin,
    )
    if outcome.confirmation.pin:
        conversation.pin_asked_at = conversation.clock()
    return ConfirmationAsked(tool=outcome.tool, arguments=outcome.arguments, spoken=outcome.spoken, expires_s=expires_s)


def refer_to(outcome: CallOutcome, conversation: Conversation) -> None:
    """What was planned, done or not, is what "it" means next."""
    if outcome.level is not None:
        conversation.refer_to(WantedCall(outcome.tool, outcome.arguments))


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
