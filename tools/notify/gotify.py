"""Push messages by Gotify: a JSON object is posted to the server in the house; its app has no buttons, and opens the
question's page instead."""

from __future__ import annotations

import json

from tools.notify.port import Outgoing
from tools.notify.reach import post, token
from tools.settings_house import GotifySettings

GOTIFY = "Gotify"

TO_GOTIFY = {1: 1, 2: 3, 3: 5, 4: 7, 5: 8}
"""From ntfy's priorities to Gotify's 0 to 10; its Android app makes a sound from 4, and stays on top from 8."""


def from_gotify(priority: int) -> int:
    """Gotify's priority as one of ntfy's: the mildest that is sent as at least this."""
    return next((ours for ours, theirs in TO_GOTIFY.items() if theirs >= priority), 5)


class Gotify:
    """The server of ``[gotify]``. Source of the object: gotify.net/api-docs, gotify.net/docs/msgextras."""

    name = GOTIFY

    def __init__(self, settings: GotifySettings) -> None:
        self._settings = settings

    async def push(self, message: Outgoing) -> str:
        """Deliver one. Raises PushError."""
        body: dict[str, object] = {
            "title": message.title,
            "message": message.text,
            "priority": TO_GOTIFY[message.priority],
        }
        if message.link is not None:
            body["extras"] = {"client::notification": {"click": {"url": message.link}}}
        headers = {"X-Gotify-Key": await token(GOTIFY, self._settings.token_file)}
        answer = await post(GOTIFY, self._settings.url, "/message", body, headers)
        try:
            found = json.loads(answer)
        except (ValueError, RecursionError):  # taken all the same
            return ""
        return str(found.get("id", ""))[:64] if isinstance(found, dict) else ""
