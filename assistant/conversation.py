"""The conversation: ordered exchanges that share history, bounded, and what a follow-up can refer to.

Pure. The history holds what was said and what was *actually spoken* in reply; a tool's data never enters it, and
text that somebody outside the house could have written (a tainted result) is replaced by a note.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tools.contract import JsonObject

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

    def __init__(self, *, max_turns: int = MAX_TURNS, max_characters: int = MAX_CHARACTERS) -> None:
        self._max_turns = max_turns
        self._max_characters = max_characters
        self._exchanges: deque[Exchange] = deque()
        self._subjects: dict[str, str] = {}

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Oldest first."""
        return tuple(self._exchanges)

    @property
    def subjects(self) -> Mapping[str, str]:
        """The last name resolved for each kind of argument (``service``, ``job``, …): what "it" can mean."""
        return dict(self._subjects)

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
