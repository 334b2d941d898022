"""``handle`` and ``intent``: a text in, the reply of a turn out; or what the sentence templates read out of it."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from wyoming.event import Event

from assistant.events import ReplySentence
from assistant.outcome import TurnOutcome
from assistant.wyoming.connection import Connection, object_of, text_of
from assistant.wyoming.services import Services
from tools.contract import Caller, Door

MAX_CHARACTERS = 4_000
MAX_ID_CHARACTERS = 200


UNNAMED = "unnamed"


class Answering:
    """One client's questions and orders. What it calls its conversation is one; all that it does not name are one, too
    (``docs/adr/0027-conversations-over-wyoming.md``)."""

    def __init__(self, services: Services, connection: Connection, client: str) -> None:
        """``client``: its address, which is its name."""
        self._services = services
        self._connection = connection
        self._caller = Caller(name=f"wyoming {client}", role=services.role, door=Door.SATELLITE)

    async def turn(self, event: Event) -> None:
        """Run a turn and tell what it came to, sentence by sentence and once more as a whole.

        The turn is the app's: it goes on when the client goes away. Raises BadEvent, ClientGone.
        """
        text, context = text_of(event, "text", MAX_CHARACTERS), object_of(event, "context")
        name = context.get("conversation_id")
        known = name if isinstance(name, str) and 0 < len(name) <= MAX_ID_CHARACTERS else UNNAMED
        turn = self._services.ask(text, self._caller, f"{self._caller.name}/{known}")
        log, begun = [], False
        async with aclosing(turn.events()) as events:
            async for happened in events:
                log.append(happened)
                if isinstance(happened, ReplySentence) and happened.text:
                    if not begun:
                        await self._connection.send(Event("handled-start", _with({}, context)))
                    said = f" {happened.text}" if begun else happened.text
                    begun = True
                    await self._connection.send(Event("handled-chunk", {"text": said}))
        outcome = TurnOutcome.from_events(log)
        kind = "handled" if outcome.error is None else "not-handled"
        await self._connection.send(Event(kind, _with({"text": outcome.reply}, context)))
        if begun:
            await self._connection.send(Event("handled-stop"))

    async def recognize(self, event: Event) -> None:
        """What a text asks for, by the templates; nothing is done. Raises BadEvent, ClientGone, ToolboxError."""
        text, context = text_of(event, "text", MAX_CHARACTERS), object_of(event, "context")
        match = await self._services.read(text)
        if match is None or not match.tool:
            await self._connection.send(Event("not-recognized", _with({}, context)))
            return
        entities = [{"name": name, "value": value} for name, value in match.arguments.items()]
        await self._connection.send(Event("intent", _with({"name": match.tool, "entities": entities}, context)))


def _with(data: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    """The client's context comes back as it was."""
    return {**data, "context": context} if context else data
