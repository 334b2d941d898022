"""★ The server's one call path, for every client: microphone, chat page, script or schedule.

    arguments → plan (names resolved) → may this caller do this? → execute → audit

The assistant says who asks and decides nothing; tools know nothing of the policy.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.contract import (
    Caller,
    CallOutcome,
    Candidates,
    Door,
    JsonObject,
    Level,
    PlannedCall,
    RefusalCode,
    Speech,
    ToolResult,
)
from tools.outbox import Outbox
from tools.store import Store, StoreError
from tools.tool import InvalidArgumentsError, Tool, read_arguments
from tools.wording import listing

log = logging.getLogger(__name__)

VOICE_DOORS = frozenset({Door.MICROPHONE, Door.SATELLITE})
"""Doors at which anybody in the room can speak: protected targets are never changed from here."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a planned call may go ahead; if not, the code and the sentence."""

    allowed: bool
    code: RefusalCode | None = None
    spoken: str = ""


def decide(call: PlannedCall, caller: Caller) -> Decision:
    """Pure. Reading is free; a question never acts; the destructive wants a yes; the protected is not for voices."""
    if call.level is Level.READ:
        return Decision(allowed=True)
    if call.protected and caller.door in VOICE_DOORS:
        return Decision(False, "refused", "That one is protected. It can't be changed by voice.")
    if caller.speech is Speech.QUESTION:
        return Decision(False, "refused", "You asked, so I changed nothing.")
    if call.level is Level.DESTRUCTIVE:
        return Decision(False, "needs_confirmation", "That needs your yes first.")
    return Decision(allowed=True)


class CallPath:
    """plan → decide → execute over a fixed list of tools, every call audited."""

    def __init__(self, tools: Sequence[Tool], store: Store, outbox: Outbox) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._store = store
        self._outbox = outbox

    @property
    def tools(self) -> tuple[Tool, ...]:
        """In their fixed order."""
        return tuple(self._tools.values())

    async def call(self, name: str, arguments: Mapping[str, Any], caller: Caller) -> CallOutcome:
        """The whole way of a call. Never raises but for cancellation: every refusal and failure is an outcome."""
        started = time.perf_counter()
        planned = self.plan(name, arguments)
        if isinstance(planned, CallOutcome):
            outcome, decision = planned, "not planned"
        else:
            verdict = decide(planned, caller)
            decision = "allowed" if verdict.allowed else str(verdict.code)
            outcome = await self._execute(planned) if verdict.allowed else _refused(planned, verdict)
        outcome = outcome.model_copy(update={"duration_ms": round((time.perf_counter() - started) * 1000, 1)})
        await self._keep(outcome, decision, caller)
        return outcome

    def plan(self, name: str, arguments: Mapping[str, Any]) -> PlannedCall | CallOutcome:
        """Resolve a call and touch nothing; a CallOutcome says why it cannot be planned."""
        tool = self._tools.get(name)
        if tool is None:
            detail = f"There is no tool {name!r}. The tools are {listing(list(self._tools))}."
            return _not_planned(name, arguments, "unknown_tool", "I don't have a tool for that.", detail)
        try:
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
        tool = self._tools[call.tool]
        try:
            async with asyncio.timeout(tool.deadline_s):
                result = await tool.execute(call)
        except TimeoutError:
            detail = f"{call.tool} did not finish within {tool.deadline_s:g} s."
            return _failed(call, "timeout", "That took too long, so I can't tell you.", detail)
        except StoreError as error:
            return _failed(call, "failed", "My own database can't be used, so I can't tell you.", str(error))
        except Exception as error:  # the edge: a tool's bug is an honest outcome, not a dead server
            log.exception("tool %s failed", call.tool)
            detail = f"{call.tool} failed inside: {type(error).__name__}; the log has the rest."
            return _failed(call, "failed", "That check broke, so I can't tell you.", detail)
        return CallOutcome(
            ok=True, spoken=result.spoken, tool=call.tool, arguments=call.arguments, level=call.level, result=result
        )

    async def _keep(self, outcome: CallOutcome, decision: str, caller: Caller) -> None:
        """Audit and artifact. An unwritable disk must not turn a good answer into none; it is logged."""
        try:
            await asyncio.to_thread(self._keep_now, outcome, decision, caller)
        except (StoreError, OSError) as error:
            log.warning("the call of %s could not be recorded: %s", outcome.tool, error)

    def _keep_now(self, outcome: CallOutcome, decision: str, caller: Caller) -> None:
        self._store.audit(
            {
                "who": caller.name,
                "role": caller.role,
                "door": caller.door.value,
                "room": caller.room,
                "turn_id": caller.turn_id,
                "tool": outcome.tool,
                "arguments": json.dumps(outcome.arguments, sort_keys=True, default=str),
                "level": outcome.level.value if outcome.level else None,
                "decision": decision,
                "outcome": "ok" if outcome.ok else outcome.error,
                "result_sha256": _digest(outcome.result) if outcome.result else None,
            }
        )
        if outcome.result is not None:
            artifact: JsonObject = {"arguments": outcome.arguments, **outcome.result.model_dump(mode="json")}
            self._outbox.leave(outcome.tool, artifact)


def _digest(result: ToolResult) -> str:
    return hashlib.sha256(result.model_dump_json().encode()).hexdigest()


def _not_planned(name: str, arguments: Mapping[str, Any], code: RefusalCode, spoken: str, detail: str) -> CallOutcome:
    return CallOutcome(ok=False, spoken=spoken, tool=name, arguments=dict(arguments), error=code, detail=detail)


def _refused(call: PlannedCall, verdict: Decision) -> CallOutcome:
    return _failed(call, verdict.code or "refused", verdict.spoken, "The policy refused the call.")


def _failed(call: PlannedCall, code: RefusalCode, spoken: str, detail: str) -> CallOutcome:
    return CallOutcome(
        ok=False,
        spoken=spoken,
        tool=call.tool,
        arguments=call.arguments,
        level=call.level,
        error=code,
        detail=detail,
    )
