"""A digest, made: the checks are called as anybody calls them, all at once; a model may put it into fewer words."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from tools.contract import Caller, CallOutcome, Door, ToolResult
from tools.digest.facts import CHECKS, Digest, Phrase, Worded, digest_of, phrased

log = logging.getLogger(__name__)

CALLER = Caller(name="digest", role="member", door=Door.SCHEDULE, conversation="digest")
"""May look, and nothing else is called; a conversation of its own, so that nobody's open question is withdrawn."""

PHRASING_S = 25.0
"""The model has its own limit, of 20 s; this one is for whatever forgets it."""

Call = Callable[[str, Mapping[str, Any], Caller], Awaitable[CallOutcome]]


async def no_model(_: Sequence[ToolResult]) -> Worded:
    """Facts alone."""
    return Worded(None, "no model was asked")


async def make_digest(call: Call, now: datetime, phrase: Phrase = no_model) -> Digest:
    """Every check that is set up, and what it comes to. Raises nothing but for cancellation."""
    outcomes = await asyncio.gather(*(call(name, {}, CALLER) for name in CHECKS))
    facts = digest_of(outcomes, now.isoformat(timespec="seconds"))
    try:
        async with asyncio.timeout(PHRASING_S):
            return await phrased(facts, outcomes, phrase)
    except TimeoutError:
        return facts.model_copy(update={"reason": "it took too long"})
    except Exception:  # the edge: whatever becomes of the model, the facts are there
        log.exception("the digest was not phrased")
        return facts.model_copy(update={"reason": "the model failed"})
