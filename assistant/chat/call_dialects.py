"""Tool calls that are written otherwise than as one readable JSON object, and what wraps calls. Pure.

Each reader gets a text and a place in it, and says what it found there: None is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, NamedTuple

from assistant.chat.call_shapes import ARGUMENT_KEYS, NAME, NAME_KEYS, arguments_of, calls_in, is_description, request
from assistant.chat.lenient import UnreadableError, read_object, read_value, whole_characters
from assistant.ports import ToolCallRequest
from tools.contract import JsonObject

CUT = "\x00"
"""Stands at the end of an answer that was cut off: no reader takes it for an end."""

_WRAP = (
    r"</?(?:tool_calls?|tools?|function_calls?|functions?|invoke)>"
    r"|<[|｜](?:python_tag|(?:/?tool[\w▁]*|function[\w▁]*))[|｜]>"
    r"|\[/?TOOL(?:_CALLS?)?\]|\[ARGS\]|```[\w-]*"
)
_LABEL = r"(?:json|(?:tool|function)(?:[ _]?calls?)?|action)"
_BEFORE = re.compile(rf"(?:(?:{_WRAP}|(?:^|(?<=[\n>`｜])){_LABEL}(?=[\s:<]|\Z):?|[\[{{])\s*)+\Z", re.IGNORECASE)
_WRAPPING = 200
"""Characters before a call that are searched for what wraps it."""

AFTER = re.compile(rf"(?:\s*(?:{_WRAP}|[\]}},;]))+", re.IGNORECASE)
"""What closes the wrapping of a call, and what separates it from the next."""

_FUNCTION_TAG = re.compile(
    r"<(?:function=|invoke name=)[\"']?(?P<name>[A-Za-z_][\w.-]{0,79})[\"']?>"
    r"(?P<body>.*?)(?:</(?:function|invoke)>|\Z)",
    re.DOTALL,
)
_PARAMETER = re.compile(
    r"<parameter(?:=| name=)[\"']?(?P<key>[\w.-]{1,80})[\"']?>(?P<value>.*?)(?:</parameter>|(?=<parameter)|\Z)",
    re.DOTALL,
)
_SHAPE = re.compile(
    rf"\{{+\s*['\"]?(?:{'|'.join(NAME_KEYS)})['\"]?\s*:\s*['\"](?P<name>[A-Za-z_][\w.-]{{0,79}})['\"]\s*,\s*"
    rf"['\"]?(?:{'|'.join(ARGUMENT_KEYS)})['\"]?\s*:\s*"
)
_LINK = re.compile(r"\s*(?:\[ARGS\]|<[|｜][\w▁]+[|｜]>|:)?\s*(?:```(?:json)?\s*)?(?=\{)", re.IGNORECASE)
_ITEM = re.compile(r"\s*(?:(?P<end>\))|(?P<comma>,)|(?:(?P<key>[A-Za-z_]\w{0,79})\s*=\s*)?)")
_BLOCK_END = re.compile(r"```|</|<\||\Z")


class FoundCalls(NamedTuple):
    """Calls that stand in ``text[start:end]``."""

    start: int
    end: int
    calls: list[ToolCallRequest]


def unwrapped(piece: str) -> str:
    """``piece`` without the tags, fences and labels at its end that announce a call."""
    return piece[:-_WRAPPING] + _BEFORE.sub("", piece[-_WRAPPING:])


def broken(text: str, start: int) -> FoundCalls | None:
    """An object that begins like a call and cannot be read to its end."""
    shape = _SHAPE.match(text, start)
    if shape is None:
        return None
    try:
        value, end = read_value(text, shape.end())
    except UnreadableError:
        block = _BLOCK_END.search(text, shape.end())
        end = block.start() if block else len(text)
        return FoundCalls(start, end, [request(shape["name"], None, text[start:end])])
    if is_description(value):
        return None
    return FoundCalls(start, end, [request(shape["name"], arguments_of(value), text[start:end])])


def tagged(text: str, start: int) -> FoundCalls | None:
    """<function=NAME>: an object or <parameter=KEY> tags, whose values are JSON where they can be and else text."""
    tag = _FUNCTION_TAG.match(text, start)
    if tag is None:
        return None
    body = tag["body"].strip()
    arguments: JsonObject | None = {}
    if CUT in body:
        arguments = None
    elif body.startswith("<parameter"):
        arguments = {each["key"]: _scalar(each["value"].strip()) for each in _PARAMETER.finditer(body)}
    elif body:
        arguments = read_object(body)
    return FoundCalls(start, tag.end(), [request(tag["name"], arguments, tag.group())])


def _scalar(written: str) -> Any:
    try:
        value, end = read_value(written)
    except UnreadableError:
        return whole_characters(written)
    return value if end == len(written) else whole_characters(written)


def named(text: str, match: re.Match[str], known: Collection[str]) -> FoundCalls | None:
    """A known name on a line of its own or behind a tag, with ``{…}`` or ``(…)`` behind it."""
    start, name = match.start(), match.group()
    line = text[text.rfind("\n", 0, start) + 1 : start]
    if unwrapped(line).strip():
        return None
    link = _LINK.match(text, match.end())
    if link is not None:
        try:
            value, end = read_value(text, link.end())
        except UnreadableError:
            return None
        if calls_in(value, "", known) or is_description(value):
            return None  # the name was only a heading
        return FoundCalls(start, end, [request(name, arguments_of(value), text[start:end])])
    read = _pythonic(text, start)
    if read is None or not re.match(r"[ \t]*(?:[\n;,\]`<]|\Z)", text[read.end :]):
        return None
    return read


def pythonic_list(text: str, start: int, known: Collection[str]) -> FoundCalls | None:
    """``[name(key="value"), …]`` of known names."""
    calls: list[ToolCallRequest] = []
    index = start + 1
    while (read := _pythonic(text, index)) is not None and read.calls[0].name in known:
        calls += read.calls
        if (behind := re.compile(r"\s*(,\s*|\]|\Z)").match(text, read.end)) is None:
            return None
        index = behind.end()
        if not behind[1].startswith(","):
            return FoundCalls(start, index, calls)
    return None


def _pythonic(text: str, start: int) -> FoundCalls | None:
    """``name(key=value, …)``; positional arguments are there and have no name: unreadable."""
    name = NAME.match(text, start)
    if name is None or not text.startswith("(", name.end()):
        return None
    arguments: JsonObject | None = {}
    index = name.end() + 1
    while (part := _ITEM.match(text, index)) is not None and part["end"] is None:
        index = part.end()
        if part["comma"]:
            continue
        try:
            value, index = read_value(text, index)
        except UnreadableError:
            return None
        if part["key"] is None:
            arguments = None
        elif arguments is not None:
            arguments[part["key"]] = value
    if part is None:
        return None
    return FoundCalls(start, part.end(), [request(name.group(), arguments, text[start : part.end()])])
