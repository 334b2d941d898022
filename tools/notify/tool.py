"""``notify``: a message to the phone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from tools.calling import current_caller
from tools.contract import JsonObject, Level, PlannedCall, ToolResult
from tools.notify.messages import HIGH, NORMAL, Message, Messages
from tools.notify.port import Push, PushError
from tools.notify.services import deliver_one
from tools.store import Store
from tools.tool import Arguments, UnavailableError
from tools.wording import listing, sentence

MAX_MESSAGE = 500
"""Characters; a push message that is longer is cut by most phones."""


class NotifyArguments(Arguments):
    """Input of ``notify``."""

    message: str = Field(min_length=1, max_length=MAX_MESSAGE)
    urgent: bool | None = None


class Notify:
    """Send a push message to the owner, by every service there is."""

    name: ClassVar[str] = "notify"
    description: ClassVar[str] = "Send a message to the phone."
    level: ClassVar[Level] = Level.OPERATE
    arguments: ClassVar[type[Arguments]] = NotifyArguments
    deadline_s = 10.0

    def __init__(self, services: Sequence[Push], store: Store) -> None:
        self._services = services
        self._messages = Messages(store)

    def plan(self, arguments: Arguments) -> PlannedCall:
        """The message as it is, on one line."""
        wanted = NotifyArguments.model_validate(arguments.model_dump())
        message = " ".join(wanted.message.split())
        planned = {"message": message} | ({"urgent": True} if wanted.urgent else {})
        return PlannedCall(tool=self.name, arguments=planned, level=self.level, readback=f"send “{message}”")

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Kept, and sent; what cannot be delivered now is tried again. Raises UnavailableError, StoreError."""
        if not self._services:
            raise UnavailableError("I can't send messages yet; no push service is connected.")
        key = await asyncio.to_thread(self._keep, call)
        message = await asyncio.to_thread(self._messages.get, key)
        if message is None:
            return ToolResult(spoken="The message is on its way.", data={"delivered": None})
        tried = await asyncio.gather(*(self._send(service, message) for service in self._services))
        await asyncio.to_thread(self._messages.settle, [service.name for service in self._services])
        return _said({service.name: error for service, error in zip(self._services, tried, strict=True)})

    async def _send(self, service: Push, message: Message) -> PushError | None:
        if not await asyncio.to_thread(self._messages.take, message, service.name):
            return PushError("it is being sent")  # the scheduler was quicker; it has the outcome
        return await deliver_one(service, self._messages, message)

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


def _said(tried: dict[str, PushError | None]) -> ToolResult:
    """Which got it, and why the others did not."""
    got = [name for name, error in tried.items() if error is None]
    failed = {name: error for name, error in tried.items() if error is not None}
    data: JsonObject = {"delivered": bool(got), "services": {name: str(why or "sent") for name, why in tried.items()}}
    if not failed:
        by = f" by {listing(got)}" if len(got) > 1 else ""
        return ToolResult(spoken=f"The message is sent{by}.", data=data)
    reasons = listing([str(error) for error in failed.values()])
    then = "I'll keep trying" if any(error.again for error in failed.values()) else "I can't send it"
    data["error"] = reasons
    if got:
        there = "I'll keep trying there" if then == "I'll keep trying" else "it can't be sent there"
        return ToolResult(spoken=sentence(f"{listing(got)} has the message; {reasons}, {there}"), data=data)
    return ToolResult(spoken=f"The message is not sent yet: {reasons}. {then}.", data=data)
