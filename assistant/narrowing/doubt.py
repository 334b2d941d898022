"""Is there a doubt left about what is meant? The candidates' scores, and what else speaks against acting. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from assistant.narrowing.candidates import Said, nothing_unknown, unknown_place
from assistant.ports import WantedCall
from assistant.sentences.normalize import utterance_core
from assistant.sentences.speech_kind import is_message
from assistant.sentences.vocabulary import ACTS
from tools.contract import JsonObject, Speech

SURE_READ, SURE_ACT = 0.55, 0.8
"""Probability from which a call is made without asking the model. Chosen on sets that the router had not seen."""

SURE_OF_ALL = 0.7
"""The same for a look at all of something, as nothing was named."""

SURE_LOOK = 0.9
"""The same for a look that "and" or "or" stands in ("what timers and reminders are there"), or that nobody asked
for ("jellyfin is down")."""

CLIPPED = 4
"""Words of an utterance that asks without a verb ("gitea logs please"); a longer one states something."""

_JOINTS = frozenset({"and", "then", "but", "or"})

SURE_WITHOUT_VERB = 0.9
"""The same for an act that is ordered in words without a verb."""

STATING = frozenset({"is", "are", "was", "were", "be", "been", "has", "have", "had", "i", "we", "he", "she", "they"})

SOLE = 0.3
"""Probability from which the only tool left is called: when it reads and something is named, or when it acts and every
word of the order is a known one."""

MOST_TOOLS = 4
MOST_CALLS = 6
TOO_FAR_READ, TOO_FAR_ACT = 0.4, 0.1
"""A tool that is less probable than this is not put to the model. On the sets to develop on one of 25 undecided looks
below it was meant."""


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


def without_doubt(ranked: Sequence[Candidate], said: Said, speech: Speech) -> tuple[WantedCall, ...]:
    """The best candidate where nothing speaks against it: sure, alone for its tool, and allowed to act."""
    if not ranked or ranked[0].open:
        return ()
    best = ranked[0]
    acts = best.call.tool in ACTS
    if acts and best.call.arguments.get("target") in ("lights", "all") and unknown_place(said):
        return ()  # "the bathroom light", where there is no bathroom
    if acts and any(mention.heard for mention in said.mentions) and not nothing_unknown(said):
        return ()  # "get my tools out the van" is for no fan
    stated = speech is Speech.UNKNOWN and (len(said.words.split()) > CLIPPED or bool(STATING & set(said.words.split())))
    sole = SURE_LOOK if stated else SOLE
    if not acts and len(ranked) == 1 and said.mentions and best.score >= sole:
        return (best.call,)
    if acts and speech is Speech.ORDER and len(ranked) == 1 and best.score >= SOLE and nothing_unknown(said):
        return (best.call,)
    timer = best.call.tool == "schedule" and str(best.call.arguments["what"]).endswith("timer")
    if acts and not (timer and best.score >= SURE_WITHOUT_VERB) and best.call.tool == "schedule":
        return ()  # the template of what is to be done later says more than its likeness
    if acts and not timer and not _orders(best, said, speech):
        return ()
    if (acts or best.score < SURE_LOOK) and _JOINTS & set(utterance_core(said.words, said.language).split()):
        return ()  # perhaps two requests
    if sum(candidate.call.tool == best.call.tool for candidate in ranked) > 1:
        return ()
    if _left_over(best, said):
        return ()
    if acts:
        return (best.call,) if best.score >= SURE_ACT else ()
    sure = SURE_LOOK if stated else SURE_READ if said.mentions else SURE_OF_ALL
    return (best.call,) if best.score >= sure else ()


def _orders(best: Candidate, said: Said, speech: Speech) -> bool:
    """An order, or words that could hardly be anything else: "bedside lamp twenty percent"."""
    if best.call.tool == "notify" and speech is not Speech.QUESTION and is_message(said.text, said.language):
        return True
    if speech is not Speech.UNKNOWN:
        return speech is Speech.ORDER
    return not STATING & set(said.words.split()) and best.score >= SURE_WITHOUT_VERB


def _left_over(best: Candidate, said: Said) -> bool:
    """Whether a name was said that the call does not have."""
    given = {str(value) for value in best.call.arguments.values()}
    outside = str(best.call.arguments.get("target", "")).startswith("outdoor")  # whatever is named: "in the garden"
    return any(not given & set(m.names.values()) for m in said.mentions if not (outside and "area" in m.names))


def said_before(call: WantedCall, before: Sequence[WantedCall]) -> bool:
    """The same, or the same without its name: "are my pictures safe, is there a backup"."""
    return any(call == other or (call.tool == other.tool and not call.arguments) for other in before)


def few(ranked: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """What is put to the model: the calls of the best tools."""
    tools = list(dict.fromkeys(candidate.call.tool for candidate in ranked))[:MOST_TOOLS]
    kept = [
        c for c in ranked if c.call.tool in tools and c.score >= (TOO_FAR_ACT if c.call.tool in ACTS else TOO_FAR_READ)
    ]
    return tuple(kept[:MOST_CALLS])
