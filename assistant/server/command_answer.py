"""What ``POST /command`` answers: the turn's outcome, and where the reply was heard or can be."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from assistant.outcome import TurnOutcome


class Played(BaseModel):
    """How a reply fared on the loudspeaker of a room; ``code``, ``detail`` and ``mend`` say why it was not heard."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    room: str
    ok: bool = Field(description="Whether it was played to its end.")
    code: str | None = None
    detail: str = ""
    mend: str = ""


class CommandAnswer(TurnOutcome):
    """The object of docs/json-output.md, and what HTTP adds to it."""

    response: str = Field(description="The same as reply, under the name that older clients know.")
    audio_url: str | None = Field(
        description="Path of the reply as wav; null without a voice, without words, and for what a room played."
    )
    played: Played | None = Field(description="Where the request named a room.")

    @classmethod
    def of(cls, outcome: TurnOutcome, *, audible: bool, played: Played | None) -> CommandAnswer:
        """``audible``: the reply can be fetched as sound."""
        heard_here = audible and bool(outcome.spoken) and played is None
        return cls(
            **outcome.model_dump(),
            response=outcome.reply,
            audio_url=f"/turns/{outcome.turn_id}/reply.wav" if heard_here else None,
            played=played,
        )
