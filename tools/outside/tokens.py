"""What a tool's description costs a model, estimated without its tokenizer. Pure."""

from __future__ import annotations

import json
import math

from tools.contract import JsonObject

CHARACTERS_A_TOKEN = 3.6
"""Of tools in OpenAI's function form, for the tokenizer of the embedded model; tests/real/test_token_budget.py holds
the estimate against the count."""


def estimated_tokens(name: str, description: str, input_schema: JsonObject) -> int:
    """Of one tool, in the form in which a model reads it."""
    function = {"name": name, "description": description, "parameters": input_schema}
    return math.ceil(len(json.dumps({"type": "function", "function": function})) / CHARACTERS_A_TOKEN)
