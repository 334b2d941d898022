"""Streamed text → sentences, as soon as each is complete. Pure."""

from __future__ import annotations

import re

_ABBREVIATIONS = frozenset(
    {"e.g", "i.e", "etc", "mr", "mrs", "ms", "dr", "prof", "vs", "approx", "ca", "st", "inc", "ltd", "z.b"}
)
_BEFORE_A_NUMBER = frozenset({"no", "max", "min", "avg", "temp"})
"""Abbreviations only with a figure behind them: "No. 5", but "No. It is down." """

_END = re.compile(r"(?<![.!?…])([.!?…]++[\"'”’)\]]*+)(\s+)|(\n+)")
_LIST_MARK = re.compile(r"[\[(\"'*_]*(?:[0-9]{1,3}|[A-Za-z])$")
_SPACES = re.compile(r"\s*")
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
        text = self._rest + fragment
        found: list[str] = []
        start = 0
        while (end := _first_end(text, start)) is not None:
            found.append(text[start:end].strip())
            spaces = _SPACES.match(text, end)
            start = spaces.end() if spaces else end
        self._rest = text[start:]
        return [sentence for sentence in found if sentence]

    def flush(self) -> list[str]:
        """What is left, as one sentence or none; the splitter is empty afterwards."""
        rest, self._rest = self._rest.strip(), ""
        return [rest] if rest else []


def split_sentences(text: str) -> list[str]:
    """All sentences of a whole text."""
    splitter = SentenceSplitter()
    return splitter.feed(text) + splitter.flush()


def _first_end(text: str, start: int) -> int | None:
    """Index behind the first complete sentence from ``start`` on, None when there is none yet."""
    window = text[start : start + MAX_SENTENCE_CHARACTERS + 1]
    for match in _END.finditer(window):
        spaces = _SPACES.match(text, start + match.end())
        behind = spaces.end() if spaces else start + match.end()
        if match.end() > MAX_SENTENCE_CHARACTERS or behind == len(text):
            break  # more white space may follow, and only what comes behind it shows that the sentence is over
        if match.group(3) or not _is_abbreviation(window[: match.start()], match.group(1), text[behind]):
            return start + match.end()
    if len(window) > MAX_SENTENCE_CHARACTERS:
        space = window.rfind(" ", 0, MAX_SENTENCE_CHARACTERS)
        return start + (space + 1 if space > 0 else MAX_SENTENCE_CHARACTERS)
    return None


def _is_abbreviation(before: str, stop: str, behind: str) -> bool:
    if stop != ".":
        return False
    last = before.rsplit(None, 1)[-1].lstrip("(\"'“‘").casefold() if before.strip() else ""
    if last in _BEFORE_A_NUMBER:
        return behind.isdigit()
    return last in _ABBREVIATIONS or bool(_LIST_MARK.match(before.strip())) or bool(re.fullmatch(r"[a-z]", last))
