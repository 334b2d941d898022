"""What is to happen later or again and again: the time taken out of an utterance, and what is left read on its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from assistant.ports import Names, WantedCall
from assistant.sentences.asides import is_corrected
from assistant.sentences.grammar import Grammar
from assistant.sentences.normalize import as_said, mended, order_core, plain_words
from assistant.sentences.speech_kind import is_message, is_statement, may_act, orders_a_look, speech_of
from assistant.sentences.vocabulary import READS
from tools.contract import Speech
from tools.when import find_when

AT_NIGHT = frozenset({"run_backup", "test_restore"})
"""What is meant to run at night: "every sunday at three" is 03:00."""

_STATED = re.compile(r"\b(?:is|are|was|starts|leaves|arrives|begins|closes|opens|ends|comes)$")
"""The time belongs to what a message says: "text me that the train leaves at 5:40"."""

_SHOULD = re.compile(r"\b(?:must|should|shall|needs to|has to|have to) be\b")

_REMIND = re.compile(r"^\W*[\w: ]+[,;:]\s+(?:please )?(?:remind|wake)\b", re.IGNORECASE)
""" "Half seven, remind me to …"."""

_SCHEDULE = re.compile(r"^(?:schedule|plan|program|set up|arrange|book) (?:(?:a|an|the) )?")

_NO_DEED = frozenset(
    ["the", "that", "this", "my", "delete", "cancel", "remove", "is", "was", "for", "on", "at", "list"]
)

_REMIND_OF = re.compile(
    r"^(?:i|we) (?:have to|have got to|got to|must|need to|should|ought to|want to|must not forget to) (?P<deed>.+?)"
    r" (?:so )?(?:please )?(?:can you |could you )?remind (?:me|us)(?: of (?:it|that)| about (?:it|that))?$"
)
""" "I have to call the client back, remind me at five"."""

_OTHER = frozenset(["delete", "cancel", "remove", "scrap", "reminder", "timer", "alarm"])
"""In the name of a timer: then something else was meant."""

_HOURS = re.compile(r"\b(at|by) (\d{1,2}) hours\b", re.IGNORECASE)
""" "At 23 hours"."""

ReadOrder = Callable[[str], tuple[str, WantedCall] | None]


class Scheduling:
    """Reads timers, alarms, reminders and orders with a time. ``clock``: local time; ``read``: an order's call."""

    def __init__(self, clock: Callable[[], datetime], read: ReadOrder, language: str = "en") -> None:
        self._clock = clock
        self._read_order = read
        self._language = language
        self._grammar = Grammar(["schedule"], Names(), language)

    def read(self, text: str) -> tuple[str, WantedCall] | None:
        """The call of ``schedule`` in the text, with the template of what is scheduled."""
        if speech_of(text, self._language) is Speech.QUESTION:
            return None
        now = self._clock()
        text = _HOURS.sub(r"\1 \2:00", mended(text, self._language))
        found = find_when(text, now) or (find_when(f"at {text}", now) if _REMIND.search(text) else None)
        if found is None or (is_message(text, self._language) and _STATED.search(plain_words(found.rest))):
            return None
        rest = order_core(found.rest, self._language)
        own = self._own(rest)
        if own is not None:
            return "(time) " + own[0], WantedCall("schedule", {"what": own[1], "when": found.when})
        rest = order_core(_SHOULD.sub("to be", _SCHEDULE.sub("", rest)), self._language)
        looks = found.recurring and orders_a_look(rest, self._language) and may_act(text, self._language)
        if is_corrected(found.rest, self._language):
            return None
        order = self._read_order(rest) if rest and (looks or may_act(rest, self._language)) else None
        if order is None or order[1].tool in ("cancel_task", "schedule", "list_tasks"):
            return None
        if order[1].tool in READS and not found.recurring:
            return None
        if order[1].tool in AT_NIGHT:
            found = find_when(text, now, recurring_night=True) or found
        what = as_said(found.rest, rest, self._language)
        return "(time) " + order[0], WantedCall("schedule", {"what": what, "when": found.when})

    def _own(self, rest: str) -> tuple[str, str] | None:
        """A timer, an alarm or a reminder, and how it is called."""
        reading = self._grammar.read(rest) or self._grammar.read(plain_words(rest, self._language))
        if reading is None and (due := _REMIND_OF.match(rest)) is not None:
            reading = self._grammar.read(f"remind me to {due['deed']}")
        if reading is None and " remind me " in rest:  # "I have to leave then, so please remind me to …"
            before, _, message = rest.partition(" remind me ")
            if is_statement(before, self._language):
                reading = self._grammar.read(f"remind me {message}")
        if reading is None:
            return None
        if reading.template == "reminder {message}" and reading.slots.get("message", "").split()[0] in _NO_DEED:
            return None  # "the reminder at five, delete that"
        if " and " in f" {reading.slots.get('label', '')} ":
            return None  # two requests in one
        label = str(reading.slots.get("label", "")).strip()
        message = str(reading.slots.get("message", "")).strip()
        if message in _NO_DEED or label in _NO_DEED or _OTHER.intersection(label.split()):
            return None
        if reading.intent == "reminder":
            return reading.template, f"remind me to {message}" if message else "reminder"
        return reading.template, f"{label} {reading.intent}".strip()
