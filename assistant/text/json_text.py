"""JSON → what a person would say of it. Pure."""

from __future__ import annotations

import json
import re

from assistant.text import words
from assistant.text.rules import listing
from assistant.text.unit_words import counted

MAX_ENTRIES = 4
"""Entries of an object or a list that are said; of the others only how many they are."""

MAX_DEPTH = 2
MAX_STRING = 200
MAX_SEARCHES = 8
"""Places in a text that are tried for JSON."""

_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)  # figures stay as they are written
_START = re.compile(r'\{\s*["}]|\[\s*[{"\[]')


def say_embedded_json(text: str) -> str:
    """The text with each JSON object or list of texts and objects in it said."""
    said: list[str] = []
    at = 0
    for _ in range(MAX_SEARCHES):
        start = _START.search(text, at)
        if start is None:
            break
        found = _decoded(text, start.start())
        end = found[1] if found else start.end()
        said += [text[at : start.start()], say_value(found[0]) if found else text[start.start() : end]]
        at = end
    return "".join(said) + text[at:]


def say_json(text: str) -> str | None:
    """What is said of a text that is JSON as a whole, object or list; None where it is not."""
    stripped = text.strip()
    if not stripped.startswith(("{", "[")):
        return None
    found = _decoded(stripped, 0)
    return say_value(found[0]) if found and found[1] == len(stripped) else None


def _decoded(text: str, at: int) -> tuple[object, int] | None:
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None


def say_value(value: object, depth: int = 0) -> str:
    """ "service gitea, state up, port 3000"; what is deeper than MAX_DEPTH is only counted."""
    if isinstance(value, dict | list):
        if not value:
            return words.NOTHING
        if depth > MAX_DEPTH:
            return counted(len(value), words.ENTRIES)
        return _say_object(value, depth) if isinstance(value, dict) else _say_list(value, depth)
    if value is None:
        return words.NOTHING
    if isinstance(value, bool):
        return words.YES if value else words.NO
    return " ".join(str(value).split())[:MAX_STRING]


def _say_object(value: dict[str, object], depth: int) -> str:
    entries = []
    for key, inner in list(value.items())[:MAX_ENTRIES]:
        mark = ":" if isinstance(inner, dict | list) and inner else ""
        entries.append(f"{_name(key)}{mark} {say_value(inner, depth + 1)}")
    deep = any(isinstance(inner, dict) or _holds_objects(inner) for inner in value.values())
    return _capped(entries, len(value), "; " if deep else ", ")


def _say_list(value: list[object], depth: int) -> str:
    entries = [say_value(inner, depth + 1) for inner in value[:MAX_ENTRIES]]
    if _holds_objects(value):
        return _capped(entries, len(value), "; ")
    return listing(entries, words.AND) if len(entries) == len(value) else _capped(entries, len(value), ", ")


def _holds_objects(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value)


def _capped(entries: list[str], count: int, mark: str) -> str:
    left = count - len(entries)
    return mark.join(entries) + (f"{mark}{words.AND} {counted(left, words.MORE)}" if left else "")


def _name(key: str) -> str:
    """ "lastRun" → "last run"."""
    return re.sub(r"(?<=[a-z])[A-Z](?=[a-z])", lambda large: f" {large.group().lower()}", " ".join(key.split()))
