"""Where Alertmanager posts to: who may, and what becomes of it."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path

from tools.notify.listening.alertmanager import NotAlertsError, received
from tools.notify.listening.inbox import Inbox
from tools.program import read_secret


class Webhook:
    """Over the inbox. Blocks."""

    def __init__(self, token_file: Path | None, inbox: Inbox, clock: Callable[[], float] = time.time) -> None:
        self._token_file = token_file
        self._inbox = inbox
        self._clock = clock

    @property
    def configured(self) -> bool:
        """Whether there is one at all."""
        return self._token_file is not None

    def admits(self, authorization: str | None) -> bool:
        """Whether the header has the token; compared in constant time. Raises OSError, ValueError when the token's
        file cannot be read."""
        if self._token_file is None:
            return False
        scheme, _, offered = (authorization or "").partition(" ")
        token = read_secret(self._token_file)
        right = hmac.compare_digest(offered.strip().encode(), token.encode())
        return right and scheme.casefold() == "bearer" and bool(token)

    def take(self, body: bytes) -> int:
        """Keep its alerts; how many were new. Raises NotAlertsError, StoreError."""
        try:
            found = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise NotAlertsError("It is no JSON.") from error
        return self._inbox.keep(received(found, self._clock()))
