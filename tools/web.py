"""JSON over HTTP from servers in the house: bounded in time and size, every failure a clause for people."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from tools.program import read_secret

MAX_BYTES = 16 * 2**20
"""Of one answer. The states of a thousand entities take half a megabyte."""


class WebError(Exception):
    """It could not be asked, or said no. The text is the end of "because …", without a secret ("it refuses the
    token"). ``status``: of the answer, where there was one."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


def client(*, verify_tls: bool = True, timeout_s: float, base_url: str = "", **options: Any) -> httpx.AsyncClient:
    """A client that takes no proxy and no netrc from the environment, and follows no redirect."""
    verify: ssl.SSLContext | bool = _trusting() if verify_tls else False
    return httpx.AsyncClient(
        base_url=base_url, verify=verify, timeout=timeout_s, trust_env=False, follow_redirects=False, **options
    )


@cache
def _trusting() -> ssl.SSLContext:
    """Made once: reading the certificates of the system takes longer than most questions."""
    return ssl.create_default_context()


async def ask(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    timeout_s: float,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    body: Any = None,
    max_bytes: int = MAX_BYTES,
) -> bytes:
    """The body of a good answer. ``timeout_s``: for all of it. Raises WebError."""
    try:
        async with (
            asyncio.timeout(timeout_s),
            http.stream(method, url, headers=headers, params=params, json=body) as answer,
        ):
            _check(answer)
            found = bytearray()
            async for chunk in answer.aiter_bytes():
                found += chunk
                if len(found) > max_bytes:
                    raise WebError("its answer is too long")
            return bytes(found)
    except (httpx.TimeoutException, TimeoutError) as error:
        raise WebError("it does not answer in time") from error
    except httpx.HTTPError as error:
        raise WebError(why(error)) from error
    except (httpx.InvalidURL, UnicodeError) as error:  # neither is an HTTPError
        raise WebError("its address is not one that can be asked") from error


async def ask_json(http: httpx.AsyncClient, method: str, url: str, **options: Any) -> Any:
    """The same, decoded. Raises WebError."""
    raw = await ask(http, method, url, **options)
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise WebError("its answer is no JSON") from error


async def bearer(file: Path | None, noun: str = "token") -> dict[str, str]:
    """The header with the token of that file; none without a file. Raises WebError."""
    return {"Authorization": f"Bearer {await secret(file, noun)}"} if file is not None else {}


async def secret(file: Path, noun: str = "token") -> str:
    """What stands in that file. Raises WebError."""
    try:
        return await asyncio.to_thread(read_secret, file)
    except (OSError, ValueError) as error:
        raise WebError(f"the file with its {noun} cannot be read") from error


def _check(answer: httpx.Response) -> None:
    status = answer.status_code
    if status in (401, 403):
        raise WebError("it refuses the credentials", status)
    if status == 404:
        raise WebError("it does not know that address", status)
    if not answer.is_success:
        raise WebError(f"it answers with HTTP status {status}", status)


def why(error: httpx.HTTPError) -> str:
    """What a failed request came to, as a clause."""
    cause: BaseException | None = error
    while cause is not None:
        if getattr(cause, "code", None) == "egress_refused":
            return "it is outside the private network, and I may not go there"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection is refused"
        if isinstance(cause, ssl.SSLError):
            return "its certificate is not trusted"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ConnectError):
        text = str(error).casefold()
        if "certificate" in text:
            return "its certificate is not trusted"
        if "name" in text and ("resolution" in text or "known" in text):
            return "its name cannot be found"
        return "it cannot be reached"
    return "it breaks off the connection"
