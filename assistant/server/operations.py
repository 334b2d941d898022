"""Every operation over HTTP: what goes in, what comes out, and with which codes it is refused.

The table that the OpenAPI document is made of. Answers are the models that handlers answer with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from openai.types import Model as OpenAiModel
from openai.types.chat import ChatCompletion
from pydantic import BaseModel

from assistant.readiness import Readiness
from assistant.server.api import MOST_LINES, MOST_TURNS, SHOWN_BY
from assistant.server.api_forms import AuditShown, HistoriesShown, RoomsShown, ScorecardShown, TurnsShown
from assistant.server.command_answer import CommandAnswer
from assistant.server.openai_forms import ChatRequest, SpeechRequest
from assistant.server.openapi_shapes import (
    AlertsTaken,
    AnnouncementsShown,
    AnswerForm,
    CommandBody,
    CommandForm,
    Health,
    LinkAnswer,
    Me,
    SatellitesShown,
    TokenMade,
    TokenRevoked,
    TokensShown,
    Transcription,
    TranscriptionForm,
)
from assistant.server.token_doors import NewToken
from tools.contract import CallOutcome, JsonObject
from tools.digest.facts import Digest

Shape = type[BaseModel] | None
"""None: bytes or text, of which the media type says all."""

JSON = "application/json"
EVENTS = "text/event-stream"
SPEECH = ("audio/wav", "audio/mpeg", "audio/ogg", "audio/aac", "audio/flac")
CLIPS = ("audio/*", "video/*", "application/octet-stream")

_FIELDS = {"conversation_id": {"type": "string", "maxLength": 64}, "room": {"type": "string", "maxLength": 64}}
_ENGINE = {"engine": {"type": "string", "enum": ["sentences", "model", "both"]}}

CLIP_CODES = ("empty_clip", "not_audio", "decoder_timeout", "decoder_crashed")
FORM_CODES = ("bad_multipart", "missing_part", "audio_is_no_file")
LARGE = ("too_large", "clip_too_long")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path. ``answers``: by status, the shapes by media type; ``refusals``: codes by status, beside
    those that every operation has; ``free``: wants no token; ``foreign``: of a protocol that is described elsewhere."""

    path: str
    method: str = "get"
    summary: str
    answers: Mapping[int, Mapping[str, Shape]]
    body: Mapping[str, Shape] = field(default_factory=dict)
    query: Mapping[str, JsonObject] = field(default_factory=dict)
    headers: Mapping[str, JsonObject] = field(default_factory=dict)
    refusals: Mapping[int, Sequence[str]] = field(default_factory=dict)
    free: bool = False
    foreign: bool = False


def _json(shape: Shape, status: int = 200) -> Mapping[int, Mapping[str, Shape]]:
    return {status: {JSON: shape}}


def _number(most: int, least: int = 0) -> JsonObject:
    return {"type": "integer", "minimum": least, "maximum": most}


_KEY: Mapping[str, JsonObject] = {
    "Idempotency-Key": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
}
_FLAG: JsonObject = {"type": "string", "enum": ["1"]}
_HTML: Mapping[str, Shape] = {"text/html": None}
_FILES: Mapping[str, Shape] = {
    "text/html": None, "text/css": None, "text/javascript": None, "image/svg+xml": None, "image/png": None,
    "application/manifest+json": None,
}  # fmt: skip
_UNUSABLE = ("database_unusable", "traces_unusable")
_TOOLS = ("busy", "tools_unusable")

TURNS = (
    Operation(
        path="/command", method="post", summary="One utterance in, one turn, the answer out",
        answers={200: {JSON: CommandAnswer, EVENTS: None, **dict.fromkeys(SPEECH)}},
        body={JSON: CommandBody, "multipart/form-data": CommandForm, **dict.fromkeys(CLIPS)},
        query={"audio": _FLAG, **_FIELDS, **_ENGINE}, headers=_KEY,
        refusals={
            400: (
                "bad_json", "missing_text", "empty_text", "bad_text", "unknown_field", "unknown_engine", "bad_room",
                "bad_conversation_id", "bad_idempotency_key", "disconnected", *FORM_CODES, *CLIP_CODES,
            ),
            404: ("unknown_room",), 408: ("body_too_slow",), 409: ("taken_before",), 413: (*LARGE, "text_too_long"),
            415: ("unknown_content_type",), 422: ("key_reused",),
            503: ("busy", "requests_unusable", "broken_off", "no_audio"),
        },
    ),
    Operation(
        path="/turns/{turn_id}/reply.wav", summary="The reply of a recent turn as sound",
        answers={200: {"audio/wav": None}}, refusals={404: ("unknown_turn", "no_audio"), 503: ("busy", "no_audio")},
    ),
    Operation(
        path="/turns/{turn_id}/events", summary="The events of a recent turn, from the first",
        answers={200: {EVENTS: None}}, query={"audio": _FLAG}, refusals={404: ("unknown_turn",)},
    ),
    Operation(
        path="/digest", summary="The house in a few sentences", answers=_json(Digest), query={"plain": _FLAG},
        refusals={403: ("limited",), 503: ("busy",)},
    ),
)  # fmt: skip

PAGE = (
    *(
        Operation(
            path=f"/api/{path}", summary=f"What {tool} says now", answers=_json(CallOutcome), refusals={503: _TOOLS}
        )
        for path, tool in SHOWN_BY.items()
    ),
    Operation(
        path="/api/tasks/{task_id}", method="delete", summary="Cancel a task by its id", answers=_json(CallOutcome),
        refusals={404: ("unknown_task",), 503: _TOOLS},
    ),
    Operation(
        path="/api/backups/history", summary="Backups that were seen, and restore tests",
        answers=_json(HistoriesShown), refusals={503: (*_TOOLS, "database_unusable")},
    ),
    Operation(
        path="/api/scorecard", summary="3-2-1-1-0 for each class of data", answers=_json(ScorecardShown),
        refusals={503: (*_TOOLS, "database_unusable")},
    ),
    Operation(
        path="/api/turns", summary="Recent turns: one's own; for the owner all", answers=_json(TurnsShown),
        query={"limit": _number(MOST_TURNS, 1)}, refusals={400: ("bad_number",), 503: _UNUSABLE},
    ),
    Operation(path="/api/rooms", summary="Rooms with a loudspeaker", answers=_json(RoomsShown)),
    Operation(path="/api/satellites", summary="Satellites, and how they are", answers=_json(SatellitesShown)),
    Operation(
        path="/api/audit", summary="Who called what, for the owner", answers=_json(AuditShown),
        query={"after": _number(10**12), "limit": _number(MOST_LINES, 1)},
        refusals={400: ("bad_number",), 403: ("owner_only",), 503: _UNUSABLE},
    ),
    Operation(path="/api/me", summary="Who one is here", answers=_json(Me)),
    Operation(
        path="/api/tokens", summary="The tokens of the house, without what opens", answers=_json(TokensShown),
        refusals={403: ("not_the_owner",), 503: ("tokens_unusable",)},
    ),
    Operation(
        path="/api/tokens", method="post", summary="A new token, shown this once", answers=_json(TokenMade, 201),
        body={JSON: NewToken},
        refusals={
            400: (
                "bad_json", "bad_token", "bad_token_name", "bad_room", "bad_grant", "bad_expiry", "bad_url",
                "unknown_role", "disconnected",
            ),
            403: ("not_the_owner",), 408: ("body_too_slow",), 409: ("token_exists", "too_many_tokens"),
            413: ("too_large",), 503: ("tokens_unusable",),
        },
    ),
    Operation(
        path="/api/tokens/{name}", method="delete", summary="Revoke a token", answers=_json(TokenRevoked),
        refusals={403: ("not_the_owner",), 404: ("unknown_token",), 503: ("tokens_unusable",)},
    ),
    Operation(path="/", summary="The web page", answers={200: _FILES, 304: {}}, free=True),
    Operation(
        path="/page/{name}", summary="A file of the web page", free=True,
        answers={200: _FILES, 304: {}, 404: {"text/plain": None}},
    ),
)  # fmt: skip

MESSAGES = (
    Operation(
        path="/announcements", summary="What Jarvis says by itself", query={"after": _number(10**12)},
        answers={200: {JSON: AnnouncementsShown, EVENTS: None}}, refusals={503: ("busy", "database_unusable")},
    ),
    Operation(
        path="/alerts", method="post", summary="Alertmanager's webhook, with its own token", body={JSON: None},
        answers=_json(AlertsTaken), free=True,
        refusals={
            400: ("no_alerts", "disconnected"), 401: ("no_token",), 404: ("not_found",), 408: ("body_too_slow",),
            413: ("too_large",), 503: ("database_unusable", "webhook_token_unreadable"),
        },
    ),
    Operation(
        path="/confirm/{token}", summary="A question on the phone, as a page", free=True,
        answers={200: _HTML, 404: _HTML, 410: _HTML}, refusals={503: ("database_unusable",)},
    ),
    Operation(
        path="/confirm/{token}", method="post", summary="Its answer, once", free=True,
        body={"application/x-www-form-urlencoded": AnswerForm},
        answers={status: {JSON: LinkAnswer, "text/html": None} for status in (200, 404, 410)},
        refusals={
            400: ("no_answer", "disconnected"), 408: ("body_too_slow",), 413: ("too_large",),
            503: ("database_unusable",),
        },
    ),
)  # fmt: skip

_CHAT_CODES: Mapping[int, Sequence[str]] = {
    400: ("invalid_json", "invalid_value", "no_utterance", "unsupported_content", "disconnected"),
    404: ("model_not_found",), 408: ("body_too_slow",), 413: ("too_large",),
}  # fmt: skip

OPENAI = (
    Operation(path="/v1/models", summary="The models", answers=_json(None)),
    Operation(
        path="/v1/models/{model}", summary="One of them", answers=_json(OpenAiModel),
        refusals={404: ("model_not_found",)},
    ),
    Operation(
        path="/v1/chat/completions", method="post", summary="One turn, as a chat completion",
        answers={200: {JSON: ChatCompletion, EVENTS: None}}, body={JSON: ChatRequest},
        refusals={
            **_CHAT_CODES, 503: ("busy", "model_server_down", "no_model", "model_unreachable"),
        },
    ),
    Operation(
        path="/v1/audio/transcriptions", method="post", summary="A clip as text",
        answers={200: {JSON: Transcription, "text/plain": None}}, body={"multipart/form-data": TranscriptionForm},
        refusals={
            400: ("bad_multipart", "missing_part", "invalid_value", "disconnected", *CLIP_CODES),
            404: ("model_not_found",), 408: ("body_too_slow",), 413: LARGE, 415: ("unknown_content_type",),
            503: ("no_ears",),
        },
    ),
    Operation(
        path="/v1/audio/speech", method="post", summary="Text as speech",
        answers={200: dict.fromkeys((*SPEECH, "audio/pcm"))}, body={JSON: SpeechRequest},
        refusals={
            400: ("invalid_json", "invalid_value", "nothing_to_say", "disconnected"), 404: ("model_not_found",),
            408: ("body_too_slow",), 413: ("too_large",), 503: ("no_mouth",),
        },
    ),
)  # fmt: skip

SERVER = (
    Operation(path="/health", summary="The process answers", answers=_json(Health), free=True),
    Operation(
        path="/ready",
        summary="Whether turns can be served, and how each part is",
        answers={200: {JSON: Readiness}, 503: {JSON: Readiness}},
    ),
    Operation(
        path="/metrics",
        summary="Numbers for Prometheus (docs/observability.md)",
        answers={200: {"text/plain": None}},
        refusals={403: ("owner_only",)},
    ),
    Operation(path="/openapi.json", summary="This document", answers=_json(None), free=True),
    *(
        Operation(path="/mcp", method=method, summary="The tools over MCP (docs/mcp.md)", answers={}, foreign=True)
        for method in ("get", "post", "delete")
    ),
)

OPERATIONS: tuple[Operation, ...] = (*TURNS, *PAGE, *MESSAGES, *OPENAI, *SERVER)

EVERYWHERE: Mapping[int, Sequence[str]] = {
    403: ("foreign_origin",),
    421: ("unknown_host",),
    429: ("too_many",),
    500: ("internal_error",),
}
"""Refusals before any route, and bugs of ours."""

WITH_TOKEN: Mapping[int, Sequence[str]] = {
    401: ("no_token", "token_expired", "token_revoked", "user_jwt_invalid"),
    403: ("roles_do_not_fit", "unknown_login"),
    503: ("tokens_unusable",),
}
"""Where a token is looked at."""

OF_STAGES = frozenset({"/v1/chat/completions", "/v1/audio/transcriptions", "/v1/audio/speech"})
"""503 there has the code of the stage that failed, of which there are many: any is allowed."""


def codes_of(operation: Operation) -> dict[int, list[str]]:
    """All codes by status."""
    found: dict[int, list[str]] = {}
    for part in (operation.refusals, EVERYWHERE, {} if operation.free else WITH_TOKEN):
        for status, codes in part.items():
            found.setdefault(status, []).extend(code for code in codes if code not in found.get(status, []))
    return dict(sorted(found.items()))
