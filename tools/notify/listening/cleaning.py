"""What somebody outside wrote, made fit to be said: one sentence, one line, no links, no tricks. Pure."""

from __future__ import annotations

import re
import unicodedata

MOST_CHARACTERS = 200

_READ_CHARACTERS = 4000
"""Of a text, before anything is looked for in it."""

_LINK = re.compile(r"\b[a-z][a-z0-9+.-]{1,15}://\S+|\bwww\.\S+", re.IGNORECASE)
_MARKUP = re.compile(r"[*_`#<>|~\[\]{}\\^]+")
_END = re.compile(r"(?<=[^\W\d_][.!?])\s+|(?<=\d[.!?])\s+|\s*[\r\n]\s*")
"""Where a sentence ends: a stop with space after it, or a line."""


def cleaned(text: str) -> str:
    """Its first sentence without its stop, at most MOST_CHARACTERS; empty where nothing is left to say."""
    lines = unicodedata.normalize("NFC", text[:_READ_CHARACTERS].replace("\r", "\n"))
    plain = "".join(c if c == "\n" or not unicodedata.category(c).startswith(("C", "Z")) else " " for c in lines)
    plain = _MARKUP.sub(" ", _LINK.sub("a link", plain))
    for part in _END.split(plain):
        sentence = " ".join(part.split()).strip(" .:;,-–—!?\"'")
        if any(c.isalnum() for c in sentence):
            return _cut(sentence)
    return ""


def titled(title: str, text: str) -> str:
    """ "Title: text", of which either may be missing or say the same."""
    head, body = cleaned(title), cleaned(text)
    if not head or not body or body.casefold().startswith(head.casefold()):
        return body or head
    return _cut(f"{head}: {body}")


def _cut(text: str) -> str:
    if len(text) <= MOST_CHARACTERS:
        return text
    whole_words = text[:MOST_CHARACTERS].rsplit(" ", 1)[0] if text[MOST_CHARACTERS] != " " else text
    return whole_words[:MOST_CHARACTERS].rstrip(" .:;,-")
