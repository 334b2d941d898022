"""What an outside MCP server says, made safe to offer and to speak. Pure.

Its annotations are hints and its texts are data: how much a tool can change is what the configuration says of it,
descriptions are cut, and every result is tainted (somebody outside the house could have written it).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mcp_types import CallToolResult, TextContent, Tool

from tools.contract import JsonObject, Level, ToolResult
from tools.outside.tokens import estimated_tokens
from tools.settings_outside import McpServerSettings

MAX_DESCRIPTION_CHARACTERS = 300
MAX_SCHEMA_CHARACTERS = 4_000
"""A larger input schema would crowd a small model's context (measured toolsets: 60–240 tokens a tool)."""

MAX_SPOKEN_CHARACTERS = 400
MAX_TEXT_CHARACTERS = 4_000
MAX_NAME_CHARACTERS = 64
"""OpenAI's limit for a function name."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool as it is offered here. ``tool``: what its own server calls it; ``tokens``: what it costs, estimated."""

    name: str
    description: str
    input_schema: JsonObject
    level: Level
    server: str
    tool: str
    tokens: int


def offered(
    server: str, tools: Sequence[Tool], settings: McpServerSettings, taken: Collection[str]
) -> tuple[tuple[Offer, ...], tuple[str, ...]]:
    """The tools to offer, by name; and for those left out, why, in words. ``taken``: names that are in use and win."""
    chosen: list[Offer] = []
    left_out: list[str] = []
    used = set(taken)
    for tool in sorted(tools, key=lambda t: t.name):
        if settings.tools and tool.name not in settings.tools:
            continue
        name = settings.rename.get(tool.name) or f"{server}_{re.sub(r'[^A-Za-z0-9_-]', '_', tool.name)}"
        schema = without_titles(tool.input_schema)
        shown = printable(tool.name)[:MAX_NAME_CHARACTERS]
        if name in used or len(name) > MAX_NAME_CHARACTERS:
            left_out.append(f"{shown}: the name {name[:MAX_NAME_CHARACTERS]} is taken or too long")
        elif len(json.dumps(schema)) > MAX_SCHEMA_CHARACTERS:
            left_out.append(f"{shown}: its parameters are too long for a small model")
        else:
            used.add(name)
            told = settings.describe.get(tool.name) or printable(tool.description or tool.name)
            text = shorten(told, MAX_DESCRIPTION_CHARACTERS)
            tokens = estimated_tokens(name, text, schema)
            chosen.append(Offer(name, text, schema, level_of(tool, settings), server, tool.name, tokens))
    named = (*settings.tools, *settings.levels, *settings.rename, *settings.describe)
    there = {tool.name for tool in tools}
    left_out += [f"{name}: the server has no such tool" for name in dict.fromkeys(named) if name not in there]
    return tuple(chosen), tuple(left_out)


def level_of(tool: Tool, settings: McpServerSettings) -> Level:
    """As the configuration says. What a server says of itself counts only where ``believe_hints`` allows it, and never
    makes an act of less weight; the unknown is destructive."""
    if tool.name in settings.levels:
        return settings.levels[tool.name]
    hints = tool.annotations
    if settings.believe_hints and hints is not None and hints.read_only_hint is True:
        return Level.READ
    return Level.DESTRUCTIVE


def within(budget: int, offers: Iterable[Offer]) -> tuple[tuple[Offer, ...], tuple[str, ...]]:
    """Those that fit into so many tokens, in their order; and for the others, that they do not. One that is too large
    does not keep a smaller one behind it out."""
    kept: list[Offer] = []
    left_out: list[str] = []
    spent = 0
    for offer in offers:
        if spent + offer.tokens <= budget:
            spent += offer.tokens
            kept.append(offer)
        else:
            left_out.append(f"{offer.tool}: its {offer.tokens} tokens do not fit into outside_tokens ({budget})")
    return tuple(kept), tuple(left_out)


def problems(schema: Mapping[str, object], arguments: Mapping[str, object]) -> list[str]:
    """What is plainly wrong with arguments, before anybody is asked for a yes: missing ones, unknown ones, plain types
    and enumerations at the top. The server checks the rest."""
    properties = schema.get("properties")
    known: Mapping[str, object] = properties if isinstance(properties, dict) else {}
    required = schema.get("required")
    found = [f"{name} is missing" for name in (required if isinstance(required, list) else []) if name not in arguments]
    if known and schema.get("additionalProperties") is False:
        found += [f"{name} is not known" for name in arguments if name not in known]
    for name, value in arguments.items():
        told = known.get(name)
        if isinstance(told, dict):
            kind, choice = told.get("type"), told.get("enum")
            if isinstance(kind, str) and kind in _KINDS and not _is(value, kind):
                found.append(f"{name} has to be of type {kind}")
            elif isinstance(choice, list) and value not in choice:
                found.append(f"{name} has to be one of {json.dumps(choice)[:200]}")
    return found


_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,),
    "object": (dict,),
}  # fmt: skip


def _is(value: object, kind: str) -> bool:
    return isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def readback(offer: Offer, arguments: Mapping[str, object]) -> str:
    """The call as an order, with all that is in it, to be asked back: a yes must not cover what was not said."""
    order = f"let {words(offer.server)} do “{words(offer.tool)}”"
    told = ", ".join(f"{words(name)} {_value(value)}" for name, value in sorted(arguments.items()))
    return f"{order} with {told}" if told else order


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"“{shorten(printable(text), MAX_SPOKEN_CHARACTERS)}”"


def words(name: str) -> str:
    """A name as it is said: "delete_page" as "delete page"."""
    return " ".join(re.sub(r"[\W_]+", " ", printable(name)).split())[:MAX_NAME_CHARACTERS]


def result_of(offer: Offer, result: CallToolResult) -> ToolResult:
    """An outside answer: its text, cleaned and cut, and always tainted."""
    text = text_of(result)
    spoken = shorten(text, MAX_SPOKEN_CHARACTERS) or f"{words(offer.server)} answered, but said nothing."
    return ToolResult(spoken=spoken, data={"text": shorten(text, MAX_TEXT_CHARACTERS)}, tainted=True)


def text_of(result: CallToolResult) -> str:
    """All that it says in words, on one line."""
    return printable(" ".join(part.text for part in result.content if isinstance(part, TextContent)))


def printable(text: str) -> str:
    """One line without control, format and private-use characters (Unicode category C)."""
    spaced = "".join(" " if c.isspace() else c for c in text)
    return " ".join("".join(c for c in spaced if not unicodedata.category(c).startswith("C")).split())


def shorten(text: str, limit: int) -> str:
    """At most so many characters, cut at a word where there is one, with an ellipsis."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    cut = head.rsplit(" ", 1)[0] if " " in head[limit // 2 :] else head
    return cut.rstrip(" ,;.") + "…"


def without_titles(schema: Mapping[str, object]) -> JsonObject:
    """The schema without pydantic's ``title`` keys, which cost tokens and say nothing; a property may be so named."""
    return {key: _untitled(value, key) for key, value in schema.items() if not _is_title(key, value)}


def _is_title(key: str, value: object) -> bool:
    return key == "title" and isinstance(value, str)


def _untitled(value: object, key: str) -> object:
    if isinstance(value, dict):
        if key in ("properties", "$defs", "definitions"):
            return {name: _untitled(inner, "") for name, inner in value.items()}
        return without_titles(value)
    if isinstance(value, list):
        return [_untitled(item, "") for item in value]
    return value
