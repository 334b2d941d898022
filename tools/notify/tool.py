"""``notify``: a message to the phone."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from tools.contract import Level, PlannedCall, ToolResult
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

    def plan(self, arguments: Arguments) -> PlannedCall:
        """The message as it is, on one line."""
        wanted = NotifyArguments.model_validate(arguments.model_dump())
        message = " ".join(wanted.message.split())
        planned = {"message": message} | ({"urgent": True} if wanted.urgent else {})
        return PlannedCall(tool=self.name, arguments=planned, level=self.level, readback=f"send “{message}”")

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises UnavailableError: no push service is connected."""
        raise UnavailableError("I can't send messages yet; no push service is connected.")
