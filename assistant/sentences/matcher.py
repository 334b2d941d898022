"""Sentence match: answering from a sentence template before any model is asked.

Templates are hassil's (``prompts/sentences/<language>/<tool>.yaml``); an intent is named like the tool it calls and
its slots like the tool's parameters. None is always allowed, a wrong call never is: a template has to cover the whole
utterance, a name that means two things is left out, and two readings that fit equally well cancel each other.

The order in which an utterance is tried: as it is, with its time taken out ("at six", "every sunday"), with a
misheard name put right, as a follow-up ("and is it backed up?"), put right halfway, as two or three utterances in one,
without the remarks around it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from assistant.ports import Names, SentenceMatch, WantedCall
from assistant.sentences.asides import corrected, exception_in, is_corrected, is_retold, stretches
from assistant.sentences.clauses import completed, halves, last_words, sentences_of
from assistant.sentences.follow_up import FollowUp
from assistant.sentences.grammar import Grammar
from assistant.sentences.normalize import (
    order_core,
    plain_words,
    utterance_core,
)
from assistant.sentences.scheduling import Scheduling
from assistant.sentences.speech_kind import (
    is_hypothetical,
    is_message,
    is_remark,
    is_reported,
    is_waved_off,
    speech_of,
)
from assistant.sentences.templates import Templates
from assistant.sentences.vocabulary import (
    ACTS,
    PARAMETER_KINDS,
    READS,
)
from tools.contract import Speech

MAX_WORDS = 40
"""Longer utterances are no simple request; the templates' optional parts would only cost time."""

MAX_CLAUSES = 4
MAX_COMPOUND_WORDS = 24

ANSWERS = frozenset({"clock", "calendar", "thanks", "nevermind", "greeting", "who", "help"})
_LOOKS_UP = frozenset({"check", "show", "list", "read"})
MAX_LISTED = 4
"""Words of what is listed after a verb: "check the alerts, then the backups"."""

REFUSALS = frozenset({"cannot_delete", "cannot_change", "cannot_play", "cannot_tell"})
NOT_FOR_US = frozenset({"cannot_change", "cannot_play"})
"""Refusals of what somebody else could mean by his words: "print the last error"."""

_SECRETS = frozenset({"cannot_tell"})
_READS, _ACTS = frozenset(READS), frozenset(ACTS)


def local_now() -> datetime:
    """The clock on the wall."""
    return datetime.now().astimezone()


class HassilMatcher:
    """Templates filled with the live names. Immutable; build a new one when the names change."""

    def __init__(self, names: Names, language: str = "en", clock: Callable[[], datetime] = local_now) -> None:
        self._language = language
        self._templates = Templates(names, language)
        self._chat = Grammar(["chat", "refuse"], Names(), language)
        self._follow_up = FollowUp(names, language)
        self._scheduling = Scheduling(clock, self._order, language)
        self.match("is this the first sentence")  # templates are parsed when first used: not in somebody's turn

    def match(self, text: str, last: WantedCall | None = None) -> SentenceMatch | None:
        """The calls that the templates read out of ``text``, or the answer to give, or None."""
        words = plain_words(text, self._language)
        if not words or len(words.split()) > MAX_WORDS:
            return None
        if (answer := self._answer(text)) is not None:
            return answer
        found = (
            (is_retold(text, self._language) and self._put_right(text, last))
            or self._clause(text, last)
            or self._put_right(text, last)
            or self._but_not(text, last)
            or (None if is_retold(text, self._language) else self._compound(text, last))
            or self._beside(text, last)
        )
        if found and any(call.tool in _ACTS for call in found[1]) and self._is_no_order(_requested(text)):
            return None
        if found is None:
            return self._refusal(text)
        template, calls = found
        first, *more = [call for n, call in enumerate(calls) if not _said_already(call, calls[:n])]
        return SentenceMatch(template, first.tool, first.arguments, more=tuple(more))

    def order(self, text: str) -> tuple[str, dict[str, object]] | None:
        """The single call that an order in words comes to, for what is scheduled."""
        found = self._order(text)
        return (found[1].tool, dict(found[1].arguments)) if found else None

    def _answer(self, text: str) -> SentenceMatch | None:
        for words in dict.fromkeys((utterance_core(text, self._language), plain_words(text, self._language))):
            reading = self._chat.read(words, ANSWERS)
            if reading is not None:
                return SentenceMatch(reading.template, answer=reading.intent, arguments=dict(reading.slots))
        return None

    def _refusal(self, text: str) -> SentenceMatch | None:
        """What nobody can do here, if nothing else was understood."""
        if self._is_no_order(text) or is_message(text, self._language):
            return None
        asks = speech_of(text, self._language) is Speech.QUESTION
        reading = self._chat.read(order_core(text, self._language), _SECRETS if asks else REFUSALS)
        return SentenceMatch(reading.template, answer=reading.intent) if reading else None

    def _compound(self, text: str, last: WantedCall | None) -> tuple[str, list[WantedCall]] | None:
        """Several utterances in one; every one of them has to be understood, or be a remark."""
        pieces = sentences_of(text, self._language)
        if 1 < len(pieces) <= MAX_CLAUSES and (found := self._all(pieces, last)) is not None:
            return found
        return self._joined(" ".join(pieces), last, MAX_CLAUSES)

    def _put_right(self, text: str, last: WantedCall | None) -> tuple[str, list[WantedCall]] | None:
        """ "Turn on the kitchen, no sorry, the hallway light": what is meant in the end."""
        for words in corrected(text, self._language):
            found = self._clause(words, last)
            if found is not None and not self._follow_up.loses_a_name(text, found[1]):
                return found
        return None

    def _but_not(self, text: str, last: WantedCall | None) -> tuple[str, list[WantedCall]] | None:
        """ "Turn off the desk lamp but leave the heater on": what is left alone is named only to make sure."""
        parts = exception_in(text, self._language)
        found = self._clause(parts[0], last) if parts else None
        if parts is None or found is None or not _one_thing(found[1]):
            return None
        named = self._follow_up.names_in(parts[1])
        return found if named and not named & {str(v) for call in found[1] for v in call.arguments.values()} else None

    def _beside(self, text: str, last: WantedCall | None) -> tuple[str, list[WantedCall]] | None:
        """The request with remarks around it; a message or a reminder may say anything, so nothing is taken off it."""
        if is_message(text, self._language) or is_corrected(text, self._language) or exception_in(text, self._language):
            return None
        for stretch in stretches(text, self._language):
            about = self._follow_up.about(stretch.before) or last
            found = self._clause(stretch.words, about) or self._joined(stretch.words, about, 2)
            if found is None:
                continue
            acts = any(call.tool in _ACTS for call in found[1])
            around = {speech_of(aside, self._language) for aside in (stretch.before, stretch.after) if aside}
            if Speech.ORDER in around or (acts and (Speech.QUESTION in around or not stretch.harmless)):
                continue
            if any(self._is_no_order(aside) for aside in (stretch.before, stretch.after)):
                continue
            if self._follow_up.leaves_out(stretch, found[1]):
                continue
            return found
        return None

    def _all(self, pieces: list[str], last: WantedCall | None) -> tuple[str, list[WantedCall]] | None:
        template, calls, remarks = "", list[WantedCall](), list[WantedCall]()
        for piece in pieces:
            if self._answer(piece) is not None:
                continue
            found = self._clause(piece, last) or self._joined(piece, last, 2) or self._as_before(piece, pieces[0])
            if found is not None:
                template = template or found[0]
                calls += found[1]
                last = found[1][-1]
                asks = speech_of(piece, self._language) is Speech.QUESTION
                if all(call.tool in _READS for call in found[1]) and (self._follow_up.states(piece) or not asks):
                    remarks += found[1]  # "immich is down, start it" asks for nothing with its first half
            elif is_remark(piece, self._language) or self._follow_up.states(piece):
                last = self._follow_up.about(piece) or last
            else:
                return None
        if any(call.tool in _ACTS for call in calls):
            calls = [call for call in calls if call not in remarks]
        return (template, last_words(calls)) if calls else None

    def _as_before(self, piece: str, first: str) -> tuple[str, list[WantedCall]] | None:
        """ "check the alerts, then the backups": looked up like what came before."""
        verb = first.split()[0]
        if verb not in _LOOKS_UP or len(piece.split()) > MAX_LISTED:
            return None
        found = self._completed(f"{verb} {piece}")
        return found if found is not None and found[1][0].tool in _READS else None

    def _is_no_order(self, text: str) -> bool:
        return (
            is_waved_off(text, self._language)
            or is_hypothetical(text, self._language)
            or (is_reported(text, self._language) and not is_message(text, self._language))
        )

    def _joined(self, words: str, last: WantedCall | None, most: int) -> tuple[str, list[WantedCall]] | None:
        if most < 2 or len(words.split()) > MAX_COMPOUND_WORDS:
            return None
        for left, right in halves(words):
            first = self._clause(left, last)
            if first is not None:
                rest = self._clause(right, first[1][-1]) or self._joined(right, first[1][-1], most - 1)
                if rest is not None:
                    return first[0], [*first[1], *rest[1]]
            if (
                first is not None
                and first[1][-1].tool in _READS
                and (listed := self._as_before(right, left)) is not None
            ):
                return first[0], [*first[1], *listed[1]]
            for one, other in completed(left, right):
                both = self._completed(one), self._completed(other)
                if both[0] and both[1] and _alike(both[0][1], both[1][1]):
                    return both[0][0], [*both[0][1], *both[1][1]]
        return None

    def _completed(self, words: str) -> tuple[str, list[WantedCall]] | None:
        """A half with borrowed words."""
        call = self._templates.completed(words)
        return (call[0], [call[1]]) if call else None

    def _clause(self, text: str, last: WantedCall | None) -> tuple[str, list[WantedCall]] | None:
        """One utterance as it is, scheduled, misheard or as a follow-up."""
        repeated = self._follow_up.ellipsis(text, last)
        if repeated is not None and (repeated.tool in _READS or self._follow_up.may_act(text)):
            return "(follow-up)", [repeated]
        for words in self._follow_up.before(text, last):
            found = self._scheduling.read(words) or self._templates.whole(words)
            if found is not None:
                return found[0], [found[1]]
        for words in self._follow_up.after(text, last):
            found = self._templates.whole(words)
            if found is not None:
                return found[0], [found[1]]
        return None

    def _order(self, text: str) -> tuple[str, WantedCall] | None:
        return self._templates.whole(text)


def _requested(text: str) -> str:
    """Without what is not to be touched: "back up the photos but don't touch the databases"."""
    parts = exception_in(text)
    return parts[0] if parts else text


def _one_thing(calls: list[WantedCall]) -> bool:
    """Whether no call is for everything: then nothing can be left out of it."""
    return not any({"all", "lights"} & {str(v) for v in call.arguments.values()} for call in calls)


def _said_already(call: WantedCall, before: list[WantedCall]) -> bool:
    """The same call, or the same with less said, as an earlier one of this utterance."""
    return any(call.tool == other.tool and call.arguments.items() <= other.arguments.items() for other in before)


def _alike(left: list[WantedCall], right: list[WantedCall]) -> bool:
    """Halves that borrowed words are the same request about two names, or a reading gone wrong."""
    first, second = left[0], right[0]
    if first.tool != second.tool:  # "start minecraft and the windows box"
        return "action" in first.arguments and first.arguments["action"] == second.arguments.get("action")
    named = set(PARAMETER_KINDS)
    same = {k: v for k, v in first.arguments.items() if k not in named} == {
        k: v for k, v in second.arguments.items() if k not in named
    }
    return first.tool == second.tool and same and first.arguments != second.arguments
