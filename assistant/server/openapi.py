"""``GET /openapi.json``: the OpenAPI 3.1 document of every route, made of the models that answers are made of.

It holds no data and needs no token. ``tests/server/test_openapi.py`` keeps it and the routes together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from assistant.app import app_version
from assistant.server.openapi_shapes import OpenAiProblem, Problem
from assistant.server.operations import OF_STAGES, OPERATIONS, Operation, Shape, codes_of
from tools.contract import JsonObject

_REF = "#/components/schemas/{model}"
_SAID = {200: "Done.", 201: "Made.", 304: "The browser has it."}


@cache
def document() -> JsonObject:
    """As JSON."""
    refs, schemas = _shapes()
    paths: dict[str, JsonObject] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Jarvis",
            "version": app_version(),
            "description": "docs/http-api.md says it in words.",
            "license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas,
        },
    }


Mode = Literal["validation", "serialization"]
"""Bodies as they are read, answers as they are written."""

Refs = Mapping[tuple[Any, Mode], JsonObject]


def _shapes() -> tuple[Refs, JsonObject]:
    """A reference for each shape, and the schemas that they lead to."""
    wanted: list[tuple[type[BaseModel], Mode]] = [(Problem, "serialization"), (OpenAiProblem, "serialization")]
    for operation in OPERATIONS:
        wanted += [(shape, "validation") for shape in operation.body.values() if shape is not None]
        for kinds in operation.answers.values():
            wanted += [(shape, "serialization") for shape in kinds.values() if shape is not None]
    refs, schema = models_json_schema(list(dict.fromkeys(wanted)), ref_template=_REF)
    return refs, schema.get("$defs", {})


def _described(operation: Operation, refs: Refs) -> JsonObject:
    described: JsonObject = {
        "summary": operation.summary,
        "operationId": _name(operation),
        "responses": _responses(operation, refs),
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", operation.path)
    ]
    for place, fields in (("query", operation.query), ("header", operation.headers)):
        parameters += [{"name": name, "in": place, "schema": schema} for name, schema in fields.items()]
    if parameters:
        described["parameters"] = parameters
    if operation.body:
        described["requestBody"] = {"required": True, "content": _content(operation.body, refs, "validation")}
    if operation.free:
        described["security"] = []
    return described


def _responses(operation: Operation, refs: Refs) -> JsonObject:
    """Answers, refusals with the codes that they can have, and for other protocols whatever comes."""
    responses: JsonObject = {}
    for status, kinds in operation.answers.items():
        responses[str(status)] = {"description": _SAID.get(status, operation.summary)}
        if kinds:
            responses[str(status)]["content"] = _content(kinds, refs, "serialization")
    for status, codes in codes_of(operation).items():
        any_code = status == 503 and operation.path in OF_STAGES
        schema = _problem(operation, codes, refs, any_code=any_code)
        known = responses.setdefault(str(status), {"description": ", ".join(codes)})
        content = known.setdefault("content", {})
        other = content.get("application/json")
        content["application/json"] = {"schema": {"anyOf": [other["schema"], schema]} if other else schema}
    if operation.foreign:
        responses["default"] = {"description": "As its own protocol has it."}
    return responses


def _problem(operation: Operation, codes: list[str], refs: Refs, *, any_code: bool) -> JsonObject:
    kind = OpenAiProblem if operation.path.startswith("/v1/") else Problem
    inner: JsonObject = {"allOf": [refs[kind, "serialization"]]}
    if not any_code:
        inner["properties"] = {"code": {"enum": codes}}
    return {"type": "object", "required": ["error"], "additionalProperties": False, "properties": {"error": inner}}


def _content(kinds: Mapping[str, Shape], refs: Refs, mode: Mode) -> JsonObject:
    return {media: {"schema": _schema(shape, media, refs, mode)} for media, shape in kinds.items()}


def _schema(shape: Shape, media: str, refs: Refs, mode: Mode) -> JsonObject:
    if shape is not None:
        found: JsonObject = refs[shape, mode]
        return found
    if media == "application/json":
        return {"type": "object"}
    if media == "text/event-stream":
        return {"type": "object", "properties": {key: {"type": "string"} for key in ("event", "data", "id")}}
    return {"type": "string"} if media.startswith("text/") else {"type": "string", "format": "binary"}


def _name(operation: Operation) -> str:
    return "_".join([operation.method, *re.findall(r"[a-z0-9_]+", operation.path.casefold())])
