"""Which values are tool calls: the words that models use for a call's parts, and how they nest them. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from assistant.chat.lenient import read_object
from assistant.ports import ToolCallRequest
from tools.contract import JsonObject

NAME_KEYS = ("name", "tool_name", "function_name", "tool", "function", "action")
ARGUMENT_KEYS = ("arguments", "parameters", "args", "params", "input", "action_input")
_WRAPPERS = ("function", "function_call", "tool_call", "tool_calls", "calls")
NAME = re.compile(r"[A-Za-z_][\w.-]{0,79}")


def calls_in(value: Any, raw: str, known: Collection[str]) -> list[ToolCallRequest]:
    """The calls that a value is: one, or a list of nothing but calls."""
    if isinstance(value, list):
        found = [calls_in(item, raw, known) for item in value]
        return [call for calls in found for call in calls] if all(found) else []
    if not isinstance(value, dict):
        return []
    for wrapper in _WRAPPERS:
        if isinstance(value.get(wrapper), dict | list):
            return calls_in(value[wrapper], raw, known)
    name = next((value[key] for key in NAME_KEYS if isinstance(value.get(key), str)), None)
    if name is None:
        [*only] = value.items()
        if len(only) == 1 and only[0][0] in known and isinstance(only[0][1], dict):  # {"check_backups": {"job": …}}
            return [request(only[0][0], only[0][1], raw)]
        return []
    key = next((key for key in ARGUMENT_KEYS if key in value), None)
    if not NAME.fullmatch(name) or (key is None and name not in known):
        return []
    if key is None:
        flat = {key: item for key, item in value.items() if key not in (*NAME_KEYS, "id", "type", "description")}
        return [request(name, flat, raw)]
    if is_description(value[key]):
        return []
    return [request(name, arguments_of(value[key]), raw)]


def arguments_of(value: Any) -> JsonObject | None:
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        return read_object(value)
    return value if isinstance(value, dict) else None


def is_description(arguments: Any) -> bool:
    """A JSON schema where arguments should be: the model repeats what it was told about the tool."""
    return isinstance(arguments, dict) and isinstance(arguments.get("properties"), dict) and "type" in arguments


def request(name: str, arguments: JsonObject | None, raw: str) -> ToolCallRequest:
    return ToolCallRequest(id="", name=name, arguments=arguments, raw=raw)
