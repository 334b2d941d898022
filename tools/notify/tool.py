"""``notify``: a message to the phone."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from pydantic import Field

from tools.calling import current_caller
from tools.contract import Level, PlannedCall, ToolResult
from tools.notify.messages import HIGH, NORMAL, Messages
from tools.notify.ntfy import NtfyError, push
from tools.settings import NtfySettings
from tools.store import Store
from tools.tool import Arguments, UnavailableError

MAX_MESSAGE = 500
"""Characters; a push message that is longer is cut by most phones."""


class NotifyArguments(Arguments):
    """Input of ``notify``."""

    message: str = Field(min_length=1, max_length=MAX_MESSAGE)
    urgent: bool | None = None


class Notify:
    """Send a push message to the owner."""

    name: ClassVar[str] = "notify"
    description: ClassVar[str] = "Send a message to the phone."
    level: ClassVar[Level] = Level.OPERATE
    arguments: ClassVar[type[Arguments]] = NotifyArguments
    deadline_s = 10.0

    def __init__(self, settings: NtfySettings | None, store: Store) -> None:
        self._settings = settings
        self._messages = Messages(store)

    def plan(self, arguments: Arguments) -> PlannedCall:
        """The message as it is, on one line."""
        wanted = NotifyArguments.model_validate(arguments.model_dump())
        message = " ".join(wanted.message.split())
        planned = {"message": message} | ({"urgent": True} if wanted.urgent else {})
        return PlannedCall(tool=self.name, arguments=planned, level=self.level, readback=f"send “{message}”")

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Kept, and sent; what cannot be delivered now is tried again. Raises UnavailableError, StoreError."""
        if self._settings is None:
            raise UnavailableError("I can't send messages yet; no push service is connected.")
        key = await asyncio.to_thread(self._keep, call)
        message = await asyncio.to_thread(self._messages.get, key)
        if message is None or not await asyncio.to_thread(self._messages.take, message):
            return ToolResult(spoken="The message is on its way.", data={"delivered": None})
        try:
            await push(self._settings, message)
        except NtfyError as error:
            await asyncio.to_thread(self._messages.not_pushed, message.id, str(error), again=error.again)
            then = "I'll keep trying" if error.again else "I can't send it"
            return ToolResult(
                spoken=f"The message is not sent yet: {error}. {then}.", data={"delivered": False, "error": str(error)}
            )
        await asyncio.to_thread(self._messages.pushed, message.id)
        return ToolResult(spoken="The message is sent.", data={"delivered": True})

    def _keep(self, call: PlannedCall) -> str:
        urgent = bool(call.arguments.get("urgent"))
        return self._messages.add(
            str(call.arguments["message"]),
            current_caller(),
            priority=HIGH if urgent else NORMAL,
            tags=("rotating_light",) if urgent else (),
            say=False,
            push=True,
        )
