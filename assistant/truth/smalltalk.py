"""Does a sentence that no tool stands behind keep to what is no fact? Pure."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.ports import Names
from assistant.sentences.claims import states_a_fact
from assistant.truth.clauses import sentences_of
from assistant.truth.lexicon import lexicon_of
from assistant.truth.tokens import Token, tokens
from assistant.truth.words import Role, Words, words_of

REACH_WORDS = 5
"""From "I" to what was done, and from a thing of the house to its state."""

_INDEFINITE = frozenset({"a", "an", "any", "some", "another"})


def states_nothing(text: str, names: Names, *, first: bool = True, language: str = "en") -> bool:
    """Whether ``text`` states no number, no state of the house, nothing of a known name, and no deed. In doubt, no.

    ``first``: it begins the answer, where a pronoun is the thing that was asked about. A question may have a name in
    it ("Do you mean gitea?"), and so may what the assistant cannot do ("I can't restart gitea.").
    """
    words = words_of(language)
    for number, sentence in enumerate(sentences_of(text)):
        if states_a_fact(sentence, names, first=first and number == 0, language=language):
            return False
        found = tokens(sentence, lexicon_of(names), language)
        if _counts(found) or _claims(found, words):
            return False
        asks = sentence.rstrip("\"'”’) ").endswith("?") and not any(token.role is Role.STATE for token in found)
        if not asks and (_speaks_of_a_name(found, words) or _did(found, words)):
            return False
    return True


def _counts(found: Sequence[Token]) -> bool:
    """A number; "one" alone is a pronoun, and times without a figure belong to any talk."""
    for at, token in enumerate(found):
        if token.role is Role.NUMBER and any(character.isdigit() for value in token.values for character in value):
            alone = token.text in ("1", "one", "first", "second") and token.values <= {"1", "1 th", "2 th"}
            if not alone or (at and found[at - 1].text in ("is", "are")):
                return True
    return False


def _speaks_of_a_name(found: Sequence[Token], words: Words) -> bool:
    """A known name, unless it is a common noun here ("a cloud is …"), what the assistant is, or what cannot be done."""
    said = " ".join(token.text for token in found)
    unable = any(phrase in said for phrase in words.unable)
    for at, token in enumerate(found):
        common = bool(at) and found[at - 1].text in _INDEFINITE
        if token.role is Role.NAME and not common and not _is_itself(found, at):
            has_state = any(other.role in (Role.STATE, Role.CAUSE) for other in found)
            if has_state or not unable:
                return True
    return False


def _is_itself(found: Sequence[Token], at: int) -> bool:
    """ "I am your home assistant.", in a house that has a service of that name."""
    before = [token.text for token in found[:at] if token.role is not Role.NEUTRAL]
    return before[-2:] == ["i", "am"]


def _claims(found: Sequence[Token], words: Words) -> bool:
    """ "The lights are off.", "Your battery is low." """
    for at, token in enumerate(found[:-1]):
        if token.text in words.definite:
            near = found[at + 1 : at + 1 + REACH_WORDS]
            if any(_is_of_the_house(other, words) for other in near[:3]) and any(t.role is Role.STATE for t in near):
                return True
    return False


def _is_of_the_house(token: Token, words: Words) -> bool:
    return token.text in words.house or f"{token.text}s" in words.house


def _did(found: Sequence[Token], words: Words) -> bool:
    """ "I turned it off.", "I will remind you.", "Turning off the lights.", "Done." """
    texts = [part for token in found for part in token.text.split()]
    if texts and (texts[0] in words.done or (texts[0].endswith("ing") and texts[0] in words.deeds)):
        return True
    for at, text in enumerate(texts):
        if text in ("i", "we"):
            near = texts[at + 1 : at + 1 + REACH_WORDS]
            negated = near[:2] in (["can", "not"], ["do", "not"], ["could", "not"], ["did", "not"], ["will", "not"])
            can = near[:1] in (["can"], ["could"])
            if not negated and not can and any(word in words.deeds for word in near[:4]):
                return True
    return False
