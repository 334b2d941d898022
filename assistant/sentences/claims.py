"""Does a sentence state something about the house? Pure; its words stand in ``prompts/sentences``, ``claims.yaml``.

Facts come from tools, never from the model. A small model that should call a tool and chats instead says "No,
everything is online."; such an answer is not passed on.
"""

from __future__ import annotations

from functools import cache

from assistant.ports import Names
from assistant.sentences.normalize import grammar_file, plain_words
from assistant.sentences.vocabulary import spoken_forms

REACH_WORDS = 4
"""From the subject to the verb and from the verb to the state: "the photos backup is not yet fully verified"."""


def states_a_fact(sentence: str, names: Names, *, first: bool = True, language: str = "en") -> bool:
    """Whether a thing of the house, or "everything", is said to be in some state. When in doubt, yes.

    ``first``: the sentence begins the answer, where a pronoun is the thing that was asked about.
    """
    subjects, pronouns, verbs, states = _words(language)
    if first:
        subjects |= pronouns
    words = plain_words(sentence, language).split()
    own = {word for kind in names.by_kind.values() for form in spoken_forms(kind, language) for word in form.split()}
    for place, word in enumerate(words):
        if word not in subjects and word not in own:
            continue
        for verb in range(place + 1, min(place + 1 + REACH_WORDS, len(words))):
            if words[verb] in verbs and states.intersection(words[verb + 1 : verb + 1 + REACH_WORDS]):
                return True
    return False


@cache
def _words(language: str) -> tuple[frozenset[str], ...]:
    data = grammar_file("claims", language)
    return tuple(frozenset(data[key]) for key in ("subjects", "pronouns", "verbs", "states"))
