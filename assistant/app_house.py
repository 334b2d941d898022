"""What doors ask of the house beside turns: figures, messages, questions on the phone, alerts from outside."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from assistant.announcing import Announced
from assistant.errors import StateError
from tools.backups.desk import DeskError
from tools.contract import RINGS_TAG, Caller, Door, JsonObject
from tools.digest.facts import Digest
from tools.notify.links import Question
from tools.notify.questions import Answered
from tools.server import ToolHouse
from tools.store import StoreError

log = logging.getLogger(__name__)


class HouseDesk:
    """Of an app that has a house."""

    house: ToolHouse

    async def digest(self, *, plain: bool = False) -> Digest:
        """The summary of the house; ``plain``: without the model."""
        return await self.house.digest(plain=plain)

    async def scorecard(self) -> list[JsonObject]:
        """What `jarvis backups scorecard --json` prints for each class of data. Raises StateError."""
        with _database():
            return await asyncio.to_thread(self.house.scorecard)

    async def backup_histories(self) -> list[JsonObject]:
        """Of every job at every destination. Raises StateError."""
        with _database():
            return await asyncio.to_thread(self.house.backup_histories)

    async def backup_verdicts(self) -> list[tuple[str, str]]:
        """Data class and verdict of every job, from what was last looked at. Raises StateError."""
        with _database():
            return await asyncio.to_thread(self.house.backup_verdicts)

    async def overdue_s(self) -> float:
        """How late the most overdue of all that is scheduled is, in seconds. Raises StateError."""
        with _database():
            return await asyncio.to_thread(self.house.overdue_s)

    async def audit_after(self, after: int, limit: int) -> list[JsonObject]:
        """Lines of the audit after that id, oldest first; the newest ones after 0. Raises StateError."""
        with _database():
            return await asyncio.to_thread(self.house.audit_after, after, limit)

    async def announcement(self, door: Door, room: str | None = None) -> Announced | None:
        """The next thing to say at this door in this room: what was asked for here, was scheduled, or came from others;
        each is given out once."""
        try:
            message = await asyncio.to_thread(self.house.announcements.take, door, room)
        except StoreError as error:
            log.warning("nothing can be announced: %s", error)
            return None
        return Announced(message.text, RINGS_TAG in message.tags) if message is not None else None

    def is_limited(self, caller: Caller) -> bool:
        """Whether anything of the house is none of their business."""
        return bool(self.house.access.rights(caller).limits)

    async def shown_messages(self, caller: Caller, after: int) -> tuple[list[dict[str, Any]], int]:
        """What a page of this caller shows of it, newer than that id, and the id to go on from. Raises StateError."""
        with _database():
            show = partial(self.house.announcements.shown_to, whole_house=not self.is_limited(caller))
            shown, last = await asyncio.to_thread(show, caller.name, after)
        fields = ("id", "at", "title", "text", "priority", "room")
        return [{field: getattr(message, field) for field in fields} for message in shown], last

    async def newest_message(self) -> int:
        """Its id. Raises StateError."""
        with _database():
            return await asyncio.to_thread(self.house.announcements.newest)

    async def question(self, token: str) -> Question | None:
        """What a link to the phone asks. Raises StateError."""
        with _database():
            return await self.house.questions.read(token)

    async def answer_question(self, token: str, *, yes: bool) -> Answered:
        """The answer that came by a link."""
        return await self.house.questions.answer(token, yes=yes)

    @property
    def has_webhook(self) -> bool:
        """Whether alerts are taken at all."""
        return self.house.webhook.configured

    async def admits_alerts(self, authorization: str | None) -> bool:
        """Whether this header may bring alerts. Raises StateError when the token's file cannot be read."""
        try:
            return await asyncio.to_thread(self.house.webhook.admits, authorization)
        except (OSError, ValueError) as error:
            detail = "The file of webhook_token_file cannot be read."
            raise StateError("webhook_token_unreadable", detail, mend="See [announcements].") from error

    async def take_alerts(self, body: bytes) -> int:
        """Alertmanager's body; how many alerts were new. Raises ValueError where it is none, and StateError."""
        with _database():
            return await asyncio.to_thread(self.house.webhook.take, body)


@contextmanager
def _database() -> Iterator[None]:
    try:
        yield
    except (StoreError, DeskError) as error:
        raise StateError("database_unusable", str(error)) from error
