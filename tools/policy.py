"""★ The server's one call path, for every client: microphone, chat page, script or schedule.

    arguments → plan (names resolved) → may this caller do this, without being asked back? → execute → audit

The assistant says who asks and decides nothing; tools know nothing of the policy. Why it is so: ADR 11. What a role, a
door, a room and a limited token may is reckoned in ``tools/access.py``; ``docs/access.md`` has the table.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from tools.access import VOICE_DOORS, Access, Rights
from tools.calling import called_by, current_caller, said_by
from tools.confirmations import Confirmations, question
from tools.contract import (
    Caller,
    CallOutcome,
    Candidates,
    Door,
    Level,
    OpenConfirmation,
    PlannedCall,
    RefusalCode,
    Speech,
)
from tools.known_secrets import KNOWN
from tools.outbox import Outbox
from tools.pin import LOCKED, MISSING, SAY_IT, UNREADABLE, WRONG, Heard, SpokenPin
from tools.records import begin_act, keep_call, note_act
from tools.store import Store, StoreError
from tools.taint import Taints
from tools.tool import (
    CallError,
    FromServer,
    InvalidArgumentsError,
    Prepares,
    Tool,
    UnavailableError,
    read_arguments,
)
from tools.wording import listing

log = logging.getLogger(__name__)

VOID = "That question is no longer open; please say it again."

CHANGED = "That means something else now than when it was scheduled, so I did nothing."

UNRECORDED = "I can't write down what I do right now, so I changed nothing."

GONE = "Whoever scheduled that may not come in any more, so I did nothing."

WORDLESS_DOORS = frozenset({Door.MCP, Door.SCHEDULE})
"""Doors at which no utterance is seen, so that nothing can be said about whether it was an order."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a planned call may go ahead; if not, the code, the sentence, and the reason as a fact. ``untold``: the
    caller is not told what it was about, either."""

    allowed: bool
    code: RefusalCode | None = None
    spoken: str = ""
    reason: str | None = None
    untold: bool = False


EVERYDAY = Access()
"""Where nothing is configured."""


def decide(
    call: PlannedCall,
    caller: Caller,
    *,
    tainted: bool,
    confirmed: bool = False,
    access: Access = EVERYDAY,
    server: str | None = None,
) -> Decision:
    """Pure. Whoever is limited to some things touches nothing else, not even to look; reading is free then; what is
    protected is for the owner and not for voices; questions never act.

    ``tainted``: the caller has just read text from outside. ``confirmed``: a yes to this very call is presented; it
    lifts what a yes can lift, and nothing else. ``server``: the outside server that the tool is of.
    """
    if (beyond := access.beyond(call, caller, server)) != "":
        return Decision(False, "refused", beyond, "It is not among what the caller is limited to.", untold=True)
    if call.level is Level.READ:
        return Decision(allowed=True)
    rights = access.rights(caller, call.allowed)
    if not rights.reaches(call.level):
        return Decision(False, "refused", _too_much(rights), f"role {caller.role}, door {caller.door.value}")
    if call.protected and not rights.protected:
        return Decision(False, "protected", _protected(caller, access))
    if confirmed:
        return Decision(allowed=True)
    if caller.speech is Speech.QUESTION:
        return Decision(False, "refused", "You asked, so I changed nothing.")
    reason = _why_ask_back(call, caller, tainted)
    return Decision(False, "needs_confirmation", question(call), reason) if reason else Decision(allowed=True)


def _too_much(rights: Rights) -> str:
    if rights.may is Level.READ:
        return "You may look here, and not change anything."
    return "You may start and switch things here, but nothing that can't simply be undone."


def _protected(caller: Caller, access: Access) -> str:
    if caller.door in VOICE_DOORS:
        return "That one is protected. It can't be changed by voice."
    if access.rights(caller.model_copy(update={"door": Door.CLI, "room": None})).protected:
        return "That one is protected. It can't be changed from here."
    return "That one is protected. Only the owner can change it."


def _why_ask_back(call: PlannedCall, caller: Caller, tainted: bool) -> str | None:
    if call.protected:
        return "The target is protected."
    if call.level is Level.DESTRUCTIVE:
        return "The call is destructive."
    if tainted:
        return "Text from outside the house was read just before."
    if caller.speech is Speech.UNKNOWN and caller.door not in WORDLESS_DOORS:
        return "It is not clear that it was an order."
    return None


class CallPath:
    """plan → decide → ask back or execute, over a fixed list of tools, every call audited."""

    def __init__(
        self,
        tools: Sequence[Tool],
        store: Store,
        outbox: Outbox,
        *,
        confirmations: Confirmations | None = None,
        taints: Taints | None = None,
        access: Access = EVERYDAY,
        pin: SpokenPin | None = None,
    ) -> None:
        """``access``: who may do what; ``pin``: wanted with a yes that is spoken."""
        self._own = {tool.name: tool for tool in tools}
        self._tools = dict(self._own)
        self._store = store
        self._outbox = outbox
        self._confirmations = confirmations or Confirmations(store)
        self._taints = taints or Taints()
        self.access = access
        self.pin = pin or SpokenPin(None, store)
        self.standing: Callable[[Caller], Caller | None] = lambda caller: caller
        """Whoever scheduled something, as they stand when it is done: their role and limits now; None where they may
        not come in any more. Set by whoever knows the tokens; called in a thread."""

    @property
    def tools(self) -> tuple[Tool, ...]:
        """Ours in their fixed order, then those of outside servers."""
        return tuple(self._tools.values())

    @property
    def own_tools(self) -> tuple[Tool, ...]:
        """Ours, in their fixed order."""
        return tuple(self._own.values())

    def add_outside(self, tools: Sequence[Tool]) -> None:
        """The tools of outside servers, in place of those that were there before. No name of ours is taken over."""
        self._tools = self._own | {tool.name: tool for tool in tools if tool.name not in self._own}

    async def call(self, name: str, arguments: Mapping[str, Any], caller: Caller) -> CallOutcome:
        """The whole way of a call. Never raises but for cancellation: every refusal and failure is an outcome.

        A call cancels the question that an earlier utterance of its conversation left open, unless it brings the yes.
        """
        started = time.perf_counter()
        note_act(None)
        await self.ready(name)
        planned = self.plan(name, arguments, caller)
        if isinstance(planned, CallOutcome):
            planned = self.access.without_others(planned, caller)
        with called_by(self.access.treated(caller).model_copy(update={"pin": None})):
            if caller.confirmation is None:
                outcome, decision = await self._call_unasked(planned, caller)
            else:
                outcome, decision = await self._call_confirmed(planned, caller, caller.confirmation)
        outcome = await self._finish(outcome, decision, caller, started)
        if isinstance(planned, PlannedCall) and self._verdict(planned, caller, confirmed=True).untold:
            return outcome.model_copy(update={"arguments": dict(arguments)})
        return outcome

    async def call_scheduled(self, agreed: PlannedCall, asked_by: Caller) -> CallOutcome:
        """A call whose time has come, and that was agreed to when it was scheduled. Never raises but for cancellation.

        It is planned again: where that gives another call, or one that takes more, it is refused, and nothing is done;
        so it is where ``asked_by``, at the door where it was scheduled, may not do it (any more).
        """
        started = time.perf_counter()
        note_act(None)
        await self.ready(agreed.tool)
        planned = self.plan(agreed.tool, agreed.arguments)
        caller = asked_by.model_copy(update={"door": Door.SCHEDULE, "confirmation": None})
        with called_by(self.access.treated(caller)):
            refused = await self._refused_by_now(planned, asked_by)
            if isinstance(planned, CallOutcome):
                outcome, decision = planned, "not planned"
            elif refused is not None:
                outcome, decision = _refused(planned, refused), str(refused.code)
            elif (
                planned.digest != agreed.digest
                or planned.level is not agreed.level
                or (planned.protected and not agreed.protected)
            ):
                outcome, decision = refusal(planned, "confirmation_void", CHANGED, None), "confirmation_void"
            else:
                outcome, decision = await self._execute(planned), "scheduled"
        return await self._finish(outcome, decision, caller, started)

    async def _refused_by_now(self, planned: PlannedCall | CallOutcome, asked_by: Caller) -> Decision | None:
        """Why whoever scheduled it may not do it now, were they to say so again; None where they may."""
        if isinstance(planned, CallOutcome):
            return None
        now = await asyncio.to_thread(self.standing, asked_by)
        if now is None:
            return Decision(False, "refused", GONE, f"{asked_by.name} may not come in any more")
        for caller in (asked_by, now):  # what was given them since is not what they scheduled it with
            verdict = self._verdict(planned, caller, confirmed=True)
            if not verdict.allowed:
                return verdict
        return None

    async def _finish(self, outcome: CallOutcome, decision: str, caller: Caller, started: float) -> CallOutcome:
        """What every call leaves: the mark of what it read, its line, and how long it took."""
        if outcome.result is not None and outcome.result.tainted:
            self._taints.mark(caller)
        took = {"duration_ms": round((time.perf_counter() - started) * 1000, 1)}
        outcome = _without_secrets(outcome).model_copy(update=took)
        await self._keep(outcome, decision, self.access.treated(caller))
        return outcome

    def _verdict(self, planned: PlannedCall, caller: Caller, *, tainted: bool = False, confirmed: bool) -> Decision:
        tool = self._tools.get(planned.tool)
        server = tool.server_name if isinstance(tool, FromServer) else None
        return decide(planned, caller, tainted=tainted, confirmed=confirmed, access=self.access, server=server)

    async def ask(self, planned: PlannedCall, caller: Caller) -> OpenConfirmation | None:
        """Open a question about a planned call, whatever its level; None where no yes would do. Raises StoreError."""
        if not self._verdict(planned, caller, confirmed=True).allowed:
            return None
        return await asyncio.to_thread(self._confirmations.ask, planned, caller)

    async def withdraw(self, caller: Caller) -> None:
        """Cancel what is open in the caller's conversation: they said no, or something else."""
        await self._withdraw(caller)

    async def _call_unasked(self, planned: PlannedCall | CallOutcome, caller: Caller) -> tuple[CallOutcome, str]:
        """A call as it comes, and what was decided about it."""
        await self._withdraw(caller, but_of_turn=caller.turn_id)
        if isinstance(planned, CallOutcome):
            return planned, "not planned"
        verdict = self._verdict(planned, caller, tainted=self._taints.holds(caller), confirmed=False)
        if verdict.allowed:
            return await self._execute(planned), "allowed"
        if verdict.code != "needs_confirmation":
            return _refused(planned, verdict), str(verdict.code)
        return await self._ask_back(planned, caller, verdict)

    async def _ask_back(
        self, planned: PlannedCall, caller: Caller, verdict: Decision, wanted: str = SAY_IT
    ) -> tuple[CallOutcome, str]:
        """A question is left open; where it is spoken, and a PIN is wanted, it says so."""
        aloud = caller.door in VOICE_DOORS and self.pin.configured
        wants_pin = aloud and self.pin.wanted(planned)
        try:
            if aloud and await asyncio.to_thread(self.pin.locked):
                return refusal(planned, "refused", LOCKED, "too many wrong PINs"), "pin_locked"
            opened = await asyncio.to_thread(self._confirmations.ask, planned, caller)
        except StoreError as error:
            spoken = "That needs your yes, and my own database can't be used, so I changed nothing."
            return refusal(planned, "failed", spoken, str(error)), "needs_confirmation"
        asked = {
            "confirmation": opened.model_copy(update={"pin": wants_pin}),
            "spoken": f"{verdict.spoken} {wanted}" if wants_pin else verdict.spoken,
        }
        return _refused(planned, verdict).model_copy(update=asked), "needs_confirmation"

    async def _call_confirmed(
        self, planned: PlannedCall | CallOutcome, caller: Caller, nonce: str
    ) -> tuple[CallOutcome, str]:
        """A call with the person's yes: executed once, after its nonce is burnt; else nothing of it is left open."""
        if isinstance(planned, CallOutcome):
            await self._withdraw(caller)
            return planned, "not planned"
        verdict = self._verdict(planned, caller, tainted=self._taints.holds(caller), confirmed=True)
        if not verdict.allowed:
            await self._withdraw(caller)
            return _refused(planned, verdict), str(verdict.code)
        try:
            heard = await asyncio.to_thread(self._hear_pin, planned, caller)
            if heard is not Heard.RIGHT:
                await self._withdraw(caller)
                return await self._without_pin(planned, caller, heard)
            burnt = await asyncio.to_thread(self._confirmations.burn, nonce, planned, caller)
        except StoreError as error:
            spoken = "My own database can't be used, so I changed nothing."
            return refusal(planned, "failed", spoken, str(error)), "confirmation_void"
        if burnt:
            return await self._execute(planned), "confirmed"
        await self._withdraw(caller)
        return refusal(planned, "confirmation_void", VOID, None), "confirmation_void"

    def _hear_pin(self, planned: PlannedCall, caller: Caller) -> Heard:
        """What comes of it before a yes counts. Raises StoreError."""
        if caller.door not in VOICE_DOORS or not self.pin.configured:
            return Heard.RIGHT
        if self.pin.wanted(planned):
            return self.pin.hear(caller)
        return Heard.LOCKED if self.pin.locked() else Heard.RIGHT

    async def _without_pin(self, planned: PlannedCall, caller: Caller, heard: Heard) -> tuple[CallOutcome, str]:
        """A yes that does not count. One without a PIN is asked for again; after a wrong one nothing is left open."""
        if heard is Heard.MISSING:
            verdict = Decision(False, "needs_confirmation", question(planned), "The PIN was not said.")
            return await self._ask_back(planned, caller, verdict, MISSING)
        spoken = {Heard.WRONG: WRONG, Heard.LOCKED: LOCKED}.get(heard, UNREADABLE)
        if heard is Heard.WRONG and await asyncio.to_thread(self.pin.locked):
            spoken = f"{WRONG} {LOCKED}"
        return refusal(planned, "refused", spoken, f"PIN: {heard.value}"), f"pin_{heard.value}"

    async def _withdraw(self, caller: Caller, but_of_turn: str | None = None) -> None:
        """A database that cannot be used burns nothing, and lets nobody use up a nonce either; it is logged."""
        try:
            await asyncio.to_thread(self._confirmations.withdraw, caller, but_of_turn=but_of_turn)
        except StoreError as error:
            log.warning("open questions could not be withdrawn: %s", error)

    async def ready(self, name: str | None = None) -> None:
        """Have the live names that this tool plans with; without a name those of all tools. Raises nothing."""
        tools = self._tools.values() if name is None else filter(None, [self._tools.get(name)])
        await asyncio.gather(*(tool.ready() for tool in tools if isinstance(tool, Prepares)))

    def plan(self, name: str, arguments: Mapping[str, Any], caller: Caller | None = None) -> PlannedCall | CallOutcome:
        """Resolve a call and touch nothing; a CallOutcome says why it cannot be planned. ``caller``: whose room is
        meant where a room is left open; without one the call says all that it means."""
        tool = self._tools.get(name)
        if tool is None:
            detail = f"There is no tool {name!r}. The tools are {listing(list(self._tools))}."
            return _not_planned(name, arguments, "unknown_tool", "I don't have a tool for that.", detail)
        try:
            with said_by(caller):
                planned = tool.plan(read_arguments(tool, arguments))
        except InvalidArgumentsError as error:
            spoken = "I couldn't make out what exactly to check."
            return _not_planned(name, arguments, "invalid_arguments", spoken, str(error))
        if isinstance(planned, Candidates):
            code: RefusalCode = "ambiguous_name" if planned.ambiguous else "unknown_name"
            outcome = _not_planned(name, arguments, code, planned.spoken, f"{planned.argument}: {planned.said!r}")
            return outcome.model_copy(update={"candidates": planned.names})
        return planned

    async def _execute(self, call: PlannedCall) -> CallOutcome:
        tool = self._tools.get(call.tool)
        if tool is None:  # of an outside server, which has gone since it was planned
            return refusal(call, "unavailable", "The tool for that is gone.", None)
        if call.level is not Level.READ:
            try:
                note_act(await asyncio.to_thread(begin_act, self._store, call, current_caller()))
            except StoreError as error:
                return refusal(call, "failed", UNRECORDED, str(error))
        try:
            async with asyncio.timeout(tool.deadline_s):
                result = await tool.execute(call)
        except TimeoutError:
            detail = f"{call.tool} did not finish within {tool.deadline_s:g} s."
            return refusal(call, "timeout", "That took too long, so I can't tell you.", detail)
        except UnavailableError as error:
            return refusal(call, "unavailable", str(error), None)
        except CallError as error:
            if error.tainted:
                self._taints.mark(current_caller())
            return refusal(call, error.code, error.spoken, error.detail)
        except StoreError as error:
            return refusal(call, "failed", "My own database can't be used, so I can't tell you.", str(error))
        except Exception as error:  # the edge: a tool's bug is an honest outcome, not a dead server
            log.exception("tool %s failed", call.tool)
            detail = f"{call.tool} failed inside: {type(error).__name__}; the log has the rest."
            return refusal(call, "failed", "That check broke, so I can't tell you.", detail)
        return CallOutcome(
            ok=True, spoken=result.spoken, tool=call.tool, arguments=call.arguments, level=call.level, result=result
        )

    async def _keep(self, outcome: CallOutcome, decision: str, caller: Caller) -> None:
        """Audit and artifact. An unwritable disk must not turn a good answer into none; it is logged. What was noted
        before an act stays then, and becomes its line later."""
        try:
            await asyncio.to_thread(keep_call, self._store, self._outbox, outcome, decision, caller)
        except (StoreError, OSError) as error:
            log.warning("the call of %s could not be recorded: %s", outcome.tool, error)


def _without_secrets(outcome: CallOutcome) -> CallOutcome:
    """What a tool says, without what is known to be secret: a server or a program may have quoted it."""
    told = outcome.model_dump()
    cleaned = KNOWN.hide_in(told)
    if cleaned == told:
        return outcome
    try:
        return CallOutcome.model_validate(cleaned)
    except ValidationError:  # where no free text stands
        spoken = "What came of it holds a secret, so I don't tell it."
        return CallOutcome(ok=False, spoken=spoken, tool=outcome.tool, level=outcome.level, error="failed")


def _not_planned(name: str, arguments: Mapping[str, Any], code: RefusalCode, spoken: str, detail: str) -> CallOutcome:
    return CallOutcome(ok=False, spoken=spoken, tool=name, arguments=dict(arguments), error=code, detail=detail)


def _refused(call: PlannedCall, verdict: Decision) -> CallOutcome:
    """What is protected is refused without a plan: no level stands in the outcome."""
    return CallOutcome(
        ok=False,
        spoken=verdict.spoken,
        tool=call.tool,
        arguments=call.arguments,
        level=None if verdict.code == "protected" else call.level,
        error=verdict.code,
        detail=verdict.reason,
    )


def refusal(call: PlannedCall, code: RefusalCode, spoken: str, detail: str | None) -> CallOutcome:
    """The outcome of a planned call that was not done, or could not be."""
    return CallOutcome(
        ok=False,
        spoken=spoken,
        tool=call.tool,
        arguments=call.arguments,
        level=call.level,
        error=code,
        detail=detail,
    )
