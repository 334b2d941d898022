"""Shapes of answers and bodies that stand in the OpenAPI document and in no handler, which makes them field by field.

The Schemathesis run holds every real answer against them, so that they cannot drift. OpenAI's shapes are the models of
the ``openai`` package itself.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.ports import Engine
from assistant.server.bodies import MAX_ID_CHARACTERS, MAX_TEXT_CHARACTERS
from tools.contract import Level


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Problem(_Shape):
    """Why a request was not taken."""

    code: str
    message: str
    mend: str


class OpenAiProblem(_Shape):
    """The same, as clients of OpenAI's protocol read it."""

    message: str
    type: str
    param: str | None
    code: str


class CommandBody(_Shape):
    """An utterance as text. ``room``: the reply is played there."""

    text: str = Field(min_length=1, max_length=MAX_TEXT_CHARACTERS)
    conversation_id: str | None = Field(default=None, max_length=MAX_ID_CHARACTERS)
    engine: Engine | None = None
    room: str | None = Field(default=None, max_length=MAX_ID_CHARACTERS)


class CommandForm(_Shape):
    """An utterance as a clip (a file) or as text."""

    audio: bytes | None = Field(default=None, description="wav, mp3, m4a, ogg, webm, flac, amr, 3gp or aiff.")
    text: str | None = Field(default=None, max_length=MAX_TEXT_CHARACTERS)
    conversation_id: str | None = Field(default=None, max_length=MAX_ID_CHARACTERS)
    engine: Engine | None = None
    room: str | None = Field(default=None, max_length=MAX_ID_CHARACTERS)


class Health(_Shape):
    status: Literal["ok"]
    version: str


class AnnouncementShown(_Shape):
    id: int
    at: float
    title: str
    text: str
    priority: int
    room: str | None


class AnnouncementsShown(_Shape):
    """``after``: the id to go on from."""

    announcements: list[AnnouncementShown]
    after: int


class AlertsTaken(_Shape):
    new: int = Field(description="Alerts that were not known.")


class LinkAnswer(_Shape):
    """What became of a yes or no by link."""

    link: str
    done: bool
    text: str


class AnswerForm(_Shape):
    answer: Literal["yes", "no"]


class Me(_Shape):
    """Who one is, and what that is good for at this door."""

    name: str
    person: str | None
    role: str
    may: Level
    protected: bool
    only: list[str]
    room: str | None
    version: str
    tokens_required: bool
    manages_tokens: bool


class TokenShown(_Shape):
    name: str
    role: str
    only: list[str]
    room: str | None
    state: str
    created: float | None
    made_by: str | None
    expires: float | None
    last_used: float | None
    in_file: bool


class TokensShown(_Shape):
    tokens: list[TokenShown]


class TokenMade(TokenShown):
    """``token`` is shown this once; ``first``: from now on everybody needs one."""

    token: str
    link: str
    qr_svg: str
    doubts: list[str]
    first: bool


class TokenRevoked(_Shape):
    revoked: str


class SatelliteShown(_Shape):
    name: str
    url: str
    room: str | None
    wake: str
    state: Literal["connected", "connecting"]
    since: str | None
    last_heard: str | None
    software: str
    version: str
    found: bool
    problem: str


class SatellitesShown(_Shape):
    satellites: list[SatelliteShown]


class TranscriptionForm(_Shape):
    file: bytes
    model: str
    response_format: Literal["json", "text", "verbose_json", "srt", "vtt"] = "json"


class UsedSeconds(_Shape):
    type: Literal["duration"]
    seconds: int


class Transcription(_Shape):
    """``verbose_json`` adds task, language, duration and segments."""

    model_config = ConfigDict(extra="allow")

    text: str
    usage: UsedSeconds
