"""An answer of which the server is given the beginning, so that the model writes only what is not certain anyway. Pure.

``{ "choice": 1 }`` is eight tokens to write, one after the other, and one of them tells something. llama.cpp goes on
where a last message of the assistant ends, takes what stands there through the schema's grammar, and reads it with the
question.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tools.contract import JsonObject


def beginning(schema: JsonObject | None) -> str:
    """What every answer to the schema begins with, written as models write it: of an object with one property, which is
    required; empty for any other."""
    properties = schema.get("properties") if schema and schema.get("type") == "object" else None
    if not isinstance(properties, dict) or len(properties) != 1:
        return ""
    [name] = properties
    required = schema.get("required") if schema else None
    return f"{{ {json.dumps(name)}: " if isinstance(required, list) and name in required else ""


def with_beginning(messages: Sequence[Mapping[str, Any]], begun: str) -> list[Mapping[str, Any]]:
    """The messages, and the answer's beginning where there is one."""
    return [*messages, {"role": "assistant", "content": begun}] if begun else list(messages)
