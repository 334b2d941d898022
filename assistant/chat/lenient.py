"""A JSON reader for what small models write. Pure.

It takes, besides JSON: single quotes, Python's ``True``, ``False`` and ``None``, trailing commas, raw line breaks in
strings, doubled braces (``{{"a": 1}}``, copied from a template's escapes) and closing brackets that are missing at the
end of the text. It does not guess: a bare word is no value, and a string that never closes is unreadable, because half
a name can be the whole name of something else.
"""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 32
"""Nesting that is read. With it one reading is linear in the text; a call has three or four levels."""

_WHOLE = "\x00\x00"
"""Behind a text of which nothing may be missing: a character that no value has, so that its end is none of the text."""

_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,200})(?:\.\d{1,200})?(?:[eE][+-]?\d{1,3})?(?![\w.])")
_WORD = re.compile(r"(?:true|false|null|True|False|None)(?!\w)")
_WORDS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}
_PLAIN = {'"': re.compile(r'[^"\\]*'), "'": re.compile(r"[^'\\]*")}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_CODE = re.compile(r"u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|U000[0-9a-fA-F]{5}|U0010[0-9a-fA-F]{4}")


class UnreadableError(ValueError):
    """There is no value here."""


def read_value(text: str, start: int = 0) -> tuple[Any, int]:
    """The value that begins at ``start`` (or after blanks there) and the index behind it. Raises UnreadableError."""
    return _value(text, _blank(text, start), 0)


def read_object(text: str, *, forgiving: bool = True) -> dict[str, Any] | None:
    """The object that ``text`` is, with nothing but blanks, fences or stray closing brackets around it; else None.

    Not ``forgiving``: brackets must not be missing.
    """
    start = re.match(r"(?:\s|```(?:[\w-]*\n)?)*", text)
    try:
        value, end = read_value(text if forgiving else text + _WHOLE, start.end() if start else 0)
    except UnreadableError:
        return None
    return value if isinstance(value, dict) and re.fullmatch(r"[\s`}\],;]*", text[end:]) else None


def whole_characters(text: str) -> str:
    """``text`` with half surrogate pairs (``\\ud83d`` alone) replaced: no encoder takes them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _blank(text: str, index: int) -> int:
    match = _SPACE.match(text, index)
    return match.end() if match else index


def _value(text: str, index: int, depth: int) -> tuple[Any, int]:
    first = text[index : index + 1]
    if depth > MAX_DEPTH or not first:
        raise UnreadableError
    if first == "{":
        return _object(text, index, depth)
    if first == "[":
        return _array(text, index, depth)
    if first in "\"'":
        return _string(text, index)
    if word := _WORD.match(text, index):
        return _WORDS[word.group()], word.end()
    if number := _NUMBER.match(text, index):
        return _number(number.group()), number.end()
    raise UnreadableError


def _number(written: str) -> int | float:
    value: int | float = json.loads(written)
    if value in (float("inf"), float("-inf")):
        raise UnreadableError
    return value


def _object(text: str, index: int, depth: int) -> tuple[dict[str, Any], int]:
    braces = 2 if text.startswith("{{", index) else 1  # JSON has no object that begins with a brace
    index = _blank(text, index + braces)
    found: dict[str, Any] = {}
    while not _over(text, index):
        if text[index] == "}":
            return found, index + (2 if braces == 2 and text.startswith("}}", index) else 1)
        key, index = _string(text, index)
        index = _blank(text, index)
        if not text.startswith(":", index):
            raise UnreadableError
        found[key], index = _value(text, _blank(text, index + 1), depth + 1)
        index = _after_item(text, index, "}")
    return found, index


def _array(text: str, index: int, depth: int) -> tuple[list[Any], int]:
    index = _blank(text, index + 1)
    found: list[Any] = []
    while not _over(text, index):
        if text[index] == "]":
            return found, index + 1
        value, index = _value(text, index, depth + 1)
        found.append(value)
        index = _after_item(text, index, "]")
    return found, index


def _after_item(text: str, index: int, closing: str) -> int:
    """Where the next item, the closing bracket or the end of what is written stands."""
    index = _blank(text, index)
    if text.startswith(",", index):
        return _blank(text, index + 1)
    if text.startswith(closing, index) or _over(text, index):
        return index
    raise UnreadableError


def _over(text: str, index: int) -> bool:
    """The end of the text, of a fence or of a tag's content: the only places where missing brackets are forgiven."""
    return index >= len(text) or (text.startswith(("```", "</", "<|"), index) and not text.endswith(_WHOLE))


def _string(text: str, index: int) -> tuple[str, int]:
    quote = text[index : index + 1]
    if quote not in _PLAIN:
        raise UnreadableError
    index += 1
    pieces: list[str] = []
    while match := _PLAIN[quote].match(text, index):
        pieces.append(match.group())
        index = match.end()
        if index >= len(text):
            break
        if text[index] == quote:
            return whole_characters("".join(pieces)), index + 1
        piece, index = _escape(text, index + 1)
        pieces.append(piece)
    raise UnreadableError


def _escape(text: str, index: int) -> tuple[str, int]:
    """What stands behind a backslash, in JSON or Python. Another escape stays as it is written."""
    letter = text[index : index + 1]
    if code := _CODE.match(text, index):
        return chr(int(code.group()[1:], 16)), code.end()
    if letter in _ESCAPES:
        return _ESCAPES[letter], index + 1
    if letter and letter in "\"'\\/":
        return letter, index + 1
    return "\\" + letter, index + 1
