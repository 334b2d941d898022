"""Tool calls that arrive as text are tool calls. Pure.

Small local models write the call they mean into their answer: bare JSON, fenced, in doubled braces, between tags, as a
Python literal. Reading them is a parser for what such models do, not for what they should do. What has not the shape
of a call stays text.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assistant.ports import ToolCallRequest
from tools.contract import JsonObject

_THINK = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_TAGS = re.compile(
    r"</?(?:tool_calls?|tools?|function_calls?|functioncall|json|action)>"
    r"|<\|(?:tool_call|tool_calls|python_tag|tool_call_start|tool_call_end|tool)\|>"
    r"|\[/?TOOL_CALLS?\]|\[/?TOOL\]",
    re.IGNORECASE,
)
_FUNCTION_TAG = re.compile(r"<function=([\w.-]+)>\s*(.*?)\s*(?:</function>|\Z)", re.DOTALL)
_FENCE = re.compile(r"```[\w-]*")
_NAME_KEYS = ("name", "tool", "tool_name", "function", "function_name")
_ARGUMENT_KEYS = ("arguments", "parameters", "args", "input", "params")
MAX_TEXT = 20_000
"""Characters of an answer that are read; a model that writes more than this is in a loop."""

MAX_CALLS = 8


@dataclass(frozen=True, slots=True)
class ReadText:
    """Calls found in a text, and the text without them."""

    calls: tuple[ToolCallRequest, ...]
    rest: str


def strip_reasoning(text: str) -> str:
    """Without <think>…</think>, also when it was never closed."""
    return _THINK.sub("", text)


def read_tool_calls(text: str) -> ReadText:
    """Calls in the order in which they stand. Never raises.

    Arguments that cannot be read as an object make a call with ``arguments=None`` and the raw text, never ``{}``.
    """
    visible = strip_reasoning(text[:MAX_TEXT])
    calls: list[ToolCallRequest] = []

    def function_tag(match: re.Match[str]) -> str:
        arguments, raw = _arguments_of(match.group(2) or "{}")
        calls.append(_request(len(calls), match.group(1), arguments, raw))
        return " "

    visible = _FUNCTION_TAG.sub(function_tag, visible)
    rest: list[str] = []
    position = 0
    for start, end, value in _objects(visible):
        found = _calls_in(value, visible[start:end], len(calls))
        if found:
            rest.append(visible[position:start])
            calls += found
            position = end
    rest.append(visible[position:])
    remaining = "".join(rest)
    if calls:
        remaining = re.sub(r"[\[\]{},;`\s]+\Z|\A[\[\]{},;`\s]+", "", _FENCE.sub("", _TAGS.sub("", remaining)))
    return ReadText(tuple(calls[:MAX_CALLS]), remaining.strip())


def may_become_call(text: str) -> bool:
    """Whether a beginning of an answer may turn out to be a call (or reasoning): it is held back from the person."""
    start = text.lstrip()
    if not start:
        return True
    return start[0] in "{[<`" or start.casefold().startswith(("tool", "function", "json"))


def arguments_from(raw: str, *, required: bool) -> JsonObject | None:
    """Arguments of a native ``tool_calls`` entry; an empty string is no arguments where none is required."""
    if not raw.strip():
        return None if required else {}
    return _arguments_of(raw)[0]


def _calls_in(value: Any, raw: str, number: int) -> list[ToolCallRequest]:
    if isinstance(value, list):
        found: list[ToolCallRequest] = []
        for item in value:
            inner = _calls_in(item, raw, number + len(found))
            if not inner:
                return []
            found += inner
        return found
    if not isinstance(value, dict):
        return []
    if isinstance(value.get("tool_calls"), list):
        return _calls_in(value["tool_calls"], raw, number)
    wrapped = value.get("function")
    if isinstance(wrapped, dict):
        return _calls_in(wrapped, raw, number)
    name = next((value[key] for key in _NAME_KEYS if isinstance(value.get(key), str)), None)
    key = next((key for key in _ARGUMENT_KEYS if key in value), None)
    if not name or not re.fullmatch(r"[\w.-]{1,80}", name) or (key is None and len(value) > 1):
        return []
    if key is None:
        return [_request(number, name, {}, raw)] if set(value) == {"name"} else []
    arguments = value[key]
    if isinstance(arguments, str):
        read, _ = _arguments_of(arguments or "{}")
        return [_request(number, name, read, arguments)]
    if arguments is None:
        arguments = {}
    return [_request(number, name, arguments if isinstance(arguments, dict) else None, raw)]


def _request(number: int, name: str, arguments: JsonObject | None, raw: str) -> ToolCallRequest:
    return ToolCallRequest(id=f"call_{number}", name=name, arguments=arguments, raw=raw)


def _arguments_of(raw: str) -> tuple[JsonObject | None, str]:
    for _, _, value in _objects(raw):
        return (value if isinstance(value, dict) else None), raw
    return None, raw


def _objects(text: str) -> Iterator[tuple[int, int, Any]]:
    """(start, end, value) of each outermost JSON-like object or list that can be read."""
    position = 0
    while (start := _next_bracket(text, position)) is not None:
        end = _matching_end(text, start)
        read = _lenient(text[start:end])
        if read is None:
            position = start + 1
            continue
        yield start, end, read[0]
        position = end


def _next_bracket(text: str, position: int) -> int | None:
    places = [place for place in (text.find("{", position), text.find("[", position)) if place >= 0]
    return min(places) if places else None


def _matching_end(text: str, start: int) -> int:
    """Index behind the bracket that closes the one at ``start``; the end of the text when none does."""
    depth, quote, index = 0, "", start
    while index < len(text):
        character = text[index]
        if quote:
            if character == "\\":
                index += 1
            elif character == quote:
                quote = ""
        elif character == '"' or (character == "'" and _opens_string(text, index)):
            quote = character
        elif character in "{[":
            depth += 1
        elif character in "}]":
            depth -= 1
            if depth == 0:
                return index + 1
        index += 1
    return len(text)


def _opens_string(text: str, index: int) -> bool:
    """A single quote after a bracket, comma or colon is a Python string's; elsewhere it is an apostrophe."""
    before = text[:index].rstrip()
    return bool(before) and before[-1] in "{[,:("


def _lenient(candidate: str) -> tuple[Any] | None:
    """The value in a tuple (it may be falsy), None when it cannot be read."""
    attempts = [candidate]
    if candidate.startswith("{{"):
        attempts.append(_undoubled(candidate))
    for attempt in attempts:
        for text in (attempt, re.sub(r",(\s*[}\]])", r"\1", attempt), _closed(attempt)):
            try:
                value = json.loads(text, strict=False)
            except (ValueError, RecursionError):
                continue
            return (value,)
        try:
            value = ast.literal_eval(_with_python_names(attempt))
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            continue
        if isinstance(value, dict | list):
            return (value,) if _is_json(value) else None
    return None


def _undoubled(text: str) -> str:
    """{{"a": {{}}}} → {"a": {}}: what models copy from a template's escapes."""
    return text.replace("{{", "{").replace("}}", "}") if text.count("{{") else text


def _closed(text: str) -> str:
    """With the closing brackets that the model forgot."""
    stack: list[str] = []
    quote = False
    index = 0
    while index < len(text):
        character = text[index]
        if quote:
            if character == "\\":
                index += 1
            elif character == '"':
                quote = False
        elif character == '"':
            quote = True
        elif character in "{[":
            stack.append("}" if character == "{" else "]")
        elif character in "}]" and stack:
            stack.pop()
        index += 1
    return re.sub(r",\s*\Z", "", text.rstrip("` \n\t")) + ('"' if quote else "") + "".join(reversed(stack))


def _with_python_names(text: str) -> str:
    return re.sub(r"\b(true|false|null)\b", lambda m: {"true": "True", "false": "False", "null": "None"}[m[1]], text)


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
