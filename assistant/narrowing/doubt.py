"""Is there a doubt left about what is meant? The candidates' scores, and what else speaks against acting. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from assistant.narrowing.candidates import Said, nothing_unknown
from assistant.ports import WantedCall
from assistant.sentences.normalize import utterance_core
from assistant.sentences.vocabulary import ACTS
from tools.contract import JsonObject, Speech

SURE_READ, SURE_ACT = 0.55, 0.55
"""Score from which a call is made without asking the model, and ..."""

MARGIN_READ, MARGIN_ACT = 0.08, 0.06
"""... its lead over the next tool. Chosen on the development sets so that no such call is wrong."""

AHEAD = 0.05
"""An act that is barred and likelier than the reading tool by this much: better ask than look something up."""

SURE_WITHOUT_VERB, AHEAD_WITHOUT_VERB = 0.85, 0.25
"""What makes an order of words that have no verb."""

STATING = frozenset({"is", "are", "was", "were", "be", "been", "has", "have", "had", "i", "we", "he", "she", "they"})

SOLE = 0.45
"""Score from which the only tool left is called: when it reads and something is named, or when it acts and every word
of the order is a known one."""

MOST_TOOLS = 4
MOST_CALLS = 6
TOO_FAR = 0.30
"""A tool that scores this much less than the best one is not put to the model."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A whole call, or a tool of an outside server whose arguments are still open."""

    call: WantedCall
    score: float
    open: bool = False


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What the utterance could mean, best first; ``decided``: the calls, where there is no doubt left."""

    candidates: tuple[Candidate, ...] = ()
    decided: tuple[WantedCall, ...] = ()
    signals: JsonObject = field(default_factory=dict)


def without_doubt(
    ranked: Sequence[Candidate], said: Said, speech: Speech, rivals: float, barred: float
) -> tuple[WantedCall, ...]:
    """The best candidate where nothing speaks against it: sure, ahead, alone for its tool, and allowed to act."""
    if not ranked or ranked[0].open:
        return ()
    best = ranked[0]
    acts = best.call.tool in ACTS
    if not acts and speech is not Speech.QUESTION and barred > best.score + AHEAD:
        return ()
    if acts and best.call.arguments.get("target") in ("lights", "all") and not nothing_unknown(said):
        return ()  # "the bathroom light", where there is no bathroom
    if not acts and len(ranked) == 1 and said.mentions and best.score >= SOLE:
        return (best.call,)
    if acts and speech is Speech.ORDER and len(ranked) == 1 and best.score >= SOLE and nothing_unknown(said):
        return (best.call,)
    if acts and (best.call.tool == "schedule" or not _orders(best, said, speech, rivals)):
        return ()
    if {"and", "then", "but", "or"} & set(utterance_core(said.words, said.language).split()):
        return ()  # perhaps two requests
    if sum(candidate.call.tool == best.call.tool for candidate in ranked) > 1:
        return ()
    if _left_over(best, said):
        return ()
    rival = max([rivals, *(c.score for c in ranked if c.call.tool != best.call.tool)])
    sure, margin = (SURE_ACT, MARGIN_ACT) if acts else (SURE_READ, MARGIN_READ)
    return (best.call,) if best.score >= sure and best.score - rival >= margin else ()


def _orders(best: Candidate, said: Said, speech: Speech, rivals: float) -> bool:
    """An order, or words that could hardly be anything else: "bedside lamp twenty percent"."""
    if speech is not Speech.UNKNOWN:
        return speech is Speech.ORDER
    states = STATING & set(said.words.split())
    return not states and best.score >= SURE_WITHOUT_VERB and best.score - rivals >= AHEAD_WITHOUT_VERB


def _left_over(best: Candidate, said: Said) -> bool:
    """Whether a name was said that the call does not have."""
    given = {str(value) for value in best.call.arguments.values()}
    return any(not given & set(mention.names.values()) for mention in said.mentions)


def said_before(call: WantedCall, before: Sequence[WantedCall]) -> bool:
    """The same, or the same without its name: "are my pictures safe, is there a backup"."""
    return any(call == other or (call.tool == other.tool and not call.arguments) for other in before)


def few(ranked: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """What is put to the model: the calls of the best tools."""
    tools = list(dict.fromkeys(candidate.call.tool for candidate in ranked))[:MOST_TOOLS]
    kept = [c for c in ranked if c.call.tool in tools and c.score >= ranked[0].score - TOO_FAR]
    return tuple(kept[:MOST_CALLS])
