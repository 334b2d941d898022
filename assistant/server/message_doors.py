"""The HTTP doors of messages: questions answered on the phone, Alertmanager's webhook, announcements for pages.

``POST /confirm/{token}`` wants no bearer token: the link is the right to answer, once (ADR 23). A GET only shows the
question, so that whatever fetches links by itself (previews, scanners) answers nothing. ``docs/messages.md`` is its
page.
"""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from assistant.announcing import LOOK_EVERY_S
from assistant.app import App
from assistant.errors import StateError
from assistant.server.answers import RequestError
from assistant.server.bodies import bounded_body
from assistant.server.event_stream import PING_S
from assistant.server.identity import identity
from assistant.server.rate_limit import RateLimit
from tools.contract import Caller

T = TypeVar("T")

MOST_ANSWER_BYTES = 1_000
MOST_ALERTS_BYTES = 1_000_000
"""Of one request of Alertmanager; a hundred alerts take a tenth of it."""

MOST_STREAMS = 16
MOST_ID_DIGITS = 15

CONFIRMS_A_MINUTE = 20
ALERTS_A_MINUTE = 120
"""Requests by one address. A link cannot be guessed in any number of tries; this keeps the database out of them."""

STATUS = {"open": 200, "answered": 410, "late": 410, "forged": 404}
"""Of an answer, by what its link was worth."""

_PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "same-origin",  # with less, browsers send "Origin: null" with the answer
    "X-Content-Type-Options": "nosniff",
}

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Jarvis</title>
<style>body{{font:1.3rem/1.5 sans-serif;max-width:30rem;margin:3rem auto;padding:0 1rem}}
button{{font:inherit;padding:.6rem 2rem;margin:0 .6rem .6rem 0}}
:root{{color-scheme:light dark}}</style>
<p>{text}</p>{form}</html>"""

_FORM = """<form method="post"><button name="answer" value="yes">Yes</button>
<button name="answer" value="no">No</button></form>"""


class MessageDoors:
    """The routes over one app."""

    def __init__(self, app: App) -> None:
        self._app = app
        app.house.questions.served = True
        self._confirms = RateLimit(CONFIRMS_A_MINUTE)
        self._alerts = RateLimit(ALERTS_A_MINUTE)
        self._ending = asyncio.Event()
        self._streams = 0

    @property
    def routes(self) -> list[Route]:
        """To be added to the application's."""
        return [
            Route("/confirm/{token}", self.question),
            Route("/confirm/{token}", self.answer, methods=["POST"]),
            Route("/alerts", self.alerts, methods=["POST"]),
            Route("/announcements", self.announcements),
        ]

    def end_streams(self) -> None:
        """A server that stops has nothing more to announce."""
        self._ending.set()

    async def question(self, request: Request) -> Response:
        """The page with the question and its two buttons; nothing is done."""
        self._confirms.count(request)
        asked = await _guarded(self._app.question(request.path_params["token"]))
        if asked is None:
            return _page("This link is not one of mine.", 404)
        if asked.standing.value == "open":
            return _page(asked.text, 200, form=_FORM)
        answered = asked.standing.value == "answered"
        return _page(f"That question {'was answered already' if answered else 'is no longer open'}.", 410)

    async def answer(self, request: Request) -> Response:
        """Yes or no, once; what came of it."""
        self._confirms.count(request)
        fields = parse_qs((await bounded_body(request, MOST_ANSWER_BYTES)).decode("utf-8", "replace"))
        said = fields.get("answer", [""])[0]
        if said not in ("yes", "no"):
            raise RequestError(400, "no_answer", "The answer is yes or no.", "answer=yes, as a form.")
        answered = await self._app.answer_question(request.path_params["token"], yes=said == "yes")
        standing = answered.standing.value
        if "text/html" in request.headers.get("accept", ""):
            return _page(answered.text, STATUS[standing])
        content = {"link": standing, "done": answered.done, "text": answered.text}
        return JSONResponse(content, status_code=STATUS[standing], headers={"Cache-Control": "no-store"})

    async def alerts(self, request: Request) -> Response:
        """Alertmanager's webhook; there is none unless it has a token."""
        if not self._app.has_webhook:
            raise RequestError(404, "not_found", "Not Found")
        self._alerts.count(request)
        if not await _guarded(self._app.admits_alerts(request.headers.get("authorization"))):
            wanted = {"WWW-Authenticate": "Bearer"}
            raise RequestError(401, "no_token", "The webhook's bearer token is needed.", headers=wanted)
        body = await bounded_body(request, MOST_ALERTS_BYTES)
        try:
            new = await _guarded(self._app.take_alerts(body))
        except ValueError as error:
            raise RequestError(400, "no_alerts", f"This is not Alertmanager's form: {error}") from error
        return JSONResponse({"new": new})

    async def announcements(self, request: Request) -> Response:
        """What is said by itself, for pages and phones: as it comes (``Accept: text/event-stream``), or what came
        after the message ``after``."""
        caller = identity.get().caller()
        after = _message_id(request.headers.get("last-event-id") or request.query_params.get("after"))
        if after is None:
            after = await _guarded(self._app.newest_message())
        if "text/event-stream" not in request.headers.get("accept", ""):
            shown, after = await _guarded(self._app.shown_messages(caller, after))
            return JSONResponse({"announcements": shown, "after": after}, headers={"Cache-Control": "no-store"})
        if self._streams >= MOST_STREAMS:
            raise RequestError(503, "busy", f"{MOST_STREAMS} streams are open.", "Close one.", {"Retry-After": "5"})
        headers = {"Cache-Control": "no-store"}
        return StreamingResponse(self._blocks(caller, after), media_type="text/event-stream", headers=headers)

    async def _blocks(self, caller: Caller, after: int) -> AsyncIterator[bytes]:
        self._streams += 1
        silence_s = 0.0
        try:
            yield b": here\n\n"
            while not self._ending.is_set():
                try:
                    shown, after = await self._app.shown_messages(caller, after)
                except StateError:  # it may be better in a moment; the reader stays
                    shown = []
                for one in shown:
                    yield f"id: {one['id']}\nevent: announcement\ndata: {json.dumps(one)}\n\n".encode()
                silence_s = 0.0 if shown else silence_s + LOOK_EVERY_S
                if silence_s >= PING_S:
                    silence_s = 0.0
                    yield b": still there\n\n"
                try:
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await self._ending.wait()
                except TimeoutError:
                    pass
        finally:
            self._streams -= 1


async def _guarded(coming: Awaitable[T]) -> T:
    """A database that cannot be used is a matter of time: the other side tries again."""
    try:
        return await coming
    except StateError as error:
        raise RequestError(503, error.code, error.detail, error.mend, {"Retry-After": "30"}) from error


def _page(text: str, status: int, form: str = "") -> Response:
    return HTMLResponse(_PAGE.format(text=html.escape(text), form=form), status_code=status, headers=_PAGE_HEADERS)


def _message_id(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= MOST_ID_DIGITS else None
