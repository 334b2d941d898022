"""``/api/*``: how things are, as JSON for our own page and for scripts. ``docs/http-api.md`` is its page.

What a tool knows is asked for by the one call path, as the caller of the request: policy and audit hold. A tool that
fails or refuses is an answer like another (200, ``ok`` false); HTTP errors are about the request itself.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from assistant.app import App
from assistant.errors import StateError, ToolboxError
from assistant.roles import OWNER
from assistant.server.answers import RequestError, shown
from assistant.server.api_forms import (
    AuditShown,
    ClassShown,
    HistoriesShown,
    HistoryShown,
    RoomsShown,
    ScorecardShown,
    TurnShown,
    TurnsShown,
)
from assistant.server.identity import identity
from assistant.server.recent import RecentTurns
from tools.contract import DASHBOARD, Caller, CallOutcome, JsonObject, Speech

T = TypeVar("T")

SHOWN_BY = {
    "services": "check_services",
    "alerts": "check_alerts",
    "backups": "check_backups",
    "vms": "check_vms",
    "tasks": "list_tasks",
}
"""Path below /api → the tool whose answer it gives."""

MOST_CALLS = 8
"""Calls under way at once: a page asks for five."""

MOST_TURNS = 200
MOST_LINES = 1_000
MOST_DIGITS = 15
RETRY_AFTER_S = 5


class ApiDoors:
    """The routes over one app; ``recent``: turns whose words are still in memory."""

    def __init__(self, app: App, recent: RecentTurns) -> None:
        self._app = app
        self._recent = recent
        self._calling = 0

    @property
    def routes(self) -> list[Route]:
        """To be added to the application's."""
        return [
            *(Route(f"/api/{path}", self._shows(tool)) for path, tool in SHOWN_BY.items()),
            Route("/api/backups/history", self.histories),
            Route("/api/scorecard", self.scorecard),
            Route("/api/tasks/{task_id}", self.cancel, methods=["DELETE"]),
            Route("/api/turns", self.turns),
            Route("/api/rooms", self.rooms),
            Route("/api/audit", self.audit),
        ]

    def _shows(self, tool: str) -> Callable[[Request], Awaitable[Response]]:
        async def show(_: Request) -> Response:
            return shown(await self._call(tool, {}, _looking()))

        return show

    async def cancel(self, request: Request) -> Response:
        """One task, by the id that /api/tasks gives; a button was pressed, so that nothing is asked back."""
        task = request.path_params["task_id"]
        if len(task) > MAX_TASK_CHARACTERS or not task.isprintable():
            raise RequestError(404, "unknown_task", "There is no such task.")
        outcome = await self._call("cancel_task", {"task": task}, _looking(order=True))
        return shown(outcome)

    async def scorecard(self, _: Request) -> Response:
        """Classes of data and what survives which misfortune; for whoever may see the backups."""
        judged = await self._call("check_backups", {}, _looking())
        found = await _guarded(self._app.scorecard()) if judged.ok else []
        classes = tuple(ClassShown.model_validate(one) for one in found)
        return shown(ScorecardShown(ok=judged.ok, spoken=judged.spoken, error=judged.error, classes=classes))

    async def histories(self, _: Request) -> Response:
        """Backups that were seen and restore tests, for plots; for whoever may see the backups."""
        judged = await self._call("check_backups", {}, _looking())
        found = await _guarded(self._app.backup_histories()) if judged.ok else []
        seen = tuple(HistoryShown.model_validate(one) for one in found)
        return shown(HistoriesShown(ok=judged.ok, spoken=judged.spoken, error=judged.error, destinations=seen))

    async def turns(self, request: Request) -> Response:
        """The newest turns: the caller's own, the owner's are everybody's."""
        me = identity.get().name
        limit = _number(request, "limit", 20, MOST_TURNS, least=1)
        rows = await _guarded(self._app.turns(limit, None if self._is_owner() else me))
        return shown(TurnsShown(turns=tuple(self._shown(row, me) for row in rows)))

    async def rooms(self, _: Request) -> Response:
        """Where a reply can be played."""
        return shown(RoomsShown(rooms=self._app.rooms.names))

    async def audit(self, request: Request) -> Response:
        """Who called what, after that id; for the owner."""
        if not self._is_owner():
            raise RequestError(403, "owner_only", "Only the owner may see that.")
        after = _number(request, "after", 0, 10**MOST_DIGITS)
        limit = _number(request, "limit", 100, MOST_LINES, least=1)
        lines = await _guarded(self._app.audit_after(after, limit))
        last = max((int(line["id"]) for line in lines), default=after)
        return shown(AuditShown(lines=tuple(lines), after=last))

    def _is_owner(self) -> bool:
        """With a token that is not limited."""
        me = identity.get()
        return me.role == OWNER and not self._app.house.access.rights(me.caller()).limits

    async def _call(self, tool: str, arguments: JsonObject, caller: Caller) -> CallOutcome:
        with self._place():
            try:
                return await self._app.call(tool, arguments, caller)
            except ToolboxError as error:
                raise RequestError(503, "tools_unusable", error.detail, error.mend, _RETRY) from error

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._calling >= MOST_CALLS:
            raise RequestError(503, "busy", f"{MOST_CALLS} calls are under way.", "Try again in a moment.", _RETRY)
        self._calling += 1
        try:
            yield
        finally:
            self._calling -= 1

    def _shown(self, row: JsonObject, me: str) -> TurnShown:
        """Words that are not kept on the disk are shown to whoever said them, while they are in memory."""
        transcript, reply = row["transcript"], row["reply"]
        if transcript is None and (turn := self._recent.find(row["turn_id"], me)) is not None and turn.over:
            outcome = turn.so_far
            transcript, reply = outcome.transcript, outcome.reply
        return TurnShown(
            id=row["turn_id"],
            at=row["at"],
            door=row["door"],
            caller=row["who"],
            matched=row["matched"],
            transcript=transcript,
            reply=reply,
            tools=row["tools"],
            timings_ms=row["timings_ms"],
            total_ms=row["total_ms"],
            error=row["error"],
        )


MAX_TASK_CHARACTERS = 300
_RETRY = {"Retry-After": str(RETRY_AFTER_S)}


def _looking(*, order: bool = False) -> Caller:
    """For a call without words: a page that shows how things are, or (``order``) a button that was pressed.

    Each has a turn of its own, so that what one shows (text from outside, maybe) makes no other call suspect.
    """
    changes = {
        "conversation": DASHBOARD,
        "turn_id": secrets.token_hex(6),
        "speech": Speech.ORDER if order else Speech.QUESTION,
    }
    return identity.get().caller().model_copy(update=changes)


async def _guarded(coming: Awaitable[T]) -> T:
    """A database that cannot be used is a matter of time."""
    try:
        return await coming
    except StateError as error:
        raise RequestError(503, error.code, error.detail, error.mend, {"Retry-After": "30"}) from error


def _number(request: Request, name: str, default: int, most: int, *, least: int = 0) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    good = text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
    if not good or not least <= int(text) <= most:
        raise RequestError(400, "bad_number", f"{name} is a number from {least} to {most}.")
    return int(text)
