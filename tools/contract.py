"""The tool contract: what a call is planned into and what its result holds.

Pure and shared: the assistant imports this module, and neither side does I/O here.
Two steps, whoever calls (``docs/adr/0003-plan-policy-execute.md``)::

    plan(arguments)        -> PlannedCall | Candidates     names resolved, nothing touched
    execute(PlannedCall)   -> ToolResult                   the only step that acts

Between them stands ``tools/policy.py``.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

JsonObject = dict[str, Any]
"""A JSON object, decoded."""

CALLER_META = "jarvis/caller"
"""Key of an MCP request's ``_meta`` under which the assistant says who asks (see :class:`Caller`).

Only an in-process connection is believed; over stdio and HTTP the server makes the caller itself.
"""

NAMES_URI = "jarvis://names"
"""MCP resource with the live names (services, backup jobs, …) and their aliases, as JSON."""

OUTSIDE_URI = "jarvis://outside"
"""MCP resource that tells of the outside servers: how each is, what it offers at what price, what was left out."""


RINGS_TAG = "alarm_clock"
"""Tag of a message that rings until somebody hears it; ntfy shows it as a clock."""


class Level(StrEnum):
    """How much a call can change; the policy decides by it."""

    READ = "read"
    OPERATE = "operate"
    DESTRUCTIVE = "destructive"


class Speech(StrEnum):
    """Whether the utterance asks or orders. Questions never act."""

    QUESTION = "question"
    ORDER = "order"
    UNKNOWN = "unknown"


class Door(StrEnum):
    """Where an utterance or an outside call comes in."""

    MICROPHONE = "microphone"
    CLI = "cli"
    REPL = "repl"
    HTTP = "http"
    MCP = "mcp"
    SATELLITE = "satellite"
    PAGE = "page"
    SCHEDULE = "schedule"
    EVAL = "eval"


DASHBOARD = "dashboard"
"""Conversation of a page that shows how things are: it uses up no news and closes nobody's question."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Caller(_Frozen):
    """Who asks, by which door, from which room, and whether it was a question.

    ``confirmation`` is the nonce of an open confirmation that the person has just said yes to; the server burns it
    before it executes exactly the call that it is bound to; ``pin`` are the digits that came with that yes.
    ``only`` limits the caller to some targets, as their token says (``tools/settings_access.py``, Grant).
    ``here``: the words leave open where something is meant ("the light", not "all lights"), so ``room`` is.
    """

    name: str = "owner"
    role: str = "owner"
    door: Door = Door.CLI
    room: str | None = None
    speech: Speech = Speech.UNKNOWN
    turn_id: str | None = None
    conversation: str | None = None
    confirmation: str | None = Field(default=None, repr=False)
    pin: str | None = Field(default=None, repr=False)
    only: tuple[str, ...] = ()
    here: bool = False


class PlannedCall(_Frozen):
    """A call whose names are resolved and which has not happened.

    ``readback`` says it as an order, with the target's name ("shut down endeavour"), to be asked back before a yes.
    ``allowed`` are guests, by name, who may make this call although guests only look. ``schedules`` is the call that
    this one is about, to be made later.
    """

    tool: str
    arguments: JsonObject = Field(default_factory=dict)
    level: Level = Level.READ
    protected: bool = False
    readback: str = ""
    allowed: tuple[str, ...] = ()
    schedules: PlannedCall | None = None

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical call: the thing that a confirmation is bound to."""
        canonical = json.dumps(
            {"tool": self.tool, "arguments": self.arguments}, sort_keys=True, ensure_ascii=False, separators=(",", ":")
        )
        return hashlib.sha256(canonical.encode()).hexdigest()


class Candidates(_Frozen):
    """A name that fits nothing, or several things equally well: ask back, never guess."""

    argument: str
    said: str
    names: tuple[str, ...] = ()
    ambiguous: bool = False
    spoken: str


class Severity(StrEnum):
    """Of a finding, mildest first."""

    OK = "ok"
    NOTICE = "notice"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


class Finding(_Frozen):
    """One thing that a check found, in a form that alerts and digests can use."""

    severity: Severity
    subject: str
    message: str
    since: str | None = Field(default=None, description="ISO 8601, UTC")


class ToolResult(_Frozen):
    """What a tool says and the evidence behind it.

    ``spoken`` is one or two sentences from a template, ready for the synthesizer; ``data`` is the typed evidence as
    JSON, capped by the tool; ``tainted`` marks text that somebody outside the house could have written.
    """

    spoken: str
    data: JsonObject = Field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    tainted: bool = False


RefusalCode = Literal[
    "unknown_tool",  # no such tool: an error, never a guess
    "invalid_arguments",  # the model may mend them once
    "unknown_name",  # Candidates, none close enough
    "ambiguous_name",  # Candidates, several equally close
    "refused",  # the policy says no
    "protected",  # the target may not be changed from here: refused without a plan
    "needs_confirmation",  # the policy wants a yes
    "confirmation_void",  # the yes came too late, twice, or for something else
    "unavailable",  # the tool is declared, and what it works on is not set up
    "failed",  # the tool itself could not do it
    "timeout",
]


class OpenConfirmation(_Frozen):
    """A question that is open: ``nonce`` comes back as :attr:`Caller.confirmation` after a yes; ``pin``: the yes has to
    bring the PIN as :attr:`Caller.pin`.

    Only the connection in process ever sees it; no model, no tool and no outside client does.
    """

    nonce: str = Field(repr=False)
    expires_in_s: float
    pin: bool = False


class CallOutcome(_Frozen):
    """The structured content of every MCP answer of ours, success or not (``structuredContent``)."""

    ok: bool
    spoken: str
    tool: str
    arguments: JsonObject = Field(default_factory=dict, description="canonical once planned, else as they came")
    level: Level | None = None
    result: ToolResult | None = None
    error: RefusalCode | None = None
    detail: str | None = Field(default=None, description="for the log and for a model that may mend its arguments")
    candidates: tuple[str, ...] = ()
    confirmation: OpenConfirmation | None = None
    duration_ms: float = 0.0
