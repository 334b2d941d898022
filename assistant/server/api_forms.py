"""What ``/api/*`` answers: the models from which answers are made and the OpenAPI document is written."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from assistant.outcome import Timings
from tools.contract import JsonObject


class Form(BaseModel):
    """An answer of ours: nothing but what is documented."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ToolCalledShown(Form):
    """A tool call of a turn."""

    name: str
    ok: bool


class TurnShown(Form):
    """A turn that is over."""

    id: str
    at: float = Field(description="Unix time of its end.")
    door: str
    caller: str
    matched: str = Field(description="Who decided: sentence, signals, model, confirmation or none.")
    transcript: str | None = Field(description="What was said; null where words are not kept.")
    reply: str | None
    tools: tuple[ToolCalledShown, ...]
    timings_ms: Timings
    total_ms: float | None
    error: str | None = Field(description="stage.code of what failed, e.g. transcript.nothing_heard.")


class TurnsShown(Form):
    """``GET /api/turns``, newest first."""

    turns: tuple[TurnShown, ...]


class RoomsShown(Form):
    """``GET /api/rooms``: the rooms with a loudspeaker, as they are written."""

    rooms: tuple[str, ...]


class Figures(Form):
    """3-2-1-1-0 as it is."""

    copies: int
    media: int
    offsite: int
    offline_or_immutable: int
    not_proven: int


class FiguresMet(Form):
    """Which of its figures is met."""

    copies: bool
    media: bool
    offsite: bool
    offline_or_immutable: bool
    not_proven: bool


class ClassShown(Form):
    """One class of data (docs/scorecard.md)."""

    data_class: str
    spoken: str
    figures: Figures
    met: FiguresMet
    not_proven: tuple[str, ...] = Field(description="Copies whose restore failed, is overdue or was never tried.")
    survivors: dict[str, tuple[str, ...]] = Field(description="What is left, by misfortune.")
    nothing_survives: tuple[str, ...]
    password_needed: tuple[str, ...]


class ScorecardShown(Form):
    """``GET /api/scorecard``; ``ok`` is false where the backups could not be judged for this caller."""

    ok: bool
    spoken: str
    error: str | None
    classes: tuple[ClassShown, ...]


class CopyShown(Form):
    """A backup that was seen: bytes of all it holds and added, and what it took."""

    at: float
    size: int | None
    added: int | None
    duration_s: float | None
    files: int | None


class RestoreTestShown(Form):
    """A restore test; ``ran`` is false where it could not be made."""

    at: float
    ok: bool
    ran: bool
    first_error: str


class HistoryShown(Form):
    """One job at one destination (empty: the main one), oldest first."""

    job: str
    kind: str
    destination: str
    max_age_h: float
    copies: tuple[CopyShown, ...]
    tests: tuple[RestoreTestShown, ...]
    last_look: str = Field(description="Why the newest look failed; empty where it did not.")


class HistoriesShown(Form):
    """``GET /api/backups/history``; ``ok`` as in the scorecard."""

    ok: bool
    spoken: str
    error: str | None
    destinations: tuple[HistoryShown, ...]


class AuditShown(Form):
    """``GET /api/audit``: lines as they were written, oldest first; ``after`` is the id to go on from."""

    lines: tuple[JsonObject, ...]
    after: int
