"""Push messages by ntfy: a JSON object is posted to the server in the house; the phone's app shows it."""

from __future__ import annotations

import json

from tools.notify.port import NO, YES, Button, Outgoing
from tools.notify.reach import post, token
from tools.settings import NtfySettings

NTFY = "ntfy"


class Ntfy:
    """The server of ``[ntfy]``. Source of the object and of its buttons: docs.ntfy.sh/publish."""

    name = NTFY

    def __init__(self, settings: NtfySettings) -> None:
        self._settings = settings

    async def push(self, message: Outgoing) -> str:
        """Deliver one. Raises PushError."""
        body = {
            "topic": self._settings.topic,
            "title": message.title,
            "message": message.text,
            "priority": message.priority,
            "tags": list(message.tags),
        }
        if message.link is not None:
            body["actions"] = [_action(button, message.link) for button in (YES, NO)]
        return _id(await post(NTFY, self._settings.url, "/", body, await self.headers()))

    async def headers(self) -> dict[str, str]:
        """With the token, where there is one. Raises PushError."""
        file = self._settings.token_file
        return {"Authorization": f"Bearer {await token(NTFY, file)}"} if file is not None else {}


def _action(button: Button, link: str) -> dict[str, object]:
    """The phone posts it by itself, and takes the notification away when that was answered well."""
    return {
        "action": "http",
        "label": button.label,
        "url": link,
        "method": "POST",
        "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        "body": f"answer={button.answer}",
        "clear": True,
    }


def _id(answer: bytes) -> str:
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError):  # taken all the same
        return ""
    return str(found.get("id", ""))[:64] if isinstance(found, dict) else ""
