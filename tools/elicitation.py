"""The question to an outside MCP client's person: an elicitation, in both generations of the protocol.

From 2026-07-28 on a call is answered with ``InputRequiredResult`` and comes again with the person's answer; before,
the server asks while the call is under way. Either way the yes is our own nonce, which the client never sees: between
the two rounds it is in the request state, encrypted by :func:`sealed`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

import mcp_types as types
from mcp.server import ServerRequestContext
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from tools.contract import Caller, CallOutcome, OpenConfirmation, PlannedCall
from tools.notify.questions import PhoneQuestions
from tools.policy import VOID, CallPath, refusal

KEY = "confirmation"
"""Of our one question among a call's input requests."""

NO_FIELDS: types.ElicitRequestedSchema = {"type": "object", "properties": {}}
"""Accepting is the yes; there is nothing to fill in."""

STATE_LIFETIME_S = 3600.0
"""Of the sealed state: longer than any question, so that one that is answered too late gets our sentence about it."""

NO_CHANNEL = (
    "That needs a person's yes, and your client can't ask for one, so nothing was changed. "
    "Say it to Jarvis by voice or in jarvis repl, or use a client that supports elicitation."
)
ON_THE_PHONE = (
    "That needs a person's yes. The question is on the phone for five minutes; nothing is done until somebody says yes "
    "there."
)
DECLINED = "The answer was no, so nothing was changed."
CANCELLED = "Nobody said yes, so nothing was changed."
LATE = "late"


def sealed(audience: str, who: Callable[[], str]) -> RequestStateBoundary:
    """The middleware that encrypts the request state for this process, this caller and this very request."""
    security = RequestStateSecurity.ephemeral(ttl=STATE_LIFETIME_S)
    security.bind_principal = lambda _: who()
    return RequestStateBoundary(security, default_audience=audience)


async def call_and_ask(
    path: CallPath,
    ctx: ServerRequestContext[Any],
    params: types.CallToolRequestParams,
    caller: Caller,
    phone: PhoneQuestions | None = None,
) -> CallOutcome | types.InputRequiredResult:
    """A call of an outside client; what needs a yes is asked of its person, else on the phone, else refused.

    Each call is a conversation of its own: a client makes several at once, and its other calls cancel no question.
    """
    if params.request_state is not None:
        return await _answered(path, params, caller, params.request_state)
    caller = caller.model_copy(update={"conversation": secrets.token_hex(8), "confirmation": None})
    outcome = await path.call(params.name, params.arguments or {}, caller)
    if outcome.confirmation is None:
        return outcome
    if not _can_ask(ctx):
        planned = path.plan(params.name, params.arguments or {}, caller)
        if phone is None or not isinstance(planned, PlannedCall):
            await path.withdraw(caller)
        elif await phone.ask(planned, caller, outcome.confirmation):
            return outcome.model_copy(update={"spoken": ON_THE_PHONE, "confirmation": None})
        return outcome.model_copy(update={"spoken": NO_CHANNEL, "confirmation": None})
    question = types.ElicitRequestFormParams(message=outcome.spoken, requested_schema=NO_FIELDS)
    if _comes_again(ctx):
        state = json.dumps([caller.conversation, outcome.confirmation.nonce])
        return types.InputRequiredResult(
            input_requests={KEY: types.ElicitRequest(params=question)}, request_state=state
        )
    answer = await _ask_now(ctx, question, outcome.confirmation)
    return await _conclude(path, params, caller, outcome.confirmation.nonce, answer)


async def _answered(path: CallPath, params: types.CallToolRequestParams, caller: Caller, state: str) -> CallOutcome:
    """The second round of a call; ``state`` is the one that we gave, for it was sealed."""
    conversation, nonce = json.loads(state)
    caller = caller.model_copy(update={"conversation": conversation})
    answer = (params.input_responses or {}).get(KEY)
    action = answer.action if isinstance(answer, types.ElicitResult) else "cancel"
    return await _conclude(path, params, caller, nonce, action)


async def _conclude(
    path: CallPath, params: types.CallToolRequestParams, caller: Caller, nonce: str, action: str
) -> CallOutcome:
    arguments = params.arguments or {}
    if action == "accept":
        return await path.call(params.name, arguments, caller.model_copy(update={"confirmation": nonce}))
    await path.withdraw(caller)
    planned = path.plan(params.name, arguments, caller)
    if isinstance(planned, CallOutcome):
        return planned
    if action == LATE:
        return refusal(planned, "confirmation_void", VOID, None)
    return refusal(planned, "refused", DECLINED if action == "decline" else CANCELLED, f"elicitation: {action}")


async def _ask_now(
    ctx: ServerRequestContext[Any], question: types.ElicitRequestFormParams, opened: OpenConfirmation
) -> str:
    """The action of an older client's person, while the call waits; LATE when the question expired meanwhile."""
    try:
        answer = await ctx.session.send_request(
            types.ElicitRequest(params=question),
            types.ElicitResult,
            request_read_timeout_seconds=opened.expires_in_s,
            metadata=ServerMessageMetadata(related_request_id=ctx.request_id),
        )
    except MCPError as error:
        return LATE if error.code == types.REQUEST_TIMEOUT else "cancel"
    except ValidationError:  # an answer that is none
        return "cancel"
    return answer.action


def _comes_again(ctx: ServerRequestContext[Any]) -> bool:
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS


def _can_ask(ctx: ServerRequestContext[Any]) -> bool:
    """The client declared forms (a bare ``elicitation: {}`` is forms), and there is a way back to it."""
    declared = ctx.session.client_capabilities
    elicitation = declared.elicitation if declared else None
    has_forms = elicitation is not None and (elicitation.form is not None or elicitation.url is None)
    return has_forms and (_comes_again(ctx) or ctx.session.can_send_request)
