"""Tool calls that arrive as text are tool calls. Pure.

Small local models write the call they mean into their answer, each family in its own way. Read here, alone, in lists or
one after another, with prose before and behind:

* ``{"name": …, "arguments": {…}}`` with other words for both keys, wrapped in ``function`` or ``tool_calls``, arguments
  as a string of JSON, as a Python literal, in doubled braces, fenced, with trailing commas, with the end missing;
* the same between ``<tool_call>``, ``<tools>``, ``<|tool_call|>``, ``<|python_tag|>``, ``[TOOL_CALLS]`` and the like;
* ``<function=NAME>{…}</function>`` and ``<function=NAME><parameter=KEY>VALUE</parameter></function>``;
* ``NAME {…}`` and ``NAME(key="value")`` on lines of their own, for the names that are known.

What has not the shape of a call stays text. So does a tool's description that the model repeats.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from assistant.chat.call_dialects import AFTER, CUT, FoundCalls, broken, named, pythonic_list, tagged, unwrapped
from assistant.chat.call_shapes import calls_in
from assistant.chat.lenient import UnreadableError, read_object, read_value
from assistant.ports import ToolCallRequest
from tools.contract import JsonObject

MAX_TEXT = 20_000
"""Characters of an answer that are read; a model that writes more than this is in a loop."""

MAX_CALLS = 8
"""Calls taken from one answer; the rest is the same loop."""

_CANDIDATE = re.compile(r"\{\{?(?=\s*[\"'}\w])|\[(?=\s*(?:\{|\[\s*\{|[A-Za-z_]))|<(?:function=|invoke name=)")
"""Where a call can begin: runs of brackets are passed over, so the whole is linear."""

_THINK = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)


class ReadText(NamedTuple):
    """Calls found in a text in their order, and the text without them and without reasoning."""

    calls: tuple[ToolCallRequest, ...]
    rest: str


def strip_reasoning(text: str) -> str:
    """Without <think>…</think>, also when it was never closed."""
    while (shorter := _THINK.sub("", text)) != text:
        text = shorter
    return text


def read_tool_calls(text: str, known_tools: Collection[str] = (), *, cut_off: bool = False) -> ReadText:
    """The calls in ``text``. Never raises; text without calls and reasoning comes back as it is.

    ``cut_off``: the server ended the answer before the model did. Then brackets that are missing at the end are not
    forgiven: an argument may be missing with them ("off" without "kitchen").

    A call of an unknown tool is returned too: it is an error to be said. Arguments that are there and cannot be read as
    an object give ``arguments=None`` and the raw text, never ``{}``; arguments that are left out, empty or null give
    ``{}``, and the tool's own check says what is missing.
    """
    rest = strip_reasoning(text[:MAX_TEXT].replace(CUT, "")) + (CUT if cut_off else "")
    calls: list[ToolCallRequest] = []
    while True:
        before = len(calls)
        rest = _take_calls(rest, known_tools, calls)
        if len(calls) == before:
            break
        rest = strip_reasoning(rest)
    numbered = [
        ToolCallRequest(f"call_{number}", call.name, call.arguments, call.raw)
        for number, call in enumerate(calls[:MAX_CALLS])
    ]
    return ReadText(tuple(numbered), rest.replace(CUT, ""))


def arguments_from(raw: str, *, required: bool, cut_off: bool = False) -> JsonObject | None:
    """Arguments of a native ``tool_calls`` entry, None when they cannot be read.

    An empty string is no arguments where the tool requires none; where it does, or when the answer was cut off, it is
    unreadable.
    """
    if not raw.strip():
        return None if required or cut_off else {}
    return read_object(raw, forgiving=not cut_off)


def _take_calls(text: str, known: Collection[str], calls: list[ToolCallRequest]) -> str:
    """Append the calls in ``text`` and return it without them and what wraps them."""
    pieces: list[str] = []
    position = 0
    for found in _find(text, known):
        calls += found.calls
        pieces.append(unwrapped(text[position : found.start]))
        wrapping = AFTER.match(text, found.end)
        position = wrapping.end() if wrapping else found.end
    if not pieces:
        return text
    pieces.append(text[position:])
    return " ".join(stripped for piece in pieces if (stripped := piece.strip()))


def _find(text: str, known: Collection[str]) -> Iterator[FoundCalls]:
    """Calls one behind the other; each is as long as it can be."""
    candidate = _CANDIDATE
    if known:
        names = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
        candidate = re.compile(rf"{_CANDIDATE.pattern}|(?<![\w.\"'`])(?:{names})(?![\w-])")
    position = 0
    while match := candidate.search(text, position):
        found = _at(text, match, known)
        if found is not None and found.calls:
            yield found
        position = max(found.end if found is not None else 0, match.end())


def _at(text: str, match: re.Match[str], known: Collection[str]) -> FoundCalls | None:
    """What begins at a candidate: calls, a value that is none (empty ``calls``: it is skipped whole), or nothing."""
    start, opening = match.start(), match.group()
    if opening.startswith("<"):
        return tagged(text, start)
    if opening[0] not in "{[":
        return named(text, match, known)
    try:
        value, end = read_value(text, start)
    except UnreadableError:
        return broken(text, start) or (pythonic_list(text, start, known) if opening == "[" else None)
    calls = calls_in(value, text[start:end], known)
    if not calls and isinstance(value, list):
        return None  # its items may be calls
    return FoundCalls(start, end, calls)
