"""The tools with nothing behind them: calls are planned, decided and asked back as always, and neither executed nor
audited.

For the evaluation, which must see what would be done, in the real call path, and do none of it. A yes burns its nonce
here, too.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tools.contract import Caller, CallOutcome, PlannedCall, ToolResult
from tools.outbox import Outbox
from tools.policy import CallPath
from tools.server import ToolHouse
from tools.settings import ToolSettings

PLANNED = "Planned, and not done."


def evaluation_clock() -> datetime:
    """Wednesday 2026-05-13 10:00 local time, the moment at which the evaluation sets are spoken."""
    return datetime(2026, 5, 13, 10, 0).astimezone()


class RecordingPath(CallPath):
    """The call path up to the point where something would happen."""

    async def _execute(self, call: PlannedCall) -> CallOutcome:
        return CallOutcome(
            ok=True,
            spoken=PLANNED,
            tool=call.tool,
            arguments=call.arguments,
            level=call.level,
            result=ToolResult(spoken=PLANNED),
        )

    async def _keep(self, outcome: CallOutcome, decision: str, caller: Caller) -> None:
        """A rehearsal leaves no trace."""


class RecordingHouse(ToolHouse):
    """A house whose call path records."""

    def __init__(
        self, settings: ToolSettings, state_dir: Path, clock: Callable[[], datetime] = evaluation_clock
    ) -> None:
        super().__init__(settings, state_dir, clock)
        self.path = RecordingPath(
            self.path.tools, self._store, Outbox(state_dir / "outbox"), access=self.access, pin=self.pin
        )
