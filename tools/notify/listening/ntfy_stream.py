"""A topic of ntfy as a stream of JSON lines, from the last message that was seen on."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tools.notify.listening.cleaning import titled
from tools.notify.listening.inbox import Inbox, Received
from tools.notify.listening.stream import MOST_ID_CHARACTERS, number_in, words_in
from tools.notify.ntfy import NTFY, Ntfy
from tools.notify.port import NORMAL
from tools.notify.published import Published
from tools.notify.reach import TIMEOUT_S, asking, check_status, reach
from tools.settings import NtfySettings

SILENCE_S = 130.0
"""Without a line, the connection is dead. The server sends a keepalive every 45 s unless it is told otherwise
(``keepalive-interval``, docs.ntfy.sh/config)."""

MOST_LINE_BYTES = 65536
"""A longer line is dropped; a message has at most 4,096 bytes unless the server is told otherwise."""


class Lines:
    """Bytes in, whole lines out, however they were cut; what is too long is dropped up to its end. Pure."""

    def __init__(self, most_bytes: int = MOST_LINE_BYTES) -> None:
        self._most = most_bytes
        self._rest = b""
        self._dropping = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The lines that this chunk ends."""
        *lines, rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            if not self._dropping and len(line) <= self._most:
                yield line
            self._dropping = False
        self._dropping = self._dropping or len(rest) > self._most
        self._rest = b"" if self._dropping else rest


class NtfyStream:
    """One topic. Source of the lines: docs.ntfy.sh/subscribe/api."""

    def __init__(
        self,
        settings: NtfySettings,
        topic: str,
        inbox: Inbox,
        published: Published,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = f"ntfy:{topic}"
        self._settings = settings
        self._topic = topic
        self._inbox = inbox
        self._published = published
        self._clock = clock

    async def listen(self, opened: Callable[[], None]) -> None:
        """Until the server or the line ends it. See :class:`Stream`.

        The first time, what came before is not asked for. A last id that the server has forgotten makes it send all
        that it has; what is known of that is not kept again.
        """
        async with asyncio.timeout(TIMEOUT_S):
            there = await reach(NTFY, self._settings.url)
            headers = await Ntfy(self._settings).headers()
        since = await asyncio.to_thread(self._since)
        url = there.at(f"/{self._topic}/json").copy_with(params={"since": since})
        async with asking(there, "GET", url, headers, silence_s=SILENCE_S) as answer:
            check_status(NTFY, answer.status_code)
            opened()
            lines = Lines()
            async for chunk in answer.aiter_raw():
                if read := [one for one in map(_message, lines.feed(chunk)) if one is not None]:
                    await asyncio.to_thread(self._keep, read)

    def _since(self) -> str:
        known = self._inbox.last(self.name)
        if known is None:
            known = str(int(self._clock()))
            self._inbox.read_up_to(self.name, known)
        return known

    def _keep(self, read: Sequence[dict[str, Any]]) -> None:
        """All lines of a chunk at once: a flood costs one write for some hundred messages."""
        self._inbox.keep([one for line in read if (one := self._received(line)) is not None])
        self._inbox.read_up_to(self.name, read[-1]["id"])

    def _received(self, line: dict[str, Any]) -> Received | None:
        title, text = words_in(line.get("title")), words_in(line.get("message"))
        if self._published.is_ours(NTFY, line["id"], title, text):
            return None
        return Received(
            key=f"{self.name}:{line['id']}",
            source=self.name,
            at=float(number_in(line.get("time"), 0, int(self._clock()), int(self._clock()))),
            priority=number_in(line.get("priority"), 1, 5, NORMAL),
            text=titled(title, text) or "a message without words",
        )


def _message(line: bytes) -> dict[str, Any] | None:
    """A line that is a message, with a usable id."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("event") != "message":
        return None
    own = found.get("id")
    return found if isinstance(own, str) and 0 < len(own) <= MOST_ID_CHARACTERS and own.isalnum() else None
