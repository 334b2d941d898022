"""What every call leaves behind: its line in the audit, and its artifact in the outbox."""

from __future__ import annotations

import hashlib
import json

from tools.contract import Caller, CallOutcome, Door, JsonObject
from tools.outbox import Outbox
from tools.store import Store

DAY_S = 86400.0


def keep_call(store: Store, outbox: Outbox, outcome: CallOutcome, decision: str, caller: Caller) -> None:
    """Keep one call. A confirmation's nonce goes into neither. Raises StoreError, OSError."""
    result = outcome.result
    store.audit(
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
            "result_sha256": hashlib.sha256(result.model_dump_json().encode()).hexdigest() if result else None,
        }
    )
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
