"""How a model is asked, and what it cost: for the evaluation, which varies the one and counts the other."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.ports import ModelReply


@dataclass(frozen=True, slots=True)
class Sampling:
    """``temperature`` 0: always the likeliest token, whatever the seed."""

    seed: int | None = None
    temperature: float = 0.0


@dataclass(slots=True)
class Tokens:
    """Counted since the start."""

    in_: int = 0
    out: int = 0

    def count(self, reply: ModelReply) -> None:
        """Add what one answer took."""
        self.in_ += reply.tokens_in or 0
        self.out += reply.tokens_out or 0
