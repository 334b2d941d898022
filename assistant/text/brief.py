"""What of a reply is said aloud: so many sentences, and that the rest is on the screen. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from assistant.text.sentences import split_sentences


class Aloud:
    """Takes a reply's spoken text as it comes and gives what of it is said.

    Sentences are counted, not pieces, so it does not matter how the reply was cut: two sentences in one piece count as
    two. A question is always said, since somebody is expected to answer it; so is what ``must`` be said.
    """

    def __init__(self, limit: int, rest_words: str) -> None:
        """``limit``: sentences said aloud (``speech.sentences``); ``rest_words``: "The rest is on the screen."."""
        self._left = limit
        self._rest_words = rest_words
        self._owed = False
        self._told = False

    def take(self, spoken: str, *, must: bool = False) -> str | None:
        """What to say of the next piece, whole sentences; None when it stays on the screen.

        Before a question behind sentences that were left out it says first where those are.
        """
        said: list[str] = []
        for sentence in split_sentences(spoken):
            if self._left > 0 or must or _asks(sentence):
                said += [self.rest() or "", sentence]
                self._left -= 1
            else:
                self._owed = True
        return " ".join(piece for piece in said if piece) or None

    def rest(self) -> str | None:
        """The words to end with when something was left out; once a reply."""
        if not self._owed or self._told:
            return None
        self._told = True
        return self._rest_words


def briefly(spoken: Iterable[str], limit: int, rest_words: str) -> list[str]:
    """What is said of a whole reply, given its pieces."""
    aloud = Aloud(limit, rest_words)
    said = [aloud.take(piece) for piece in spoken]
    return [piece for piece in (*said, aloud.rest()) if piece]


def _asks(sentence: str) -> bool:
    return sentence.rstrip("\"'”’) ").endswith("?")
