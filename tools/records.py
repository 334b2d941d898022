"""What every call leaves behind: its line in the audit, and its artifact in the outbox."""

from __future__ import annotations

import hashlib
import json
import logging
from contextvars import ContextVar

from tools.contract import Caller, CallOutcome, Door, JsonObject, PlannedCall
from tools.jobs.process import identity, is_running
from tools.outbox import Outbox
from tools.store import Store, StoreError

log = logging.getLogger(__name__)

DAY_S = 86400.0

_begun: ContextVar[int | None] = ContextVar("begun", default=None)
"""The act of the call under way, once it is noted."""


def begin_act(store: Store, call: PlannedCall, caller: Caller) -> int:
    """Note an act before it is done: what cannot be written down is not done. Its id. Raises StoreError."""
    entry = {
        **_who(caller),
        "tool": call.tool,
        "arguments": _text(call.arguments),
        "level": call.level.value,
        "decision": "begun",
        "outcome": "unknown",
    }
    return store.begin_act(identity() or "", entry)


def note_act(act: int | None) -> None:
    """Of the call under way, for the line that it ends with; None at its beginning."""
    _begun.set(act)


def settle_acts(store: Store) -> int:
    """Acts of processes that are gone, killed in the middle of it or unable to write: each gets its line. How many
    there were. Raises nothing: what cannot be written now is settled at the next start."""
    try:
        return store.settle_acts(is_running)
    except StoreError as error:
        log.warning("acts that broke off are not in the audit yet: %s", error)
        return 0


def _who(caller: Caller) -> JsonObject:
    return {
        "who": caller.name,
        "role": caller.role,
        "door": caller.door.value,
        "room": caller.room,
        "turn_id": caller.turn_id,
    }


def _text(arguments: JsonObject) -> str:
    return json.dumps(arguments, sort_keys=True, default=str)


def keep_call(store: Store, outbox: Outbox, outcome: CallOutcome, decision: str, caller: Caller) -> None:
    """Keep one call. A confirmation's nonce goes into neither. Raises StoreError, OSError."""
    result = outcome.result
    line = {
        **_who(caller),
        "tool": outcome.tool,
        "arguments": _text(outcome.arguments),
        "level": outcome.level.value if outcome.level else None,
        "decision": decision,
        "outcome": "ok" if outcome.ok else outcome.error,
        "result_sha256": hashlib.sha256(result.model_dump_json().encode()).hexdigest() if result else None,
    }
    act = _begun.get()
    if act is None:
        store.audit(line)
    else:
        store.end_act(act, line)
    if result is not None:
        artifact: JsonObject = {"arguments": outcome.arguments, **result.model_dump(mode="json")}
        outbox.leave(outcome.tool, artifact)


def forget_old_calls(store: Store, days: float, now: float) -> int:
    """Drop the lines that are older, with a line that says so; 0 days: for ever. How many there were. Raises
    StoreError."""
    if days <= 0:
        return 0
    entry = {"who": "jarvis", "role": "owner", "door": Door.SCHEDULE.value, "tool": "audit", "outcome": "ok"}
    return store.forget_audit(now - days * DAY_S, entry)
