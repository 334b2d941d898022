"""The digest of the day: made, kept as a note, told at every door and on the phone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from tools.contract import Caller, Door
from tools.digest.facts import Digest
from tools.digest.keeping import keep_note
from tools.digest.note import as_markdown
from tools.notify.messages import NORMAL, Messages
from tools.notify.services import can_push
from tools.settings import ToolSettings

log = logging.getLogger(__name__)

TITLE = "The house today"


async def tell_digest(make: Callable[[], Awaitable[Digest]], settings: ToolSettings, messages: Messages) -> Digest:
    """Once a day, however often it is called: a second one replaces the note and tells nothing. Raises StoreError."""
    digest = await make()
    day, text = digest.at[:10], digest.text
    if settings.digest.notes is not None:
        try:
            await asyncio.to_thread(keep_note, settings.digest.notes, day, as_markdown(digest))
        except OSError as error:
            log.warning("the digest's note could not be written: %s", error)
            text += " The note of it couldn't be written."
    push = settings.digest.push and can_push(settings)
    to = Caller(name="jarvis", door=Door.SCHEDULE)
    await asyncio.to_thread(
        messages.add, text, to, title=TITLE, priority=NORMAL, say=True, push=push, key=f"digest:{day}"
    )
    return digest
