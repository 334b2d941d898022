"""The conversation: ordered exchanges that share history, bounded, and what a follow-up can refer to.

Pure. The history holds what was said and what was *actually spoken* in reply; a tool's data never enters it, and
text that somebody outside the house could have written (a tainted result) is replaced by a note.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from assistant.ports import WantedCall
from tools.contract import JsonObject

FOLLOW_UP_S = 300.0
"""How long "it" and "that one" mean what was last talked about."""

PIN_AFTER_S = 120.0
"""So long after a question for the PIN somebody may say it again, though nothing asks for it any more."""

MAX_TURNS = 4
MAX_CHARACTERS = 1_200
MAX_REPLY_CHARACTERS = 200
"""One reply in the history: enough to refer to, too little to recite from."""

TAINTED_NOTE = "(The answer was read out; its text is not kept.)"


@dataclass(frozen=True, slots=True)
class PastCall:
    """A finished tool call: canonical arguments, no result."""

    tool: str
    arguments: JsonObject


@dataclass(frozen=True, slots=True)
class Pending:
    """An open confirmation: the call that waits for a yes, its nonce, and what was asked.

    ``expires_at`` on the conversation's clock; ``then``: calls of the same utterance that come after it; ``pin``: the
    yes has to bring the PIN.
    """

    nonce: str
    call: WantedCall
    question: str
    expires_at: float
    then: tuple[WantedCall, ...] = ()
    pin: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A question back, open: "the living room or the kitchen?"; the answer completes the call."""

    call: WantedCall
    argument: str
    names: tuple[str, ...]
    expires_at: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """One turn as the conversation remembers it."""

    said: str
    spoken: str
    calls: tuple[PastCall, ...] = ()

    @property
    def characters(self) -> int:
        return len(self.said) + len(self.spoken) + sum(len(_call_json(call)) for call in self.calls)


class Conversation:
    """The last exchanges, at most ``max_turns`` of them and ``max_characters`` together."""

    def __init__(
        self,
        *,
        id_: str = "default",
        max_turns: int = MAX_TURNS,
        max_characters: int = MAX_CHARACTERS,
        clock: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """``clock``: seconds that only grow; without one nothing in the conversation expires."""
        self.id = id_
        self.clock = clock
        self._max_turns = max_turns
        self._max_characters = max_characters
        self._exchanges: deque[Exchange] = deque()
        self._subjects: dict[str, str] = {}
        self._last: WantedCall | None = None
        self._last_at = float("-inf")
        self.pending: Pending | None = None
        self.pin_asked_at = float("-inf")
        self.choice: Choice | None = None

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Oldest first."""
        return tuple(self._exchanges)

    @property
    def subjects(self) -> Mapping[str, str]:
        """The last name resolved for each kind of argument (``service``, ``job``, …): what "it" can mean."""
        return dict(self._subjects)

    @property
    def last(self) -> WantedCall | None:
        """The last call that was planned, done or not, while it can still be referred to."""
        return self._last if self.clock() - self._last_at < FOLLOW_UP_S else None

    def refer_to(self, call: WantedCall) -> None:
        """From now on "it" is what this canonical call is about; a list of tasks is about none of them."""
        if call.tool == "list_tasks" and self.last is not None:
            return
        self._last, self._last_at = call, self.clock()

    def take_pending(self) -> tuple[Pending | None, bool]:
        """The open confirmation, which is open no more, and whether it is still in time."""
        pending, self.pending = self.pending, None
        return pending, pending is not None and self.clock() < pending.expires_at

    @property
    def awaits_pin(self) -> bool:
        """Whether a PIN may be said now: it was asked for, or was a moment ago."""
        is_asked = self.pending is not None and self.pending.pin
        return is_asked or self.clock() - self.pin_asked_at < PIN_AFTER_S

    def take_choice(self) -> Choice | None:
        """The open question back, which is open no more; None when there is none, or it is too late."""
        choice, self.choice = self.choice, None
        return choice if choice is not None and self.clock() < choice.expires_at else None

    def remember(self, said: str, spoken: str, calls: Sequence[PastCall] = (), *, tainted: bool = False) -> None:
        """Add a finished exchange; the oldest ones fall out when it gets too much."""
        reply = TAINTED_NOTE if tainted else shorten(spoken, MAX_REPLY_CHARACTERS)
        self._exchanges.append(
            Exchange(said=shorten(said, self._max_characters // 2), spoken=reply, calls=tuple(calls))
        )
        for call in calls:
            self._subjects.update({key: value for key, value in call.arguments.items() if isinstance(value, str)})
        self._trim()

    def interrupted(self, spoken: str) -> None:
        """The last reply was cut off: only ``spoken`` of it was heard."""
        if self._exchanges and self._exchanges[-1].spoken != TAINTED_NOTE:
            last = self._exchanges.pop()
            self._exchanges.append(replace(last, spoken=shorten(spoken, MAX_REPLY_CHARACTERS)))

    def messages_for_model(self, system_prompt: str, said: str) -> list[JsonObject]:
        """Chat messages, the constant prefix first.

        A past tool call is shown as the call that answered, and not its outcome: yesterday's state must not be
        repeated as today's, and the form of a call is the best example for the next one.
        """
        messages: list[JsonObject] = [{"role": "system", "content": system_prompt}]
        for past in self._exchanges:
            answer = "\n".join(_call_json(call) for call in past.calls) if past.calls else past.spoken
            if answer:
                messages.append({"role": "user", "content": past.said})
                messages.append({"role": "assistant", "content": answer})
        messages.append({"role": "user", "content": said})
        return messages

    def _trim(self) -> None:
        while len(self._exchanges) > self._max_turns:
            self._exchanges.popleft()
        while len(self._exchanges) > 1 and sum(e.characters for e in self._exchanges) > self._max_characters:
            self._exchanges.popleft()


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters, cut at a word where there is one."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    cut = head.rfind(" ")
    return (head[:cut] if cut > limit // 2 else head).rstrip() + "…"


def _call_json(call: PastCall) -> str:
    return json.dumps({"name": call.tool, "arguments": call.arguments}, ensure_ascii=False)
