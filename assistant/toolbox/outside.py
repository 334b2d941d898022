"""What an outside MCP server says, made safe to offer and to speak. Pure.

Its annotations are hints and its texts are data: a tool is offered only when it declares itself read-only, its
description is cut, and every result is tainted (somebody outside the house could have written it).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mcp_types import CallToolResult, TextContent, Tool

from assistant.conversation import shorten
from assistant.phrases import phrase
from assistant.ports import ToolDescription
from tools.contract import CallOutcome, JsonObject, ToolResult

MAX_DESCRIPTION_CHARACTERS = 300
MAX_SCHEMA_CHARACTERS = 4_000
"""A larger input schema would crowd a small model's context (measured toolsets: 60–240 tokens a tool)."""

MAX_SPOKEN_CHARACTERS = 400
MAX_TEXT_CHARACTERS = 4_000
MAX_NAME_CHARACTERS = 64
"""OpenAI's limit for a function name."""


@dataclass(frozen=True, slots=True)
class OutsideTool:
    """A tool as it is offered, and what its own server calls it."""

    description: ToolDescription
    server: str
    tool: str


def offered(
    server: str, tools: Iterable[Tool], allowed: Sequence[str], taken: Iterable[str]
) -> tuple[tuple[OutsideTool, ...], tuple[str, ...]]:
    """The tools to offer, by name, each called ``<server>_<tool>``; and for those left out, why, in words.

    ``allowed``: the configuration's list, empty for all; ``taken``: names that are in use and win.
    """
    chosen: dict[str, OutsideTool] = {}
    left_out: list[str] = []
    used = set(taken)
    for tool in sorted(tools, key=lambda t: t.name):
        if allowed and tool.name not in allowed:
            continue
        name = f"{server}_{re.sub(r'[^A-Za-z0-9_-]', '_', tool.name)}"
        schema = without_titles(tool.input_schema)
        if tool.annotations is None or tool.annotations.read_only_hint is not True:
            left_out.append(f"{tool.name}: does not say that it only reads")
        elif name in used or len(name) > MAX_NAME_CHARACTERS:
            left_out.append(f"{tool.name}: the name {name} is taken or too long")
        elif len(json.dumps(schema)) > MAX_SCHEMA_CHARACTERS:
            left_out.append(f"{tool.name}: its parameters are too long for a small model")
        else:
            used.add(name)
            text = shorten(printable(tool.description or tool.name), MAX_DESCRIPTION_CHARACTERS)
            chosen[name] = OutsideTool(ToolDescription(name, text, schema, read_only=True), server, tool.name)
    left_out += [f"{name}: the server has no such tool" for name in allowed if name not in {t.name for t in tools}]
    return tuple(chosen.values()), tuple(left_out)


def outcome_of(tool: OutsideTool, arguments: JsonObject, result: CallToolResult, took_ms: float) -> CallOutcome:
    """An outside result as an outcome: its text, cleaned and cut, and always tainted."""
    text = printable(" ".join(part.text for part in result.content if isinstance(part, TextContent)))
    server = tool.server.replace("_", " ")
    if result.is_error:
        return CallOutcome(
            ok=False,
            spoken=phrase("outside_failed", server=server),
            tool=tool.description.name,
            arguments=arguments,
            error="failed",
            detail=shorten(text, MAX_SPOKEN_CHARACTERS) or None,
            duration_ms=took_ms,
        )
    spoken = shorten(text, MAX_SPOKEN_CHARACTERS) or phrase("outside_empty", server=server)
    return CallOutcome(
        ok=True,
        spoken=spoken,
        tool=tool.description.name,
        arguments=arguments,
        result=ToolResult(spoken=spoken, data={"text": shorten(text, MAX_TEXT_CHARACTERS)}, tainted=True),
        duration_ms=took_ms,
    )


def printable(text: str) -> str:
    """One line without control, format and private-use characters (Unicode category C)."""
    spaced = "".join(" " if c.isspace() else c for c in text)
    return " ".join("".join(c for c in spaced if not unicodedata.category(c).startswith("C")).split())


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
