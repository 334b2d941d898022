"""Streamed text → sentences, as soon as each is complete. Pure."""

from __future__ import annotations

import re

_ABBREVIATIONS = frozenset(
    {"e.g", "i.e", "etc", "mr", "mrs", "ms", "dr", "prof", "vs", "no", "approx", "ca", "st", "inc", "ltd", "z.b"}
)
_END = re.compile(r"([.!?…]+[\"'”’)\]]*)(\s+)|(\n+)")
MAX_SENTENCE_CHARACTERS = 400
"""A text without stops is cut here at a space, so that speech can begin and memory stays bounded."""


class SentenceSplitter:
    """Feed fragments, get whole sentences; ``flush`` gives the rest. The result does not depend on the chunking.

    A stop ends a sentence only when white space follows, so that 1.2, 10.0.0.1 and example.org stay whole.
    """

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, fragment: str) -> list[str]:
        """The sentences that are complete now, stripped, without empty ones."""
        self._rest += fragment
        found: list[str] = []
        while (end := _first_end(self._rest)) is not None:
            found.append(self._rest[:end].strip())
            self._rest = self._rest[end:].lstrip()
        return [sentence for sentence in found if sentence]

    def flush(self) -> list[str]:
        """What is left, as one sentence or none; the splitter is empty afterwards."""
        rest, self._rest = self._rest.strip(), ""
        return [rest] if rest else []


def split_sentences(text: str) -> list[str]:
    """All sentences of a whole text."""
    splitter = SentenceSplitter()
    return splitter.feed(text) + splitter.flush()


def _first_end(text: str) -> int | None:
    """Index behind the first complete sentence, None when there is none yet."""
    for match in _END.finditer(text):
        if match.end() == len(text) and not match.group(3):
            break  # more white space may follow, and only what comes behind it shows that the sentence is over
        if match.group(3) or not _is_abbreviation(text[: match.start()], match.group(1)):
            if match.end() > MAX_SENTENCE_CHARACTERS:
                break
            if match.end() == len(text):
                break
            return match.end()
    if len(text) > MAX_SENTENCE_CHARACTERS:
        space = text.rfind(" ", 0, MAX_SENTENCE_CHARACTERS)
        return space + 1 if space > 0 else MAX_SENTENCE_CHARACTERS
    return None


def _is_abbreviation(before: str, stop: str) -> bool:
    if stop != ".":
        return False
    last = before.rsplit(None, 1)[-1].lstrip("(\"'“‘").casefold() if before.strip() else ""
    return last in _ABBREVIATIONS or bool(re.fullmatch(r"\d{1,3}|[a-z]", last))
