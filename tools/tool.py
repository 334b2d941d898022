"""What a tool is: a name, a tiny schema, a plan step that touches nothing, and an execute step that acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.contract import Candidates, JsonObject, Level, PlannedCall, RefusalCode, ToolResult
from tools.names import NameIndex, Resolved, Unresolved, plain
from tools.wording import listing


class Arguments(BaseModel):
    """Base of a tool's input: unknown keys are refused, strings are taken as said."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Tool(Protocol):
    """One tool. ``plan`` is pure given the names; ``execute`` raises nothing that a caller must know."""

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def level(self) -> Level: ...

    @property
    def arguments(self) -> type[Arguments]: ...

    @property
    def deadline_s(self) -> float: ...

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """Resolve the names."""
        ...

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Do it."""
        ...


@runtime_checkable
class Prepares(Protocol):
    """A tool whose names come from outside: ``ready`` is awaited before each plan, and before names are read."""

    async def ready(self) -> None:
        """Have the live names, as far as that is possible within a second or two; the last ones known otherwise.
        Raises nothing."""
        ...


@runtime_checkable
class HasSchema(Protocol):
    """A tool that brings its JSON schema with it: one of an outside server."""

    input_schema: JsonObject


@runtime_checkable
class FromServer(Protocol):
    """A tool of an outside server: who is limited to that server may use it."""

    server_name: str


class InvalidArgumentsError(ValueError):
    """The arguments do not fit the schema; the text says which and why, for the model that may mend them."""


class UnavailableError(RuntimeError):
    """What the tool works on is not set up here; the text is the sentence to say."""


class CallError(RuntimeError):
    """The call came to nothing in a way that has a code, a sentence and perhaps a detail for a model that may mend its
    arguments. ``tainted``: somebody outside the house could have written the detail."""

    def __init__(self, code: RefusalCode, spoken: str, detail: str | None = None, *, tainted: bool = False) -> None:
        super().__init__(detail or spoken)
        self.code: RefusalCode = code
        self.spoken = spoken
        self.detail = detail
        self.tainted = tainted


def read_arguments(tool: Tool, raw: Mapping[str, Any]) -> Arguments:
    """The typed arguments. Raises InvalidArgumentsError."""
    try:
        return tool.arguments.model_validate(dict(raw))
    except ValidationError as error:
        known = ", ".join(tool.arguments.model_fields) or "none"
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'arguments'}: {e['msg']}" for e in error.errors())
        raise InvalidArgumentsError(f"{tool.name}: {problems}. Known arguments: {known}.") from error


def input_schema(tool: Tool) -> JsonObject:
    """What is told of its arguments."""
    return tool.input_schema if isinstance(tool, HasSchema) else schema_of(tool.arguments)


def schema_of(arguments: type[Arguments]) -> JsonObject:
    """JSON schema as small as it can be: no titles, no defaults, optional strings as plain strings.

    That unknown arguments are refused does not stand in it: the server refuses them all the same.
    """
    schema = arguments.model_json_schema()
    properties: JsonObject = {}
    for name, field in schema.get("properties", {}).items():
        kinds = [kind for kind in field.get("anyOf", (field,)) if kind.get("type") != "null"]
        properties[name] = {key: kinds[0][key] for key in ("type", "enum") if key in kinds[0]}
        if len(kinds) > 1:
            properties[name]["type"] = [kind["type"] for kind in kinds]
        if "description" in field:
            properties[name]["description"] = field["description"]
    small: JsonObject = {"type": "object", "properties": properties}
    if schema.get("required"):
        small["required"] = schema["required"]
    return small


EVERYTHING = frozenset(
    {"all", "everything", "any", "every", "none", "null", "it", "of", "them", "the", "my", "our", "services", "servers",
     "backups", "backup", "jobs", "vms", "machines", "virtual"}
)  # fmt: skip
"""What models and people put into an optional name when they mean all of them: "all", "the backups", "*"."""

_POINTING = frozenset({"it", "none", "null", "any"})
"""Of these, what does not mean all of them where something is to be done."""


def resolve_optional(names: NameIndex, kind: str, noun: str, said: str | None) -> str | Candidates | None:
    """The canonical name; None for all of them; Candidates to ask back with."""
    if said is None:
        return None
    found = names.resolve(kind, said)
    if isinstance(found, Resolved) and found.how != "fuzzy":
        return found.name
    if EVERYTHING.issuperset(plain(said)):
        return None
    if isinstance(found, Resolved):
        return found.name
    return _candidates(kind, noun, found)


def resolve_required(
    names: NameIndex, kind: str, noun: str, said: str, *, everything: str | None = None
) -> str | Candidates:
    """The canonical name; ``everything`` where that is what the words mean; Candidates to ask back with."""
    found = names.resolve(kind, said)
    if isinstance(found, Resolved) and found.how != "fuzzy":
        return found.name
    if EVERYTHING.issuperset(plain(said)):
        if everything is not None and not _POINTING.intersection(plain(said)):
            return everything
        some = names.names(kind)
        spoken = f"Which one? There are {listing(some[:4])}." if some else f"No {noun.split()[-1]} is configured."
        return Candidates(argument=kind, said=said, names=some[:4], spoken=spoken)
    return found.name if isinstance(found, Resolved) else _candidates(kind, noun, found)


def _candidates(kind: str, noun: str, found: Unresolved) -> Candidates:
    said = found.said
    if found.ambiguous:
        spoken = f"Do you mean {listing(found.names, 'or')}?"
    elif found.names:
        spoken = f"I don't know {noun} called {said}. The nearest are {listing(found.names)}."
    else:
        spoken = f"I don't know {noun} called {said}; none is configured."
    return Candidates(argument=kind, said=said, names=found.names, ambiguous=found.ambiguous, spoken=spoken)
