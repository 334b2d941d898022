"""The port of push services: what takes a message to a phone. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

NORMAL = 3
HIGH = 5
"""Priorities as ntfy counts them, 1 to 5: what went well, and what somebody has to do something about."""


@dataclass(frozen=True, slots=True)
class Button:
    """Posts ``answer=…`` to the question's link."""

    label: str
    answer: str


YES = Button("Yes", "yes")
NO = Button("No", "no")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What is sent. ``link``: where its answer is posted to, for a question; a secret. ``priority``: 1 to 5."""

    title: str
    text: str
    priority: int = NORMAL
    tags: tuple[str, ...] = ()
    link: str | None = None


class PushError(Exception):
    """It was not delivered; the text is a clause for people, without a secret. ``again``: whether it may be later."""

    def __init__(self, reason: str, *, again: bool = True) -> None:
        super().__init__(reason)
        self.again = again


class Push(Protocol):
    """One push service."""

    name: str
    """As it is said and stored: "ntfy"."""

    async def push(self, message: Outgoing) -> str:
        """Deliver one; the id that it has there, empty where the service did not say. Raises PushError."""
        ...
