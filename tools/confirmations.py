"""The person's yes: a nonce over exactly one call, kept in the database, burnt before that call is executed.

Whoever wants to act twice, later, or something else with it finds it void. Two clocks bound its life: the wall clock,
which a restart survives, and the monotonic one, which nobody can set back.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from tools.access import VOICE_DOORS
from tools.contract import Caller, OpenConfirmation, PlannedCall
from tools.store import Store
from tools.wording import listing

VOICE_LIFETIME_S = 30.0
"""A question that was spoken: whoever says yes to something else a minute later must not be heard."""

LIFETIME_S = 300.0
"""A question that was written: it stands there to be read."""

NONCE_BYTES = 16


class Confirmations:
    """The open questions, all in the store. Every method is short and blocks; call it through a thread."""

    def __init__(
        self,
        store: Store,
        *,
        voice_lifetime_s: float = VOICE_LIFETIME_S,
        lifetime_s: float = LIFETIME_S,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock``: seconds since 1970; ``ticks``: seconds of this machine's uptime, which only grow."""
        self._store = store
        self._voice_lifetime_s = voice_lifetime_s
        self._lifetime_s = lifetime_s
        self._clock = clock
        self._ticks = ticks

    def ask(self, call: PlannedCall, caller: Caller) -> OpenConfirmation:
        """Open a question for this caller in this conversation about this call. Raises StoreError."""
        nonce = secrets.token_urlsafe(NONCE_BYTES)
        now, ticks = self._clock(), self._ticks()
        lifetime = self._voice_lifetime_s if caller.door in VOICE_DOORS else self._lifetime_s
        self._store.open_confirmation(
            {
                **_bound(nonce, call, caller),
                "door": caller.door.value,
                "turn_id": caller.turn_id,
                "created": now,
                "expires": now + lifetime,
                "created_ticks": ticks,
                "expires_ticks": ticks + lifetime,
            }
        )
        return OpenConfirmation(nonce=nonce, expires_in_s=lifetime)

    def burn(self, nonce: str, call: PlannedCall, caller: Caller) -> bool:
        """Use up a nonce: true once, for its own call, caller and conversation, while it is open. Raises StoreError."""
        return self._store.burn_confirmation(
            {**_bound(nonce, call, caller), "now": self._clock(), "ticks": self._ticks()}
        )

    def withdraw(self, caller: Caller, *, but_of_turn: str | None = None) -> None:
        """Burn what is open in the caller's conversation, but for what that turn itself asked. Raises StoreError."""
        self._store.withdraw_confirmations(caller.name, caller.conversation, but_of_turn)


def question(call: PlannedCall) -> str:
    """The call read back with its target's name: "Shall I shut down endeavour?"."""
    if call.readback:
        return f"Shall I {call.readback}?"
    about = listing([str(value) for value in call.arguments.values()])
    doing = f"Shall I go ahead with {call.tool.replace('_', ' ')}"
    return f"{doing} for {about}?" if about else f"{doing}?"


def _bound(nonce: str, call: PlannedCall, caller: Caller) -> Mapping[str, Any]:
    """What a nonce is bound to, as it is stored: its digest only, never itself."""
    return {
        "nonce_sha256": hashlib.sha256(nonce.encode("utf-8", "replace")).hexdigest(),
        "digest": call.digest,
        "who": caller.name,
        "conversation": caller.conversation,
    }
