"""What the conformance suite's own tools ask of the client, as the suite describes them: data only."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def _form(message: str, required: tuple[str, ...] = (), **properties: Json) -> Json:
    schema: Json = {"type": "object", "properties": properties, "required": [*required]}
    return {"method": "elicitation/create", "params": {"message": message, "requestedSchema": schema}}


def _sample(text: str, tokens: int) -> Json:
    message = {"role": "user", "content": {"type": "text", "text": text}}
    return {"method": "sampling/createMessage", "params": {"messages": [message], "maxTokens": tokens}}


TEXT: Json = {"type": "string"}
ROOTS: Json = {"method": "roots/list", "params": {}}
NAME = _form("What is your name?", ("name",), name=TEXT)
CONFIRM = _form("Please confirm", ("ok",), ok={"type": "boolean"})

ROUNDS: dict[str, list[dict[str, Json]]] = {
    "test_input_required_result_elicitation": [{"user_name": NAME}],
    "test_input_required_result_sampling": [{"capital_question": _sample("What is the capital of France?", 100)}],
    "test_input_required_result_list_roots": [{"client_roots": ROOTS}],
    "test_input_required_result_request_state": [{"confirm": CONFIRM}],
    "test_input_required_result_tampered_state": [{"confirm": CONFIRM}],
    "test_input_required_result_multiple_inputs": [
        {"user_name": NAME, "greeting": _sample("Generate a greeting", 50), "client_roots": ROOTS}
    ],
    "test_input_required_result_multi_round": [
        {"step1": _form("Step 1: What is your name?", ("name",), name=TEXT)},
        {"step2": _form("Step 2: What is your favorite color?", ("color",), color=TEXT)},
    ],
    "test_input_required_result_capabilities": [{"user_name": NAME, "greeting": _sample("Generate a greeting", 50)}],
}
"""By tool: what each round asks, in the protocol of 2026-07-28."""

_TITLED = [{"const": f"value{n}", "title": f"{word} Option"} for n, word in enumerate(("First", "Second", "Third"), 1)]
_CHOICES = [{"const": f"value{n}", "title": f"{word} Choice"} for n, word in enumerate(("First", "Second", "Third"), 1)]
_OPTIONS = ["option1", "option2", "option3"]

LEGACY: dict[str, Json] = {
    "test_elicitation": _form("", ("username", "email"), username=TEXT, email=TEXT),
    "test_sampling": _sample("", 100),
    "test_elicitation_sep1034_defaults": _form(
        "Who are you?",
        name={"type": "string", "default": "John Doe"},
        age={"type": "integer", "default": 30},
        score={"type": "number", "default": 95.5},
        status={"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        verified={"type": "boolean", "default": True},
    ),
    "test_elicitation_sep1330_enums": _form(
        "Which?",
        untitledSingle={"type": "string", "enum": _OPTIONS},
        titledSingle={"type": "string", "oneOf": _TITLED},
        legacyEnum={
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        untitledMulti={"type": "array", "items": {"type": "string", "enum": _OPTIONS}},
        titledMulti={"type": "array", "items": {"anyOf": _CHOICES}},
    ),
}
"""By tool: what is asked while the call waits, in the protocols before."""

ARGUMENTS: dict[str, Json] = {
    "test_elicitation": {"message": TEXT},
    "test_sampling": {"prompt": TEXT},
    "test_custom_header": {"region": {"type": "string", "x-mcp-header": "Region"}},
}
"""Parameters of the tools that have any."""

SCHEMA_2020_12: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {"$anchor": "addressDef", "type": "object", "properties": {"street": TEXT, "city": TEXT}},
    },
    "properties": {
        "name": TEXT,
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": TEXT,
        "email": TEXT,
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
