"""Narrowing: from an utterance to the few whole calls that it could mean, and whether there is any doubt left.

Signals, each with what it excluded in the result: the names that occur, whether it asks or orders, the time in it, and
the router's nearest examples. Where they agree and every argument is resolved, no model is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from assistant.narrowing.candidates import Said, actions_in, calls_for, cues_in
from assistant.narrowing.doubt import Candidate, Narrowed, few, said_before, without_doubt
from assistant.narrowing.exclusion import NO_ORDER, why_not
from assistant.narrowing.mentions import Mentions, masked
from assistant.narrowing.router import ANSWER, Router
from assistant.ports import Names, ToolDescription, WantedCall
from assistant.sentences.asides import corrected, exception_in, is_corrected, is_retold, stretches
from assistant.sentences.clauses import halves, last_words, sentences_of
from assistant.sentences.follow_up import FollowUp
from assistant.sentences.normalize import plain_words
from assistant.sentences.scheduling import Scheduling
from assistant.sentences.speech_kind import (
    is_beyond,
    is_hypothetical,
    is_message,
    is_reported,
    is_statement,
    is_waved_off,
    may_act,
    speech_of,
)
from assistant.sentences.vocabulary import ACTS, READS, TOOLS, joined_words
from tools.contract import JsonObject, Speech
from tools.when import find_when

NOTHING = 0.8
"""Probability from which no tool is meant at all, whatever is named."""

LIKELY = 0.3
"""Likeness from which a tool of another server may be meant, ..."""

SURE_OF_OWN = 0.9
"""... unless one of our own, or none, is as probable as this, ..."""

DOUBTED, TRUSTED = 0.1, 0.2
"""A tool below this probability is doubted though a template reads it; above this by the words alone it is not."""

MOST_OUTSIDE = 3
"""... and how many of them are put to the model."""

LOOKS = {
    "service_power": "check_services", "vm_power": "check_vms", "home_control": "home_state",
    "run_backup": "check_backups", "test_restore": "check_backups", "schedule": "list_tasks",
    "cancel_task": "list_tasks", "notify": ANSWER,
}  # fmt: skip
"""What a question in the words of an act is about."""

ABOUT = 0.6
"""Probability from which words that name nothing are about what was talked about."""

MOST_PARTS = 3


class Narrower:
    """For one set of live names."""

    def __init__(self, names: Names, router: Router, clock: Callable[[], datetime], language: str = "en") -> None:
        self._language = language
        self._router = router
        self._clock = clock
        self._mentions = Mentions(names, language)
        self._follow_up = FollowUp(names, language)
        self._scheduling = Scheduling(clock, self._order, language)

    def narrow(self, text: str, last: WantedCall | None, outside: Sequence[ToolDescription] = ()) -> Narrowed:
        """Blocking for some milliseconds. Raises ModelFilesError when the router's files are damaged."""
        narrowed = self._narrow(text, last, outside)
        told = is_waved_off(text, self._language) or is_hypothetical(text, self._language)
        if (told or is_reported(text, self._language)) and not is_message(text, self._language):
            return self._without_acts(narrowed, NO_ORDER)
        return narrowed

    def _narrow(self, text: str, last: WantedCall | None, outside: Sequence[ToolDescription]) -> Narrowed:
        repeated = self._follow_up.ellipsis(text, last)
        if repeated is not None and (repeated.tool in READS or self._follow_up.may_act(text)):
            return Narrowed((Candidate(repeated, 1.0),), (repeated,), {"follow_up": True})
        if is_retold(text, self._language):
            return self._put_right(text, last, outside)
        read = next(iter(self._follow_up.before(text, last)))
        if read != text and self._is_no_request(text):
            read = text  # "is it raining": not what was talked about
        scheduled = self._scheduling.read(read)
        if scheduled is not None:
            return Narrowed((Candidate(scheduled[1], 1.0),), (scheduled[1],), {"time": scheduled[1].arguments["when"]})
        if (several := self._several(read, last, outside)) is not None:
            return several
        if is_corrected(text, self._language):
            return self._put_right(text, last, outside)
        if exception_in(text, self._language):
            return self._without_acts(self._by_signals(self._said(read, text), outside), "an exception")
        narrowed = self._by_signals(self._said(read, text), outside)
        if not narrowed.decided and (beside := self._beside(text, last, outside)) is not None:
            return beside
        if narrowed.decided or last is None or read != text or speech_of(text, self._language) is Speech.UNKNOWN:
            return narrowed
        best = max((candidate.score for candidate in narrowed.candidates), default=0.0)
        for longer in self._follow_up.after(text, last):  # "then test the restore": of what was talked about
            about = self._by_signals(self._said(longer, text), outside)
            if about.decided and about.candidates[0].score > max(best, ABOUT) and self._says(about.decided[0], text):
                return about
        return narrowed

    def _is_no_request(self, text: str) -> bool:
        said = self._said(text, text)
        return not said.mentions and self._scores(said, speech_of(text, self._language))[ANSWER] >= SURE_OF_OWN

    def _says(self, call: WantedCall, text: str) -> bool:
        """Whether the call's action was said: "lock" is no order in the name of a lock."""
        action = call.arguments.get("action")
        return action is None or action in actions_in(call.tool, plain_words(text, self._language), self._language)

    def _put_right(self, text: str, last: WantedCall | None, outside: Sequence[ToolDescription]) -> Narrowed:
        """What is meant in the end; what was said first must not be done."""
        for words in corrected(text, self._language):
            read = next(iter(self._follow_up.before(words, last)))
            if (scheduled := self._scheduling.read(read)) is not None:
                return Narrowed((Candidate(scheduled[1], 1.0),), (scheduled[1],), {"corrected": words})
            one = self._by_signals(self._said(read, words), outside)
            if one.decided and not self._follow_up.loses_a_name(text, one.decided):
                return one
        return self._without_acts(self._by_signals(self._said(text, text), outside), "corrected")

    @staticmethod
    def _without_acts(narrowed: Narrowed, why: str) -> Narrowed:
        """What cannot be understood to the end must not act."""
        reads = tuple(candidate for candidate in narrowed.candidates if candidate.call.tool not in ACTS)
        decided = () if any(call.tool in ACTS for call in narrowed.decided) else narrowed.decided
        return Narrowed(reads, decided if why == NO_ORDER else (), {**narrowed.signals, "without acts": why})

    def _beside(self, text: str, last: WantedCall | None, outside: Sequence[ToolDescription]) -> Narrowed | None:
        """The request with remarks around it, when it is beyond doubt."""
        if is_message(text, self._language):
            return None
        for stretch in stretches(text, self._language):
            about = self._follow_up.about(stretch.before) or last
            one = self._by_signals(
                self._said(next(iter(self._follow_up.before(stretch.words, about))), stretch.words), outside
            )
            if not one.decided:
                continue
            around = {speech_of(aside, self._language) for aside in (stretch.before, stretch.after) if aside}
            acts = any(call.tool in ACTS for call in one.decided)
            asks = not acts and speech_of(stretch.words, self._language) is Speech.QUESTION
            if self._follow_up.leaves_out(stretch, one.decided) or not (stretch.harmless or asks):
                continue
            if Speech.ORDER not in around and not (acts and Speech.QUESTION in around):
                return Narrowed(one.candidates, one.decided, {**one.signals, "request": stretch.words})
        return None

    def _several(self, text: str, last: WantedCall | None, outside: Sequence[ToolDescription]) -> Narrowed | None:
        """Two or three requests in one utterance, when each of them is beyond doubt; a message may say anything."""
        if is_message(text, self._language):
            return None
        for pieces in self._splits(text):
            calls: list[WantedCall] = []
            remarks: list[WantedCall] = []
            signals: list[JsonObject] = []
            for piece in pieces:
                if is_beyond(piece, self._language):
                    break
                one = self.narrow(piece, calls[-1] if calls else last, outside)
                likely = max((candidate.score for candidate in one.candidates), default=0.0)
                if not one.decided and is_statement(piece, self._language) and likely < LIKELY:
                    continue
                if _about_oneself(piece) and (calls or piece is not pieces[-1]):
                    signals.append(one.signals)  # "I need to get my tools": the reason for the other part
                    calls += [call for call in one.decided if call.tool in READS]
                    continue
                if piece.split()[0] == "why" and piece is not pieces[-1]:
                    remarks += one.decided  # "why is the fan still running, switch it off"
                calls += one.decided
                if speech_of(piece, self._language) is not Speech.QUESTION:
                    remarks += [call for call in one.decided if call.tool in READS]
                signals.append(one.signals)
                if not one.decided:
                    break
            else:
                if any(call.tool in ACTS for call in calls):  # "immich is down, start it"
                    calls = [call for call in calls if call not in remarks]
                distinct = last_words([call for n, call in enumerate(calls) if not said_before(call, calls[:n])])
                if distinct:  # the other parts were remarks: "we are going to bed"
                    return Narrowed(
                        tuple(Candidate(call, 1.0) for call in distinct), tuple(distinct), {"parts": signals}
                    )
        return None

    def _splits(self, text: str) -> Iterator[Sequence[str]]:
        pieces = sentences_of(text, self._language)
        if 1 < len(pieces) <= MOST_PARTS:
            yield pieces
        words = " ".join(pieces)
        yield from halves(words)

    def _said(self, words: str, text: str) -> Said:
        plain = self._mentions.joined(joined_words(plain_words(words, self._language), self._language))
        found = find_when(text, self._clock())
        return Said(plain, text, self._mentions.find(plain), found, self._language)

    def order(self, text: str) -> tuple[str, dict[str, object]] | None:
        """The single call that an order in words comes to, for what is scheduled."""
        found = self._order(text)
        return (found[1].tool, dict(found[1].arguments)) if found else None

    def _order(self, text: str) -> tuple[str, WantedCall] | None:
        """The sure call of an order, for what is scheduled."""
        narrowed = self._by_signals(self._said(text, text), ())
        return ("(signals)", narrowed.decided[0]) if narrowed.decided else None

    def _by_signals(self, said: Said, outside: Sequence[ToolDescription]) -> Narrowed:
        speech = speech_of(said.text, self._language)
        acting = may_act(said.text, self._language)
        cues = cues_in(said.words, self._language)
        scores = self._scores(said, speech)
        excluded: dict[str, str] = {}
        incomplete: list[str] = []
        candidates: list[Candidate] = []
        for tool in TOOLS:
            why = why_not(tool, said, speech, cues, acting=acting)
            calls = [] if why else calls_for(tool, said)
            if why:
                excluded[tool] = why
            elif not calls:
                incomplete.append(tool)
            candidates += [Candidate(call, scores[tool]) for call in calls]
        ranked = sorted(candidates, key=lambda candidate: -candidate.score)
        if ranked and (scores[ANSWER] >= NOTHING or (not said.mentions and ranked[0].score < scores[ANSWER])):
            excluded |= {candidate.call.tool: "nothing speaks for it" for candidate in ranked}
            ranked = []
        others = self._outside(said, outside, best=max([scores[ANSWER], *(c.score for c in ranked)]))
        decided = () if others else without_doubt(ranked, said, speech)
        signals: JsonObject = {
            "speech": speech.value,
            "names": {mention.words: dict(mention.names) for mention in said.mentions},
            "time": said.when.when if said.when else None,
            "scores": {tool: round(score, 2) for tool, score in sorted(scores.items(), key=lambda i: -i[1])[:5]},
            "excluded": {**excluded, **dict.fromkeys(incomplete, "nothing to call it with")},
        }
        kept = few(ranked) or tuple(ranked[:1] if decided else ())
        return Narrowed((*kept, *others), decided, signals)

    def doubts(self, text: str, tool: str, *, closely: bool = False) -> bool:
        """Whether an utterance that a template reads for ``tool`` sounds clearly like something else. Blocking.

        ``closely``: whether it does not sound clearly like that. Raises ModelFilesError.
        """
        said, speech = self._said(text, text), speech_of(text, self._language)
        if not closely and self._scores(said, speech, by_words=True)[tool] >= TRUSTED:
            return False  # the cheaper look is nearly always enough
        scores = self._scores(said, speech)
        if closely:
            return scores[tool] < LIKELY
        return scores[tool] < DOUBTED and max(scores.values()) >= SURE_OF_OWN

    def _scores(self, said: Said, speech: Speech, *, by_words: bool = False) -> dict[str, float]:
        """Per tool its probability over the ways to mask the names; a question is for no tool that acts."""
        kinds = list(dict.fromkeys(kind for mention in said.mentions for kind in mention.names)) or [""]
        variants = [
            masked(said.words, said.mentions, kind, devices=devices) for kind in kinds for devices in (False, True)
        ]
        scores = self._router.scores(list(dict.fromkeys(variants)), by_words=by_words)
        if speech is not Speech.QUESTION:
            return scores
        asked = {tool: 0.0 if tool in ACTS else score for tool, score in scores.items()}
        for act, looks in LOOKS.items():  # "is it possible to restore gitea?" asks about what it would do
            asked[looks] += scores[act]
        return asked

    def _outside(self, said: Said, tools: Sequence[ToolDescription], best: float) -> tuple[Candidate, ...]:
        """Tools of other servers that may be meant; only the model can say with which arguments."""
        if not tools or best >= SURE_OF_OWN:
            return ()
        near = self._router.likeness(said.words, tools)
        likely = sorted((name for name, score in near.items() if score >= LIKELY), key=lambda name: -near[name])
        return tuple(Candidate(WantedCall(name), near[name], open=True) for name in likely[:MOST_OUTSIDE])


def _about_oneself(piece: str) -> bool:
    return bool(_ONESELF.match(piece))


_ONESELF = re.compile(
    r"^(?:i|we|he|she|they) (?:need|have|want|am|are|is|was|were|will|would|got|must|just|can|cannot)\b"
)
