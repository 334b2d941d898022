"""Questions that are asked on the phone, where nobody can be asked at the door, and what their answers do.

Nothing here decides: an answer is a call with the person's yes, and goes the way of every call (``tools/policy.py``).
Without ``ntfy.confirm_url`` there are none. Why it is so: ADR 23.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from tools.confirmations import question as question_about
from tools.contract import Caller, CallOutcome, OpenConfirmation, PlannedCall
from tools.notify.links import Links, Question, Standing
from tools.notify.messages import HIGH, NORMAL, Messages
from tools.notify.port import Outgoing, Push, PushError
from tools.notify.services import send
from tools.policy import CallPath
from tools.store import StoreError

log = logging.getLogger(__name__)

TITLE = "Jarvis asks"
PRIORITY = 4

ANSWER_WITHIN_S = 8.0
"""The phone waits no longer; what takes longer goes on, and is told by message."""

NOT_OURS = "This link is not one of mine. Nothing was changed."
ANSWERED = "That question was answered already, so nothing more was done."
LATE = "That question is no longer open, so nothing was changed. Please ask for it again."
NO = "All right, nothing was changed."
UNDER_WAY = "It is being done. A message follows."
NO_DATABASE = "My own database can't be used, so nothing was changed."


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer came to, as a sentence. ``standing``: what the link was worth when it came."""

    standing: Standing
    text: str
    done: bool = False


class PhoneQuestions:
    """Asks by every push service, and carries out what was answered."""

    def __init__(
        self, path: CallPath, links: Links, messages: Messages, services: Sequence[Push], base_url: str | None
    ) -> None:
        self._path = path
        self._links = links
        self._messages = messages
        self._services = services
        self._base_url = base_url.rstrip("/") if base_url else None
        self.served = False
        """Whether answers are taken in this process: its HTTP server says so."""
        self._doing: set[asyncio.Task[CallOutcome]] = set()

    @property
    def possible(self) -> bool:
        """Whether anybody can be asked at all."""
        return self.served and self._base_url is not None and bool(self._services)

    async def ask(self, call: PlannedCall, caller: Caller, opened: OpenConfirmation) -> bool:
        """Send the question of an open confirmation; False when no phone got it, and nothing is left open then."""
        try:
            if await self._ask(call, caller, opened):
                return True
        except StoreError as error:
            log.warning("a question could not be sent: %s", error)
        await self._path.withdraw(caller)
        return False

    async def ask_anew(self, call: PlannedCall, caller: Caller) -> bool:
        """Ask about a call that was agreed to, and that means something else by now. False when that cannot be."""
        if not self.possible:
            return False
        caller = caller.model_copy(update={"conversation": secrets.token_hex(8), "confirmation": None})
        planned = self._path.plan(call.tool, call.arguments)
        if isinstance(planned, CallOutcome):
            return False
        opened = await self._path.ask(planned, caller)
        return opened is not None and await self.ask(planned, caller, opened)

    async def read(self, token: str) -> Question | None:
        """What a link asks; changes nothing. Raises StoreError."""
        return await asyncio.to_thread(self._links.read, token)

    async def answer(self, token: str, *, yes: bool) -> Answered:
        """Take an answer. Raises nothing but for cancellation, which does not stop what was begun."""
        try:
            question = await asyncio.to_thread(self._links.read, token)
            if question is None:
                return Answered(Standing.FORGED, NOT_OURS)
            if question.standing is not Standing.OPEN or not await asyncio.to_thread(self._links.answer, question, yes):
                late = question.standing is Standing.LATE
                return Answered(Standing.LATE, LATE) if late else Answered(Standing.ANSWERED, ANSWERED)
        except StoreError as error:
            log.warning("an answer could not be taken: %s", error)
            return Answered(Standing.LATE, NO_DATABASE)
        if not yes:
            await self._path.withdraw(question.caller)
            return Answered(Standing.OPEN, NO)
        task = asyncio.create_task(self._carry_out(question))
        self._doing.add(task)
        task.add_done_callback(self._doing.discard)
        await asyncio.wait({task}, timeout=ANSWER_WITHIN_S)
        if not task.done():
            return Answered(Standing.OPEN, UNDER_WAY)
        outcome = task.result()
        return Answered(Standing.OPEN, outcome.spoken, done=outcome.ok)

    async def close(self) -> None:
        """End what is being done."""
        for task in self._doing:
            task.cancel()
        if self._doing:
            await asyncio.wait(self._doing)

    async def _ask(self, call: PlannedCall, caller: Caller, opened: OpenConfirmation) -> bool:
        if not self.possible:
            return False
        text = question_about(call)
        token = await asyncio.to_thread(self._links.open, call, caller, opened, text)
        if token is None:
            return False
        asked = f"{text} Asked by {caller.name}; it is open for {opened.expires_in_s / 60:.0f} minutes."
        message = Outgoing(
            title=TITLE, text=asked, priority=PRIORITY, tags=("question",), link=f"{self._base_url}/confirm/{token}"
        )
        return any(await asyncio.gather(*(self._sent(service, message) for service in self._services)))

    async def _sent(self, service: Push, message: Outgoing) -> bool:
        try:
            await send(service, self._messages.published, message)
        except PushError as error:
            log.warning("a question did not reach the phone: %s", error)
            return False
        return True

    async def _carry_out(self, question: Question) -> CallOutcome:
        """Through the call path, with the yes; and told, whatever came of it."""
        caller = question.caller.model_copy(update={"confirmation": question.nonce})
        outcome = await self._path.call(question.call.tool, question.call.arguments, caller)
        priority = NORMAL if outcome.ok else HIGH
        try:
            await asyncio.to_thread(
                self._messages.add, outcome.spoken, question.caller, priority=priority, say=False, push=True
            )
        except StoreError as error:
            log.warning("what came of an answer could not be told: %s", error)
        return outcome
