"""Gotify's websocket, and what it sent while nobody listened."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tools.notify.gotify import GOTIFY, from_gotify
from tools.notify.listening.cleaning import titled
from tools.notify.listening.inbox import Inbox, Received
from tools.notify.listening.stream import number_in, words_in
from tools.notify.port import PushError
from tools.notify.published import Published
from tools.notify.reach import TIMEOUT_S, Reached, asking, beginning, check_status, reach, token
from tools.settings_house import GotifySettings

PING_S = 30.0
"""Between two pings of ours; Gotify pings, too, every 45 s."""

PAGE = 100
"""Messages of one page of the REST answer; its most is 200."""

MOST_PAGES = 5
"""Of what came while nobody listened; older messages are left."""

MOST_MESSAGE_BYTES = 262_144
MOST_PAGE_BYTES = 8 * 2**20


class GotifyStream:
    """All messages of the user whose client token it is. Source: gotify.net/api-docs."""

    name = "gotify"

    def __init__(
        self, settings: GotifySettings, inbox: Inbox, published: Published, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._inbox = inbox
        self._published = published
        self._clock = clock

    async def listen(self, opened: Callable[[], None]) -> None:
        """Until the server or the line ends it. See :class:`Stream`.

        The websocket is opened before what was missed is asked for, so that nothing falls between the two.
        """
        async with asyncio.timeout(TIMEOUT_S):
            there = await reach(GOTIFY, self._settings.url)
            headers = {"X-Gotify-Key": await self._token()}
        try:
            await self._listen(there, headers, opened)
        except InvalidStatus as error:
            check_status(GOTIFY, error.response.status_code)

    async def _listen(self, there: Reached, headers: dict[str, str], opened: Callable[[], None]) -> None:
        address = there.at("/stream")
        secure = there.url.scheme == "https"
        async with connect(
            str(address.copy_with(scheme="wss" if secure else "ws", host=there.host)),
            host=address.host,
            port=address.port or (443 if secure else 80),
            additional_headers=headers,
            proxy=None,
            max_size=MOST_MESSAGE_BYTES,
            open_timeout=TIMEOUT_S,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            close_timeout=1.0,
        ) as socket:
            await self._catch_up(there, headers)
            opened()
            async for frame in socket:
                if (message := _message(_decoded(frame))) is not None:
                    await asyncio.to_thread(self._keep, [message])

    async def _token(self) -> str:
        file = self._settings.client_token_file
        if file is None:
            raise PushError("Gotify's client_token_file is not set")
        return await token(GOTIFY, file)

    async def _catch_up(self, there: Reached, headers: dict[str, str]) -> None:
        """What is newer than the last one seen; the first time only which one is the newest."""
        known = await asyncio.to_thread(self._inbox.last, self.name)
        last = int(known) if known is not None and known.isdecimal() else None
        missed: list[dict[str, Any]] = []
        since = 0
        for _ in range(MOST_PAGES):
            page = await self._page(there, headers, since)
            missed += [one for one in page if last is None or one["id"] > last]
            if len(page) < PAGE or last is None or page[-1]["id"] <= last:
                break
            since = page[-1]["id"]
        missed.sort(key=lambda one: one["id"])
        if last is None:
            newest = str(missed[-1]["id"]) if missed else "0"
            await asyncio.to_thread(self._inbox.read_up_to, self.name, newest)
        elif missed:
            await asyncio.to_thread(self._keep, missed)

    async def _page(self, there: Reached, headers: dict[str, str], since: int) -> list[dict[str, Any]]:
        """Newest first; ``since``: only those with smaller ids, 0: all."""
        url = there.at("/message").copy_with(params={"limit": str(PAGE), **({"since": str(since)} if since else {})})
        async with asyncio.timeout(TIMEOUT_S), asking(there, "GET", url, headers) as answer:
            check_status(GOTIFY, answer.status_code)
            found = _decoded(await beginning(answer, MOST_PAGE_BYTES))
        rows = found.get("messages") if isinstance(found, dict) else None
        read = [_message(row) for row in rows[:PAGE]] if isinstance(rows, list) else []
        return [one for one in read if one is not None]

    def _keep(self, read: Sequence[dict[str, Any]]) -> None:
        self._inbox.keep([one for message in read if (one := self._received(message)) is not None])
        self._inbox.read_up_to(self.name, str(max(one["id"] for one in read)))

    def _received(self, message: dict[str, Any]) -> Received | None:
        title, text = words_in(message.get("title")), words_in(message.get("message"))
        if self._published.is_ours(GOTIFY, str(message["id"]), title, text):
            return None
        return Received(
            key=f"{self.name}:{message['id']}",
            source=self.name,
            at=_moment(words_in(message.get("date")), self._clock()),
            priority=from_gotify(number_in(message.get("priority"), 0, 10, 0)),
            text=titled(title, text) or "a message without words",
        )


def _decoded(raw: str | bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _message(found: Any) -> dict[str, Any] | None:
    """An object that is a message, with a usable id."""
    if not isinstance(found, dict) or "message" not in found:
        return None
    own = found.get("id")
    return found if isinstance(own, int) and not isinstance(own, bool) and 0 < own < 2**53 else None


def _moment(date: str, now: float) -> float:
    """Unix seconds of an RFC 3339 date; now where it is none, or to come."""
    try:
        found = datetime.fromisoformat(date)
    except ValueError:
        return now
    return min(found.timestamp(), now) if found.tzinfo is not None else now
