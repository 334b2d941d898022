"""What goes wrong with a model server, as ChatError: the facts, and what to do. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

import httpx2
import openai

from assistant.errors import ChatError, EgressError, JarvisError

FAILURES = (openai.OpenAIError, httpx2.HTTPError, TimeoutError)
"""What the client raises when the server does not answer as it should."""

UNREADABLE = (AttributeError, TypeError, ValueError, KeyError, RecursionError)
"""What the client raises while it reads an answer that is no OpenAI answer: it does not validate."""

_NOT_FOUND = re.compile(r"model\b.*\bnot (?:found|exist|loaded)|does not exist|no models? (?:is |are )?loaded", re.I)
_TOO_LONG = re.compile(r"context|too many tokens|maximum.{0,20}length|too long", re.I)


def down(base_url: str) -> ChatError:
    return ChatError(
        "model_server_down",
        f"The model server at {base_url} cannot be reached.",
        mend="Start it, or mend base_url in [model].",
    )


def nonsense(base_url: str, what: str) -> ChatError:
    mend = "Check base_url in [model]; it usually ends in /v1."
    return ChatError("model_nonsense", f"The model server at {base_url} talks nonsense: {what}.", mend=mend)


def not_found(base_url: str, model: str | None, listed: Sequence[str]) -> ChatError:
    """The server has not the model, but these."""
    if not listed:
        detail = f"The model server at {base_url} has no chat model."
        return ChatError("model_not_found", detail, mend="Load or pull one there.")
    detail = f"The model server at {base_url} has no model {model!r}. It has: {', '.join(listed)}."
    return ChatError("model_not_found", detail, mend="Set `name` in [model] to one of them, or load the other there.")


def speaks_of_missing_model(error: BaseException) -> bool:
    """Whether the server says that it has not the model (by status or in words)."""
    if isinstance(error, openai.NotFoundError):
        return True
    return isinstance(error, openai.BadRequestError) and bool(_NOT_FOUND.search(_message(error)))


def chat_error(error: BaseException, base_url: str, *, begun: bool = False) -> JarvisError:
    """Any of FAILURES and UNREADABLE as an error of ours; ``begun``: the answer was already coming in.

    A connection that the egress guard refused comes out as that.
    """
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, EgressError):
            return below
        below = below.__cause__ or below.__context__
    where = f"The model server at {base_url}"
    if isinstance(error, TimeoutError | openai.APITimeoutError | httpx2.TimeoutException):
        if not begun and _connecting(error):
            return down(base_url)
        what = "did not finish its answer in time" if begun else "did not begin to answer in time"
        return ChatError(
            "model_slow", f"{where} {what}.", mend="Try a smaller model, or raise the time-outs in [model]."
        )
    if isinstance(error, openai.APIStatusError):
        return _status_error(error, where)
    if isinstance(error, openai.APIConnectionError | httpx2.TransportError):
        return nonsense(base_url, "its answer broke off") if begun else down(base_url)
    if isinstance(error, openai.APIError):  # an error event in the stream
        return _said_error(_message(error), where, None)
    return nonsense(base_url, f"its answer cannot be read ({type(error).__name__})")


def _status_error(error: openai.APIStatusError, where: str) -> ChatError:
    if error.status_code in (401, 403):
        mend = "Check api_key_file in [model]."
        return ChatError("model_refused_key", f"{where} refuses the API key (HTTP {error.status_code}).", mend=mend)
    if "html" in error.response.headers.get("content-type", "") or error.status_code == 404:
        detail = f"{where} answers with HTTP status {error.status_code}, not like an OpenAI-compatible server."
        return ChatError("model_nonsense", detail, mend="Check base_url in [model]; it usually ends in /v1.")
    return _said_error(_message(error), where, error.status_code)


def _said_error(message: str, where: str, status: int | None) -> ChatError:
    if status in (None, 400, 413, 422, 500) and _TOO_LONG.search(message):
        mend = "Say it shorter, or give the model a longer context."
        return ChatError("context_overflow", f"{where} says that the conversation is too long: {message}", mend=mend)
    if "support tools" in message:
        mend = "Choose a model that can call tools with `name` in [model]."
        return ChatError("model_without_tools", f"{where} says: {message}", mend=mend)
    code = f" (HTTP {status})" if status else ""
    return ChatError("model_error", f"{where} reports an error{code}: {message or 'without saying which'}")


def _connecting(error: BaseException) -> bool:
    return isinstance(error.__cause__, httpx2.ConnectTimeout) or isinstance(error, httpx2.ConnectTimeout)


def _message(error: openai.APIError) -> str:
    """The server's own words, one line, capped."""
    body = error.body
    said = body.get("message") if isinstance(body, dict) else None
    return " ".join(str(said or error.message).split())[:300]
